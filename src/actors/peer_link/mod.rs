//! The link to one neighbour: dials it, keeps its sockets, and says how it is doing.
//!
//! What to do is decided by `domain::neighbourhood::Peer`; here it is carried out. **Invariants:** the
//! registry knows the neighbour exactly as long as there is a socket on which it can be spoken to; a link
//! that fails in a handler lets go of its sockets and is made anew.

mod bar;
mod message;
mod signs;
mod speech;
pub(super) mod trouble;
mod ways;

pub use self::message::{Adopt, Bar, Doubt, Fail, Remove, Retry, Ways};

use std::{collections::BTreeMap, sync::Arc};

use actix::{
    Actor, ActorContext as _, ActorFutureExt as _, AsyncContext as _, Context, Handler, Recipient,
    SpawnHandle, WrapFuture as _,
};
use actix_rt::task::JoinHandle;
use bytes::Bytes;
use rustls::ClientConfig;

use super::{
    chance,
    clock::unix_ms,
    connection::{Connection, Start, launch},
    dial::{DialError, Opened, dial, peer_url},
    house::House,
    meter::Reading,
    neighbourhood::{Broken, Closed, SocketView, Status, Step, Trouble},
    registry::{Link, Unlink},
    socket::Socket,
};
use crate::{
    dialect::{Accent, Ear},
    domain::{
        Moment,
        address::Address,
        id::{ConnectionId, HomeId, KeyId},
        limits::seconds,
        neighbourhood::{Direction, Due, Loss, Peer, State},
        peer::{LinkDialect, Trust},
        refusal::{Ending, Refusal},
    },
};

/// What a link is made of.
#[derive(Debug)]
pub struct Parts {
    /// Which neighbour.
    pub home: HomeId,
    /// Where it is dialled.
    pub url: Option<String>,
    /// Where else, if its home has several doors.
    pub doors: Vec<String>,
    /// What is spoken with it, if that is settled.
    pub dialect: Option<LinkDialect>,
    /// How it deviates, if that is set.
    pub accent: Option<Accent>,
    /// Whether it is coming to us at this moment, so that it need not be dialled.
    pub is_coming: bool,
    /// Why it is kept out, if a ban does that.
    pub bar: Option<String>,
    /// Everything else.
    pub house: Arc<House>,
    /// Whose certificates are believed.
    pub trust: Arc<ClientConfig>,
    /// Who hears how it is doing.
    pub status: Recipient<Status>,
    /// Who makes it anew.
    pub broken: Recipient<Broken>,
}

/// What the registry is told about the neighbour.
#[derive(Clone, Debug)]
struct Card {
    address: Arc<str>,
    names: Vec<Address>,
    key: Option<KeyId>,
    ear: Ear,
    trust: Trust,
}

/// The actor.
#[derive(Debug)]
pub struct PeerLink {
    parts: Parts,
    peer: Peer,
    doors: ways::Doors,
    sockets: BTreeMap<ConnectionId, SocketView>,
    /// The socket of an attempt that is open and not greeted yet.
    attempt: Option<(ConnectionId, JoinHandle<()>)>,
    card: Option<Card>,
    trouble: Option<Trouble>,
    /// Why somebody was turned away who came under its name. That says nothing about the link itself.
    doubt: Option<Trouble>,
    steps: Vec<Step>,
    past: Reading,
    alarm: Option<SpawnHandle>,
}

impl PeerLink {
    /// A link that is not dialled yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let now = parts.house.clock.now();
        let mut peer = Peer::new(parts.url.is_some(), now);
        peer.ban(parts.bar.is_some(), now, &parts.house.limits);
        Self {
            trouble: parts.bar.as_deref().map(trouble::barred),
            doors: ways::Doors::new(parts.doors.clone()),
            parts,
            peer,
            sockets: BTreeMap::new(),
            attempt: None,
            card: None,
            doubt: None,
            steps: Vec::new(),
            past: Reading::default(),
            alarm: None,
        }
    }

    fn now(&self) -> Moment {
        self.parts.house.clock.now()
    }

    /// Does what is due, and says how things are.
    fn go_on(&mut self, ctx: &mut Context<Self>) {
        if let Some(alarm) = self.alarm.take() {
            ctx.cancel_future(alarm);
        }
        let (house, now) = (Arc::clone(&self.parts.house), self.now());
        if let Some(heard) = self.sockets.values().map(|socket| socket.meter.heard()).max() {
            self.peer.heard(heard, &house.limits);
        }
        let due = if house.is_draining() { Due::Nothing } else { self.peer.due(now, &house.limits) };
        match due {
            Due::Dial => self.dial(ctx),
            Due::Sleep(until) => {
                let span = until.saturating_sub(now);
                self.alarm = Some(ctx.run_later(span, |link, ctx| {
                    link.alarm = None;
                    link.go_on(ctx);
                }));
            }
            Due::Nothing => {}
        }
        self.say_how_it_is();
    }

    fn say_how_it_is(&self) {
        let now = self.now();
        let wall = |moment: Moment| {
            let ago = i64::try_from(now.saturating_sub(moment).as_millis()).unwrap_or(0);
            let ahead = i64::try_from(moment.saturating_sub(now).as_millis()).unwrap_or(0);
            unix_ms() - ago + ahead
        };
        let (state, since) = self.peer.state();
        self.parts.status.do_send(Status {
            home: self.parts.home,
            state,
            since_ms: wall(since),
            sockets: self.sockets.values().cloned().collect(),
            ear: self.card.as_ref().map(|card| card.ear),
            trust: self.card.as_ref().map(|card| card.trust),
            attempts: self.peer.failures(),
            next_dial_ms: self.peer.next_dial().map(wall),
            trouble: self.trouble.clone(),
            doubt: self.doubt.clone(),
            steps: self.steps.clone(),
            past: self.past,
        });
    }

    fn dial(&mut self, ctx: &mut Context<Self>) {
        let Some(url) = self.doors.present(self.parts.url.as_deref()).map(str::to_owned) else { return };
        let is_kith = matches!(self.parts.dialect, None | Some(LinkDialect::Kith));
        let shown = if is_kith { peer_url(&url) } else { url.clone() };
        self.steps = vec![Step::now("dial", shown)];
        let (dialect, trust) = (self.parts.dialect, Arc::clone(&self.parts.trust));
        let patience = seconds(self.parts.house.limits.peer_dial_timeout_s);
        let dialled = async move { dial(&url, dialect, trust, patience).await };
        ctx.spawn(dialled.into_actor(self).map(|opened, link, ctx| {
            match opened {
                Ok(opened) => link.open(opened),
                Err(error) => link.unreachable(error),
            }
            link.go_on(ctx);
        }));
    }

    fn unreachable(&mut self, error: DialError) {
        let DialError { code, message, hint } = error;
        self.steps.push(Step::now("failed", message.clone()));
        tracing::debug!(url = self.parts.url, code, message, "a neighbour was not reached");
        self.doors.step();
        self.trouble = Some(Trouble { code, message, hint, at_ms: unix_ms() });
        let now = self.now();
        self.peer.failed(now, false, chance(), &self.parts.house.limits);
    }

    fn open(&mut self, opened: Opened) {
        let (house, now) = (Arc::clone(&self.parts.house), self.now());
        self.steps.push(Step::now("open", format!("a WebSocket that speaks {}", opened.dialect.name())));
        let Ok(session) = self.session(opened.dialect) else {
            self.peer.failed(now, false, chance(), &house.limits);
            return;
        };
        let (id, home) = (house.next_connection(), self.parts.home);
        if !self.peer.open(id, now, &house.limits) {
            // The neighbour was faster.
            return;
        }
        let start = Start {
            socket: Socket::dialled(opened.socket, seconds(house.limits.write_timeout_s)),
            held: opened.held,
            first: Bytes::new(),
            direction: Direction::Out,
            largest_frame: house.limits.message_bytes,
            stillness: house.stillness.clone(),
        };
        let task = launch(start, |ends| Connection::dialled(id, house, home, session, ends));
        self.attempt = Some((id, task));
    }

    /// Tells the registry on which socket the neighbour is spoken to.
    fn speak(&self) {
        let voice = self.peer.voice().and_then(|voice| self.sockets.get(&voice));
        let Some((card, socket)) = self.card.as_ref().zip(voice) else { return };
        self.parts.house.registry.do_send(Link {
            home: self.parts.home,
            address: Arc::clone(&card.address),
            names: card.names.clone(),
            key: card.key,
            ear: card.ear,
            lane: socket.lane.clone(),
            meter: Arc::clone(&socket.meter),
        });
    }

    /// A socket is no longer ours.
    fn drop_socket(&mut self, connection: ConnectionId, ending: Ending) {
        if let Some(socket) = self.sockets.remove(&connection) {
            self.past = self.past + socket.meter.read();
            socket.lane.end(ending);
        }
        if let Some((_, task)) = self.attempt.take_if(|(attempt, _)| *attempt == connection) {
            task.abort();
        }
    }

    fn on_closed(&mut self, closed: Closed) {
        let Closed { connection, ending, steps, .. } = closed;
        let (house, now) = (Arc::clone(&self.parts.house), self.now());
        let was_attempt = self.attempt.take_if(|(attempt, _)| *attempt == connection).is_some();
        if was_attempt {
            self.steps.extend(steps);
        }
        tracing::debug!(url = self.parts.url, code = ending.code(), was_attempt, "a socket is gone");
        let was_ours = was_attempt || self.sockets.contains_key(&connection);
        if was_ours && ending != Ending::Replaced {
            self.steps.push(Step::now("closed", ending.code().to_owned()));
            let steps = if was_attempt { &self.steps[..] } else { &[] };
            self.trouble = Some(trouble::told(ending, steps));
        }
        self.drop_socket(connection, ending);
        if was_attempt && ending == Ending::RefusedUs(Refusal::Crossed) {
            self.trouble = None;
            self.peer.gave_way(now, &house.limits);
            return;
        }
        if was_attempt {
            self.doors.step();
        }
        match self.peer.closed(connection, trouble::is_refusal(ending), now, chance(), &house.limits) {
            Loss::None => {}
            Loss::Moved(_) if house.is_draining() => self.hang_up(),
            Loss::Moved(_) => self.speak(),
            Loss::Down => house.registry.do_send(Unlink(self.parts.home)),
        }
    }
}

fn chance() -> u32 {
    u32::from_ne_bytes(chance::bytes())
}

impl Actor for PeerLink {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if self.parts.is_coming {
            let (house, now) = (Arc::clone(&self.parts.house), self.now());
            self.peer.gave_way(now, &house.limits);
        }
        self.go_on(ctx);
    }
}

impl Drop for PeerLink {
    fn drop(&mut self) {
        if let Some((_, task)) = self.attempt.take() {
            task.abort();
        }
        if std::thread::panicking() {
            for socket in self.sockets.values() {
                socket.lane.end(Ending::Failed);
            }
            self.parts.broken.do_send(Broken(self.parts.home));
        }
    }
}

impl Handler<Adopt> for PeerLink {
    type Result = Result<(), Refusal>;

    fn handle(&mut self, adopt: Adopt, ctx: &mut Self::Context) -> Self::Result {
        let Adopt { connection, direction, ear, sockets, trust, address, names, from, lane, meter, .. } =
            adopt;
        let (key, steps, we_are_smaller) = (adopt.key, adopt.steps, adopt.we_are_smaller);
        let (house, now) = (Arc::clone(&self.parts.house), self.now());
        let may_come = self.peer.may_come(direction, sockets, we_are_smaller, now);
        may_come.map_err(|_| Refusal::Crossed)?;
        if self.attempt.take_if(|(attempt, _)| *attempt == connection).is_some() {
            self.steps.extend(steps);
        } else {
            self.steps = steps;
        }
        self.parts.dialect = Some(match ear {
            Ear::Kith => LinkDialect::Kith,
            Ear::Socp(_) | Ear::SocpPeer(_) => LinkDialect::Socp,
            // No server speaks the last of these.
            Ear::Olaf(_) | Ear::OlafPeer(_) | Ear::Tpacket(_) => LinkDialect::Olaf,
        });
        self.card = Some(Card { address, names, key, ear, trust });
        self.sockets.insert(connection, SocketView { direction, address: from, lane, meter });
        for replaced in self.peer.greeted(connection, direction, sockets, now, &house.limits) {
            self.drop_socket(replaced, Ending::Replaced);
        }
        if direction == Direction::Out && trust != Trust::Legacy {
            // Whoever answers our dial shows its key with that; a hello to us can be played back.
            self.peer.shown(connection, now);
        }
        self.steps.push(Step::now("up", "the link is up".to_owned()));
        self.trouble = None;
        self.speak();
        self.go_on(ctx);
        Ok(())
    }
}

impl Handler<Closed> for PeerLink {
    type Result = ();

    fn handle(&mut self, closed: Closed, ctx: &mut Self::Context) {
        self.on_closed(closed);
        self.go_on(ctx);
    }
}

impl Handler<Retry> for PeerLink {
    type Result = ();

    fn handle(&mut self, _: Retry, ctx: &mut Self::Context) {
        self.peer.retry(self.now());
        self.go_on(ctx);
    }
}

impl Handler<Remove> for PeerLink {
    type Result = ();

    fn handle(&mut self, _: Remove, ctx: &mut Self::Context) {
        let connections: Vec<ConnectionId> = self.sockets.keys().copied().collect();
        for connection in connections {
            self.drop_socket(connection, Ending::Refused(Refusal::RemovedPeer));
        }
        if self.peer.state().0 != State::Down {
            self.parts.house.registry.do_send(Unlink(self.parts.home));
        }
        ctx.stop();
    }
}

impl Handler<Fail> for PeerLink {
    type Result = ();

    fn handle(&mut self, _: Fail, _: &mut Self::Context) {
        panic!("a link failed on purpose, because debug.faults is on");
    }
}

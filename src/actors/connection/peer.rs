//! What only connections with servers do: ask the neighbourhood who is allowed what, have our own
//! name signed, and hand on what neighbours tell.

use std::{sync::Arc, time::Duration};

use actix::{AsyncContext as _, Handler, Message, SpawnHandle};
use actix_http::ws::CloseReason;

use super::{Connection, Context};
use crate::{
    actors::{
        event::{Kind, Stranger},
        meter::Meter,
        neighbourhood::{
            Claimed, Closed, Found, Greeted, Introduced, Moved, Neighbourhood, Recommended, Reported, Shared,
            Shown, Step,
        },
        peer_link::trouble,
        registry::{Paused, RoomTold, Tell, WantedBy, Wrapped},
    },
    dialect::event::{Claim, Greeting, Input, Output},
    domain::{
        Moment,
        id::HomeId,
        neighbourhood::Direction,
        rate::Bucket,
        refusal::{Ending, MOVED, Refusal},
    },
};

/// How long nothing is read from whoever says what need not be checked, while the connection map is behind.
const BREATH: Duration = Duration::from_millis(10);
/// How often the house hears that a neighbour has shown its key once more.
const SHOWN: Duration = Duration::from_secs(5);
/// Steps of a handshake that are kept.
const MOST_STEPS: usize = 32;

/// What only connections with servers have.
#[derive(Debug, Default)]
pub(super) struct PeerSide {
    /// The neighbour that we dialled.
    dialled: Option<HomeId>,
    /// The neighbour that it is, once it was let in.
    home: Option<HomeId>,
    steps: Vec<Step>,
    pub(super) meter: Arc<Meter>,
    /// When it was asked whether it lives, if it has not answered.
    pub(super) pinged: Option<Moment>,
    /// When the house heard last that it has shown its key.
    shown: Option<Moment>,
    alarm: Option<SpawnHandle>,
    /// Who it says that it is, if we did not dial it.
    claim: Option<Claim>,
}

impl PeerSide {
    /// Whether we have opened the connection.
    pub(super) const fn is_ours(&self) -> bool {
        self.dialled.is_some()
    }
}

impl Connection {
    /// From now on the other side is a server.
    pub(super) fn become_peer(&mut self, dialled: Option<HomeId>) {
        if self.peer.is_none() {
            let peer = PeerSide { dialled, ..PeerSide::default() };
            // What made it a server was heard before there was a meter.
            peer.meter.came_in(0, self.house.clock.now());
            self.peer = Some(Box::new(peer));
        }
    }

    pub(super) fn carry_out_for_peer(&mut self, wish: Output, ctx: &mut Context) {
        self.become_peer(None);
        match wish {
            Output::Sign(hand, text) => self.have_signed(hand, text, ctx),
            Output::Claim(claim) => self.have_claimed(claim, ctx),
            Output::Greet(greeting) => self.greet(greeting, ctx),
            Output::Tell(news) => {
                if let Some(home) = self.home() {
                    self.house.inbox.add(news.cost());
                    self.house.registry.do_send(Tell { home, news });
                    self.take_breath();
                }
            }
            Output::Shown => self.has_shown(),
            Output::Overheard => self.peer.iter().for_each(|peer| peer.meter.overheard()),
            Output::RoomNews(news) => {
                if let Some(home) = self.home() {
                    self.house.inbox.add(news.cost());
                    self.house.registry.do_send(RoomTold { home, news });
                    self.take_breath();
                }
            }
            Output::Wraps(wraps) => {
                if let Some(home) = self.home() {
                    self.house.inbox.add(wraps.frame.len());
                    self.house.registry.do_send(Wrapped { home, wraps });
                    self.take_breath();
                }
            }
            Output::WantList => {
                if let Some(home) = self.home() {
                    self.house.registry.do_send(WantedBy(home));
                }
            }
            Output::Report(links) => self.tell_neighbourhood(|home| Reported { home, links }),
            Output::Bans(signed) => self.tell_neighbourhood(|home| Shared { home, signed }),
            Output::Pause(pause) => {
                if let Some(home) = self.home() {
                    self.house.registry.do_send(Paused { home, pause });
                }
            }
            Output::Doors(doors) => self.tell_neighbourhood(|home| Moved { home, doors }),
            Output::Directory(entries) => self.tell_neighbourhood(|home| Recommended { home, entries }),
            Output::Introduce(servers) => self.tell_neighbourhood(|home| Introduced { home, servers }),
            Output::Proven(key) => {
                if let Some(home) = self.peer.as_ref().and_then(|peer| peer.dialled) {
                    self.house.neighbourhood.do_send(Found { home, key });
                }
            }
            Output::RoundTrip(span) => {
                if let Some(peer) = &self.peer {
                    peer.meter.took(span);
                }
            }
            Output::Step(step, detail) => self.note(step, detail),
            Output::Wake(at) => self.wake(at, ctx),
            // Everything else was carried out before it came here.
            _ => {}
        }
    }

    /// What a neighbour says that is for the neighbourhood to know.
    fn tell_neighbourhood<M>(&self, message: impl FnOnce(HomeId) -> M)
    where
        M: Message<Result = ()> + Send + 'static,
        Neighbourhood: Handler<M>,
    {
        if let Some(home) = self.home() {
            self.house.neighbourhood.do_send(message(home));
        }
    }

    fn has_shown(&mut self) {
        let now = self.house.clock.now();
        if let Some(peer) = &mut self.peer
            && peer.shown.is_none_or(|shown| now.saturating_sub(shown) >= SHOWN)
        {
            peer.shown = Some(now);
            self.house.neighbourhood.do_send(Shown(self.id));
        }
    }

    fn home(&self) -> Option<HomeId> {
        self.peer.as_ref()?.home
    }

    /// What is not checked waits for the map nowhere else, so whoever says it is read more slowly.
    pub(super) fn take_breath(&self) {
        if self.house.inbox.is_behind() {
            self.flow.pause(BREATH);
        }
    }

    fn note(&mut self, step: &'static str, mut detail: String) {
        /// Some of it is what others say about themselves.
        const LONGEST: usize = 256;
        if detail.chars().count() > LONGEST {
            detail = detail.chars().take(LONGEST).collect();
        }
        if let Some(peer) = &mut self.peer
            && peer.steps.len() < MOST_STEPS
        {
            peer.steps.push(Step::now(step, detail));
        }
    }

    fn wake(&mut self, at: Moment, ctx: &mut Context) {
        let span = at.saturating_sub(self.house.clock.now());
        let alarm = ctx.run_later(span, |connection, ctx| connection.step(Input::Woken, ctx));
        if let Some(peer) = &mut self.peer
            && let Some(earlier) = peer.alarm.replace(alarm)
        {
            ctx.cancel_future(earlier);
        }
    }

    pub(super) fn on_pong(&mut self) {
        let now = self.house.clock.now();
        if let Some(peer) = &mut self.peer
            && let Some(pinged) = peer.pinged.take()
        {
            peer.meter.took(now.saturating_sub(pinged));
        }
    }

    fn have_claimed(&mut self, claim: Claim, ctx: &mut Context) {
        let dialled = self.peer.as_ref().and_then(|peer| peer.dialled);
        if dialled.is_none()
            && let Err(refusal) = self.house.gate.hello(self.address)
        {
            return self.end(Ending::Refused(refusal), ctx);
        }
        if let Some(peer) = self.peer.as_mut().filter(|_| dialled.is_none()) {
            peer.claim = Some(claim.clone());
        }
        let claimed = Claimed { dialled, claim };
        let answer = self.house.neighbourhood.send(claimed);
        self.wait_for(answer, ctx, |connection, standing, ctx| match standing {
            Ok(standing) => connection.step(Input::Stands(standing), ctx),
            Err(_) => connection.end(Ending::Failed, ctx),
        });
    }

    fn greet(&mut self, greeting: Greeting, ctx: &mut Context) {
        let Some(peer) = &self.peer else { return };
        let direction = if peer.dialled.is_some() { Direction::Out } else { Direction::In };
        let greeted = Greeted {
            connection: self.id,
            dialled: peer.dialled,
            address: self.address,
            direction,
            greeting,
            lane: self.lane(self.house.limits.peer_queue_bytes, ctx),
            meter: Arc::clone(&peer.meter),
            steps: peer.steps.clone(),
        };
        let answer = self.house.neighbourhood.send(greeted);
        self.wait_for(answer, ctx, |connection, welcome, ctx| match welcome {
            Ok(welcome) => {
                if let Ok(home) = welcome {
                    connection.settle_in(home, ctx);
                }
                connection.step(Input::Welcomed(welcome), ctx);
            }
            Err(_) => connection.end(Ending::Failed, ctx),
        });
    }

    /// A neighbour may do more than a client.
    fn settle_in(&mut self, home: HomeId, ctx: &mut Context) {
        if let Some(peer) = &mut self.peer {
            peer.home = Some(home);
        }
        let limits = &self.house.limits;
        self.flow.allow_frames(limits.peer_message_bytes);
        self.frames = Bucket::new(limits.peer_frames_per_second, limits.peer_frames_burst);
        self.bytes = Bucket::new(limits.peer_bytes_per_second, limits.peer_bytes_burst);
        self.joined = true;
        self.introduced(ctx);
    }

    /// What a close of the other side means. Servers say why in the words that we use, too.
    pub(super) fn farewell(&self, reason: Option<&CloseReason>) -> Ending {
        let words = reason.and_then(|reason| reason.description.as_deref());
        match words.filter(|_| self.peer.is_some()) {
            Some("draining") => Ending::RefusedUs(Refusal::Draining),
            Some(words) if words.starts_with(MOVED) => Ending::RefusedUs(Refusal::Draining),
            Some("replaced") => Ending::Replaced,
            words => words.and_then(Refusal::from_code).map_or(Ending::Left, Ending::RefusedUs),
        }
    }

    pub(super) fn leave_as_peer(&self, peer: PeerSide, ending: Ending) {
        let PeerSide { dialled, home, steps, meter, claim, .. } = peer;
        if matches!(ending, Ending::Violated(_)) {
            meter.violated();
        }
        let (connection, code) = (self.id.0, ending.code());
        tracing::debug!(connection, ?home, ?dialled, code, ?steps, "a connection with a server is over");
        let is_known = dialled.or(home).is_some();
        if !is_known && !matches!(ending, Ending::Left | Ending::Draining) {
            let server = stranger(ending, &steps);
            if let Some(Stranger { hello, reason }) = &server {
                tracing::info!(address = %self.address, hello, reason, "a server was not let in");
            }
            self.house.bulletin.publish(Kind::Refused { address: self.address, ending, server });
        }
        self.house.neighbourhood.do_send(Closed {
            connection: self.id,
            home: home.or(dialled),
            ending,
            steps,
            claim,
        });
    }
}

/// A server that was not let in, if it has said who it is.
fn stranger(ending: Ending, steps: &[Step]) -> Option<Stranger> {
    let hello = steps.iter().find(|step| matches!(step.step, "hello" | "frame"))?.detail.clone();
    Some(Stranger { hello, reason: trouble::told(ending, steps).message })
}

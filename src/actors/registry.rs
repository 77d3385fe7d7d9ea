//! The connection map: who is here, and the lane to each.
//!
//! It carries out what the switchboard decided and what the presence queue allows. **Invariant:** it
//! never decodes, verifies, stores or awaits, and if it fails the process ends: a house without its map
//! must be started anew, not limp on.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix::{Actor, Addr, AsyncContext as _, Context, Handler, Message, MessageResult};

use super::{
    archivist::{Archivist, Remember},
    clock::{Clock, unix_ms},
    event::{Bulletin, Kind},
    lane::{Class, Lane},
    tally::Tally,
};
use crate::{
    dialect::{Ear, press},
    domain::{
        address::Address,
        dialect::Dialect,
        id::ConnectionId,
        letter::{Frame, Letter},
        limits::Limits,
        member::{Member, Newcomer},
        presence::Presence,
        refusal::Ending,
        switchboard::{Objection, Switchboard},
    },
    store::Seen,
};

/// Somebody is proven and wants to come in.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Join {
    /// The connection.
    pub connection: ConnectionId,
    /// Who it is.
    pub newcomer: Newcomer,
    /// How it wants to be written to.
    pub ear: Ear,
    /// The way to it.
    pub lane: Lane,
    /// Where it is.
    pub address: IpAddr,
}

/// A connection is gone.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Leave {
    /// Which one.
    pub connection: ConnectionId,
    /// Why.
    pub ending: Ending,
}

/// A letter whose author is proven.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Route(pub Letter);

/// A connection wants the client list.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct WantList(pub ConnectionId);

/// Ends a connection, and says whether there was one.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "bool")]
pub struct Kick(pub ConnectionId);

/// Makes a connection's handler fail. Only sent when `debug.faults` is on.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "bool")]
pub struct Fault(pub ConnectionId);

/// Asks for a page of clients, in order of their connection numbers.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Vec<Client>")]
pub struct Clients {
    /// Only of this dialect.
    pub dialect: Option<Dialect>,
    /// Only behind this connection.
    pub after: Option<ConnectionId>,
    /// At most so many.
    pub limit: usize,
}

/// Asks for one client.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Option<Client>")]
pub struct Find(pub ConnectionId);

/// Closes every connection, spread over a span, and lets nobody in any more.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Drain(pub Duration);

/// Asks how many connections are on the map.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "usize")]
pub struct Count;

/// One connection as people see it.
#[derive(Clone, Debug)]
pub struct Client {
    /// The connection.
    pub connection: ConnectionId,
    /// Whose it is.
    pub member: Arc<Member>,
    /// How it is written to.
    pub ear: Ear,
    /// Where it is.
    pub address: IpAddr,
    /// Since when, in Unix milliseconds.
    pub since_ms: i64,
    /// Bytes that wait for it.
    pub waiting_bytes: usize,
}

#[derive(Debug)]
struct Entry {
    lane: Lane,
    ear: Ear,
    member: Arc<Member>,
    address: IpAddr,
    since_ms: i64,
}

/// The actor. It lives on a thread of its own.
#[derive(Debug)]
pub struct Registry {
    entries: BTreeMap<ConnectionId, Entry>,
    switchboard: Switchboard,
    presence: Presence,
    /// Lists of the present version, one per ear.
    lists: HashMap<Ear, Frame>,
    lists_version: u64,
    list_alarm: bool,
    home: String,
    clock: Clock,
    tally: Tally,
    bulletin: Bulletin,
    archivist: Addr<Archivist>,
    draining: Arc<AtomicBool>,
}

/// What the registry is made of.
#[derive(Debug)]
pub struct Parts {
    /// The address that lists name, as clients are to write it.
    pub home: String,
    /// Every other address that means this home.
    pub names: Vec<Address>,
    /// The numbers in force.
    pub limits: Arc<Limits>,
    /// What time it is.
    pub clock: Clock,
    /// What is counted.
    pub tally: Tally,
    /// Where events go.
    pub bulletin: Bulletin,
    /// Who writes things down.
    pub archivist: Addr<Archivist>,
    /// Raised when a drain begins.
    pub draining: Arc<AtomicBool>,
}

/// Steps in which a drain closes connections.
const DRAIN_STEPS: u32 = 20;

impl Registry {
    /// An empty map.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let names = parts.names.into_iter().chain([Address::new(&parts.home)]);
        Self {
            entries: BTreeMap::new(),
            switchboard: Switchboard::new(names, &parts.limits),
            presence: Presence::new(parts.limits.presence_bytes_per_second),
            lists: HashMap::new(),
            lists_version: 0,
            list_alarm: false,
            home: parts.home,
            clock: parts.clock,
            tally: parts.tally,
            bulletin: parts.bulletin,
            archivist: parts.archivist,
            draining: parts.draining,
        }
    }

    /// The newest list for an ear, printed once however many hear it.
    fn list(&mut self, ear: Ear) -> Frame {
        let version = self.switchboard.roster().version();
        if self.lists_version != version {
            self.lists.clear();
            self.lists_version = version;
        }
        let (home, roster) = (&self.home, self.switchboard.roster());
        let print = || press::list(home, roster.members().map(AsRef::as_ref), ear);
        self.lists.entry(ear).or_insert_with(print).clone()
    }

    /// Sends lists as far as the budget allows.
    fn push_lists(&mut self, ctx: &mut Context<Self>) {
        // What a list costs is about the same in every shape.
        let Some(ear) = self.entries.values().next().map(|entry| entry.ear) else { return };
        while !self.presence.is_idle() {
            let bytes = u32::try_from(self.list(ear).len()).unwrap_or(u32::MAX);
            match self.presence.next(bytes, self.clock.now()) {
                Ok(Some(connection)) => self.push_list(connection),
                Ok(None) => return,
                Err(wait) => return self.push_lists_later(wait, ctx),
            }
        }
    }

    fn push_list(&mut self, connection: ConnectionId) {
        let Some(ear) = self.entries.get(&connection).map(|entry| entry.ear) else { return };
        let list = self.list(ear);
        if let Some(entry) = self.entries.get(&connection) {
            let taken = entry.lane.offer(list, Class::List);
            if taken { &self.tally.lists } else { &self.tally.dropped }.inc();
        }
    }

    fn push_lists_later(&mut self, wait: Duration, ctx: &mut Context<Self>) {
        if !std::mem::replace(&mut self.list_alarm, true) {
            ctx.run_later(wait, |registry, ctx| {
                registry.list_alarm = false;
                registry.push_lists(ctx);
            });
        }
    }

    fn deliver(&self, letter: &Letter) {
        // Few ears are ever in one house, so a short list beats a map.
        let mut pressed: Vec<(Ear, Option<Frame>)> = Vec::new();
        let (mut taken, mut refused) = (0, 0);
        for entry in self.entries.values() {
            let known = pressed.iter().position(|(ear, _)| *ear == entry.ear);
            let at = known.unwrap_or_else(|| {
                pressed.push((entry.ear, press::letter(letter, entry.ear)));
                pressed.len() - 1
            });
            if let Some((_, Some(frame))) = pressed.get(at) {
                if entry.lane.offer(frame.clone(), Class::Letter) { taken += 1 } else { refused += 1 }
            }
        }
        self.tally.deliveries.inc_by(taken);
        self.tally.dropped.inc_by(refused);
    }

    fn count(&self) {
        self.tally.clients.set(i64::try_from(self.entries.len()).unwrap_or(i64::MAX));
        self.tally.members.set(i64::try_from(self.switchboard.roster().len()).unwrap_or(i64::MAX));
    }

    fn write_down(&self, member: &Member) {
        self.archivist.do_send(Remember(Seen {
            key_id: member.key,
            dialect: member.dialect,
            public_key: member.public_key.to_string(),
            at: unix_ms(),
        }));
    }

    fn view(connection: ConnectionId, entry: &Entry) -> Client {
        Client {
            connection,
            member: Arc::clone(&entry.member),
            ear: entry.ear,
            address: entry.address,
            since_ms: entry.since_ms,
            waiting_bytes: entry.lane.waiting(),
        }
    }
}

impl Actor for Registry {
    type Context = Context<Self>;
}

impl Drop for Registry {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("kith: the connection map failed; the process ends so that it can be started anew");
            std::process::exit(70);
        }
    }
}

impl Handler<Join> for Registry {
    type Result = ();

    fn handle(&mut self, join: Join, ctx: &mut Self::Context) {
        let Join { connection, newcomer, ear, lane, address } = join;
        match self.switchboard.join(connection, &newcomer) {
            Err(refusal) => {
                let ending = Ending::Refused(refusal);
                self.bulletin.publish(Kind::Refused { address, ending });
                lane.end(ending);
            }
            Ok((member, is_new)) => {
                let dialect = newcomer.dialect;
                self.bulletin.publish(Kind::Joined { client: connection, member: member.key, dialect });
                self.write_down(&member);
                self.presence.arrived(connection);
                self.entries.insert(connection, Entry { lane, ear, member, address, since_ms: unix_ms() });
                if is_new {
                    self.presence.changed(self.entries.keys().copied());
                }
                self.count();
                self.push_lists(ctx);
            }
        }
    }
}

impl Handler<Leave> for Registry {
    type Result = ();

    fn handle(&mut self, leave: Leave, ctx: &mut Self::Context) {
        let Leave { connection, ending } = leave;
        let Some((member, is_gone)) = self.switchboard.leave(connection) else { return };
        self.entries.remove(&connection);
        self.presence.gone(connection);
        self.bulletin.publish(Kind::Left { client: connection, member: member.key, ending });
        if is_gone {
            self.write_down(&member);
            if !self.draining.load(Ordering::Relaxed) {
                self.presence.changed(self.entries.keys().copied());
            }
        }
        self.count();
        self.push_lists(ctx);
    }
}

impl Handler<Route> for Registry {
    type Result = ();

    fn handle(&mut self, Route(letter): Route, _: &mut Self::Context) {
        match self.switchboard.route(&letter) {
            Ok(plan) => {
                self.tally.letters.inc();
                self.tally.unreachable.inc_by(u64::try_from(plan.elsewhere.len()).unwrap_or(u64::MAX));
                if plan.here {
                    self.deliver(&letter);
                }
            }
            Err(Objection::Refused(refusal)) => self.tally.refusal(refusal),
            Err(Objection::Violated(violation)) => self.tally.violation(violation),
        }
    }
}

impl Handler<WantList> for Registry {
    type Result = ();

    fn handle(&mut self, WantList(connection): WantList, ctx: &mut Self::Context) {
        if self.entries.contains_key(&connection) {
            self.presence.asked(connection);
            self.push_lists(ctx);
        }
    }
}

impl Handler<Kick> for Registry {
    type Result = bool;

    fn handle(&mut self, Kick(connection): Kick, _: &mut Self::Context) -> bool {
        let entry = self.entries.get(&connection);
        entry.inspect(|entry| entry.lane.end(Ending::Kicked)).is_some()
    }
}

impl Handler<Fault> for Registry {
    type Result = bool;

    fn handle(&mut self, Fault(connection): Fault, _: &mut Self::Context) -> bool {
        let entry = self.entries.get(&connection);
        entry.inspect(|entry| entry.lane.fault()).is_some()
    }
}

impl Handler<Clients> for Registry {
    type Result = MessageResult<Clients>;

    fn handle(&mut self, query: Clients, _: &mut Self::Context) -> Self::Result {
        let first = query.after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let page = self.entries.range((first, std::ops::Bound::Unbounded));
        let wanted = page.filter(|(_, entry)| query.dialect.is_none_or(|only| entry.member.dialect == only));
        let views = wanted.take(query.limit).map(|(connection, entry)| Self::view(*connection, entry));
        MessageResult(views.collect())
    }
}

impl Handler<Find> for Registry {
    type Result = MessageResult<Find>;

    fn handle(&mut self, Find(connection): Find, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.entries.get(&connection).map(|entry| Self::view(connection, entry)))
    }
}

impl Handler<Count> for Registry {
    type Result = usize;

    fn handle(&mut self, _: Count, _: &mut Self::Context) -> usize {
        self.entries.len()
    }
}

impl Handler<Drain> for Registry {
    type Result = ();

    fn handle(&mut self, Drain(span): Drain, ctx: &mut Self::Context) {
        if self.draining.swap(true, Ordering::Relaxed) {
            return;
        }
        self.switchboard.drain();
        let lanes: Vec<Lane> = self.entries.values().map(|entry| entry.lane.clone()).collect();
        let steps = usize::try_from(DRAIN_STEPS).unwrap_or(1);
        for (step, lanes) in (0..).zip(lanes.chunks(lanes.len().div_ceil(steps).max(1))) {
            let lanes = lanes.to_vec();
            // Closed in steps, so that not everybody dials the next server in the same instant.
            ctx.run_later(span / DRAIN_STEPS * step, move |_, _| {
                for lane in lanes {
                    lane.end(Ending::Draining);
                }
            });
        }
    }
}

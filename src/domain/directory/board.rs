//! The rendezvous as a state machine: who is registered, in which order, and who is to be told.
//!
//! **Invariants:** whoever is listed earlier joined earlier, or cannot be dialled; a place in the order is never given
//! twice. Everybody who is listed hears of every change and, without one, every 15 seconds. To one of the first clients
//! nothing goes out twice within 200 milliseconds, and after a change as many lists as it has to dial, because it
//! dials once for each. Nobody is told an address that was not registered by whoever is reached there, as far as
//! `rules` can tell.

mod relay;
mod telling;
mod visitors;

use core::net::IpAddr;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use super::{
    guest::{Entry, Guest, Hearing, Pace, Reach, SPACING},
    listed::{Directory, Listed},
    order::{Farewell, Order},
    published::Publications,
    rules::{DialBack, OnFull, Refused, Rules},
};
use crate::domain::{
    Moment,
    admission::Origin,
    endpoint::Endpoint,
    id::{ConnectionId, KeyId},
    limits::seconds,
    rate::Bucket,
};

/// How long it may take to find out whether an address can be dialled.
pub const TEST: Duration = Duration::from_secs(2);
/// Silence after which a node does not live. It answers a question every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);
/// How long after the last place was taken it ends for everybody: long enough for the last list to be read and to
/// be told apart from the last words.
const DELIVERY: Duration = Duration::from_millis(1200);

/// The rendezvous of one home.
#[derive(Debug)]
pub struct Board {
    rules: Rules,
    epoch: u64,
    version: u64,
    last_seq: u64,
    guests: BTreeMap<ConnectionId, Guest>,
    published: Publications,
    neighbours: HashMap<KeyId, Vec<Listed>>,
    view: View,
    /// When it ends for everybody.
    closing: Option<Moment>,
    is_over: bool,
}

/// The directory as it stands, printed in no form yet.
#[derive(Debug)]
struct View {
    /// For those who can be dialled.
    plain: Arc<Directory>,
    /// For those who cannot: with marks at those whom they reach through the server.
    relayed: Arc<Directory>,
    /// What neighbours were told last.
    shared: Arc<[Listed]>,
}

impl Board {
    /// An empty one, of this life of the server: later ones have greater numbers.
    #[must_use]
    pub fn new(rules: Rules, epoch: u64) -> Self {
        let empty = Arc::new(Directory { epoch, version: 0, members: Vec::new() });
        let view = View { plain: Arc::clone(&empty), relayed: empty, shared: Arc::default() };
        Self {
            rules,
            epoch,
            version: 0,
            last_seq: 0,
            guests: BTreeMap::new(),
            published: Publications::new(),
            neighbours: HashMap::new(),
            view,
            closing: None,
            is_over: false,
        }
    }

    /// The directory as those are told who can be dialled.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.view.plain)
    }

    /// The same with marks at those who speak through the server.
    #[must_use]
    pub fn marked(&self) -> Arc<Directory> {
        Arc::clone(&self.view.relayed)
    }

    /// Sockets that have registered, and all of them.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.registered(), self.guests.len())
    }

    /// A socket opened. It counts for nothing yet.
    pub fn connected(&mut self, socket: ConnectionId, from: IpAddr, now: Moment, out: &mut Vec<Order>) {
        if self.is_over {
            return out.push(Order::Close(socket, Farewell::Teardown));
        }
        let rate = self.rules.relay_bytes_per_second;
        self.guests.insert(
            socket,
            Guest {
                from: from.to_canonical(),
                since: now,
                heard: now,
                hearing: Hearing::First,
                is_greeted: false,
                listens_only: false,
                entry: None,
                relayed: Bucket::new(rate, rate),
                pace: Pace::default(),
            },
        );
    }

    /// A socket says where it listens. `is_bare`: it has not ended the line, so it may be one of the first clients.
    pub fn registered_at(
        &mut self,
        socket: ConnectionId,
        at: Endpoint,
        is_bare: bool,
        (now, unix_ms): (Moment, u64),
        out: &mut Vec<Order>,
    ) {
        let Some(guest) = self.guests.get_mut(&socket) else { return };
        guest.heard = now;
        if guest.entry.is_some_and(|entry| entry.at == at) {
            // It wants to hear it once more; whether it can be dialled may have changed.
            guest.pace.repeat();
            if guest.hearing == Hearing::Node && self.rules.dial_back != DialBack::Off {
                out.push(Order::Test(at));
            }
            return self.tell(now, out);
        }
        let (from, is_new) = (guest.from, guest.entry.is_none());
        let placed = match self.may_register(socket, at, from) {
            Ok(Holder::Nobody) if is_new => self.make_room(now, out),
            allowed => allowed.map(drop),
        };
        if let Err(farewell) = placed {
            return self.close(socket, farewell, now, out);
        }
        let seq = self.replace(socket, at, now, unix_ms, out);
        let all = self.rules.dial_back == DialBack::All;
        let Some(guest) = self.guests.get_mut(&socket) else { return };
        if guest.hearing == Hearing::First && !is_bare {
            guest.hearing = Hearing::Ended;
        }
        if guest.hearing == Hearing::First && !std::mem::replace(&mut guest.is_greeted, true) {
            out.push(Order::Greet(socket));
            guest.pace.hold(now);
        }
        let reach = match guest.hearing {
            Hearing::Node if self.rules.dial_back != DialBack::Off => Reach::Testing(now + TEST),
            _ if all => Reach::Testing(now + TEST),
            Hearing::First => Reach::Waiting(now + SPACING),
            Hearing::Ended | Hearing::Node => Reach::Dialable,
        };
        guest.entry = Some(Entry { seq, at, reach });
        if matches!(reach, Reach::Testing(_)) {
            out.push(Order::Test(at));
        }
        self.changed(now, out);
    }

    /// Whether this registration counts, if there is a place for it; and who has one for it already.
    fn may_register(&self, socket: ConnectionId, at: Endpoint, from: IpAddr) -> Result<Holder, Farewell> {
        self.rules.check(at, from).map_err(Farewell::Refused)?;
        let others = || self.guests.iter().filter(|(id, guest)| **id != socket && guest.entry.is_some());
        let holder = others().find(|(_, guest)| guest.entry.is_some_and(|entry| entry.at == at));
        if let Some((_, holder)) = holder {
            // A client that lost its connection comes back before we notice.
            let is_same_host = holder.from == from;
            return if is_same_host { Ok(Holder::Another) } else { Err(Farewell::Refused(Refused::Taken)) };
        }
        let origin = Origin::from(from);
        let from_there = others().filter(|(_, guest)| Origin::from(guest.from) == origin).count();
        // Programs of the server's own machine are no strangers, and all have one address.
        if !from.to_canonical().is_loopback() && from_there >= count(self.rules.per_address) {
            return Err(Farewell::Refused(Refused::TooMany));
        }
        if self.closing.is_some() { Err(Farewell::Full) } else { Ok(Holder::Nobody) }
    }

    /// A place for one more. Whoever has closed its own side, and may be gone, has one until somebody else needs it.
    fn make_room(&mut self, now: Moment, out: &mut Vec<Order>) -> Result<(), Farewell> {
        // Where it ends for all with the last place, none is given away beside one that may be free.
        let spare = usize::from(self.rules.on_full == OnFull::Teardown);
        let most = count(self.rules.max_clients);
        if self.registered() + spare >= most {
            let listening =
                self.guests.iter().filter(|(_, guest)| guest.listens_only && guest.entry.is_some());
            let quietest = listening.min_by_key(|(_, guest)| guest.heard).map(|(socket, _)| *socket);
            if let Some(socket) = quietest {
                self.close(socket, Farewell::Full, now, out);
            }
        }
        if self.registered() >= most { Err(Farewell::Full) } else { Ok(()) }
    }

    /// Takes an address away from another socket that has it, whose place the new one gets; else a new place.
    fn replace(
        &mut self,
        socket: ConnectionId,
        at: Endpoint,
        now: Moment,
        unix_ms: u64,
        out: &mut Vec<Order>,
    ) -> u64 {
        let holder = self.guests.iter().find_map(|(id, guest)| {
            let entry = guest.entry.filter(|entry| entry.at == at && *id != socket)?;
            Some((*id, entry.seq))
        });
        match holder {
            Some((other, seq)) => {
                self.close(other, Farewell::Replaced, now, out);
                seq
            }
            None => self.next_seq(unix_ms),
        }
    }

    /// A place that nobody had before: the time, where that grows.
    fn next_seq(&mut self, unix_ms: u64) -> u64 {
        self.last_seq = self.last_seq.saturating_add(1).max(unix_ms);
        self.last_seq
    }

    /// A socket says that it is a node, and knows the new form.
    pub fn is_node(&mut self, socket: ConnectionId, now: Moment, out: &mut Vec<Order>) {
        let Some(guest) = self.guests.get_mut(&socket) else { return };
        guest.heard = now;
        if guest.hearing == Hearing::Node {
            return;
        }
        guest.hearing = Hearing::Node;
        guest.pace.release();
        guest.pace.owe(Hearing::Node, 1);
        out.push(Order::Acknowledge(socket));
        if let Some(entry) = &mut guest.entry {
            let is_tested = self.rules.dial_back != DialBack::Off;
            if is_tested && !matches!(entry.reach, Reach::Testing(_)) {
                out.push(Order::Test(entry.at));
            }
            if let Reach::Waiting(_) = entry.reach {
                entry.reach = if is_tested { Reach::Testing(now + TEST) } else { Reach::Dialable };
            }
        }
        // Whether it hears relayed payloads stands in what others are told.
        self.changed(now, out);
    }

    /// A socket has shown that it lives.
    pub fn heard(&mut self, socket: ConnectionId, now: Moment) {
        if let Some(guest) = self.guests.get_mut(&socket) {
            guest.heard = now;
        }
    }

    /// What came of a test.
    pub fn tested(&mut self, at: Endpoint, is_dialable: bool, now: Moment, out: &mut Vec<Order>) {
        let reach = if is_dialable { Reach::Dialable } else { Reach::Undialable };
        let entries = self.guests.values_mut().filter_map(|guest| guest.entry.as_mut());
        let own = entries.filter(|entry| entry.at == at).map(|entry| &mut entry.reach);
        let published = self.published.get_mut(&at).map(|published| &mut published.reach);
        own.chain(published).for_each(|found| *found = reach);
        self.changed(now, out);
    }

    /// A socket will say nothing more. It is sent the list without delay, because who is gone shows it by not taking that.
    pub fn listens_only(&mut self, socket: ConnectionId, now: Moment, out: &mut Vec<Order>) {
        if let Some(guest) = self.guests.get_mut(&socket) {
            guest.listens_only = true;
            guest.pace.repeat();
            self.tell(now, out);
        }
    }

    /// A socket is gone.
    pub fn left(&mut self, socket: ConnectionId, now: Moment, out: &mut Vec<Order>) {
        if self.guests.remove(&socket).is_some_and(|guest| guest.entry.is_some()) {
            self.changed(now, out);
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Moment, out: &mut Vec<Order>) {
        if self.closing.is_some_and(|at| at <= now) {
            return self.end(Farewell::Teardown, now, out);
        }
        let patience = seconds(self.rules.hello_timeout_s);
        let silent =
            self.guests.iter().filter(|(_, guest)| guest.deadline(patience).is_some_and(|at| at <= now));
        let silent: Vec<_> = silent.map(|(id, _)| *id).collect();
        for socket in silent {
            self.close(socket, Farewell::Silent, now, out);
        }
        let mut is_changed = false;
        let entries = self.guests.values_mut().filter_map(|guest| guest.entry.as_mut());
        let own = entries.map(|entry| &mut entry.reach);
        for reach in own.chain(self.published.values_mut().map(|published| &mut published.reach)) {
            if reach.until().is_some_and(|until| until <= now) {
                // A test that says nothing is one that failed.
                *reach = if let Reach::Testing(_) = reach { Reach::Undialable } else { Reach::Dialable };
                is_changed = true;
            }
        }
        is_changed |= self.expire(now);
        if is_changed {
            self.changed(now, out);
        } else {
            self.tell(now, out);
        }
    }

    /// When something happens by itself.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Moment> {
        let patience = seconds(self.rules.hello_timeout_s);
        let guests = self.guests.values().flat_map(|guest| {
            let entry = guest.entry.as_ref();
            let due = entry.filter(|entry| entry.reach.is_listed()).map(|_| guest.pace.due());
            [guest.deadline(patience), entry.and_then(|entry| entry.reach.until()), due]
        });
        let published = self.published.values().flat_map(|one| [one.until, one.reach.until()]);
        guests.chain(published).chain([self.closing]).flatten().min()
    }

    /// It ends for everybody: the sockets are told why, and nobody is taken any more.
    pub fn end(&mut self, farewell: Farewell, now: Moment, out: &mut Vec<Order>) {
        let sockets = std::mem::take(&mut self.guests).into_keys();
        out.extend(sockets.map(|socket| Order::Close(socket, farewell)));
        self.closing = None;
        if !std::mem::replace(&mut self.is_over, true) {
            self.changed(now, out);
            out.push(Order::Over);
        }
    }

    fn close(&mut self, socket: ConnectionId, farewell: Farewell, now: Moment, out: &mut Vec<Order>) {
        out.push(Order::Close(socket, farewell));
        self.left(socket, now, out);
    }

    fn registered(&self) -> usize {
        self.guests.values().filter(|guest| guest.entry.is_some()).count()
    }

    fn is_full(&self) -> bool {
        self.rules.on_full == OnFull::Teardown && self.registered() >= count(self.rules.max_clients)
    }
}

/// Who has a place for an address that somebody registers.
enum Holder {
    Nobody,
    /// A socket that gives it up.
    Another,
}

impl Guest {
    /// When it is closed if nothing comes of it.
    fn deadline(&self, patience: Duration) -> Option<Moment> {
        match (&self.entry, self.hearing) {
            (None, _) => Some(self.since + patience),
            (Some(_), Hearing::Node) => Some(self.heard + SILENCE),
            // What the first clients never show is shown by the system: keepalive, and writes that fail.
            (Some(_), _) => None,
        }
    }
}

fn count(most: u32) -> usize {
    usize::try_from(most).unwrap_or(usize::MAX)
}

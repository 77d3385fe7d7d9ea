//! One server: the pure parts that the product is made of, and as little glue as the actors have.
//!
//! `mod` holds what a server is and its ways in, `wire` drives the session of one socket, `link` does what
//! the Neighbourhood actor does, `house` what the Registry does. A server never sees another one; it says
//! what it wants of the world as [`Wish`]es.

mod house;
mod link;
mod rooms;
mod wire;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};

use fastrand::Rng;
use kith::{
    crypto::keys::PublicKey,
    dialect::{Myself, Terms},
    domain::{
        Moment,
        address::Address,
        book::{Book, Policy},
        id::{ConnectionId, HomeId, KeyId},
        letter::{Frame, Letter},
        limits::{Limits, seconds},
        refusal::Ending,
        rooms::{Answer, Event, Kept, Record, RoomName, Rooms},
        switchboard::{Objection, Plan, Switchboard},
    },
};

use self::{link::Neighbour, wire::Wire};
use crate::keys;

/// What a server wants of the world, and what it lets the world know.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Dial this server.
    Dial(ConnectionId, usize),
    /// Send this.
    Send(ConnectionId, Frame),
    /// Close this.
    Close(ConnectionId),
    /// One of the server's own members hears this.
    Deliver(ConnectionId, Frame),
    /// A link is up.
    Linked(usize),
    /// A link is down, or another one took its place.
    Unlinked(usize),
    /// A socket to a server is over, for this reason.
    Over(Ending),
    /// A letter was given a plan, or an objection.
    Planned(Box<Letter>, Result<Plan, Objection>),
    /// A member has asked something of rooms, and is answered.
    Answered(ConnectionId, Box<Answer>),
    /// Members in a room hear this.
    Happened(RoomName, Vec<ConnectionId>, Event),
    /// This is to be written down.
    Write(Vec<Record>),
    /// A neighbour wants to hear the whole list again, because it missed something.
    Wanted(usize),
}

/// What is the same for all servers of a run.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) limits: Arc<Limits>,
    /// Members in one part of a list.
    pub(crate) part: usize,
    /// No part is told while more than this waits for a neighbour.
    pub(crate) room: usize,
    /// How long the notary and the house take to answer at most, in microseconds.
    pub(crate) slowness: u64,
    /// How long it takes until something is written down.
    pub(crate) lag: Duration,
    pub(crate) links: Links,
}

/// What servers speak with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    Kith,
    Socp,
    /// Some of them this, some that.
    Mixed,
}

impl Links {
    /// Whether two servers speak SOCP with each other.
    pub(crate) const fn is_socp(self, one: usize, other: usize) -> bool {
        match self {
            Self::Kith => false,
            Self::Socp => true,
            Self::Mixed => (one + other) % 2 == 1,
        }
    }
}

/// Something a server wants to be reminded of.
#[derive(Debug)]
enum Reminder {
    /// Ask a neighbour's `Peer` what is due.
    Due(usize),
    /// The session's own alarm.
    Wake(ConnectionId),
    /// The greeting must be over by now.
    Greeted(ConnectionId),
    /// Something must have come by now.
    Silence(ConnectionId),
    /// The notary or the house has answered.
    Answer(ConnectionId, kith::dialect::event::Input),
    /// Say where our list stands.
    Standing,
}

/// One server.
#[derive(Debug)]
pub(crate) struct Node {
    number: usize,
    key: Arc<PublicKey>,
    terms: Arc<Terms>,
    setup: Setup,
    book: Book,
    house: Switchboard,
    rooms: Rooms,
    /// Members of other servers who are banned here.
    banned: HashSet<KeyId>,
    /// What its clock showed when it was started, in unix milliseconds.
    born_ms: i64,
    neighbours: BTreeMap<usize, Neighbour>,
    wires: BTreeMap<ConnectionId, Wire>,
    /// Connections of members.
    connections: BTreeSet<ConnectionId>,
    reminders: BTreeMap<(Moment, u64), Reminder>,
    order: u64,
    serial: u64,
    /// Whether it misses the next news, as only a fault of ours could make it.
    is_deaf: bool,
    chance: Rng,
    wishes: Vec<Wish>,
}

/// The address of a server: all of them look alike, so that names are compared and not places.
pub(crate) fn address(place: usize) -> String {
    format!("home-{place}.example:8080")
}

/// What a server knows of another one beforehand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tie {
    /// Whether it knows where to dial.
    pub(crate) dials: bool,
    /// The key to which it holds the other one, if an operator named it.
    pub(crate) pinned: Option<KeyId>,
    /// The key that it remembers from before.
    pub(crate) seen: Option<KeyId>,
}

/// The neighbours of a server, by place.
pub(crate) type Ties = BTreeMap<usize, Tie>;

impl Node {
    /// A server that knows these neighbours. No `life` comes twice.
    pub(crate) fn new(
        place: usize,
        (life, born_ms): (u64, i64),
        ties: &Ties,
        setup: &Setup,
        kept: Kept,
        chance: Rng,
    ) -> Self {
        let key = keys::server(place);
        let limits = &setup.limits;
        let mut rooms = Rooms::new(key.id(), limits);
        rooms.restore(kept, born_ms);
        let myself = Myself {
            takes_socp: true,
            id: address(place).into(),
            address: address(place),
            name: format!("home {place}"),
            key: Arc::clone(&key),
        };
        let terms = Terms {
            doors: Vec::new(),
            recipients_per_letter: limits.recipients_per_letter,
            detect_accents: true,
            socp_detect_accents: true,
            unsigned: false,
            peer_heartbeat_s: limits.peer_heartbeat_s,
            peer_silence_s: limits.peer_silence_s,
            tpacket_strict_seed: false,
            myself,
        };
        let names = vec![Address::new(&address(place))];
        let policy = Policy { anyone: false, legacy: false, most: limits.peers as usize };
        let mut book = Book::new(key.id(), names.clone(), policy);
        let neighbours = ties.iter().map(|(peer, tie)| {
            let home = book.add(link::entry(*peer, *tie)).expect("a neighbour that is not in the book");
            (*peer, Neighbour::new(home, tie.dials))
        });
        let neighbours = neighbours.collect();
        Self {
            number: place,
            key,
            book,
            terms: Arc::new(terms),
            setup: setup.clone(),
            house: Switchboard::new(names, limits),
            rooms,
            banned: HashSet::new(),
            born_ms,
            neighbours,
            wires: BTreeMap::new(),
            connections: BTreeSet::new(),
            reminders: BTreeMap::new(),
            order: 0,
            serial: life << 32,
            is_deaf: false,
            chance,
            wishes: Vec::new(),
        }
    }

    /// The process starts; its time begins here.
    pub(crate) fn start(&mut self) {
        let now = Moment::ZERO;
        for peer in self.places() {
            self.attend(peer, now);
        }
        self.remind(now + seconds(self.setup.limits.peer_heartbeat_s), Reminder::Standing);
    }

    /// The next news of a neighbour is missed.
    pub(crate) const fn miss(&mut self) {
        self.is_deaf = true;
    }

    /// The rules of this house.
    pub(crate) const fn house(&self) -> &Switchboard {
        &self.house
    }

    /// The connections of its members.
    pub(crate) const fn connections(&self) -> &BTreeSet<ConnectionId> {
        &self.connections
    }

    /// What it wants of the world since it was last asked.
    pub(crate) fn take_wishes(&mut self) -> Vec<Wish> {
        std::mem::take(&mut self.wishes)
    }

    /// When it wants to be woken.
    pub(crate) fn next_alarm(&self) -> Option<Moment> {
        self.reminders.first_key_value().map(|((at, _), _)| *at)
    }

    /// How many sockets it holds with servers, and how many bytes wait at most in one of them.
    pub(crate) fn burden(&self) -> (usize, usize) {
        (self.wires.len(), self.wires.values().map(|wire| wire.waiting).max().unwrap_or(0))
    }

    /// Where its neighbours are.
    pub(crate) fn places(&self) -> Vec<usize> {
        self.neighbours.keys().copied().collect()
    }

    fn home(&self, peer: usize) -> HomeId {
        self.neighbours[&peer].home
    }

    /// The place of a neighbour by the number that it has here.
    pub(crate) fn place(&self, home: HomeId) -> usize {
        let mut neighbours = self.neighbours.iter();
        neighbours.find(|(_, neighbour)| neighbour.home == home).map_or(usize::MAX, |(peer, _)| *peer)
    }

    fn remind(&mut self, at: Moment, reminder: Reminder) {
        self.order += 1;
        self.reminders.insert((at, self.order), reminder);
    }

    /// A moment in the near future, as busy threads take it.
    fn soon(&mut self, now: Moment) -> Moment {
        now + Duration::from_micros(self.chance.u64(0..self.setup.slowness))
    }

    /// Does what has become due, and one thing at a time: whoever asks again gets the next.
    pub(crate) fn on_alarm(&mut self, now: Moment) -> bool {
        let Some(first) = self.reminders.first_entry().filter(|first| first.key().0 <= now) else {
            return false;
        };
        match first.remove() {
            Reminder::Due(peer) => self.on_due(peer, now),
            Reminder::Wake(socket) => self.on_wake(socket, now),
            Reminder::Greeted(socket) => self.on_late(socket, now),
            Reminder::Silence(socket) => self.on_silence(socket, now),
            Reminder::Answer(socket, input) => self.on_answer(socket, input, now),
            Reminder::Standing => self.tell_standing(now),
        }
        true
    }
}

//! The rendezvous: its server with its real texts, among first clients with all their faults, readers who end lines, and
//! nodes of which some cannot be dialled. Streams are cut anywhere and late, clients come, vanish and come back, and
//! the server is started anew. In the end everybody is linked with everybody who can be reached, once.

mod client;

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use kith::{
    dialect::rendezvous::{
        client::{Ended, FromClient, Said},
        line::Line,
        list,
        server::FromServer,
    },
    domain::{
        Moment,
        directory::{
            board::Board,
            order::Order,
            rules::{DialBack, OnFull, Rules},
        },
        endpoint::Endpoint,
        id::ConnectionId,
    },
};

/// Seeds that are played each time.
const SEEDS: u64 = 300;
/// How long things go wrong.
const TROUBLE: Moment = Moment::from_secs(40);
/// How long everybody has afterwards: a node is missed after 45 seconds, and of the lists that are repeated every 15 every
/// second one begins with another entry.
const PEACE: Moment = Moment::from_secs(420);
/// What the first clients read into.
const BUFFER: usize = 256;

/// What a client is. `Dead`: it has registered, takes no connection and makes none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    First,
    Reader,
    Node { is_dialable: bool },
    Dead,
}

/// One client, from its first start to its last end.
struct Client {
    kind: Kind,
    own: Endpoint,
    /// Its socket at the server, if it has one.
    socket: Option<ConnectionId>,
    reader: FromServer,
    buffer: [u8; BUFFER],
    is_node: bool,
    /// In the order of its newest list, those behind itself; and those whom it reaches through the server.
    to_dial: Vec<Endpoint>,
    relayed: BTreeSet<Endpoint>,
    /// Whether its process runs, with the server or without.
    is_up: bool,
}

/// One end of a socket at the server.
struct Desk {
    client: usize,
    reader: FromClient,
    heard: Moment,
    last: Option<Moment>,
}

enum Event {
    ToServer(ConnectionId, Vec<u8>),
    ToClient(ConnectionId, Vec<u8>),
    Closed(ConnectionId),
    Tested(u64, Endpoint),
    Start(usize),
    Stop(usize),
    Restart,
}

struct Scene {
    now: Moment,
    chance: Rng,
    life: u64,
    board: Board,
    desks: BTreeMap<ConnectionId, Desk>,
    clients: Vec<Client>,
    agenda: BTreeMap<(Moment, u64), Event>,
    /// Nothing overtakes on a stream.
    streams: BTreeMap<(ConnectionId, bool), Moment>,
    links: BTreeSet<(usize, usize)>,
    count: u64,
}

fn rules() -> Rules {
    Rules {
        on_full: OnFull::Reject,
        max_clients: 64,
        allow: Vec::new(),
        dial_back: DialBack::Nodes,
        per_address: 64,
        per_member: 4,
        per_neighbour: 8,
        relay_bytes_per_second: 65_536,
        hello_timeout_s: 10,
    }
}

impl Client {
    fn takes_connections(&self) -> bool {
        self.is_up && !matches!(self.kind, Kind::Node { is_dialable: false } | Kind::Dead)
    }
}

impl Scene {
    fn new(seed: u64) -> Self {
        let mut chance = Rng::with_seed(seed);
        let count = chance.usize(2..12);
        let clients = (0..count).map(|at| Client {
            kind: match chance.u32(0..5) {
                4 => Kind::Dead,
                0 => Kind::Node { is_dialable: false },
                1 => Kind::Node { is_dialable: true },
                2 => Kind::Reader,
                _ => Kind::First,
            },
            own: format!("10.0.0.{}:{}", at + 1, 50_000 + at).parse().expect("an address"),
            socket: None,
            reader: FromServer::default(),
            buffer: [0; BUFFER],
            is_node: false,
            to_dial: Vec::new(),
            relayed: BTreeSet::new(),
            is_up: false,
        });
        let mut scene = Self {
            now: Moment::ZERO,
            life: 1,
            board: Board::new(rules(), 1),
            desks: BTreeMap::new(),
            clients: clients.collect(),
            agenda: BTreeMap::new(),
            streams: BTreeMap::new(),
            links: BTreeSet::new(),
            count: 0,
            chance,
        };
        for client in 0..count {
            for _ in 0..scene.chance.usize(0..3) {
                let (start, stop) = (scene.moment(), scene.moment());
                scene.plan(start, Event::Start(client));
                scene.plan(stop, Event::Stop(client));
            }
            // Most of them are there in the end.
            if scene.chance.u32(0..4) > 0 {
                scene.plan(TROUBLE + Moment::from_millis(seed % 7), Event::Start(client));
            } else {
                scene.plan(TROUBLE, Event::Stop(client));
            }
        }
        if scene.chance.bool() {
            let at = scene.moment();
            scene.plan(at, Event::Restart);
        }
        scene
    }

    fn moment(&mut self) -> Moment {
        let most = u64::try_from(TROUBLE.as_millis()).expect("milliseconds");
        Moment::from_millis(self.chance.u64(0..most))
    }

    fn plan(&mut self, at: Moment, event: Event) {
        self.count += 1;
        self.agenda.insert((at, self.count), event);
    }

    /// Sends bytes in pieces, which arrive late but in order.
    fn send(&mut self, socket: ConnectionId, to_server: bool, bytes: &[u8]) {
        let cut = if to_server { self.chance.usize(0..=bytes.len()) } else { bytes.len() };
        let (first, second) = bytes.split_at(cut);
        // The first clients cannot live with lists that are cut; that is not for a server to mend.
        for piece in [first, second].into_iter().filter(|piece| !piece.is_empty()) {
            let at = self.arrival(socket, to_server);
            let event = if to_server { Event::ToServer } else { Event::ToClient };
            self.plan(at, event(socket, piece.to_vec()));
        }
    }

    fn arrival(&mut self, socket: ConnectionId, to_server: bool) -> Moment {
        let delay = Moment::from_millis(self.chance.u64(1..40));
        let last = self.streams.entry((socket, to_server)).or_default();
        *last = (*last).max(self.now + delay);
        *last
    }

    fn run(&mut self) {
        loop {
            let planned = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let board = self.board.wakes_at();
            let quiet = self.desks.values().filter(|desk| desk.reader.waits_for_quiet());
            let quiet = quiet.map(|desk| desk.heard + Moment::from_millis(150)).min();
            let Some(next) = [planned, board, quiet].into_iter().flatten().min() else { return };
            if next > TROUBLE + PEACE {
                return;
            }
            self.now = self.now.max(next);
            if planned == Some(next) {
                let (_, event) = self.agenda.pop_first().expect("an event");
                self.happen(event);
            } else if quiet == Some(next) {
                self.quiet();
            } else {
                self.step(|board, now, out| board.tick(now, out));
            }
        }
    }

    fn step(&mut self, deed: impl FnOnce(&mut Board, Moment, &mut Vec<Order>)) {
        let mut orders = Vec::new();
        deed(&mut self.board, self.now, &mut orders);
        for order in orders {
            match order {
                Order::Greet(socket) => self.say(socket, &Line::Greeting.bytes()),
                Order::List(socket, entries) => self.say(socket, &list::print(&entries, true)),
                Order::Directory(socket, directory) => {
                    let bytes: Vec<u8> = Line::of(&directory).iter().flat_map(Line::bytes).collect();
                    self.say(socket, &bytes);
                }
                Order::Ping(socket) => self.say(socket, &Line::Ping { n: 1 }.bytes()),
                Order::Test(at) => {
                    let when = self.now + Moment::from_millis(self.chance.u64(1..1800));
                    self.plan(when, Event::Tested(self.life, at));
                }
                Order::Close(socket, _) => self.hang_up(socket),
                Order::Acknowledge(_) | Order::Joined(_) | Order::Left(_) | Order::Share(_) => {}
                Order::Relay { .. } | Order::Unrelayed(..) | Order::Over => panic!("nobody asked for this"),
            }
        }
    }

    fn say(&mut self, socket: ConnectionId, bytes: &[u8]) {
        let now = self.now;
        let Some(desk) = self.desks.get_mut(&socket) else { return };
        if self.clients[desk.client].kind == Kind::First {
            let spaced = desk.last.replace(now).is_none_or(|last| now >= last + Moment::from_millis(200));
            assert!(spaced, "too soon for one of the first clients");
        }
        self.send(socket, false, bytes);
    }

    /// The server lets go of a socket; the client learns of it later.
    fn hang_up(&mut self, socket: ConnectionId) {
        self.desks.remove(&socket);
        let at = self.arrival(socket, false);
        self.plan(at, Event::Closed(socket));
    }

    fn quiet(&mut self) {
        let due = self.desks.iter().filter(|(_, desk)| {
            desk.reader.waits_for_quiet() && self.now >= desk.heard + Moment::from_millis(150)
        });
        let due: Vec<_> = due.map(|(socket, _)| *socket).collect();
        for socket in due {
            let mut said = Vec::new();
            if let Some(desk) = self.desks.get_mut(&socket) {
                desk.reader.quiet(&mut said);
            }
            self.hear(socket, said);
        }
    }

    fn hear(&mut self, socket: ConnectionId, said: Vec<Said>) {
        for one in said {
            match one {
                Said::Registration { at, ended } => {
                    let unix_ms = u64::try_from(self.now.as_millis()).expect("milliseconds");
                    self.step(|board, now, out| {
                        board.registered_at(socket, at, ended != Ended::Line, (now, unix_ms), out);
                    });
                }
                Said::Line(Line::Node) => self.step(|board, now, out| board.is_node(socket, now, out)),
                Said::Line(Line::Pong { .. }) => self.step(|board, now, _| board.heard(socket, now)),
                // A network slower than the silence that ends a registration cuts it in two.
                Said::Nonsense => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::ToServer(socket, bytes) => {
                let (now, mut said) = (self.now, Vec::new());
                let Some(desk) = self.desks.get_mut(&socket) else { return };
                desk.heard = now;
                desk.reader.push(&bytes, &mut said);
                self.hear(socket, said);
            }
            Event::ToClient(socket, bytes) => {
                if let Some(client) = self.clients.iter().position(|client| client.socket == Some(socket)) {
                    self.tell(client, socket, &bytes);
                }
            }
            Event::Closed(socket) => {
                if let Some(client) = self.clients.iter().position(|client| client.socket == Some(socket)) {
                    self.lost(client);
                }
            }
            Event::Tested(life, at) if life == self.life => {
                let found = self.clients.iter().find(|client| client.own == at).expect("a client");
                let is_up = found.takes_connections();
                self.step(|board, now, out| board.tested(at, is_up, now, out));
            }
            Event::Tested(..) => {}
            Event::Start(client) => self.start(client),
            Event::Stop(client) => self.stop(client),
            Event::Restart => {
                self.life += 1;
                self.board = Board::new(rules(), self.life);
                for socket in self.desks.keys().copied().collect::<Vec<_>>() {
                    self.hang_up(socket);
                }
            }
        }
    }

    fn start(&mut self, at: usize) {
        if self.clients[at].socket.is_some() {
            return;
        }
        self.count += 1;
        let socket = ConnectionId(self.count);
        let client = &mut self.clients[at];
        (client.socket, client.reader, client.buffer) = (Some(socket), FromServer::default(), [0; BUFFER]);
        (client.is_node, client.is_up) = (false, true);
        let text = format!("{}{}", client.own, if client.kind == Kind::Reader { "\n" } else { "" });
        let from = client.own.ip();
        let (reader, heard, last) = (FromClient::default(), self.now, None);
        self.desks.insert(socket, Desk { client: at, reader, heard, last });
        self.step(|board, now, out| board.connected(socket, from, now, out));
        self.send(socket, true, text.as_bytes());
    }

    fn stop(&mut self, at: usize) {
        self.clients[at].is_up = false;
        self.forget(at);
        let Some(socket) = self.clients[at].socket.take() else { return };
        // Sometimes nobody tells the server, and only somebody who comes back, or silence, does.
        let is_told = self.clients[at].kind != (Kind::Node { is_dialable: true }) || self.chance.bool();
        if is_told && self.desks.remove(&socket).is_some() {
            self.step(|board, now, out| board.left(socket, now, out));
        }
    }

    fn forget(&mut self, at: usize) {
        self.links.retain(|(one, other)| *one != at && *other != at);
        self.clients[at].to_dial.clear();
        self.clients[at].relayed.clear();
    }

    /// Everybody who is there is linked with everybody, or speaks with them through the server.
    fn judge(&self, seed: u64) {
        let there: Vec<_> = (0..self.clients.len()).filter(|at| self.clients[*at].socket.is_some()).collect();
        let directory = self.board.marked();
        let listed: BTreeSet<_> = directory.members.iter().map(|listed| listed.at).collect();
        let expected: BTreeSet<_> = there.iter().map(|at| self.clients[*at].own).collect();
        assert_eq!(listed, expected, "seed {seed}: who is there is listed, and nobody else");
        let alive: Vec<_> = there.into_iter().filter(|at| self.clients[*at].kind != Kind::Dead).collect();
        for (at, one) in alive.iter().enumerate() {
            for other in &alive[at + 1..] {
                let (first, second) = (&self.clients[*one], &self.clients[*other]);
                let hidden = Kind::Node { is_dialable: false };
                let is_relayed = first.relayed.contains(&second.own) && second.relayed.contains(&first.own);
                if first.kind == hidden && second.kind == hidden {
                    assert!(is_relayed, "seed {seed}: {} and {} are relayed", first.own, second.own);
                } else {
                    assert!(!is_relayed, "seed {seed}: {} and {} can be linked", first.own, second.own);
                    let kinds = (first.kind, second.kind);
                    assert!(
                        self.are_linked(*one, *other),
                        "seed {seed}: {one} and {other} {kinds:?} are not linked"
                    );
                }
            }
        }
    }
}

#[test]
fn everybody_who_can_be_reached_is_linked_in_the_end() {
    let seeds = std::env::var("KITH_SIMULATION_SEED").ok().and_then(|seed| seed.parse::<u64>().ok());
    let seeds = seeds.map_or(0..SEEDS, |seed| seed..seed + 1);
    for seed in seeds {
        let mut scene = Scene::new(seed);
        scene.run();
        scene.judge(seed);
    }
}

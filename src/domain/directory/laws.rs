//! What holds whatever happens: played with everything that can come in, in any order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::prelude::*;

use super::{
    listed::{Directory, Listed},
    order::{Farewell, Order},
    published::Publication,
    rules::{DialBack, Rules},
    tests::{Scene, at, ip, rules},
};
use crate::domain::{
    Moment,
    endpoint::Endpoint,
    id::{ConnectionId, KeyId},
};

#[derive(Clone, Debug)]
enum Deed {
    Connect(u64),
    Register(u64, u16, bool),
    Node(u64),
    Leave(u64),
    Tested(u16, bool),
    Relay(u64, u16),
    Publish(u8, u16),
    Release,
    Told(Vec<(u64, u16)>),
    Pass(u64),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let (socket, port) = (|| 1..14_u64, || 1..16_u16);
    let deed = prop_oneof![
        3 => socket().prop_map(Deed::Connect),
        5 => (socket(), port(), any::<bool>()).prop_map(|(socket, port, bare)| Deed::Register(socket, port, bare)),
        3 => socket().prop_map(Deed::Node),
        2 => socket().prop_map(Deed::Leave),
        4 => (port(), any::<bool>()).prop_map(|(port, is)| Deed::Tested(port, is)),
        2 => (socket(), port()).prop_map(|(socket, port)| Deed::Relay(socket, port)),
        1 => (0..3_u8, port()).prop_map(|(member, port)| Deed::Publish(member, port)),
        1 => Just(Deed::Release),
        1 => proptest::collection::vec((0..2_000_000_u64, port()), 0..5).prop_map(Deed::Told),
        6 => (0..700_u64).prop_map(Deed::Pass),
        1 => (10_000..50_000_u64).prop_map(Deed::Pass),
    ];
    proptest::collection::vec(deed, 0..120)
}

fn here(port: u16) -> Endpoint {
    at(&format!("127.0.0.1:{port}"))
}

/// What was seen of the orders so far.
#[derive(Default)]
struct Watcher {
    open: BTreeSet<ConnectionId>,
    /// When something went out to somebody who may be one of the first clients.
    last: BTreeMap<ConnectionId, Moment>,
    nodes: BTreeSet<ConnectionId>,
    /// The newest version that a node has heard.
    heard: BTreeMap<ConnectionId, u64>,
    /// Whose place it was.
    places: HashMap<u64, Endpoint>,
    highest: u64,
}

impl Watcher {
    fn directory(&mut self, directory: &Directory) {
        let order: Vec<_> = directory.members.iter().map(Listed::order).collect();
        assert!(order.is_sorted(), "{directory:?}");
        let places: BTreeSet<_> = directory.members.iter().map(|listed| listed.at).collect();
        assert_eq!(places.len(), directory.members.len(), "each address once");
        for listed in directory.members.iter().filter(|listed| listed.home.is_none()) {
            let owner = *self.places.entry(listed.seq).or_insert(listed.at);
            assert_eq!(owner, listed.at, "a place is given once");
            self.highest = self.highest.max(listed.seq);
        }
    }

    fn watch(&mut self, scene: &mut Scene, lists: &BTreeSet<ConnectionId>) {
        for order in scene.took() {
            match order {
                Order::Greet(to) => {
                    self.last.insert(to, scene.now);
                }
                Order::List(to, list) => {
                    assert!(self.open.contains(&to) && !self.nodes.contains(&to));
                    assert!(list.len() <= 11 && list.iter().all(Endpoint::is_v4));
                    let before = self.last.insert(to, scene.now);
                    let is_spaced =
                        before.is_none_or(|before| scene.now >= before + Moment::from_millis(200));
                    assert!(is_spaced || !lists.contains(&to), "{to} {before:?} {:?}", scene.now);
                }
                Order::Directory(to, directory) => {
                    assert!(self.open.contains(&to) && self.nodes.contains(&to));
                    self.directory(&directory);
                    let before = self.heard.insert(to, directory.version);
                    assert!(before.is_none_or(|before| before <= directory.version));
                }
                Order::Relay { from, to, .. } => {
                    for end in [from, to] {
                        assert!(scene.board.find(end).is_some_and(|listed| listed.undialable), "{end}");
                    }
                }
                Order::Close(socket, farewell) => {
                    assert!(self.open.remove(&socket), "{farewell:?}");
                    assert_ne!(farewell, Farewell::Teardown);
                    self.forget(socket);
                }
                Order::Joined(listed) => assert!(listed.home.is_none()),
                _ => {}
            }
        }
    }

    /// Lets time pass, and looks at everything that happens meanwhile.
    fn pass(&mut self, scene: &mut Scene, milliseconds: u64, lists: &BTreeSet<ConnectionId>) {
        let until = scene.now + Moment::from_millis(milliseconds);
        while let Some(next) = scene.board.wakes_at().filter(|next| *next <= until) {
            scene.now = scene.now.max(next);
            scene.board.tick(scene.now, &mut scene.out);
            self.watch(scene, lists);
        }
        scene.now = until;
    }

    fn forget(&mut self, socket: ConnectionId) {
        self.nodes.remove(&socket);
        self.last.remove(&socket);
        self.heard.remove(&socket);
    }
}

fn play(deeds: Vec<Deed>, rules: Rules) {
    let most = usize::try_from(rules.max_clients).unwrap();
    let (mut scene, mut watcher) = (Scene::new(rules), Watcher::default());
    let mut bare = BTreeSet::new();
    for deed in deeds {
        let (times, now) = (scene.times(), scene.now);
        let (board, out) = (&mut scene.board, &mut scene.out);
        match deed {
            Deed::Connect(socket) if watcher.open.insert(ConnectionId(socket)) => {
                bare.insert(ConnectionId(socket));
                board.connected(ConnectionId(socket), ip("127.0.0.1"), now, out);
            }
            Deed::Register(socket, port, is_bare) => {
                if !is_bare {
                    bare.remove(&ConnectionId(socket));
                }
                board.registered_at(ConnectionId(socket), here(port), is_bare, times, out);
            }
            Deed::Node(socket) if watcher.open.contains(&ConnectionId(socket)) => {
                watcher.nodes.insert(ConnectionId(socket));
                board.is_node(ConnectionId(socket), now, out);
            }
            Deed::Leave(socket) if watcher.open.remove(&ConnectionId(socket)) => {
                watcher.forget(ConnectionId(socket));
                board.left(ConnectionId(socket), now, out);
            }
            Deed::Tested(port, is_dialable) => board.tested(here(port), is_dialable, now, out),
            Deed::Relay(socket, port) => board.relay(ConnectionId(socket), here(port), vec![0; 9], now, out),
            Deed::Publish(member, port) => {
                let (member, connection) = (KeyId([member; 32]), ConnectionId(99));
                let _ = board.publish(
                    Publication { member, at: here(port), connection },
                    ip("127.0.0.1"),
                    times,
                    out,
                );
                if port % 3 == 0 {
                    let _ = board.introduce(member, here(port), 20, times, out);
                }
            }
            Deed::Release => board.released(ConnectionId(99), now, out),
            Deed::Told(entries) => {
                let entries = entries.into_iter().map(|(seq, port)| {
                    let at = at(&format!("198.51.100.1:{port}"));
                    Listed { seq, at, undialable: false, relayed: false, home: None, member: None }
                });
                board.told(KeyId([9; 32]), entries.collect(), now, out);
            }
            Deed::Pass(span) => watcher.pass(&mut scene, span, &bare),
            _ => {}
        }
        watcher.watch(&mut scene, &bare);
        watcher.directory(&scene.board.directory());
        assert!(scene.board.counts().0 <= most);
    }
    // Nothing is pending after two seconds, and whoever is listed then has heard the newest.
    let spoken: Vec<_> = watcher.nodes.iter().copied().collect();
    watcher.pass(&mut scene, 2_300, &bare);
    let version = scene.board.directory().version;
    for node in spoken {
        if let Some(heard) = watcher.heard.get(&node) {
            assert_eq!(*heard, version, "{node} has heard the newest");
        }
    }
}

/// One of the first clients: it looks for itself and dials one that it does not know behind itself, dead or not.
fn dial(
    own: Endpoint,
    list: &[Endpoint],
    dead: &BTreeSet<Endpoint>,
    links: &mut BTreeSet<(Endpoint, Endpoint)>,
) {
    let behind = list.iter().skip_while(|at| **at != own).skip(1);
    let next = behind.into_iter().find(|at| !links.contains(&(own, **at)));
    if let Some(next) = next.filter(|at| !dead.contains(at)) {
        assert!(links.insert((own, *next)));
        assert!(!links.contains(&(*next, own)), "one link for each pair");
    }
}

/// When a client comes after the one before it, when it leaves, and whether it is dead to others.
type Arrival = (u64, Option<u64>, bool);

fn arrivals(most: usize, dead: f64) -> impl Strategy<Value = Vec<Arrival>> {
    let leaves = proptest::option::of(0..2_000_u64);
    proptest::collection::vec((0..800_u64, leaves, proptest::bool::weighted(dead)), 1..most)
}

/// They come and go, and so much later everybody who is there and alive is linked with everybody.
fn mesh(arrivals: Vec<Arrival>, peace: u64) {
    let mut scene = Scene::new(Rules { max_clients: 40, ..rules() });
    let mut agenda: BTreeMap<(u64, u64), bool> = BTreeMap::new();
    let own = |socket: u64| here(u16::try_from(socket).unwrap() + 100);
    let (mut clock, mut dead) = (0, BTreeSet::new());
    for (socket, (after, leaves, is_dead)) in (1_u64..).zip(arrivals) {
        clock += after;
        agenda.insert((clock, socket), true);
        if let Some(leaves) = leaves {
            agenda.insert((clock + 1 + leaves, socket), false);
        }
        dead.extend(is_dead.then(|| own(socket)));
    }
    let mut links = BTreeSet::new();
    let mut present = BTreeSet::new();
    let mut deliver = |scene: &mut Scene| {
        for order in scene.took() {
            if let Order::List(ConnectionId(socket), list) = order
                && !dead.contains(&own(socket))
            {
                dial(own(socket), &list, &dead, &mut links);
            }
        }
    };
    let mut passed = 0;
    for ((when, socket), comes) in agenda {
        scene.pass(when - passed);
        passed = when;
        deliver(&mut scene);
        let (times, now) = (scene.times(), scene.now);
        let (board, out) = (&mut scene.board, &mut scene.out);
        if comes {
            board.connected(ConnectionId(socket), ip("127.0.0.1"), now, out);
            board.registered_at(ConnectionId(socket), own(socket), true, times, out);
            present.insert(socket);
        } else {
            board.left(ConnectionId(socket), now, out);
            present.remove(&socket);
        }
    }
    scene.pass(peace);
    deliver(&mut scene);
    present.retain(|socket| !dead.contains(&own(*socket)));
    for one in &present {
        for other in present.range(one + 1..) {
            assert!(links.contains(&(own(*one), own(*other))), "{one} and {other} are not linked");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_order_holds_and_everybody_hears(
        deeds in deeds(),
        dial_back in proptest::sample::select(vec![DialBack::Off, DialBack::Nodes, DialBack::All]),
        max_clients in 1..14_u32,
    ) {
        let allow = vec!["127.0.0.0/8".parse().unwrap()];
        play(deeds, Rules { dial_back, max_clients, allow, ..rules() });
    }

    #[test]
    fn the_first_clients_mesh_however_they_come_and_go(arrivals in arrivals(22, 0.0)) {
        mesh(arrivals, 14_000);
    }

    #[test]
    fn the_first_clients_mesh_around_those_who_are_dead(arrivals in arrivals(12, 0.4)) {
        mesh(arrivals, 600_000);
    }

    /// Of long lists each gets a few entries at a time.
    #[test]
    fn the_first_clients_mesh_around_the_dead_of_a_long_list_in_the_end(arrivals in arrivals(22, 0.4)) {
        mesh(arrivals, 1_500_000);
    }
}

//! The board, one rule at a time.

use core::net::IpAddr;

use super::{
    board::{Board, TEST},
    order::{Farewell, Order},
    rules::{DialBack, OnFull, Refused, Rules, Unrelayed},
};
use crate::domain::{Moment, endpoint::Endpoint, id::ConnectionId};

pub(super) fn at(text: &str) -> Endpoint {
    text.parse().expect("an address")
}

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an IP address")
}

pub(super) fn rules() -> Rules {
    Rules {
        on_full: OnFull::Reject,
        max_clients: 10,
        allow: Vec::new(),
        dial_back: DialBack::Nodes,
        per_address: 64,
        per_member: 4,
        per_neighbour: 8,
        relay_bytes_per_second: 1000,
        hello_timeout_s: 10,
    }
}

/// A board with its clock.
pub(super) struct Scene {
    pub(super) board: Board,
    pub(super) now: Moment,
    pub(super) out: Vec<Order>,
}

impl Scene {
    pub(super) fn new(rules: Rules) -> Self {
        Self { board: Board::new(rules, 7), now: Moment::from_secs(100), out: Vec::new() }
    }

    pub(super) fn times(&self) -> (Moment, u64) {
        (self.now, 1_000_000 + u64::try_from(self.now.as_millis()).expect("milliseconds"))
    }

    /// Lets time pass, and everything happen that is due meanwhile.
    pub(super) fn pass(&mut self, milliseconds: u64) {
        let until = self.now + Moment::from_millis(milliseconds);
        while let Some(next) = self.board.wakes_at().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.board.tick(self.now, &mut self.out);
        }
        self.now = until;
    }

    pub(super) fn connect(&mut self, socket: u64, from: &str) {
        self.board.connected(ConnectionId(socket), ip(from), self.now, &mut self.out);
    }

    pub(super) fn register(&mut self, socket: u64, text: &str, is_bare: bool) {
        let times = self.times();
        self.board.registered_at(ConnectionId(socket), at(text), is_bare, times, &mut self.out);
    }

    /// One of the first clients, listed.
    pub(super) fn original(&mut self, socket: u64) {
        self.connect(socket, "127.0.0.1");
        self.register(socket, &format!("127.0.0.1:{}", 50_000 + socket), true);
        self.pass(200);
    }

    /// A node of which it is known whether it can be dialled.
    fn node(&mut self, socket: u64, is_dialable: bool) {
        let text = format!("127.0.0.1:{}", 50_000 + socket);
        self.connect(socket, "127.0.0.1");
        self.register(socket, &text, true);
        self.board.is_node(ConnectionId(socket), self.now, &mut self.out);
        assert!(self.took().contains(&Order::Test(at(&text))));
        self.board.tested(at(&text), is_dialable, self.now, &mut self.out);
    }

    pub(super) fn took(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.out)
    }

    /// The ports in the last list for a socket since the last look, and how many lists there were.
    pub(super) fn lists(&mut self, socket: u64) -> (Vec<u16>, usize) {
        let lists: Vec<_> = self
            .took()
            .into_iter()
            .filter_map(|order| match order {
                Order::List(to, list) if to == ConnectionId(socket) => {
                    Some(list.iter().map(Endpoint::port).collect::<Vec<_>>())
                }
                _ => None,
            })
            .collect();
        (lists.last().cloned().unwrap_or_default(), lists.len())
    }

    pub(super) fn ports(&self) -> Vec<u16> {
        self.board.directory().members.iter().map(|listed| listed.at.port()).collect()
    }
}

#[test]
fn everybody_hears_of_every_join_and_every_departure() {
    let mut scene = Scene::new(rules());
    for socket in 1..=3 {
        scene.original(socket);
    }
    scene.pass(1000);
    assert_eq!(scene.lists(1).0, [50_001, 50_002, 50_003]);
    scene.board.left(ConnectionId(2), scene.now, &mut scene.out);
    scene.pass(1000);
    assert_eq!(scene.lists(3).0, [50_001, 50_003], "nothing but the directory is sent for it");
    scene.original(4);
    scene.pass(1000);
    assert_eq!(scene.lists(1).0, [50_001, 50_003, 50_004], "a hole is not filled");
    scene.pass(14_000);
    scene.took();
    scene.pass(15_001);
    assert_eq!(scene.lists(1).1, 1, "every 15 seconds");
}

#[test]
fn one_of_the_first_clients_gets_a_list_for_each_it_has_to_dial_and_none_too_soon() {
    let mut scene = Scene::new(rules());
    (1..=4).for_each(|socket| scene.original(socket));
    scene.pass(14_000);
    scene.took();
    scene.original(5);
    scene.pass(10_000);
    let orders = scene.took();
    let lists = |socket| {
        orders
            .iter()
            .filter(|order| matches!(order, Order::List(to, _) if *to == ConnectionId(socket)))
            .count()
    };
    assert_eq!((lists(1), lists(4), lists(5)), (4, 1, 1));
}

#[test]
fn whoever_ends_the_line_is_not_greeted_and_waits_for_nothing() {
    let mut scene = Scene::new(rules());
    scene.connect(1, "127.0.0.1");
    scene.register(1, "127.0.0.1:50001", false);
    let orders = scene.took();
    assert!(matches!(orders[..], [Order::Joined(_), .., Order::List(..)]), "{orders:?}");
    scene.connect(2, "127.0.0.1");
    scene.register(2, "127.0.0.1:50002", true);
    assert_eq!(scene.took(), [Order::Greet(ConnectionId(2))]);
    scene.pass(199);
    assert_eq!(scene.took(), []);
    scene.pass(1);
    assert_eq!(scene.lists(2), (vec![50_001, 50_002], 1));
}

#[test]
fn who_cannot_be_dialled_stands_first_and_two_such_are_relayed() {
    let mut scene = Scene::new(rules());
    scene.node(1, true);
    scene.node(2, false);
    scene.node(3, false);
    scene.original(4);
    assert_eq!(scene.ports(), [50_002, 50_003, 50_001, 50_004]);
    scene.pass(1000);
    let marked = scene.took().into_iter().rev().find_map(|order| match order {
        Order::Directory(ConnectionId(2), directory) => Some(directory),
        _ => None,
    });
    let (two, three) = (at("127.0.0.1:50002"), at("127.0.0.1:50003"));
    let mut relay = |sender, to| {
        scene.board.relay(ConnectionId(sender), to, vec![9; 400], scene.now, &mut scene.out);
        scene.out.pop()
    };
    assert_eq!(
        relay(2, three),
        Some(Order::Relay {
            sender: ConnectionId(2),
            from: two,
            recipient: ConnectionId(3),
            to: three,
            payload: vec![9; 400],
        })
    );
    let refused = |sender, to, why| Some(Order::Unrelayed(ConnectionId(sender), to, why));
    assert_eq!(relay(1, three), refused(1, three, Unrelayed::Dialable));
    assert_eq!(relay(2, at("127.0.0.1:50001")), refused(2, at("127.0.0.1:50001"), Unrelayed::Dialable));
    assert_eq!(relay(2, at("127.0.0.1:50004")), refused(2, at("127.0.0.1:50004"), Unrelayed::Absent));
    assert!(matches!(relay(2, three), Some(Order::Relay { .. })));
    assert_eq!(relay(2, three), refused(2, three, Unrelayed::Busy));
    let marks: Vec<_> =
        marked.unwrap().members.iter().map(|listed| (listed.at.port(), listed.relayed)).collect();
    assert_eq!(marks, [(50_002, true), (50_003, true), (50_001, false), (50_004, false)]);
}

#[test]
fn a_test_that_says_nothing_has_failed() {
    let mut scene = Scene::new(rules());
    scene.connect(1, "127.0.0.1");
    scene.register(1, "127.0.0.1:50001", true);
    scene.board.is_node(ConnectionId(1), scene.now, &mut scene.out);
    assert!(scene.ports().is_empty());
    scene.pass(2000);
    assert!(scene.now >= TEST && scene.board.find(at("127.0.0.1:50001")).unwrap().undialable);
}

#[test]
fn a_full_house_refuses_or_ends() {
    let mut scene = Scene::new(Rules { max_clients: 2, ..rules() });
    scene.connect(9, "127.0.0.1");
    scene.original(1);
    scene.original(2);
    scene.took();
    scene.original(3);
    assert!(scene.took().contains(&Order::Close(ConnectionId(3), Farewell::Full)));
    assert_eq!(scene.ports(), [50_001, 50_002], "a socket that has not registered takes no place");

    let mut scene = Scene::new(Rules { max_clients: 2, on_full: OnFull::Teardown, ..rules() });
    scene.original(1);
    scene.original(2);
    assert_eq!(scene.lists(2).0, [50_001, 50_002], "the last one is listed");
    scene.original(3);
    assert!(scene.took().contains(&Order::Close(ConnectionId(3), Farewell::Full)));
    scene.pass(1200);
    let orders = scene.took();
    for socket in [1, 2] {
        assert!(orders.contains(&Order::Close(ConnectionId(socket), Farewell::Teardown)), "{orders:?}");
    }
    assert_eq!(orders.last(), Some(&Order::Over));
    scene.connect(4, "127.0.0.1");
    assert_eq!(scene.took(), [Order::Close(ConnectionId(4), Farewell::Teardown)]);
}

#[test]
fn an_address_must_be_that_of_its_host_unless_it_is_allowed() {
    let mut scene = Scene::new(Rules { allow: vec!["10.0.0.0/8".parse().unwrap()], ..rules() });
    let refused = |why| vec![Order::Close(ConnectionId(1), Farewell::Refused(why))];
    for (from, text, why) in [
        ("192.0.2.1", "192.0.2.2:5", Some(Refused::Foreign)),
        ("192.0.2.1", "127.0.0.1:5", Some(Refused::Foreign)),
        ("192.0.2.1", "10.1.1.1:5", None),
        ("::ffff:192.0.2.1", "192.0.2.1:5", None),
        ("0.0.0.0", "0.0.0.0:5", Some(Refused::Unusable)),
        ("224.0.0.1", "224.0.0.1:5", Some(Refused::Unusable)),
        ("2001:db8::1", "[2001:db8::1]:5", None),
    ] {
        scene.connect(1, from);
        scene.register(1, text, true);
        let found = scene.took();
        match why {
            Some(why) => assert_eq!(found, refused(why), "{from} {text}"),
            None => assert_eq!(found, [Order::Greet(ConnectionId(1))], "{from} {text}"),
        }
        scene.board.left(ConnectionId(1), scene.now, &mut scene.out);
        scene.took();
    }
}

#[test]
fn an_address_belongs_to_the_host_that_has_it() {
    let mut scene =
        Scene::new(Rules { allow: vec!["10.0.0.0/8".parse().unwrap()], per_address: 2, ..rules() });
    scene.connect(1, "192.0.2.1");
    scene.register(1, "10.0.0.1:5", false);
    let seq = scene.board.find(at("10.0.0.1:5")).unwrap().seq;
    scene.connect(2, "192.0.2.2");
    scene.register(2, "10.0.0.1:5", false);
    assert!(scene.took().contains(&Order::Close(ConnectionId(2), Farewell::Refused(Refused::Taken))));
    scene.connect(3, "192.0.2.1");
    scene.register(3, "10.0.0.1:5", false);
    assert!(scene.took().contains(&Order::Close(ConnectionId(1), Farewell::Replaced)));
    assert_eq!(scene.board.find(at("10.0.0.1:5")).unwrap().seq, seq, "it is the same one as before");
    scene.connect(4, "192.0.2.1");
    scene.register(4, "10.0.0.1:6", false);
    scene.connect(5, "192.0.2.1");
    scene.register(5, "10.0.0.1:7", false);
    assert!(scene.took().contains(&Order::Close(ConnectionId(5), Farewell::Refused(Refused::TooMany))));
}

#[test]
fn another_registration_takes_the_place_of_the_first() {
    let mut scene = Scene::new(rules());
    scene.original(1);
    scene.original(2);
    scene.register(1, "127.0.0.1:9", true);
    scene.pass(200);
    assert_eq!(scene.ports(), [50_002, 9], "what is new comes last, and is whole");
    assert_eq!(scene.board.counts(), (2, 2));
}

#[test]
fn the_silent_are_closed() {
    let mut scene = Scene::new(rules());
    scene.connect(1, "127.0.0.1");
    scene.original(2);
    scene.node(3, true);
    scene.pass(9_700);
    assert!(!scene.took().contains(&Order::Close(ConnectionId(1), Farewell::Silent)));
    scene.pass(200);
    assert!(scene.took().contains(&Order::Close(ConnectionId(1), Farewell::Silent)));
    scene.board.heard(ConnectionId(3), scene.now);
    scene.pass(44_000);
    assert_eq!(scene.ports(), [50_002, 50_003]);
    scene.pass(1_001);
    assert!(scene.took().contains(&Order::Close(ConnectionId(3), Farewell::Silent)));
    assert_eq!(scene.ports(), [50_002], "the first clients have nothing to show");
}

#[test]
fn a_list_that_is_too_long_goes_out_in_turns() {
    let mut scene = Scene::new(Rules { max_clients: 40, ..rules() });
    (1..=30).for_each(|socket| scene.original(socket));
    scene.took();
    scene.pass(14_000);
    let mut shown = std::collections::BTreeSet::new();
    for order in scene.took() {
        if let Order::List(ConnectionId(5), list) = order {
            assert!(list.len() <= 11 && list.is_sorted(), "{list:?}");
            let behind = list.iter().map(Endpoint::port).skip_while(|port| *port != 50_005);
            shown.extend(behind.skip(1));
        }
    }
    assert_eq!(shown.into_iter().collect::<Vec<_>>(), (50_006..=50_030).collect::<Vec<_>>());
}

#[test]
fn every_second_list_that_is_repeated_begins_with_another_who_is_to_be_dialled() {
    let mut scene = Scene::new(rules());
    (1..=4).for_each(|socket| scene.original(socket));
    scene.connect(5, "127.0.0.1");
    scene.register(5, "127.0.0.1:50005", false);
    scene.pass(9_000);
    scene.took();
    scene.original(6);
    scene.pass(94_000);
    let orders = scene.took();
    let ports = |socket: u64| -> Vec<Vec<u16>> {
        let lists = orders.iter().filter_map(|order| match order {
            Order::List(to, list) if *to == ConnectionId(socket) => Some(list),
            _ => None,
        });
        lists.map(|list| list.iter().map(|at| at.port() - 50_000).collect()).collect()
    };
    let (as_they_came, second, third) = ([1, 2, 3, 4, 5, 6], [1, 2, 3, 5, 6, 4], [1, 2, 3, 6, 4, 5]);
    let heard = ports(3);
    assert_eq!(heard[..3], [as_they_came; 3], "one for each that it dials");
    let repeated = [as_they_came, second, as_they_came, third, as_they_came, as_they_came];
    assert_eq!(heard[3..], repeated);
    assert!(ports(5).iter().all(|list| *list == as_they_came), "who ends lines dials them all");
    scene.register(3, "127.0.0.1:50003", true);
    scene.pass(1);
    assert_eq!(scene.lists(3).0, [50_001, 50_002, 50_003, 50_004, 50_005, 50_006], "it asks for what is");
}

#[test]
fn addresses_of_the_new_kind_stand_only_in_the_new_form() {
    let mut scene = Scene::new(rules());
    scene.connect(1, "::1");
    scene.register(1, "[::1]:50001", false);
    scene.original(2);
    scene.pass(300);
    assert_eq!(scene.lists(1).0, [50_002]);
    scene.node(3, true);
    scene.pass(300);
    assert_eq!(scene.ports(), [50_001, 50_002, 50_003]);
    assert_eq!(scene.lists(2).0, [50_002, 50_003]);
}

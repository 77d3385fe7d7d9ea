//! One scene for each thing that goes wrong between nodes.

use std::time::Duration;

use super::*;
use crate::domain::directory::listed::Listed;

const CHANCE: u16 = u16::MAX;

fn at(host: u8) -> Endpoint {
    format!("10.0.0.{host}:5000").parse().expect("an address")
}

fn id(number: u64) -> ConnectionId {
    ConnectionId(number)
}

fn second(count: u64) -> Moment {
    Duration::from_secs(count)
}

/// A list of the first kind with these hosts.
fn list(hosts: &[u8]) -> Introduction {
    hosts.iter().map(|host| at(*host)).collect::<Vec<_>>().into()
}

/// A list of the new kind: host, whether it cannot be dialled, whether it is relayed.
fn marked(edition: (u64, u64), hosts: &[(u8, bool, bool)]) -> Introduction {
    let nodes = (0..).zip(hosts).map(|(seq, (host, undialable, relayed))| Listed {
        seq,
        at: at(*host),
        undialable: *undialable,
        relayed: *relayed,
        home: None,
        member: None,
    });
    Introduction { edition: Some(edition), nodes: nodes.collect() }
}

/// The node 10.0.0.2, registered, with a list.
fn node(introduction: Introduction) -> Node {
    let mut node = Node::new(at(2), second(0));
    let mut out = Wishes::default();
    node.due(second(0), CHANCE, &mut out);
    assert_eq!(out.orders, [Order::Register]);
    node.registered(second(0));
    assert!(node.listed(introduction, second(0), &mut out));
    node
}

fn due(node: &mut Node, now: Moment) -> Vec<Order> {
    let mut out = Wishes::default();
    node.due(now, CHANCE, &mut out);
    out.orders
}

#[test]
fn those_behind_are_dialled_and_those_before_are_waited_for() {
    let mut node = node(list(&[1, 2, 3, 4]));
    assert_eq!(due(&mut node, second(1)), [Order::Dial(at(3)), Order::Dial(at(4))]);
    assert_eq!(due(&mut node, second(2)), [], "they are being dialled");
    let mut out = Wishes::default();
    node.greeted(
        Greeting { id: id(1), address: at(1), rank: Rank { seq: 0, address: at(1) }, way: Way::Direct },
        second(2),
        &mut out,
    );
    assert_eq!(out.news, [News::Joined(at(1), id(1))]);
    assert_eq!(node.link(at(1)), Some((id(1), Way::Direct)));
}

#[test]
fn whoever_is_not_in_the_list_dials_nobody() {
    let mut node = node(list(&[1, 3]));
    assert_eq!(due(&mut node, second(1)), []);
}

#[test]
fn a_dead_entry_waits_ever_longer_and_keeps_nobody_from_those_behind_it() {
    let mut node = node(list(&[2, 9, 3]));
    let mut out = Wishes::default();
    assert_eq!(due(&mut node, second(0)), [Order::Dial(at(9)), Order::Dial(at(3))]);
    node.dialled(at(3), id(3), Way::Direct, &mut out);
    node.greeted(
        Greeting { id: id(3), address: at(3), rank: node.rank(), way: Way::Direct },
        second(0),
        &mut out,
    );
    let (mut now, mut waits) = (second(0), Vec::new());
    for _ in 0..8 {
        node.dial_failed(at(9), now, CHANCE, &mut out);
        let next = node.wakes_at().expect("another attempt");
        waits.push((next - now).as_secs());
        now = next;
        assert_eq!(due(&mut node, now), [Order::Dial(at(9))]);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(out.news, [News::Joined(at(3), id(3)), News::Unreached(at(9))], "it is said once");
}

#[test]
fn the_link_that_the_lower_rank_has_dialled_stays() {
    for (seq, ours_stays) in [(0, false), (7, true)] {
        let mut node = node(list(&[2, 3]));
        due(&mut node, second(0));
        let mut out = Wishes::default();
        // Seen from here 10.0.0.2 is first. The other one has its own list, and says its own rank.
        let theirs = Rank { seq, address: at(1) };
        node.dialled(at(3), id(1), Way::Direct, &mut out);
        node.greeted(
            Greeting { id: id(2), address: at(3), rank: theirs, way: Way::Direct },
            second(0),
            &mut out,
        );
        node.greeted(
            Greeting { id: id(1), address: at(3), rank: node.rank(), way: Way::Direct },
            second(0),
            &mut out,
        );
        let (stays, goes) = if ours_stays { (1, 2) } else { (2, 1) };
        assert_eq!(node.link(at(3)), Some((id(stays), Way::Direct)));
        assert_eq!(out.orders, [Order::Close(id(goes))]);
        node.closed(id(goes), second(1), CHANCE, &mut out);
        assert!(!out.news.iter().any(|news| matches!(news, News::Left(_))), "{:?}", out.news);
    }
}

#[test]
fn an_attempt_that_would_lose_is_not_even_greeted() {
    let mut node = node(list(&[1, 2, 3]));
    due(&mut node, second(0));
    let mut out = Wishes::default();
    node.greeted(
        Greeting { id: id(2), address: at(3), rank: Rank { seq: 0, address: at(3) }, way: Way::Direct },
        second(0),
        &mut out,
    );
    node.dialled(at(3), id(1), Way::Direct, &mut out);
    assert_eq!(out.orders, [Order::Close(id(1))]);
}

#[test]
fn a_node_that_dials_again_has_lost_its_former_link() {
    let mut node = node(list(&[1, 2]));
    let mut out = Wishes::default();
    let rank = Rank { seq: 0, address: at(1) };
    node.greeted(Greeting { id: id(1), address: at(1), rank, way: Way::Direct }, second(0), &mut out);
    node.greeted(Greeting { id: id(2), address: at(1), rank, way: Way::Direct }, second(9), &mut out);
    assert_eq!(out.news, [News::Joined(at(1), id(1)), News::Moved(at(1), id(2))]);
    assert_eq!(out.orders, [Order::Close(id(1))]);
}

#[test]
fn an_entry_that_vanishes_ends_no_link() {
    let mut node = node(list(&[2, 3]));
    due(&mut node, second(0));
    let mut out = Wishes::default();
    node.dialled(at(3), id(3), Way::Direct, &mut out);
    node.greeted(
        Greeting { id: id(3), address: at(3), rank: node.rank(), way: Way::Direct },
        second(0),
        &mut out,
    );
    assert!(node.listed(list(&[2]), second(1), &mut out));
    assert_eq!((node.link(at(3)), out.orders.as_slice()), (Some((id(3), Way::Direct)), &[][..]));
    node.closed(id(3), second(30), CHANCE, &mut out);
    assert_eq!(out.news.last(), Some(&News::Left(at(3))));
    assert_eq!(due(&mut node, second(99)), [], "nobody says that it is still there");
}

#[test]
fn the_end_of_the_rendezvous_ends_nothing_and_it_is_dialled_again() {
    let mut node = node(list(&[2, 3]));
    due(&mut node, second(0));
    let mut out = Wishes::default();
    node.dialled(at(3), id(3), Way::Direct, &mut out);
    node.greeted(
        Greeting { id: id(3), address: at(3), rank: node.rank(), way: Way::Direct },
        second(0),
        &mut out,
    );
    node.lost(second(1), CHANCE);
    assert_eq!(due(&mut node, second(2)), []);
    assert_eq!(due(&mut node, second(3)), [Order::Register]);
    node.lost(second(3), CHANCE);
    assert_eq!(node.wakes_at(), Some(second(6)), "ever later");
    assert_eq!(node.link(at(3)), Some((id(3), Way::Direct)));
    // A link that breaks meanwhile is mended by the last list.
    node.closed(id(3), second(5), CHANCE, &mut out);
    assert_eq!(due(&mut node, second(6)), [Order::Register, Order::Dial(at(3))]);
}

#[test]
fn silence_means_something_only_of_those_who_repeat_themselves() {
    let mut node = node(list(&[2]));
    assert_eq!(due(&mut node, second(3600)), [], "the first servers speak only when somebody comes");
    node.is_modern();
    node.heard(second(3600));
    assert_eq!(due(&mut node, second(3644)), []);
    assert_eq!(due(&mut node, second(3645)), [Order::HangUp]);
    assert_eq!(due(&mut node, second(3647)), [Order::Register]);
}

#[test]
fn who_cannot_be_dialled_dials_and_two_such_are_relayed() {
    let mut mute = node(marked((1, 1), &[(2, true, false), (1, true, true), (3, false, false)]));
    assert_eq!(due(&mut mute, second(0)), [Order::Dial(at(3))], "a server that does not relay");
    mute.is_modern();
    assert_eq!(due(&mut mute, second(1)), [Order::Relay(at(1))]);
    let mut out = Wishes::default();
    mute.dialled(at(1), id(1), Way::Relayed, &mut out);
    mute.greeted(
        Greeting { id: id(1), address: at(1), rank: mute.rank(), way: Way::Relayed },
        second(1),
        &mut out,
    );
    assert_eq!(mute.link(at(1)), Some((id(1), Way::Relayed)));
    // The other one turns out to be dialable, wherever the order puts it.
    let turned = marked((1, 2), &[(1, false, false), (2, true, false), (3, false, false)]);
    assert!(mute.listed(turned, second(2), &mut out));
    assert_eq!(due(&mut mute, second(2)), [Order::Dial(at(1))]);
    mute.dialled(at(1), id(7), Way::Direct, &mut out);
    mute.greeted(
        Greeting { id: id(7), address: at(1), rank: mute.rank(), way: Way::Direct },
        second(2),
        &mut out,
    );
    assert_eq!(out.orders.last(), Some(&Order::Close(id(1))));
    let mut dialable = node(marked((1, 1), &[(2, false, false), (1, true, false)]));
    assert_eq!(due(&mut dialable, second(0)), [], "it cannot be dialled, so it dials");
}

#[test]
fn who_is_only_relayed_is_gone_with_its_entry() {
    let mut node = node(marked((1, 1), &[(2, true, false), (1, true, true)]));
    node.is_modern();
    due(&mut node, second(0));
    let mut out = Wishes::default();
    node.dialled(at(1), id(1), Way::Relayed, &mut out);
    node.greeted(
        Greeting { id: id(1), address: at(1), rank: node.rank(), way: Way::Relayed },
        second(0),
        &mut out,
    );
    node.listed(marked((1, 2), &[(2, true, false)]), second(1), &mut out);
    assert_eq!(out.orders, [Order::Close(id(1))]);
}

#[test]
fn a_list_that_is_out_of_date_changes_nothing() {
    let mut node = node(marked((4, 7), &[(2, false, false), (3, false, false)]));
    let mut out = Wishes::default();
    assert!(!node.listed(marked((4, 6), &[(2, false, false)]), second(1), &mut out));
    assert_eq!(node.list().nodes.len(), 2);
    assert!(node.listed(marked((5, 1), &[(2, false, false)]), second(1), &mut out));
    node.lost(second(2), CHANCE);
    node.registered(second(4));
    assert!(node.listed(marked((1, 1), &[(2, false, false), (9, false, false)]), second(4), &mut out));
}

#[test]
fn a_hello_that_names_us_or_somebody_elsewhere_is_not_believed() {
    let node = node(marked((1, 1), &[(7, true, false), (2, false, false), (3, false, false)]));
    let from = |host: u8| at(host).ip();
    assert_eq!(node.believes(at(2), from(3)), Err(Doubt::OurOwn));
    assert_eq!(node.believes(at(3), from(3)), Ok(()));
    assert_eq!(node.believes(at(3), from(9)), Err(Doubt::FromElsewhere));
    assert_eq!(node.believes(at(8), from(8)), Err(Doubt::Unlisted));
    assert_eq!(Node::new(at(2), second(0)).believes(at(8), from(8)), Ok(()), "there is no list yet");
    assert!(node.knows_host(from(3)) && !node.knows_host(from(8)));
    assert_eq!(node.believes_key(at(7), from(200)), Ok(()), "it is behind somebody else's address");
    assert_eq!(node.believes(at(7), from(200)), Err(Doubt::FromElsewhere), "anybody can say so");
    assert_eq!(node.believes(at(7), from(7)), Ok(()));
    for (said, seen) in [(2, 3), (3, 9), (8, 8)] {
        assert_eq!(node.believes_key(at(said), from(seen)), node.believes(at(said), from(seen)), "{said}");
    }
}

#[test]
fn a_list_of_thousands_costs_no_thousands_of_dials() {
    let many: Vec<_> = (1..=3000_u16).map(|port| Endpoint::new(at(9).ip(), port).expect("a port")).collect();
    let mut whole = many.clone();
    whole.insert(2000, at(2));
    whole.push(at(1));
    let mut node = node(whole.into());
    assert_eq!(node.list().nodes.len(), 256);
    assert_eq!(node.list().nodes.first().map(|node| node.at), Some(at(2)));
    assert_eq!(due(&mut node, second(0)).len(), MOST_DIALS);
    assert_eq!(due(&mut node, second(0)), []);
    assert_eq!(node.wakes_at(), None, "whoever waits for a free dial needs no clock");
    let mut out = Wishes::default();
    node.dial_failed(many[2000], second(1), CHANCE, &mut out);
    assert_eq!(due(&mut node, second(1)).len(), 1);
}

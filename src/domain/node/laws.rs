//! What holds of every list and every order of events.

use proptest::prelude::*;

use super::{
    introduction::{Duty, Introduction},
    *,
};
use crate::domain::directory::listed::Listed;

fn at(number: usize) -> Endpoint {
    let port = u16::try_from(number + 1).expect("few nodes");
    Endpoint::new([10, 0, 0, 1].into(), port).expect("a port")
}

/// The directory as one of its members is told of it.
fn told(marks: &[bool], reader: usize) -> Introduction {
    let hears = marks.get(reader).copied().unwrap_or_default();
    let listed = |(number, undialable): (usize, &bool)| Listed {
        seq: number.try_into().unwrap_or(u64::MAX),
        at: at(number),
        undialable: *undialable,
        relayed: *undialable && hears,
        home: None,
        member: None,
    };
    Introduction { edition: Some((1, 1)), nodes: marks.iter().enumerate().map(listed).collect() }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the marks are, and in whatever order: of each two exactly one has something to do, and it can be done.
    #[test]
    fn of_each_two_exactly_one_begins(marks in proptest::collection::vec(any::<bool>(), 2..12), sorted in any::<bool>()) {
        let mut marks = marks;
        if sorted {
            marks.sort_by_key(|undialable| !undialable);
        }
        let duty = |from: usize, to: usize| {
            let duties = told(&marks, from).duties(at(from));
            duties.into_iter().find(|(address, _)| *address == at(to)).map(|(_, duty)| duty)
        };
        for one in 0..marks.len() {
            for other in 0..one {
                let both = [duty(one, other), duty(other, one)];
                let wanted = if marks[one] && marks[other] { Duty::Relay } else { Duty::Dial };
                let begins = both.iter().filter(|duty| **duty == Some(wanted)).count();
                let waits = both.iter().filter(|duty| **duty == Some(Duty::Wait)).count();
                prop_assert_eq!((begins, waits), (1, 1), "{} and {} of {:?}: {:?}", one, other, &marks, both);
                let dials = |from: usize, to: usize| duty(from, to) == Some(Duty::Dial) && marks[to];
                prop_assert!(!dials(one, other) && !dials(other, one), "what cannot be dialled is");
            }
        }
    }

    /// Both have dialled, each with the numbers of its own list, and the two ends hear of the two links in any order.
    #[test]
    fn both_ends_keep_the_same_link(
        seqs in any::<[u64; 2]>(),
        orders in any::<[bool; 2]>(),
        dialled_late in any::<[bool; 2]>(),
    ) {
        let links = [0, 1].map(|dialler: usize| {
            let rank = Rank { seq: seqs[dialler], address: at(dialler) };
            (ConnectionId(u64::try_from(dialler).unwrap_or_default()), rank)
        });
        let kept = [0, 1].map(|end: usize| {
            let other = 1 - end;
            let mut out = Wishes::default();
            let mut node = Node::new(at(end), Moment::ZERO);
            let nodes = [end, other].map(|number| Listed { seq: seqs[number], ..told(&[false; 2], 0).nodes[number] });
            node.listed(Introduction { edition: None, nodes: nodes.to_vec() }, Moment::ZERO, &mut out);
            node.due(Moment::ZERO, 0, &mut out);
            assert!(out.orders.contains(&Order::Dial(at(other))));
            let mut sequence = if orders[end] { vec![0, 1] } else { vec![1, 0] };
            if !dialled_late[end] {
                node.dialled(at(other), links[end].0, Way::Direct, &mut out);
            }
            for number in sequence.drain(..) {
                if number == end && dialled_late[end] {
                    node.dialled(at(other), links[end].0, Way::Direct, &mut out);
                    if out.orders.contains(&Order::Close(links[end].0)) {
                        continue;
                    }
                }
                let (id, rank) = links[number];
                node.greeted(Greeting { id, address: at(other), rank, way: Way::Direct }, Moment::ZERO, &mut out);
            }
            let closed = out.orders.iter().filter(|order| matches!(order, Order::Close(_))).count();
            assert_eq!(closed, 1, "the other one is ended");
            node.link(at(other)).map(|(id, _)| id)
        });
        prop_assert_eq!(kept[0], kept[1]);
        let lower = links.iter().min_by_key(|(_, rank)| *rank).map(|(id, _)| *id);
        prop_assert_eq!(kept[0], lower);
    }
}

//! The board and those who have no socket there: members and neighbours.

use super::{
    listed::Listed,
    order::{Holder, Order, Publication},
    rules::Refused,
    tests::{Scene, at, ip, rules},
};
use crate::domain::id::{ConnectionId, KeyId};

const MEMBER: KeyId = KeyId([5; 32]);

fn publication(text: &str, holder: Holder, seconds: Option<u32>) -> Publication {
    Publication { member: MEMBER, at: at(text), holder, seconds }
}

#[test]
fn what_a_member_registers_is_tested_and_goes_with_her() {
    let mut scene = Scene::new(rules());
    let hers = Holder::Connection(ConnectionId(70));
    let times = scene.times();
    let mut publish =
        |wanted, from: Option<&str>| scene.board.publish(wanted, from.map(ip), times, &mut scene.out);
    assert_eq!(publish(publication("192.0.2.1:5", hers, None), Some("192.0.2.9")), Err(Refused::Foreign));
    assert_eq!(publish(publication("192.0.2.1:5", hers, None), Some("192.0.2.1")), Ok(()));
    assert_eq!(publish(publication("0.0.0.0:5", Holder::Operator, None), None), Err(Refused::Unusable));
    assert_eq!(publish(publication("192.0.2.8:6", Holder::Operator, Some(60)), None), Ok(()));
    let other = Publication { member: KeyId([6; 32]), ..publication("192.0.2.1:5", Holder::Operator, None) };
    assert_eq!(publish(other, None), Err(Refused::Taken));
    for port in 1..=2 {
        let wanted = publication(&format!("192.0.2.8:{port}"), Holder::Operator, None);
        assert_eq!(publish(wanted, None), Ok(()));
    }
    let wanted = publication("192.0.2.8:4", Holder::Operator, None);
    assert_eq!(publish(wanted, None), Err(Refused::TooMany));
    assert!(scene.ports().is_empty(), "not tried yet");
    scene.board.tested(at("192.0.2.1:5"), true, scene.now, &mut scene.out);
    assert_eq!(scene.board.find(at("192.0.2.1:5")).unwrap().member, Some(MEMBER));
    scene.board.released(ConnectionId(70), scene.now, &mut scene.out);
    assert_eq!(scene.board.find(at("192.0.2.1:5")), None);
    scene.pass(59_000);
    assert!(scene.board.find(at("192.0.2.8:6")).unwrap().undialable, "nobody answered there");
    scene.pass(1_000);
    assert_eq!(scene.board.find(at("192.0.2.8:6")), None, "its time is over");
    assert!(scene.board.withdraw(MEMBER, at("192.0.2.8:1"), scene.now, &mut scene.out));
    assert!(!scene.board.withdraw(KeyId([6; 32]), at("192.0.2.8:2"), scene.now, &mut scene.out));
    assert_eq!(scene.ports(), [2]);
}

#[test]
fn neighbours_are_told_of_our_own_and_heard_about_theirs() {
    let mut scene = Scene::new(rules());
    scene.connect(1, "192.0.2.1");
    scene.register(1, "192.0.2.1:1", false);
    scene.original(2);
    let shared: Vec<_> = scene.board.shared().iter().map(|listed| listed.at).collect();
    assert_eq!(shared, [at("192.0.2.1:1")], "loopback means something else elsewhere");
    scene.took();
    let listed = |seq, text: &str| Listed {
        seq,
        at: at(text),
        undialable: false,
        relayed: true,
        home: None,
        member: None,
    };
    let home = KeyId([3; 32]);
    let theirs = vec![listed(5, "198.51.100.1:1"), listed(6, "127.0.0.1:1"), listed(7, "192.0.2.1:1")];
    scene.board.told(home, theirs, scene.now, &mut scene.out);
    let found = scene.board.find(at("198.51.100.1:1")).unwrap();
    assert_eq!((found.home, found.relayed), (Some(home), false));
    assert_eq!(scene.ports(), [1, 1, 50_002], "earlier ones first; what is ours stays ours");
    assert!(!scene.took().iter().any(|order| matches!(order, Order::Share(_))), "it goes one hop");
    let many = (0..50).map(|n| listed(n, &format!("198.51.100.1:{}", n + 1))).collect();
    scene.board.told(home, many, scene.now, &mut scene.out);
    assert_eq!(scene.ports().len(), 10);
    scene.board.told(home, Vec::new(), scene.now, &mut scene.out);
    assert_eq!(scene.ports(), [1, 50_002]);
}

//! The board and those who have no socket there: members and neighbours.

use super::{
    listed::Listed,
    order::Order,
    published::{Introduction, Publication, Withdrawn},
    rules::{DialBack, Refused, Rules},
    tests::{Scene, at, ip, rules},
};
use crate::domain::id::{ConnectionId, KeyId};

const MEMBER: KeyId = KeyId([5; 32]);

const OTHER: KeyId = KeyId([6; 32]);
const HERS: ConnectionId = ConnectionId(70);

/// What becomes of a registration of hers, from there.
fn publish(scene: &mut Scene, text: &str, from: &str) -> Result<(), Refused> {
    let wanted = Publication { member: MEMBER, at: at(text), connection: HERS };
    let times = scene.times();
    scene.board.publish(wanted, ip(from), times, &mut scene.out)
}

/// The same of one that the operator makes.
fn introduce(scene: &mut Scene, member: KeyId, text: &str, span: u32) -> Result<Introduction, Refused> {
    let times = scene.times();
    scene.board.introduce(member, at(text), span, times, &mut scene.out)
}

fn withdraw(scene: &mut Scene, member: KeyId, text: &str) -> Option<Withdrawn> {
    scene.board.withdraw(member, at(text), scene.now, &mut scene.out)
}

#[test]
fn what_a_member_registers_is_tested_and_goes_with_her() {
    let mut scene = Scene::new(rules());
    assert_eq!(publish(&mut scene, "192.0.2.1:5", "192.0.2.9"), Err(Refused::Foreign));
    assert_eq!(publish(&mut scene, "192.0.2.1:5", "192.0.2.1"), Ok(()));
    assert_eq!(introduce(&mut scene, MEMBER, "0.0.0.0:5", 60), Err(Refused::Unusable));
    assert!(introduce(&mut scene, MEMBER, "192.0.2.8:6", 60).is_ok());
    assert_eq!(introduce(&mut scene, OTHER, "192.0.2.1:5", 60), Err(Refused::Taken));
    for port in 1..=2 {
        assert!(introduce(&mut scene, MEMBER, &format!("192.0.2.8:{port}"), 600).is_ok());
    }
    assert_eq!(introduce(&mut scene, MEMBER, "192.0.2.8:4", 60), Err(Refused::TooMany));
    assert!(scene.ports().is_empty(), "not tried yet");
    scene.board.tested(at("192.0.2.1:5"), true, scene.now, &mut scene.out);
    assert_eq!(scene.board.find(at("192.0.2.1:5")).unwrap().member, Some(MEMBER));
    scene.board.released(HERS, scene.now, &mut scene.out);
    assert_eq!(scene.board.find(at("192.0.2.1:5")), None);
    scene.pass(59_000);
    assert!(scene.board.find(at("192.0.2.8:6")).unwrap().undialable, "nobody answered there");
    scene.pass(1_000);
    assert_eq!(scene.board.find(at("192.0.2.8:6")), None, "its time is over");
    assert_eq!(withdraw(&mut scene, OTHER, "192.0.2.8:2"), None);
    assert_eq!(withdraw(&mut scene, MEMBER, "192.0.2.8:1"), Some(Withdrawn::WrittenDown));
    assert_eq!(scene.ports(), [2]);
}

#[test]
fn what_both_have_registered_stays_while_one_of_them_counts() {
    let mut scene = Scene::new(Rules { dial_back: DialBack::Off, ..rules() });
    for first in ["operator", "member"] {
        if first == "operator" {
            assert!(introduce(&mut scene, MEMBER, "192.0.2.1:5", 60).is_ok());
            assert_eq!(publish(&mut scene, "192.0.2.1:5", "192.0.2.1"), Ok(()));
            scene.board.released(HERS, scene.now, &mut scene.out);
        } else {
            assert_eq!(publish(&mut scene, "192.0.2.1:5", "192.0.2.1"), Ok(()));
            assert!(introduce(&mut scene, MEMBER, "192.0.2.1:5", 60).is_ok());
            scene.pass(61_000);
        }
        assert!(scene.board.find(at("192.0.2.1:5")).is_some(), "{first}");
        let is_written = if first == "operator" { Withdrawn::WrittenDown } else { Withdrawn::Hers };
        assert_eq!(withdraw(&mut scene, MEMBER, "192.0.2.1:5"), Some(is_written));
        assert!(scene.ports().is_empty());
    }
    // Under another name she takes along what is hers, and not what was said of the one that she was.
    assert!(introduce(&mut scene, MEMBER, "192.0.2.1:5", 60).is_ok());
    assert_eq!(publish(&mut scene, "192.0.2.1:5", "192.0.2.1"), Ok(()));
    assert_eq!(publish(&mut scene, "192.0.2.1:6", "192.0.2.1"), Ok(()));
    scene.board.renamed(HERS, OTHER, scene.now, &mut scene.out);
    let member = |scene: &Scene, text: &str| scene.board.find(at(text)).and_then(|listed| listed.member);
    assert_eq!(member(&scene, "192.0.2.1:5"), Some(MEMBER));
    assert_eq!(member(&scene, "192.0.2.1:6"), Some(OTHER));
}

#[test]
fn what_operators_registered_is_there_in_the_next_life_for_the_rest_of_its_time() {
    let mut scene = Scene::new(Rules { dial_back: DialBack::Off, ..rules() });
    let first = introduce(&mut scene, MEMBER, "192.0.2.1:5", 60).unwrap();
    scene.pass(10);
    let second = introduce(&mut scene, OTHER, "192.0.2.1:4", 3_600).unwrap();
    assert_eq!(scene.ports(), [5, 4]);
    let mut next = Scene::new(Rules { dial_back: DialBack::Off, ..rules() });
    next.pass(30_000);
    let times = next.times();
    next.board.restored(vec![second, first, first], times, &mut next.out);
    assert_eq!(next.ports(), [5, 4], "in their places");
    assert!(introduce(&mut next, OTHER, "192.0.2.1:3", 60).unwrap().seq > second.seq);
    next.pass(29_999);
    assert_eq!(next.ports(), [5, 4, 3]);
    next.pass(1);
    assert_eq!(next.ports(), [4, 3]);
    // What was over before it was read back does not come again.
    let times = next.times();
    next.board.restored(vec![first], times, &mut next.out);
    assert_eq!(next.ports(), [4, 3]);
}

#[test]
fn what_could_not_be_written_down_changes_nothing() {
    let mut scene = Scene::new(Rules { dial_back: DialBack::Off, ..rules() });
    let fails = |scene: &mut Scene, span| {
        let here = at("192.0.2.1:5");
        let before = scene.board.introduced_until(MEMBER, here);
        assert!(introduce(scene, MEMBER, "192.0.2.1:5", span).is_ok());
        scene.pass(10);
        scene.board.unwritten(MEMBER, here, before, scene.now, &mut scene.out);
    };
    fails(&mut scene, 60);
    assert!(scene.ports().is_empty(), "there was nothing before");
    assert_eq!(publish(&mut scene, "192.0.2.1:5", "192.0.2.1"), Ok(()));
    fails(&mut scene, 60);
    assert_eq!((scene.ports(), scene.board.introduced_until(MEMBER, at("192.0.2.1:5"))), (vec![5], None));
    assert!(introduce(&mut scene, MEMBER, "192.0.2.1:5", 60).is_ok());
    scene.board.released(HERS, scene.now, &mut scene.out);
    fails(&mut scene, 3_600);
    assert_eq!(scene.ports(), [5], "the word before is on disk");
    scene.pass(59_989);
    assert_eq!(scene.ports(), [5]);
    scene.pass(1);
    assert!(scene.ports().is_empty(), "and counts for as long as it was said to");
    // She takes it out while it is being written down.
    assert!(introduce(&mut scene, MEMBER, "192.0.2.1:5", 60).is_ok());
    let before = scene.board.introduced_until(MEMBER, at("192.0.2.1:5"));
    assert!(withdraw(&mut scene, MEMBER, "192.0.2.1:5").is_some());
    scene.board.unwritten(MEMBER, at("192.0.2.1:5"), before, scene.now, &mut scene.out);
    assert!(scene.ports().is_empty());
}

#[test]
fn those_at_the_door_and_those_without_have_places_of_their_own() {
    let mut scene = Scene::new(Rules { max_clients: 2, dial_back: DialBack::Off, ..rules() });
    scene.original(1);
    scene.original(2);
    for port in 1..=2 {
        assert_eq!(publish(&mut scene, &format!("192.0.2.1:{port}"), "192.0.2.1"), Ok(()));
    }
    assert_eq!(publish(&mut scene, "192.0.2.1:3", "192.0.2.1"), Err(Refused::TooMany));
    scene.original(3);
    assert_eq!(scene.ports(), [50_001, 50_002, 1, 2]);
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

//! Sockets that have closed their own side, which ends a registration and may be the end of all.

use super::{
    order::{Farewell, Order},
    rules::{OnFull, Rules},
    tests::{Scene, rules},
};
use crate::domain::id::ConnectionId;

#[test]
fn who_closes_its_own_side_is_told_without_delay_and_stays() {
    let mut scene = Scene::new(rules());
    scene.original(1);
    scene.took();
    scene.board.listens_only(ConnectionId(1), scene.now, &mut scene.out);
    scene.pass(200);
    assert_eq!(scene.lists(1), (vec![50_001], 1));
    scene.connect(2, "127.0.0.1");
    scene.board.listens_only(ConnectionId(2), scene.now, &mut scene.out);
    assert_eq!(scene.took(), [], "who has registered nothing is told nothing");
    scene.original(3);
    scene.pass(14_000);
    assert_eq!(scene.lists(1).0, [50_001, 50_003]);
}

#[test]
fn who_closes_its_own_side_takes_no_place_from_others_and_ends_nothing() {
    for (on_full, max_clients) in [(OnFull::Reject, 2), (OnFull::Teardown, 3)] {
        let mut scene = Scene::new(Rules { max_clients, on_full, ..rules() });
        scene.original(1);
        scene.original(2);
        for socket in 3..6 {
            scene.board.listens_only(ConnectionId(socket - 1), scene.now, &mut scene.out);
            scene.pass(5_000);
            scene.took();
            scene.original(socket);
            assert_eq!(closed(&mut scene), [Order::Close(ConnectionId(socket - 1), Farewell::Full)]);
        }
        scene.pass(5_000);
        assert_eq!(scene.ports(), [50_001, 50_005]);
    }
}

#[test]
fn nobody_goes_for_somebody_who_gets_no_place_or_needs_none() {
    let mut scene = Scene::new(Rules { max_clients: 2, on_full: OnFull::Reject, ..rules() });
    scene.original(1);
    scene.original(2);
    scene.board.listens_only(ConnectionId(1), scene.now, &mut scene.out);
    scene.pass(5_000);
    scene.took();
    scene.connect(3, "127.0.0.1");
    scene.register(3, "192.0.2.7:1", true);
    assert!(matches!(closed(&mut scene)[..], [Order::Close(ConnectionId(3), Farewell::Refused(_))]));
    scene.register(2, "127.0.0.1:9", true);
    assert_eq!(closed(&mut scene), [], "it has a place");
    scene.connect(4, "127.0.0.1");
    scene.register(4, "127.0.0.1:50001", true);
    assert_eq!(closed(&mut scene), [Order::Close(ConnectionId(1), Farewell::Replaced)]);
    scene.pass(200);
    assert_eq!(scene.ports(), [50_001, 9], "the place is that of the socket before");
}

/// Who was closed since the last look.
fn closed(scene: &mut Scene) -> Vec<Order> {
    scene.took().into_iter().filter(|order| matches!(order, Order::Close(..))).collect()
}

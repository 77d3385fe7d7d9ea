//! Sockets that have closed their own side, which ends a registration and may be the end of all.

use super::{
    order::{Farewell, Order},
    rules::{OnFull, Rules},
    tests::{Scene, rules},
};
use crate::domain::id::ConnectionId;

#[test]
fn who_closes_its_own_side_is_told_at_once_and_stays() {
    let mut scene = Scene::new(rules());
    scene.original(1);
    scene.took();
    scene.board.listens_only(ConnectionId(1), scene.now, &mut scene.out);
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
    for on_full in [OnFull::Reject, OnFull::Teardown] {
        let mut scene = Scene::new(Rules { max_clients: 3, on_full, ..rules() });
        scene.original(1);
        scene.original(2);
        for socket in 3..6 {
            scene.board.listens_only(ConnectionId(socket - 1), scene.now, &mut scene.out);
            scene.pass(5_000);
            scene.took();
            scene.original(socket);
            let closed = scene.took().into_iter().filter(|order| matches!(order, Order::Close(..)));
            let expected = Order::Close(ConnectionId(socket - 1), Farewell::Full);
            assert_eq!(closed.collect::<Vec<_>>(), [expected]);
        }
        scene.pass(5_000);
        assert_eq!(scene.ports(), [50_001, 50_005]);
    }
}

//! Nodes that are asked to end while people write: a leader hands over first, and nobody notices one that stands by.

use actix_web::http::Method;
use kith::client::voice::Say;

use super::{
    Scene,
    talker::{Talker, once_and_in_order},
};
use crate::{app::App, neighbourhood::home::serving};

/// Three members of different homes of mind: two in OLAF who write to each other, and one who listens.
async fn crowd(door: &str) -> [Talker; 3] {
    let crowd = [0, 1, 2].map(|person| Talker::olaf(door, person));
    for one in &crowd {
        one.meets(door, &[&crowd[0], &crowd[1], &crowd[2]]).await;
    }
    crowd
}

/// Has a leader end in this way while people write; says what the node that serves next has to have.
async fn ends(order: impl AsyncFn(&App)) {
    let mut scene = Scene::of(3, &[]).await;
    let (first, door) = (scene.first, scene.door());
    let people = crowd(&door).await;
    let [anna, ben, carl] = &people;
    let writers = [(anna, "anna"), (ben, "ben")]
        .map(|(author, name)| author.writes(move |number| Say::Public(format!("{name} {number}"))));
    carl.hears_so_many(40).await;
    order(scene.leader()).await;
    let mut old = scene.apps[first].take().expect("a node");
    let status = old.wait();
    assert!(status.success(), "{status}: {}", old.log());
    for writer in writers {
        writer.await.expect("a writer");
    }
    let next = serving(&scene.apps).await;
    let door = scene.home.nodes[next].main.url();
    for one in &people {
        one.meets(&door, &[anna, ben, carl]).await;
        assert_eq!(one.losses(), 1);
    }
    for (author, other) in [(anna, ben), (ben, anna)] {
        for one in [other, carl] {
            let heard = one.heard_all_of(author);
            once_and_in_order(&heard);
            assert_eq!(heard.len(), author.echoes(), "every accepted letter");
        }
    }
    people.iter().for_each(Talker::saw_nothing_wrong);
}

#[actix_web::test]
async fn a_leader_that_is_terminated_under_load_hands_over_first() {
    ends(async |app| app.signal("TERM")).await;
}

#[actix_web::test]
async fn a_leader_that_is_drained_under_load_hands_over_first() {
    ends(async |app| {
        let answer = app.api(Method::POST, "/api/v1/drain").await;
        assert_eq!(answer.status, 202, "{answer:?}");
    })
    .await;
}

#[actix_web::test]
async fn nobody_notices_that_a_node_ends_that_stands_by() {
    let mut scene = Scene::of(3, &[]).await;
    let door = scene.door();
    let people = crowd(&door).await;
    let [anna, ben, carl] = &people;
    let writer = anna.writes(|number| Say::Public(format!("anna {number}")));
    carl.hears_so_many(20).await;
    let other = scene.other();
    let mut standby = scene.apps[other].take().expect("a node");
    standby.signal("TERM");
    let status = standby.wait();
    assert!(status.success(), "{status}: {}", standby.log());
    carl.hears_so_many(carl.heard_all_of(anna).len() + 40).await;
    assert_eq!(serving(&scene.apps).await, scene.first);
    writer.abort();
    for one in &people {
        assert_eq!(one.losses(), 0);
        one.saw_nothing_wrong();
    }
    once_and_in_order(&ben.heard_all_of(anna));
}

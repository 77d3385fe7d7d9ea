//! A home that moves while its neighbours write to its members and hear of them.

use kith::client::voice::Say;

use super::{
    Scene,
    locks::Lock,
    talker::{Talker, once_and_in_order},
};
use crate::{api::Answer, app::App, neighbourhood::place::Place};

/// A home of two nodes and its neighbour, which is linked in the way that these words say.
struct Street {
    scene: Scene,
    neighbour: App,
}

impl Street {
    async fn linked(words: &str) -> Self {
        Self::linked_with(words, &[]).await
    }

    /// The same with these settings of the home.
    async fn linked_with(words: &str, settings: &[(&str, &str)]) -> Self {
        let place = Place::new(1);
        // OLAF servers never say their keys, so a line with one would have to hold all of it.
        let line = |place: &Place| match words {
            " dialect=olaf" => format!("{}{words}", place.url()),
            _ => format!("{} key={}{words}", place.url(), place.key()),
        };
        let peers = line(&place);
        let settings = [&[("NEIGHBOURHOOD__PEERS", peers.as_str())], settings].concat();
        let scene = Scene::of(2, &settings).await;
        let nodes = &scene.home.nodes;
        // Only the Kith link tells of further doors, and only a proven key tells that it is the same home.
        let lines = match words {
            " dialect=olaf" => nodes.iter().map(|node| line(&node.main)).collect::<Vec<_>>().join(","),
            _ => line(&nodes[scene.first].main),
        };
        let neighbour = place.open(&[("NEIGHBOURHOOD__PEERS", &lines)]);
        let door = nodes[scene.first].main.address();
        neighbour.until_state(&door, "up").await;
        Self { scene, neighbour }
    }

    fn far(&self) -> String {
        format!("ws://{}", self.neighbour.listen)
    }
}

/// One member at the home and two at the neighbour write while the home moves.
async fn moves(words: &str, sits_down: impl Fn(&str, usize) -> Talker) {
    let street = Street::linked(words).await;
    let (door, far) = (street.scene.door(), street.far());
    let (anna, ben, carl) = (sits_down(&door, 0), sits_down(&far, 1), sits_down(&far, 2));
    let all = [&anna, &ben, &carl];
    anna.meets(&door, &all).await;
    ben.meets(&far, &all).await;
    carl.meets(&far, &all).await;
    let here = anna.writes(letter("anna"));
    let there = ben.writes(letter("ben"));
    anna.hears_so_many(20).await;
    carl.hears_so_many(40).await;
    let next = street.scene.moves().await;
    let from = here.await.expect("a writer");
    let door = format!("ws://{}", next.listen);
    anna.meets(&door, &all).await;
    ben.meets(&far, &all).await;
    carl.meets(&far, &all).await;
    let before = ben.heard_all_of(&anna).len();
    let here = anna.writes_from(from + 1, letter("anna"));
    ben.hears_so_many(before + 10).await;
    let heard = anna.heard_all_of(&ben).len();
    anna.hears_so_many(heard + 10).await;
    here.abort();
    there.abort();
    for (author, hearer) in [(&anna, &ben), (&anna, &carl), (&ben, &anna), (&ben, &carl)] {
        once_and_in_order(&hearer.heard_all_of(author));
    }
    all.iter().for_each(|one| one.saw_nothing_wrong());
    // Whoever leaves is gone on the other side, too.
    let (gone, stays) = (ben.id.clone(), anna.id.clone());
    ben.leaves().await;
    anna.misses(&gone).await;
    anna.leaves().await;
    carl.misses(&stays).await;
    let one_is_up = |answer: &Answer| {
        let peers = answer.json()["items"].take();
        peers.as_array().is_some_and(|peers| peers.iter().filter(|peer| peer["state"] == "up").count() == 1)
    };
    street.neighbour.until("/api/v1/peers", one_is_up).await;
}

fn letter(author: &'static str) -> impl Fn(usize) -> Say {
    move |number| Say::Public(format!("{author} {number}"))
}

#[actix_web::test]
async fn a_neighbour_on_the_kith_link_finds_the_next_node() {
    moves("", Talker::olaf).await;
}

#[actix_web::test]
async fn a_neighbour_that_is_linked_in_olaf_alone_finds_the_next_node() {
    moves(" dialect=olaf", Talker::olaf).await;
}

#[actix_web::test]
async fn a_neighbour_that_is_linked_in_socp_alone_finds_the_next_node() {
    moves(" dialect=socp", Talker::socp).await;
}

#[actix_web::test]
async fn what_a_kith_neighbour_says_while_the_home_moves_arrives_once() {
    let street = Street::linked("").await;
    let (scene, far) = (&street.scene, street.far());
    let (next, door) = (scene.other(), scene.door());
    let (anna, ben, carl) = (Talker::olaf(&door, 0), Talker::olaf(&far, 1), Talker::olaf(&far, 2));
    anna.meets(&door, &[&ben, &carl]).await;
    ben.meets(&far, &[&anna, &carl]).await;
    let candidate = scene.apps[next].as_ref().expect("a node");
    let lock = Lock::of(candidate).await;
    scene.has_news("guest").await;
    scene.hands_over(next).await;
    scene.holds_still().await;
    // The neighbour takes these, and the home reads nothing more.
    let letter = |number: usize| Say::Private(vec![anna.id.clone()], format!("ben {number}"));
    for number in 0..10 {
        ben.says(letter(number)).await.expect("a letter that is sent");
    }
    // Carl hears it behind them.
    ben.says(Say::Public("that is all".to_owned())).await.expect("a letter that is sent");
    carl.hears("that is all").await;
    lock.ends().await;
    scene.is_served_by(next).await;
    let door = scene.home.nodes[next].main.url();
    anna.meets(&door, &[&ben, &carl]).await;
    ben.says_when_it_can(|| letter(10)).await;
    anna.hears("ben 10").await;
    let all: Vec<String> = (0..=10).map(|number| format!("ben {number}")).collect();
    assert_eq!(anna.heard_of(&ben, true), all);
    anna.saw_nothing_wrong();
}

#[actix_web::test]
async fn what_a_neighbour_has_held_back_is_said_when_the_home_stays() {
    let street = Street::linked("").await;
    let (scene, far) = (&street.scene, street.far());
    let (next, door) = (scene.other(), scene.door());
    let (anna, ben) = (Talker::olaf(&door, 0), Talker::olaf(&far, 1));
    anna.meets(&door, &[&ben]).await;
    ben.meets(&far, &[&anna]).await;
    let lock = Lock::of(scene.apps[next].as_ref().expect("a node")).await;
    scene.has_news("guest").await;
    scene.hands_over(next).await;
    scene.holds_still().await;
    for number in 0..10 {
        ben.says(Say::Public(format!("ben {number}"))).await.expect("a letter that is sent");
    }
    // Its copy stays behind for longer than a lease.
    anna.hears("ben 9").await;
    lock.ends().await;
    let all: Vec<String> = (0..10).map(|number| format!("ben {number}")).collect();
    assert_eq!(anna.heard_all_of(&ben), all);
    assert_eq!((anna.losses(), ben.losses()), (0, 0));
    anna.saw_nothing_wrong();
}

#[actix_web::test]
async fn a_slow_neighbour_is_heard_out_and_everybody_is_served_meanwhile() {
    let long = [("SUCCESSION__LEASE_MS", "9000"), ("SUCCESSION__TAKEOVER_MS", "12000")];
    let street = Street::linked_with("", &long).await;
    let (scene, far) = (&street.scene, street.far());
    let (next, door) = (scene.other(), scene.door());
    let (anna, ben, carl) = (Talker::olaf(&door, 0), Talker::olaf(&far, 1), Talker::olaf(&door, 2));
    anna.meets(&door, &[&ben, &carl]).await;
    ben.meets(&far, &[&anna, &carl]).await;
    carl.meets(&door, &[&anna, &ben]).await;
    street.neighbour.signal("STOP");
    scene.hands_over(next).await;
    for number in 0..20 {
        ben.says(Say::Private(vec![anna.id.clone()], format!("ben {number}"))).await.expect("a letter");
        anna.says(Say::Public(format!("anna {number}"))).await.expect("a letter");
        carl.hears(&format!("anna {number}")).await;
    }
    assert_eq!((anna.losses(), carl.losses()), (0, 0), "it waits for its neighbour");
    street.neighbour.signal("CONT");
    scene.is_served_by(next).await;
    let door = scene.home.nodes[next].main.url();
    anna.meets(&door, &[&ben]).await;
    anna.hears("ben 19").await;
    let all = |author: &str| (0..20).map(|number| format!("{author} {number}")).collect::<Vec<_>>();
    assert_eq!((anna.heard_all_of(&ben), ben.heard_all_of(&anna)), (all("ben"), all("anna")));
    anna.saw_nothing_wrong();
}

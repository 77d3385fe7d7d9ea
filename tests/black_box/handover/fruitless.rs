//! Hand-overs that come to nothing: the old leader serves on, and what was written meanwhile is taken.

use std::time::{Duration, Instant};

use actix_web::{http::Method, rt::time::sleep};
use kith::client::voice::Say;
use serde_json::{Value, json};

use super::{
    CALM, LEASE, Scene,
    locks::{Lock, refuses_lines},
    talker::{Talker, once_and_in_order},
};
use crate::{
    api::Watch,
    app::in_time,
    neighbourhood::home::{all_follow, serving},
    voices::Guest,
};

/// Two members who know each other.
async fn pair(door: &str) -> [Talker; 2] {
    let pair = [0, 1].map(|person| Talker::olaf(door, person));
    for one in &pair {
        one.meets(door, &[&pair[0], &pair[1]]).await;
    }
    pair
}

fn letter(number: usize) -> Say {
    Say::Public(format!("anna {number}"))
}

const ORDER: &str = "/api/v1/succession/handover";

impl Scene {
    /// Waits until it is said that a hand-over was ordered, and that nothing comes of it.
    async fn is_cancelled(&self, events: &mut Watch, node: &Value) {
        for step in ["ordered", "cancelled"] {
            let event = events.about_link("handover").await;
            assert_eq!((&event["code"], &event["target"]), (&json!(step), node), "{event}");
        }
    }

    /// Waits until nothing is under way, and the node that served at first serves on.
    async fn goes_on(&self) {
        in_time("a hand-over comes to nothing", async {
            loop {
                let view = self.leader().get("/api/v1/hosts").await;
                assert_eq!(view["role"], "leader", "{view}");
                if view["handover"].is_null() {
                    return;
                }
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }
}

#[actix_web::test]
async fn a_candidate_that_falls_silent_before_the_end_leaves_the_old_leader_serving() {
    let scene = Scene::of(3, &[]).await;
    let (leader, next, door) = (scene.leader(), scene.other(), scene.door());
    let candidate = scene.apps[next].as_ref().expect("a node");
    let [anna, ben] = pair(&door).await;
    let writer = anna.writes(letter);
    ben.hears_so_many(10).await;
    let mut events = leader.watch().await;
    let id = candidate.get("/api/v1/hosts").await["own"].clone();
    // It is ready and cannot copy the rest, or is asked whether it is ready and does not answer.
    for is_ready in [true, false] {
        scene.has_news(&format!("guest-{is_ready}")).await;
        let lock = Lock::of(candidate).await;
        if is_ready {
            scene.has_news("one who cannot be copied").await;
            scene.hands_over(next).await;
            scene.holds_still().await;
            candidate.signal("STOP");
            scene.is_cancelled(&mut events, &id).await;
        } else {
            candidate.signal("STOP");
            let wish = json!({"to": format!("node-{next}")});
            let answer = leader.api_with(Method::POST, ORDER, &wish).await;
            assert_eq!(answer.status, 409, "nobody said that it could lead");
            // Perhaps it was silent for too long already, and was not even asked.
            match answer.json()["type"].as_str() {
                Some("/problems/silent") => scene.is_cancelled(&mut events, &id).await,
                other => assert_eq!(other, Some("/problems/not_alive")),
            }
        }
        lock.ends().await;
        scene.goes_on().await;
        let heard = ben.heard_all_of(&anna).len();
        ben.hears_so_many(heard + 10).await;
        candidate.signal("CONT");
        in_time("it follows again", async {
            while leader.get("/api/v1/hosts").await["successors"].as_array().map(Vec::len) != Some(2) {
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        candidate.until_served_at(&door).await;
    }
    // In the end it works.
    scene.moves().await;
    let written = writer.await.expect("a writer");
    let door = scene.home.nodes[next].main.url();
    for one in [&anna, &ben] {
        one.meets(&door, &[&anna, &ben]).await;
    }
    let accepted = anna.echoes();
    assert!(accepted <= written + 1, "{accepted} of {written}");
    let heard = ben.heard_all_of(&anna);
    once_and_in_order(&heard);
    // An author who writes much while nothing comes back does not recognise all of it.
    assert!(heard.len() >= accepted, "{} of {accepted}", heard.len());
    assert_eq!(heard.last(), Some(&format!("anna {}", heard.len() - 1)), "not one is left out");
    [anna, ben].iter().for_each(Talker::saw_nothing_wrong);
}

#[actix_web::test]
async fn a_candidate_that_is_killed_in_the_middle_leaves_the_old_leader_serving() {
    let mut scene = Scene::of(3, &[]).await;
    let (next, door) = (scene.other(), scene.door());
    let [anna, ben] = pair(&door).await;
    let writer = anna.writes(letter);
    ben.hears_so_many(10).await;
    let candidate = scene.apps[next].as_ref().expect("a node");
    let lock = Lock::of(candidate).await;
    scene.has_news("guest").await;
    scene.hands_over(next).await;
    scene.holds_still().await;
    let folder = scene.apps[next].take().expect("a node").kill();
    lock.ends().await;
    scene.goes_on().await;
    let heard = ben.heard_all_of(&anna).len();
    ben.hears_so_many(heard + 10).await;
    assert_eq!(anna.losses() + ben.losses(), 0);
    scene.apps[next] = Some(scene.home.start(next, folder, &CALM));
    all_follow(&scene.apps, scene.first).await;
    writer.abort();
    once_and_in_order(&ben.heard_all_of(&anna));
}

/// Whoever stops in any moment of a hand-over: one of both serves in the end, and nothing is lost.
#[actix_web::test]
async fn in_whatever_moment_a_candidate_falls_silent_every_accepted_letter_is_heard_once() {
    for moment in [0, 25] {
        let scene = Scene::of(3, &[]).await;
        let (next, door) = (scene.other(), scene.door());
        let candidate = scene.apps[next].as_ref().expect("a node");
        let [anna, ben] = pair(&door).await;
        let writer = anna.writes(letter);
        ben.hears_so_many(10).await;
        scene.hands_over(next).await;
        // The moment is the question here.
        sleep(Duration::from_millis(moment)).await;
        candidate.signal("STOP");
        // Longer than a lease.
        sleep(LEASE + Duration::from_millis(500)).await;
        candidate.signal("CONT");
        if anna.losses() == 0 {
            assert_eq!(serving(&scene.apps).await, scene.first, "nothing came of it");
            let heard = ben.heard_all_of(&anna).len();
            ben.hears_so_many(heard + 10).await;
            scene.moves().await;
        }
        writer.await.expect("a writer");
        // While the one that was chosen is silent, another one may be elected.
        let next = serving(&scene.apps).await;
        let door = scene.home.nodes[next].main.url();
        for one in [&anna, &ben] {
            one.meets(&door, &[&anna, &ben]).await;
        }
        let heard = ben.heard_all_of(&anna);
        once_and_in_order(&heard);
        assert!(heard.len() >= anna.echoes(), "{moment} ms");
        assert_eq!(heard.last(), Some(&format!("anna {}", heard.len() - 1)));
        [anna, ben].iter().for_each(Talker::saw_nothing_wrong);
    }
}

#[actix_web::test]
async fn a_disk_that_takes_nothing_cancels_the_hand_over_at_once() {
    // Long enough that waiting for its end would be noticed.
    let lease = [("SUCCESSION__LEASE_MS", "15000"), ("SUCCESSION__TAKEOVER_MS", "18000")];
    let scene = Scene::of(2, &lease).await;
    let (leader, next, door) = (scene.leader(), scene.other(), scene.door());
    let [anna, ben] = pair(&door).await;
    let mut guest = Guest::enter(leader, "guest", "garden").await;
    let writer = anna.writes(letter);
    ben.hears_so_many(10).await;
    let refusal = refuses_lines(leader).await;
    guest.say("this cannot be written").await;
    guest.hears_until("this cannot be written").await;
    let begun = Instant::now();
    scene.hands_over(next).await;
    scene.goes_on().await;
    let heard = ben.heard_all_of(&anna).len();
    ben.hears_so_many(heard + 10).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(leader.api(Method::GET, "/readyz").await.status, 503, "and it shows");
    refusal.ends().await;
    leader.until("/readyz", |answer| answer.status == 200).await;
    let next = scene.moves().await;
    writer.await.expect("a writer");
    assert_eq!(Guest::enter(next, "newcomer", "garden").await.history, ["guest: this cannot be written"]);
}

//! Two servers that dial each other at the same instant: one link comes of it, and nothing is lost.

use std::thread;

use serde_json::Value;

use super::{
    line::Line,
    place::{Place, lines, places},
};
use crate::{app::App, client::Client};

/// Letters that are said as soon as there is a link.
const LETTERS: usize = 100;
/// Whoever speaks may speak fast.
const TALKATIVE: [(&str, &str); 2] =
    [("LIMITS__FRAMES_PER_SECOND", "10000"), ("LIMITS__FRAMES_BURST", "10000")];

/// Which way the only link of a server goes.
fn direction(peers: &[Value]) -> &str {
    let [peer] = peers else { panic!("not one neighbour: {peers:?}") };
    assert_eq!(peer["state"], "up", "{peer}");
    peer["direction"].as_str().unwrap_or_else(|| panic!("no direction: {peer}"))
}

/// One link, which both sides see alike, and one socket for it.
async fn there_is_one_link(apps: &[App; 2]) {
    let [first, second] = apps;
    let (one, other) = (first.neighbours().await, second.neighbours().await);
    let (dialler, answerer) = match (direction(&one), direction(&other)) {
        ("out", "in") => (first, second),
        ("in", "out") => (second, first),
        odd => panic!("the two sides disagree: {odd:?}"),
    };
    // One client each.
    dialler.until_metric("kith_connections", |count| count == 1.0).await;
    answerer.until_metric("kith_connections", |count| count == 2.0).await;
}

/// Everything that either says from the moment on at which both links are up.
async fn they_talk(apps: &[App; 2], clients: &mut [Client; 2]) {
    for app in apps {
        app.until_up(1).await;
    }
    let [anna, ben] = clients;
    let mut said: [Vec<String>; 2] = Default::default();
    for number in 0..LETTERS {
        said[0].push(anna.say(&format!("to ben, number {number}")).await);
        said[1].push(ben.say(&format!("to anna, number {number}")).await);
    }
    // Their own letters come back to them as well.
    let last = anna.say("that is all from anna").await;
    let heard: Vec<_> =
        ben.hears_until(&last).await.into_iter().filter(|frame| said[0].contains(frame)).collect();
    assert_eq!(heard, said[0], "once, and in order");
    let last = ben.say("that is all from ben").await;
    let heard: Vec<_> =
        anna.hears_until(&last).await.into_iter().filter(|frame| said[1].contains(frame)).collect();
    assert_eq!(heard, said[1], "once, and in order");
    there_is_one_link(apps).await;
}

async fn clients(apps: &[App; 2]) -> [Client; 2] {
    [Client::join(&apps[0], 0).await, Client::join(&apps[1], 1).await]
}

/// Starts both at once.
fn start(places: &[Place; 2], peers: &[String; 2]) -> [App; 2] {
    thread::scope(|scope| {
        let start = |own: usize| {
            let settings = [&[("NEIGHBOURHOOD__PEERS", peers[own].as_str())], &TALKATIVE[..]].concat();
            scope.spawn(move || places[own].open(&settings))
        };
        [start(0), start(1)].map(|thread| thread.join().expect("a server"))
    })
}

#[actix_web::test]
async fn two_servers_that_start_at_once_have_one_link() {
    let places = places::<2>();
    for _ in 0..4 {
        let apps = start(&places, &[lines(&places, 0), lines(&places, 1)]);
        let mut clients = clients(&apps).await;
        they_talk(&apps, &mut clients).await;
    }
}

#[actix_web::test]
async fn two_dials_that_meet_on_their_way_become_one_link() {
    let places = places::<2>();
    // With keys that were named, and with keys that are seen for the first time.
    for with_keys in [true, false, true, false] {
        let towards = [Line::to(&places[0]).await, Line::to(&places[1]).await];
        let peer = |other: usize| {
            let key = if with_keys { format!(" key={}", places[other].key()) } else { String::new() };
            format!("{} address={}{key}", towards[other].url(), places[other].address())
        };
        for line in &towards {
            line.stop();
        }
        let apps = start(&places, &[peer(1), peer(0)]);
        let mut clients = clients(&apps).await;
        for line in &towards {
            line.dialled_after(0).await;
        }
        for line in &towards {
            line.go();
        }
        they_talk(&apps, &mut clients).await;
        drop(towards);
    }
}

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

/// Both speak before there is a link, while it is made, and when it is up on both sides.
async fn they_talk(apps: &[App; 2], clients: &mut [Client; 2]) {
    let [anna, ben] = clients;
    let mut said: [Vec<String>; 2] = Default::default();
    let mut is_up_since = None;
    while is_up_since.is_none_or(|since| said[0].len() < since + LETTERS) {
        let number = said[0].len();
        said[0].push(anna.say(&format!("to ben, number {number}")).await);
        said[1].push(ben.say(&format!("to anna, number {number}")).await);
        if is_up_since.is_none() && apps[0].is_up().await && apps[1].is_up().await {
            is_up_since = Some(number + 1);
        }
    }
    let since = is_up_since.expect("it is up");
    // Their own letters come back to them as well.
    let last = [anna.say("that is all from anna").await, ben.say("that is all from ben").await];
    let heard = [anna.hears_until(&last[1]).await, ben.hears_until(&last[0]).await];
    for (heard, said) in heard.iter().zip([&said[1], &said[0]]) {
        let heard: Vec<_> = heard.iter().filter(|frame| said.contains(frame)).collect();
        assert!(heard.len() >= LETTERS, "what is said when both are up is heard: {}", heard.len());
        let missed = said.len() - heard.len();
        assert_eq!(
            heard,
            said[missed..].iter().collect::<Vec<_>>(),
            "from the first on all of them, in order, once"
        );
        assert!(missed <= since);
    }
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

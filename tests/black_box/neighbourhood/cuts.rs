//! Lines that break in the middle of a handshake or of a link, and come back by themselves.

use super::{
    line::{Cut, How},
    pair::Pair,
    place::places,
};
use crate::client::Client;

/// A server that waits for nobody longer than it takes to see that.
const HASTY: [(&str, &str); 4] = [
    ("LIMITS__HELLO_TIMEOUT_S", "1"),
    ("LIMITS__PEER_DIAL_TIMEOUT_S", "1"),
    ("LIMITS__PEER_HEARTBEAT_S", "1"),
    ("LIMITS__PEER_SILENCE_S", "3"),
];

async fn linked() -> Pair {
    let places = places::<2>();
    let known = format!("address={}", places[1].address());
    let pair = Pair::open(places, &HASTY, &known).await;
    until_up(&pair).await;
    pair
}

/// Waits until both ends see their link up.
async fn until_up(pair: &Pair) {
    pair.first.until_state(&pair.places[1].address(), "up").await;
    pair.second.until_state(&pair.places[0].address(), "up").await;
}

async fn cut_at_every_step(how: How) {
    let pair = linked().await;
    // A request and its answer, hello and welcome, proof and ready.
    let steps = pair.steps(3);
    assert_eq!(steps.len(), 12, "{steps:?}");
    for (way, after) in steps {
        let cut = Cut { way, after, how };
        pair.line.cut_next(cut);
        let before = pair.redial().await;
        // The first of two dials is cut.
        pair.line.dialled_after(before + 1).await;
        until_up(&pair).await;
        // Nobody is left in a half-open state, and nobody counts twice.
        pair.second.until_metric("kith_connections", |count| count == 1.0).await;
        pair.first.until_metric("kith_connections", |count| count == 0.0).await;
        for app in [&pair.first, &pair.second] {
            assert_eq!(app.neighbours().await.len(), 1, "{cut:?}");
        }
    }
    let mut anna = Client::join(&pair.first, 0).await;
    let mut ben = Client::join(&pair.second, 1).await;
    let keys = [anna.pem(), ben.pem()];
    for client in [&mut anna, &mut ben] {
        client.sees(&[(&pair.places[0], &[&keys[0]]), (&pair.places[1], &[&keys[1]])]).await;
    }
    let said = anna.say("did you hear all that?").await;
    ben.hear(&said).await;
    let answer = ben.say("not a word").await;
    assert_eq!(anna.hears_until(&answer).await, [said]);
}

#[actix_web::test]
async fn a_handshake_that_is_reset_is_made_again() {
    cut_at_every_step(How::Reset).await;
}

#[actix_web::test]
async fn a_handshake_that_is_swallowed_is_given_up_and_made_again() {
    cut_at_every_step(How::Swallow).await;
}

#[actix_web::test]
async fn a_silent_line_is_suspected_then_given_up_and_heals() {
    let pair = linked().await;
    let mut watches = [pair.first.watch().await, pair.second.watch().await];
    let mut anna = Client::join(&pair.first, 0).await;
    let mut ben = Client::join(&pair.second, 1).await;
    let keys = [anna.pem(), ben.pem()];
    let [a, b] = &pair.places;
    for _ in 0..2 {
        for client in [&mut anna, &mut ben] {
            client.sees(&[(a, &[&keys[0]]), (b, &[&keys[1]])]).await;
        }
        pair.line.stop();
        for watch in &mut watches {
            watch.about_link("link_suspect").await;
            let down = watch.about_link("link_down").await;
            assert_eq!(down["code"], "silent");
        }
        // Nobody is listed whose server is not linked.
        anna.sees(&[(a, &[&keys[0]])]).await;
        ben.sees(&[(b, &[&keys[1]])]).await;
        anna.say("nobody hears that over there").await;
        pair.line.go();
        for watch in &mut watches {
            watch.about_link("link_up").await;
        }
    }
    for client in [&mut anna, &mut ben] {
        client.sees(&[(a, &[&keys[0]]), (b, &[&keys[1]])]).await;
    }
    let said = anna.say("but this").await;
    ben.hear(&said).await;
}

//! Lines that break in the middle of a handshake or of a link, and come back by themselves.

use serde_json::Value;

use super::{
    line::{Cut, How, Line, Way},
    place::{Place, places},
};
use crate::{app::App, client::Client};

/// A server that waits for nobody longer than it takes to see that.
const HASTY: [(&str, &str); 4] = [
    ("LIMITS__HELLO_TIMEOUT_S", "1"),
    ("LIMITS__PEER_DIAL_TIMEOUT_S", "1"),
    ("LIMITS__PEER_HEARTBEAT_S", "1"),
    ("LIMITS__PEER_SILENCE_S", "3"),
];

/// Two servers, the first of which dials the second one through a line.
struct Pair {
    places: [Place; 2],
    line: Line,
    first: App,
    second: App,
}

impl Pair {
    async fn linked() -> Self {
        let places = places::<2>();
        let line = Line::to(&places[1]).await;
        let second = places[1].open(&HASTY);
        let peer = format!("{} key={} address={}", line.url(), places[1].key(), places[1].address());
        let first = places[0].open(&[&[("NEIGHBOURHOOD__PEERS", peer.as_str())], &HASTY[..]].concat());
        let pair = Self { places, line, first, second };
        pair.until("up").await;
        pair
    }

    /// Waits until both ends see their link in a state.
    async fn until(&self, state: &str) {
        self.first.until_state(&self.places[1].address(), state).await;
        self.second.until_state(&self.places[0].address(), state).await;
    }

    /// The one neighbour of the first server.
    async fn peer(&self) -> Value {
        self.first.neighbours().await.remove(0)
    }

    /// Breaks the link, and returns once the line was dialled twice: the first of the two is cut.
    async fn redial(&self) {
        let (peer, count) = (self.peer().await, self.line.count());
        self.line.reset();
        while self.line.count() == count {
            // Asked too early it changes nothing, because the link is still up.
            self.first.retry(&peer).await;
        }
        self.line.dialled_after(count + 1).await;
    }

    /// Every step of the handshake, as the number of bytes that have passed before and in the middle of it.
    fn steps(&self) -> Vec<(Way, usize)> {
        let mut steps = Vec::new();
        for way in [Way::Up, Way::Down] {
            let mut passed = 0;
            // A request and its answer, hello and welcome, proof and ready.
            for (_, bytes) in self.line.pieces().into_iter().filter(|(went, _)| *went == way).take(3) {
                steps.extend([(way, passed), (way, passed + bytes / 2)]);
                passed += bytes;
            }
        }
        steps
    }
}

async fn cut_at_every_step(how: How) {
    let pair = Pair::linked().await;
    let steps = pair.steps();
    assert_eq!(steps.len(), 12, "{steps:?}");
    for (way, after) in steps {
        let cut = Cut { way, after, how };
        pair.line.cut_next(cut);
        pair.redial().await;
        pair.until("up").await;
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
    let pair = Pair::linked().await;
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

//! Lines that break in the middle of how two servers meet over SOCP, or of a link, and come back by themselves.

use serde_json::Value;

use super::{ALONE, hears_until, places, public};
use crate::{
    app::App,
    neighbourhood::{
        line::{Cut, How, Line, Way},
        place::Place,
    },
    socp::hostile::stranger::{ANNA, BEN, Stranger, name},
};

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
        // Whoever is dialled does not dial as well, so that each connection is one of the line's.
        let second = places[1].open(&ALONE);
        let peer = format!("{} key={} dialect=socp", line.url(), places[1].key());
        let first = places[0].open(&[&ALONE[..], &[("NEIGHBOURHOOD__PEERS", peer.as_str())]].concat());
        let pair = Self { places, line, first, second };
        pair.until_up().await;
        pair
    }

    async fn until_up(&self) {
        self.first.until_up(1).await;
        self.second.until_state(&self.places[0].address(), "up").await;
    }

    /// The one neighbour of the first server.
    async fn peer(&self) -> Value {
        self.first.neighbours().await.remove(0)
    }

    /// Breaks the link, and returns once the line was dialled again.
    async fn redial(&self) {
        let (peer, count) = (self.peer().await, self.line.count());
        self.line.reset();
        while self.line.count() == count {
            // Asked too early it changes nothing, because the link is still up.
            self.first.retry(&peer).await;
        }
    }

    /// Every step of the handshake, as the number of bytes that have passed before and in the middle of it.
    fn steps(&self) -> Vec<(Way, usize)> {
        let mut steps = Vec::new();
        for way in [Way::Up, Way::Down] {
            let mut passed = 0;
            // A request and its answer, JOIN and WELCOME.
            for (_, bytes) in self.line.pieces().into_iter().filter(|(went, _)| *went == way).take(2) {
                steps.extend([(way, passed), (way, passed + bytes / 2)]);
                passed += bytes;
            }
        }
        steps
    }
}

#[actix_web::test]
async fn a_meeting_that_is_reset_at_any_step_is_made_again() {
    let pair = Pair::linked().await;
    let mut anna = Stranger::user(&pair.first, ANNA).await;
    let mut ben = Stranger::user(&pair.second, BEN).await;
    let steps = pair.steps();
    assert_eq!(steps.len(), 8, "{steps:?}");
    for (number, (way, after)) in steps.into_iter().enumerate() {
        let cut = Cut { way, after, how: How::Reset };
        pair.line.cut_next(cut);
        pair.redial().await;
        // The first of the two is cut; whoever asks does not wait for the second.
        while !pair.first.is_up().await {
            let peer = pair.peer().await;
            pair.first.retry(&peer).await;
        }
        pair.until_up().await;
        // Nobody is left in a half-open state, and nobody counts twice.
        pair.second.until_metric("kith_connections", |count| count == 2.0).await;
        assert_eq!(
            (pair.first.neighbours().await.len(), pair.second.neighbours().await.len()),
            (1, 1),
            "{cut:?}"
        );
        anna.sees(name(BEN), true).await;
        ben.sees(name(ANNA), true).await;
        let text = format!("did you hear all that? {number}");
        anna.says(&public(ANNA, &text)).await;
        assert_eq!(hears_until(&mut ben, &text).await, [text.as_str()], "{cut:?}");
        let text = format!("not a word, {number}");
        ben.says(&public(BEN, &text)).await;
        assert_eq!(hears_until(&mut anna, &text).await, [text.as_str()], "{cut:?}");
    }
}

#[actix_web::test]
async fn a_line_that_is_cut_brings_everybody_back_when_it_heals() {
    let pair = Pair::linked().await;
    let mut anna = Stranger::user(&pair.first, ANNA).await;
    let mut ben = Stranger::user(&pair.second, BEN).await;
    anna.sees(name(BEN), true).await;
    ben.sees(name(ANNA), true).await;
    // New connections hear nothing, and the old one is gone.
    pair.line.stop();
    pair.line.reset();
    anna.sees(name(BEN), false).await;
    ben.sees(name(ANNA), false).await;
    anna.says(&public(ANNA, "nobody hears that over there")).await;
    pair.line.go();
    pair.line.reset();
    pair.until_up().await;
    anna.sees(name(BEN), true).await;
    ben.sees(name(ANNA), true).await;
    anna.says(&public(ANNA, "but this")).await;
    assert_eq!(hears_until(&mut ben, "but this").await, ["but this"]);
}

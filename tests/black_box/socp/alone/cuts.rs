//! Lines that break in the middle of how two servers meet over SOCP, or of a link, and come back by themselves.

use super::{ALONE, hears_until, places, public};
use crate::{
    neighbourhood::{
        line::{Cut, How},
        pair::Pair,
    },
    socp::hostile::stranger::{ANNA, BEN, Stranger, name},
};

async fn linked() -> Pair {
    let pair = Pair::open(places::<2>(), &ALONE, "dialect=socp").await;
    until_up(&pair).await;
    pair
}

async fn until_up(pair: &Pair) {
    pair.first.until_up(1).await;
    pair.second.until_state(&pair.places[0].address(), "up").await;
}

#[actix_web::test]
async fn a_meeting_that_is_reset_at_any_step_is_made_again() {
    let pair = linked().await;
    let mut anna = Stranger::user(&pair.first, ANNA).await;
    let mut ben = Stranger::user(&pair.second, BEN).await;
    // A request and its answer, JOIN and WELCOME.
    let steps = pair.steps(2);
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
        until_up(&pair).await;
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
    let pair = linked().await;
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
    until_up(&pair).await;
    anna.sees(name(BEN), true).await;
    ben.sees(name(ANNA), true).await;
    anna.says(&public(ANNA, "but this")).await;
    assert_eq!(hears_until(&mut ben, "but this").await, ["but this"]);
}

//! What servers tell each other about their links costs little, however many links change at once.

use std::time::Instant;

use super::place::{Place, places};

/// Neighbours that are not there, and how often each is dialled in vain.
const AWAY: usize = 24;
const DIALS: u64 = 4;

#[actix_web::test]
async fn links_that_change_together_are_told_together() {
    let [a, b] = places::<2>();
    let away: Vec<Place> = (0..AWAY).map(|_| Place::new(0)).collect();
    let second = b.open(&[]);
    let lines: Vec<String> = away.iter().chain([&b]).map(Place::url).collect();
    let start = Instant::now();
    let first = a.open(&[("NEIGHBOURHOOD__PEERS", &lines.join(","))]);
    for place in &away {
        first.until_peer(&place.address(), |peer| peer["attempts"].as_u64() >= Some(DIALS)).await;
    }
    let peer = first.until_state(&b.address(), "up").await;
    let (took, sent) = (start.elapsed(), peer["frames_out"].as_u64().expect("a count"));
    // Every dial changed a link twice: at least 192 changes. What is told takes turns of 250 ms, and then there
    // are rounds, heartbeats and the handshake.
    let most = took.as_millis() / 200 + 20;
    assert!(u128::from(sent) <= most, "{sent} messages in {took:?}");
    // What it says is true in the end.
    second
        .until("/api/v1/mesh", |answer| {
            let mesh = answer.json();
            let links = mesh["links"].as_array().expect("links");
            links.iter().filter(|link| link["state"] == "down" || link["state"] == "dialling").count() >= AWAY
        })
        .await;
}

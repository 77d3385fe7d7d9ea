//! A home that is about to move: what it waits for while everybody is still served.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    actors::registry::{AreHeldBack, AwaitNobody, Awaited, HoldBack},
    http::site::Site,
};

/// How often the map is asked.
const LOOK: Duration = Duration::from_millis(5);

/// Returns when the neighbours have said all letters that they say before another node serves, or have taken too long.
///
/// A hand-over has a lease for all that it does. Whoever is only slow, or knows no moves, may take a third of it; a
/// neighbour that moves itself and goes first may take two, and is asked then.
pub(super) async fn neighbours_hold_back(site: &Site) {
    let numbers = site.settings.succession.numbers();
    let third = numbers.map_or(Duration::ZERO, |numbers| numbers.lease / 3);
    let registry = &site.house.registry;
    registry.do_send(HoldBack);
    let begun = Instant::now();
    let mut asked = begun;
    loop {
        match registry.send(AreHeldBack).await {
            Ok(Awaited::Nobody) | Err(_) => return,
            Ok(Awaited::Moves) => asked = Instant::now(),
            Ok(Awaited::Words) => {}
        }
        if asked.elapsed() >= third || begun.elapsed() >= third * 2 {
            break;
        }
        sleep(LOOK).await;
    }
    tracing::warn!("some neighbour is too slow; what it says now is not read");
    // What it has to wait for is written behind that, as everything else.
    let _ = registry.send(AwaitNobody).await;
}

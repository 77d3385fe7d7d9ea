//! Laws that hold for any input, tried on a few hundred of them each.

mod domain;
mod neighbour;
mod rooms;
mod said;
mod session;
mod socp_neighbour;
mod text;
mod tpacket;

use proptest::test_runner::Config;

/// Enough cases to find what is common, few enough to be run at every change. A failure prints its
/// smallest input, which then becomes a test of its own; no file is kept.
fn cases() -> Config {
    Config { cases: 256, failure_persistence: None, ..Config::default() }
}

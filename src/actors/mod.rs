//! Thin shells around the pure floors: they move data and carry out what was decided below.
//!
//! An `Addr` points down, a `Recipient` points up: `lane` knows no connection and `registry` knows no
//! connection either, each is handed the way back. **Invariant:** no actor verifies a signature,
//! touches a disk or waits for another actor on the way of a letter.

pub mod archivist;
pub mod bans;
pub mod bridge;
pub mod chance;
pub mod clock;
pub mod connection;
pub mod dial;
pub mod event;
pub mod flow;
pub mod gate;
pub mod house;
pub mod inlet;
pub mod keeper;
pub mod lane;
pub mod meter;
pub mod neighbourhood;
pub mod notary;
pub mod peer_link;
pub mod pump;
pub mod registry;
pub mod rendezvous;
pub mod socket;
pub mod stillness;
pub mod succession;
pub mod tally;
pub mod websocket;

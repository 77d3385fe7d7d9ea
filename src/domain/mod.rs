//! The core of the house: who is present, who may say what, and who hears it.
//!
//! Nothing here knows a wire format, a socket, a clock, a random source or serde. Time, bytes and
//! chance come in as values, decisions go out as values, so that every rule can be played in a test
//! a million times a second. Nothing above this floor is ever imported here.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::as_conversions)]

pub mod address;
pub mod admission;
pub mod backoff;
pub mod bans;
pub mod book;
pub mod bridge;
pub mod channel;
pub mod dialect;
pub mod directory;
pub mod endpoint;
pub mod id;
pub mod letter;
pub mod limits;
pub mod member;
pub mod mesh;
pub mod names;
pub mod neighbourhood;
pub mod news;
pub mod nick;
pub mod node;
pub mod offline;
pub mod peer;
pub mod presence;
pub mod rate;
pub mod refusal;
pub mod replay;
pub mod rooms;
pub mod roster;
pub mod stamp;
pub mod succession;
pub mod switchboard;
pub mod vigil;

/// A moment, counted from the start of the process. The domain never asks for it; it is handed in.
pub type Moment = std::time::Duration;

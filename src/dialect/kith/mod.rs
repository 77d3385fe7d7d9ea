//! The Kith link: how two Kith servers speak with each other. `docs/kith-link.md` specifies it.
//!
//! `wire` has the messages, `hello` how the sides describe themselves, `session` the handshake and the
//! life of one link.

pub mod bans;
pub mod directory;
pub mod doors;
mod hello;
mod ping;
pub mod rooms;
pub mod session;
pub mod wire;

/// The name under which a WebSocket asks for this protocol.
pub const SUBPROTOCOL: &str = "kith.peer.v1";
/// The path that pins it.
pub const PATH: &str = "peer";

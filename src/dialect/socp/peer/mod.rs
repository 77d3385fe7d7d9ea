//! SOCP between servers: one joins through another, links with the rest, and tells who came and who went.
//!
//! `session` is one socket, `meeting` how its link comes up and `up` what comes over it then, `channel` what of that is kept for who comes later; `hello` is what
//! servers say when they meet, `gossip` what they tell of their members. The protocol proves a server by a signature
//! that anybody can play back, so a link proves little by itself: what comes over it counts because each frame is
//! signed with the key of the link.

mod channel;
mod gossip;
mod hello;
mod meeting;
mod session;
#[cfg(test)]
mod tests;
mod up;

pub use self::session::Session;

use super::{envelope::Envelope, kind::Kind, strange::Strange};
use crate::domain::letter::Frame;

/// How often a server says that it lives.
pub const HEARTBEAT_S: u32 = 15;
/// How long a server that need not answer may wait before it says anything: until its first heartbeat.
const FIRST_WORD_S: u32 = HEARTBEAT_S + 5;
/// Silence after which it does not live.
pub const SILENCE_S: u32 = 45;

/// Whether a first frame is one of a server.
#[must_use]
pub fn is_server(frame: &Frame) -> bool {
    let Some(text) = frame.text() else { return false };
    let known = Envelope::read(text).ok().and_then(|envelope| envelope.known());
    known.is_some_and(Kind::opens_link) || Strange::read(text).is_some_and(|strange| strange.opens_link())
}

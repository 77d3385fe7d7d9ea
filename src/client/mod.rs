//! The other half: what a member's own program does, shared by the chat client, the bench and the tests.
//!
//! `keyring` is the key and the address book, `olaf`, `socp` and `tpacket` are the protocols as values, `voice` what
//! they have in common, `event` what they tell, `person` of whom, and `room` of which rooms. `rooms` are those of clients
//! whose protocol has none, `introduction` is where a member is listed for clients that mesh by themselves. `link` is the connection that stays up, `node` one of many without a server between them,
//! `transfer` files by HTTP (`web`), `about` what a server says about itself, `trust` whose certificates are believed, and
//! `door` what a person may type as
//! the address of a server. Nothing here prints, and nothing here trusts a server:
//! what an event says about an author was verified with the author's key, in every protocol that has keys.

pub mod about;
pub mod door;
pub mod event;
pub mod introduction;
pub mod keyring;
pub mod link;
pub mod node;
pub mod olaf;
pub mod person;
pub mod room;
pub mod rooms;
pub mod socp;
pub mod tpacket;
pub mod transfer;
pub mod trust;
pub mod voice;
mod web;

#[cfg(test)]
pub(crate) mod relay;

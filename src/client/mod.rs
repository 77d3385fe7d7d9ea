//! The other half: what a member's own program does, shared by the chat client, the bench and the tests.
//!
//! `keyring` is the key and the address book, `olaf` the protocol as a value, `link` the connection
//! that stays up, `transfer` files by HTTP, `trust` whose certificates are believed, and `door` what a
//! person may type as the address of a server. Nothing here prints, and nothing here trusts a server:
//! what an event says about an author was verified with the author's key.

pub mod door;
pub mod keyring;
pub mod link;
pub mod olaf;
pub mod transfer;
pub mod trust;

#[cfg(test)]
pub(crate) mod relay;

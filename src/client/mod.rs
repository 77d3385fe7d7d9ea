//! The other half: what a member's own program does, shared by the chat client, the bench and the tests.
//!
//! Nothing here prints, and nothing here trusts a server: what an event says about an author was
//! verified with the author's key.

pub mod keyring;

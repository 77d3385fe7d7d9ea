//! SOCP v1.3, the Secure Overlay Chat Protocol, in every accent that is spoken.
//!
//! `envelope` is the shape of every frame, `kind` the closed list of message types, `payload` and `request`
//! what stands inside those that we read, `loose` how. `canonical` has the texts of a payload that people
//! print, `sign` those that a server may have signed, and `content` those that the author of a letter may
//! have signed. `key` knows the spellings of public keys, `binary` those of all other bytes, and `accent` is
//! what is remembered about one implementation.
//!
//! Nothing here decides what is true; a text is read, or it is not.

pub mod accent;
pub mod binary;
pub mod canonical;
pub mod content;
pub mod envelope;
pub mod key;
pub mod kind;
pub mod loose;
pub mod payload;
pub mod request;
pub mod sign;

/// The key size that the protocol prescribes.
pub const KEY_BITS: u32 = 4096;

/// The text is no message of this protocol. What exactly is wrong is nobody's business but the metrics'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

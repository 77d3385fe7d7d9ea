//! SOCP v1.3, the Secure Overlay Chat Protocol, in every accent that is spoken.
//!
//! `envelope` is the shape of every frame, `kind` the closed list of message types, `payload` what stands
//! inside those that we read. `canonical` has the texts of a payload that people signed, `sign` the
//! signatures over them and over contents, `key` the spellings of public keys, `binary` those of all other
//! bytes, and `accent` what is remembered about one implementation.
//!
//! Nothing here decides what is true; a text is read, or it is not.

pub mod binary;
pub mod canonical;
pub mod envelope;
pub mod key;
pub mod kind;

/// The key size that the protocol prescribes.
pub const KEY_BITS: u32 = 4096;

/// The text is no message of this protocol. What exactly is wrong is nobody's business but the metrics'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

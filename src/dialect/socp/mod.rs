//! SOCP v1.3, the Secure Overlay Chat Protocol, in every accent that is spoken.
//!
//! `envelope` is the shape of every frame, `kind` the closed list of message types, `payload` and `request`
//! what stands inside those that we read, `loose` how. `canonical` has the texts of a payload that people
//! print, `sign` those that a server may have signed, and `content` those that the author of a letter may
//! have signed. `key` knows the spellings of public keys, `binary` those of all other bytes, and `accent` is
//! what is remembered about one implementation. `plain` says what a public letter says to everybody, and `bridge`
//! how the house speaks for members of other protocols; `channel` reads for whom its key is wrapped, and `strange`
//! says what is wrong with first words that cannot be followed.
//!
//! Nothing here decides what is true; a text is read, or it is not.

pub mod accent;
mod answer;
pub mod binary;
pub mod bridge;
pub mod canonical;
pub mod channel;
pub mod content;
pub mod envelope;
pub mod heard;
pub mod key;
pub mod kind;
pub mod loose;
pub mod payload;
pub mod peer;
pub mod plain;
pub mod relay;
pub mod request;
pub mod session;
pub mod sign;
pub mod stamp;
pub mod strange;
#[cfg(test)]
pub(super) mod testing;

pub use self::accent::Accent;

use crate::{
    crypto::sha256,
    domain::{id::KeyId, letter::Frame, member::Named},
};

/// The key size that the protocol prescribes.
pub const KEY_BITS: u32 = 4096;

/// The text is no message of this protocol. What exactly is wrong is nobody's business but the metrics'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Who is meant by a name.
#[must_use]
pub fn id_of(name: &str) -> KeyId {
    KeyId(sha256(format!("socp\n{name}").as_bytes()))
}

/// Whether a text may be what a server is called. Most are UUIDs, some with words in front of them.
#[must_use]
pub fn is_server_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 128 && !id.chars().any(char::is_control)
}

/// Whether a first frame can only be one of this protocol, or was meant to be.
#[must_use]
pub fn is_socp(frame: &Frame) -> bool {
    let is_meant = |text| strange::Strange::read(text).is_some_and(|strange| strange.is_hello());
    frame.text().is_some_and(|text| envelope::is_socp(text) || is_meant(text))
}

/// A name and its keys, if they are what they should be.
#[must_use]
pub fn named(name: &str, public_key: &str, sealing_key: Option<&str>) -> Option<Named> {
    let key = if public_key.is_empty() { None } else { Some(key::read(public_key).ok()?.0.id()) };
    let is_fit = payload::is_user_name(name) && sealing_key.is_none_or(|text| key::read(text).is_ok());
    is_fit.then(|| Named {
        name: name.into(),
        key,
        proven: false,
        sealing_key: sealing_key.map(Into::into),
        display_name: None,
    })
}

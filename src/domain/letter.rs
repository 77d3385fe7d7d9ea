//! What travels: who wrote it, for whom, and the original bytes.

use bytes::Bytes;
use bytestring::ByteString;

use super::{
    address::Address,
    dialect::Dialect,
    id::{ConnectionId, KeyId},
    replay::Trace,
};

/// One message on a socket. Cloning it counts a reference; the bytes are never copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Text that is known to be UTF-8.
    Text(ByteString),
    /// Anything else.
    Binary(Bytes),
}

impl Frame {
    /// The length of the payload.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether there is no payload.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// For whom a letter is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The whole neighbourhood.
    Everyone,
    /// All members of the named home servers; who can decrypt it is not our business.
    Homes(Vec<Address>),
}

/// A message whose author is proven.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The connection it came in by.
    pub from: ConnectionId,
    /// The key that signed it.
    pub author: KeyId,
    /// For whom it is.
    pub audience: Audience,
    /// What makes it recognisable if somebody plays it back.
    pub trace: Trace,
    /// The protocol of `original`.
    pub dialect: Dialect,
    /// The frame as it came in. Signatures cover these bytes, so they are handed on untouched.
    pub original: Frame,
}

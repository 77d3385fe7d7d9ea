//! What travels: who wrote it, for whom, and the original bytes.

use bytes::Bytes;
use bytestring::ByteString;

use super::{
    address::Address,
    dialect::Dialect,
    id::{ConnectionId, HomeId, KeyId},
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
    /// A frame of its own: one from a socket holds on to everything that was read with it.
    #[must_use]
    pub fn detached(&self) -> Self {
        match self {
            Self::Text(text) => Self::Text(ByteString::from(&**text)),
            Self::Binary(bytes) => Self::Binary(Bytes::copy_from_slice(bytes)),
        }
    }

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

    /// The text in it. Some programs send text as a binary message.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(bytes) => std::str::from_utf8(bytes).ok(),
        }
    }
}

impl From<String> for Frame {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

/// For whom a letter is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The whole neighbourhood.
    Everyone,
    /// All members of the named home servers; who can decrypt it is not our business.
    Homes(Vec<Address>),
    /// One member, wherever it is.
    Member(KeyId),
}

/// By which way a letter came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From a member of this home, by its connection.
    Here(ConnectionId),
    /// From a neighbour, who got it from a member of its own.
    Home(HomeId),
}

/// What is known about who wrote a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// Whose signature we have checked, or whose proven connection it came by.
    Proven(KeyId),
    /// The key of a member of a neighbour, who has proven itself and answers for its members.
    Vouched {
        /// Whose key.
        author: KeyId,
        /// The digest by which the letter itself names its author, if it does.
        named: Option<KeyId>,
    },
    /// Nobody we trust has checked it. If the letter names an author, this is the digest in that name.
    Claimed(Option<KeyId>),
}

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Letter {
    /// How it came in.
    pub from: Origin,
    /// Who wrote it.
    pub author: Author,
    /// For whom it is.
    pub audience: Audience,
    /// What makes it recognisable if somebody plays it back.
    pub trace: Trace,
    /// The protocol of `original`.
    pub dialect: Dialect,
    /// The frame as it came in. Signatures cover these bytes, so they are handed on untouched.
    pub original: Frame,
    /// What it says, if it says it to everybody in words that were never sealed, and whoever read it wants to tell.
    pub plain: Option<ByteString>,
}

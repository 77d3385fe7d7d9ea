//! Who is present: a key, the words in which it was introduced, and the dialect it speaks.
//!
//! The same value describes members of this home and those that neighbours tell us about.

use std::sync::Arc;

use super::{dialect::Dialect, id::KeyId};

/// Somebody present in the neighbourhood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which key this is, however it is spelled.
    pub key: KeyId,
    /// A small number for dialects that name members by one. Given in order of arrival.
    pub number: u32,
    /// The protocol of its first live connection.
    pub dialect: Dialect,
    /// The public key exactly as the member wrote it: others hash this very text.
    pub public_key: Arc<str>,
    /// The digest of that text. Most implementations call their members by it.
    pub spelled: KeyId,
}

/// A member as its home tells others about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resident {
    /// Which key this is.
    pub key: KeyId,
    /// The protocol it speaks at its home.
    pub dialect: Dialect,
    /// The public key as the member wrote it.
    pub public_key: Arc<str>,
    /// The digest of that text.
    pub spelled: KeyId,
}

impl Resident {
    /// The member, under the number that this home gives it.
    #[must_use]
    pub fn numbered(self, number: u32) -> Member {
        let Self { key, dialect, public_key, spelled } = self;
        Member { key, number, dialect, public_key, spelled }
    }
}

/// Somebody whose hello was found good and who asks to be let in.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// Which key this is.
    pub key: KeyId,
    /// The protocol of the connection.
    pub dialect: Dialect,
    /// The public key as received.
    pub public_key: Arc<str>,
    /// The digest of that text.
    pub spelled: KeyId,
    /// What makes this hello recognisable if somebody plays it back.
    pub trace: super::replay::Trace,
}

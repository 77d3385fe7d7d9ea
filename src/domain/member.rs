//! Who is present: a key, the words in which it was introduced, and the dialect it speaks.

use std::sync::Arc;

use super::{dialect::Dialect, id::KeyId};

/// Somebody present on this home server.
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
    /// What makes this hello recognisable if somebody plays it back.
    pub trace: super::replay::Trace,
}

//! Private letters for those who are away: how many are kept, whose, for how long, and in which order they
//! are handed over.
//!
//! `boxes` is for dialects whose letters name their recipient, `backlog` for those whose letters name a home
//! and are heard by everybody there. **Invariants:** what is kept of one member or for one member, and of all
//! together, never exceeds the rules; a letter is handed over once, in the order in which it came.

mod backlog;
mod boxes;

pub use self::{
    backlog::{Backlog, Heard},
    boxes::{Boxes, Full},
};

use super::{
    dialect::Dialect,
    id::{ConnectionId, KeyId},
    letter::{Audience, Author, Frame, Letter, Origin},
    limits::Limits,
    replay::Trace,
};

/// What a kept letter costs beside its bytes, here and in the store.
const OVERHEAD: u64 = 256;
/// One author may fill this part of somebody's box, so that nobody is kept from writing to her.
const SHARE: u64 = 4;

/// A letter that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its place in the order: later letters have greater numbers, and no number is given twice.
    pub number: u64,
    /// For whom it is; without one, for everybody of this home.
    pub recipient: Option<KeyId>,
    /// Who wrote it.
    pub author: KeyId,
    /// When it came, in Unix milliseconds.
    pub at_ms: i64,
    /// What makes it recognisable if somebody plays it back.
    pub trace: Trace,
    /// The protocol of `original`.
    pub dialect: Dialect,
    /// The bytes of its author.
    pub original: Frame,
}

impl Kept {
    /// What it counts for.
    #[must_use]
    pub fn cost(&self) -> u64 {
        u64::try_from(self.original.len()).unwrap_or(u64::MAX).saturating_add(OVERHEAD)
    }

    /// The letter as it goes on.
    #[must_use]
    pub fn letter(&self) -> Letter {
        Letter {
            // No connection has this number: by now the author may have left.
            from: Origin::Here(ConnectionId(0)),
            author: Author::Proven(self.author),
            audience: self.recipient.map_or_else(|| Audience::Homes(Vec::new()), Audience::Member),
            trace: self.trace,
            dialect: self.dialect,
            original: self.original.clone(),
            plain: None,
        }
    }
}

/// The bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Letters for one member.
    pub letters: usize,
    /// Bytes for one member, and bytes of one author for all others together.
    pub bytes: u64,
    /// Bytes of all letters together.
    pub total: u64,
    /// How long a letter is kept, in milliseconds.
    pub keep_ms: i64,
    /// Members of whom it is known how far they have heard.
    pub members: usize,
}

impl Rules {
    /// The bounds of a house. Each of the two kinds of letters has half of the room, so that a busy log of
    /// the one leaves boxes for the other.
    #[must_use]
    pub fn of(limits: &Limits) -> Self {
        let many = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        Self {
            letters: many(limits.offline_letters_per_member),
            // All of it must find room at the hello: half of a lane is for lists, and what is wrapped grows.
            bytes: limits.offline_bytes_per_member.min(limits.queue_bytes / 4).into(),
            total: limits.offline_total_bytes / 2,
            keep_ms: i64::from(limits.offline_keep_s).saturating_mul(1000),
            members: many(limits.offline_members),
        }
    }

    /// Whether a letter has been kept for long enough.
    #[must_use]
    pub const fn is_over(&self, at_ms: i64, now_ms: i64) -> bool {
        now_ms.saturating_sub(at_ms) >= self.keep_ms
    }
}

#[cfg(test)]
mod tests;

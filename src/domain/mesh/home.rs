//! The replica of one neighbour's list.

use std::{collections::BTreeMap, sync::Arc};

use crate::domain::{address::Address, id::KeyId, member::Member, news::Digest};

/// How far a replica is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing was told yet.
    Blank,
    /// Parts have come up to this key.
    Filling(KeyId),
    /// All was told.
    Whole,
}

/// One neighbour.
#[derive(Debug)]
pub struct Home {
    pub(super) address: Arc<str>,
    pub(super) names: Vec<Address>,
    pub(super) members: BTreeMap<KeyId, Arc<Member>>,
    /// Who speaks a dialect that we do not know: by key, the digest of the spelling.
    pub(super) unknown: BTreeMap<KeyId, KeyId>,
    pub(super) digest: Digest,
    pub(super) sequence: u64,
    pub(super) stage: Stage,
}

impl Home {
    /// The address as the neighbour itself spells it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How many members it has, wherever else they may be, too.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether the whole list was told since the link came up.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.stage == Stage::Whole
    }

    /// What it is compared by.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

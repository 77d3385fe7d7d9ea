//! One entry as others are told of it.

use crate::domain::{endpoint::Endpoint, id::KeyId};

/// One entry of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// When it joined: the order of a directory among those that can be dialled. Never given twice.
    pub seq: u64,
    /// Where it listens.
    pub at: Endpoint,
    /// Whether it could not be dialled when that was tried, so that it stands first and does the dialling.
    pub undialable: bool,
    /// Whether the reader of this directory reaches it through the server alone, because neither can be dialled.
    pub relayed: bool,
    /// The home that introduces it, if it is not the one that was asked.
    pub home: Option<KeyId>,
    /// The member of that home who registered it, if it was one.
    pub member: Option<KeyId>,
}

impl Listed {
    /// What decides who dials: the earlier one. The same in every directory that names both, on whichever home.
    #[must_use]
    pub fn order(&self) -> (bool, u64, Endpoint) {
        (!self.undialable, self.seq, self.at)
    }
}

/// A whole directory in the new form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Which life of the server made it. A later one has a greater number.
    pub epoch: u64,
    /// Grows with every change within an epoch.
    pub version: u64,
    /// The entries, in order.
    pub members: Vec<Listed>,
}

//! What is registered without a socket at the rendezvous: by members, and by operators for them.

use std::collections::BTreeMap;

use super::guest::Reach;
use crate::domain::{
    Moment,
    endpoint::Endpoint,
    id::{ConnectionId, KeyId},
};

/// What a member wants registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Which member.
    pub member: KeyId,
    /// Where it listens.
    pub at: Endpoint,
    /// Whose it is; it goes with this connection.
    pub connection: ConnectionId,
}

/// What an operator has registered for a member, as it outlives the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// Where the member listens.
    pub at: Endpoint,
    /// Which member.
    pub member: KeyId,
    /// Its place in the order.
    pub seq: u64,
    /// When it counts no more, in Unix milliseconds.
    pub until_ms: i64,
}

/// What was taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawn {
    /// What the member had registered.
    Hers,
    /// What an operator had, which is written down.
    WrittenDown,
}

/// One such address. Member and operator may both have registered it; it stays while one of the two counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Published {
    pub(super) member: KeyId,
    pub(super) seq: u64,
    pub(super) reach: Reach,
    /// The member's own registration goes with this connection.
    pub(super) connection: Option<ConnectionId>,
    /// The operator's counts no more from then on.
    pub(super) until: Option<Moment>,
}

impl Published {
    pub(super) const fn counts(&self) -> bool {
        self.connection.is_some() || self.until.is_some()
    }
}

/// All of them.
pub(super) type Publications = BTreeMap<Endpoint, Published>;

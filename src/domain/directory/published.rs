//! What members have registered without a socket of their own at the rendezvous.

use std::collections::BTreeMap;

use super::{guest::Reach, order::Holder};
use crate::domain::{Moment, endpoint::Endpoint, id::KeyId};

/// One such address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Published {
    pub(super) member: KeyId,
    pub(super) holder: Holder,
    pub(super) seq: u64,
    pub(super) reach: Reach,
    /// When it counts no more.
    pub(super) until: Option<Moment>,
}

/// All of them.
pub(super) type Publications = BTreeMap<Endpoint, Published>;

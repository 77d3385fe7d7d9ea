//! What every connection of one house shares.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use actix::Addr;

use super::{
    clock::Clock, event::Bulletin, gate::Gate, lane::Inbox, notary::Notary, registry::Registry, tally::Tally,
};
use crate::{
    dialect::Terms,
    domain::{id::ConnectionId, limits::Limits},
};

/// Handed to every worker by reference.
#[derive(Debug)]
pub struct House {
    /// The connection map.
    pub registry: Addr<Registry>,
    /// Signature checks.
    pub notary: Notary,
    /// What waits for the registry.
    pub inbox: Inbox,
    /// Who may come in.
    pub gate: Gate,
    /// The numbers in force.
    pub limits: Arc<Limits>,
    /// What sessions must know.
    pub terms: Terms,
    /// What time it is.
    pub clock: Clock,
    /// What is counted.
    pub tally: Tally,
    /// What happens.
    pub bulletin: Bulletin,
    /// Whether the doors are closing.
    pub draining: Arc<AtomicBool>,
    /// The last connection number given.
    pub last_connection: AtomicU64,
}

impl House {
    /// A number that no connection had before.
    #[must_use]
    pub fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.last_connection.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Whether the doors are closing.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

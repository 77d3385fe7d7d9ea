//! How far the copies of the other nodes go.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;

use super::ledger::Lacks;
use crate::domain::succession::NodeId;

/// Known to whoever serves, and asked before it gives its place away.
#[derive(Clone, Debug)]
pub struct Copies(Arc<watch::Sender<BTreeMap<NodeId, At>>>);

/// How far one is, as its newest stream says. An older stream that ends later has nothing to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct At {
    stream: u64,
    seq: u64,
    lacks: Lacks,
}

impl Default for Copies {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(BTreeMap::new())))
    }
}

impl Copies {
    pub(super) fn set(&self, node: NodeId, stream: u64, seq: u64, lacks: Lacks) {
        self.0.send_modify(|copies| {
            if copies.get(&node).is_none_or(|at| at.stream <= stream) {
                copies.insert(node, At { stream, seq, lacks });
            }
        });
    }

    pub(super) fn lacks(&self, node: NodeId, stream: u64, lacks: Lacks) {
        self.0.send_modify(|copies| {
            if let Some(at) = copies.get_mut(&node).filter(|at| at.stream == stream) {
                at.lacks = lacks;
            }
        });
    }

    pub(super) fn forget(&self, node: NodeId, stream: u64) {
        self.0.send_modify(|copies| {
            if copies.get(&node).is_some_and(|at| at.stream == stream) {
                copies.remove(&node);
            }
        });
    }

    /// Which nodes have a whole copy, and up to which change it is on their disks.
    #[cfg(test)]
    pub(super) fn all(&self) -> BTreeMap<NodeId, u64> {
        self.0.borrow().iter().map(|(node, at)| (*node, at.seq)).collect()
    }

    /// Which uploaded files a node lacks; `None` if it keeps no copy at the moment.
    #[must_use]
    pub fn lacking(&self, node: NodeId) -> Option<Lacks> {
        self.0.borrow().get(&node).map(|at| at.lacks)
    }

    /// Returns when a node has everything up to this change on its disk, and all uploaded files.
    pub async fn until(&self, node: NodeId, seq: u64) {
        let mut copies = self.0.subscribe();
        let is_whole = |at: &At| at.seq >= seq && at.lacks.is_nothing();
        // The sender lives as long as we do.
        let _ = copies.wait_for(|copies| copies.get(&node).is_some_and(is_whole)).await;
    }
}

//! What a node must never forget: how far the epochs went, and whom it voted for.
//!
//! It goes to disk before anything that depends on it is said, so a node that dies at any moment and comes
//! back has neither two votes in one epoch nor two runs that look like one.

use std::time::Duration;

use super::{Epoch, NodeId};

/// What is on disk besides the node's own id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ballot {
    /// How often this node was started. Messages of an earlier run are told apart by it.
    pub run: u64,
    /// The highest epoch that it has heard of.
    pub epoch: Epoch,
    /// Whom it voted for in that epoch.
    pub voted: Option<NodeId>,
    /// Whom it helped last, by a vote or by following. When it comes back it helps nobody else for a while,
    /// because it no longer knows when that was.
    pub promised: Option<NodeId>,
    /// For how long, by the numbers of that time. Whoever it was may still count on that, whatever the numbers are when
    /// this node comes back.
    pub promised_for: Duration,
}

/// Names one wish to write, so that it can be told when that is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Serial(pub u64);

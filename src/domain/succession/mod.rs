//! Succession: a home of several processes, of which one serves, and the next one takes over.
//!
//! The processes of one home are its *nodes*; each has an id of its own, and they know each other from their
//! settings. One of them *leads*: it alone serves, for as long as a majority of the home answers it (`election`).
//! Nodes, and hosts that know only the first form of the protocol, report how busy they are (`report`); whoever
//! leads keeps a table of them (`hosts`) and ranks them (`ranking`). **Invariants:** no epoch has two leaders; who
//! cannot reach a majority stops to serve before anybody else may start; a vote is on disk before it is told;
//! a host that is not a node of this home has no vote and is never counted.
//!
//! Nothing here knows a socket, a clock or a file: the time, chance and what others say come in as values, and
//! what should be sent, written or served goes out as values. `docs/succession.md` has the words on the wire.

pub mod ballot;
pub mod election;
pub mod guest;
pub mod home;
pub mod hosts;
pub mod legacy;
pub mod message;
pub mod numbers;
pub mod ranking;
pub mod report;
pub mod sequence;

use std::fmt;

/// One node of a home, or a host that reports to it. Made once, kept on disk, never derived from an address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u128);

impl NodeId {
    /// Reads a UUID in any of its usual spellings.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        uuid::Uuid::try_parse(text).ok().map(|id| Self(id.as_u128()))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        uuid::Uuid::from_u128(self.0).hyphenated().fmt(out)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "NodeId({self})")
    }
}

/// A term of office: who leads in a higher one leads. Zero: nobody has ever led.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The one after this.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

/// How far a copy of the database goes: the epoch in which its last change was made, and how many there are.
///
/// The epoch comes first: what an earlier leader wrote and nobody copied is worth less than anything later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// When its last change was made.
    pub epoch: Epoch,
    /// The number of its last change.
    pub index: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.epoch, self.index)
    }
}

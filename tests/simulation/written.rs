//! What is known about one letter, so that it can be told whether it went where it should.

use std::collections::{BTreeMap, BTreeSet};

use kith::domain::{id::ConnectionId, letter::Frame};

/// One letter that was written.
#[derive(Debug)]
pub(crate) struct Written {
    /// The connection of its author, and which letter it is on that; nothing if it is sent again and again.
    pub(crate) from: Option<(ConnectionId, u64)>,
    /// Its very words, once they are written.
    pub(crate) words: Option<Frame>,
    /// Who must hear it, by home, if nothing goes wrong.
    pub(crate) hearers: BTreeMap<usize, Vec<ConnectionId>>,
    /// Which servers it has passed.
    pub(crate) passed: BTreeSet<usize>,
    pub(crate) heard: BTreeSet<ConnectionId>,
}

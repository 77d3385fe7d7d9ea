//! What a home of several nodes shares: each change of the node that serves, as the others apply it.
//!
//! Triggers note which rows have changed, and not how: whoever asks is told what stands there now. So a row
//! that changes often costs a follower one write, the log is no longer than the tables, and a table that
//! comes later needs a line in [`CARRIED`] and nothing else. The order of the log is that of the *last*
//! changes. That is safe because a row that may only be there when another one is gone has changed last.
//!
//! A log belongs to one reign: whoever begins to serve begins a new log, and followers copy everything once.

mod copy;
mod log;
mod shape;
mod whole;

use serde::{Deserialize, Serialize};

pub use copy::{Copy, Replacement};
pub(super) use shape::shapes;
pub use whole::Whole;

/// The tables that a successor carries on.
const CARRIED: [&str; 16] = [
    "facts",
    "members",
    "peers",
    "users",
    "groups",
    "group_members",
    "ban_lists",
    "bans",
    "rooms",
    "room_lines",
    "room_mutes",
    "room_emptied",
    "offline_letters",
    "offline_heard",
    FILES,
    "introductions",
];

/// The table whose rows name the bytes of uploaded files.
const FILES: &str = "files";

/// Changes of one batch at most, and about as many bytes: a follower that is far behind must not hold up
/// what happens now, nor fill the memory.
const BATCH_ROWS: u32 = 500;
const BATCH_BYTES: usize = 256 * 1024;

/// A value in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cell {
    /// `NULL`.
    Nothing,
    /// An integer.
    Number(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Cell {
    fn bytes(&self) -> usize {
        match self {
            Self::Nothing => 1,
            Self::Number(_) => 8,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

/// What a table looks like where a batch comes from. Nodes of one home need not run the same version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Its name.
    pub table: String,
    /// Its columns, those of the primary key first.
    pub columns: Vec<String>,
    /// How many of them are the primary key.
    pub key: usize,
}

/// One row that has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which of the shapes of its batch the row has.
    pub shape: usize,
    /// What stands there now: all columns, or only the primary key if the row is gone.
    pub cells: Vec<Cell>,
}

/// Changes in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// How the rows are to be read.
    pub shapes: Vec<Shape>,
    /// The rows.
    pub changes: Vec<Change>,
    /// Up to which change of the log this goes.
    pub through: u64,
}

impl Batch {
    /// The ids of uploaded files whose rows have changed, came or went.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.changes.iter().filter_map(|change| {
            let shape = self.shapes.get(change.shape).filter(|shape| shape.table == FILES);
            match (shape, change.cells.first()) {
                (Some(_), Some(Cell::Text(id))) => Some(id.as_str()),
                _ => None,
            }
        })
    }
}

/// What has changed since some change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// This, or as much of it as fits into one batch. Empty: nothing.
    Changes(Batch),
    /// The log does not reach back so far. Everything has to be copied.
    TooLongAgo,
}

/// How far a copy goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// In whose reign the log was written.
    pub epoch: u64,
    /// The last change.
    pub seq: u64,
}

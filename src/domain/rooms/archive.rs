//! The lines of this very home, in all rooms: what neighbours are told who ask for them.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use super::{Line, Lines, Stamp};

/// Lines in one message: a part is told in no time, and whoever wants more asks for it.
const PART_LINES: usize = 256;

/// Our own lines that are kept, by their stamps.
#[derive(Debug, Default)]
pub(super) struct Archive {
    lines: BTreeMap<Stamp, Arc<Line>>,
    /// The last stamp that we have given.
    head: Stamp,
}

impl Archive {
    /// One more line is kept.
    pub(super) fn push(&mut self, line: &Arc<Line>) {
        self.give(line.id.stamp);
        self.lines.insert(line.id.stamp, Arc::clone(line));
    }

    /// This stamp is given.
    pub(super) fn give(&mut self, stamp: Stamp) {
        self.head = self.head.max(stamp);
    }

    /// A line is no longer kept.
    pub(super) fn remove(&mut self, stamp: Stamp) {
        self.lines.remove(&stamp);
    }

    /// The line of this stamp.
    pub(super) fn get(&self, stamp: Stamp) -> Option<&Arc<Line>> {
        self.lines.get(&stamp)
    }

    /// The last stamp that was given.
    pub(super) const fn head(&self) -> Stamp {
        self.head
    }

    /// Whether we know to have given this stamp: what was said right before a crash may be lost.
    pub(super) fn has_given(&self, stamp: Stamp) -> bool {
        stamp == Stamp::ZERO || stamp == self.head || self.lines.contains_key(&stamp)
    }

    /// What is behind this stamp, or the first part of it.
    pub(super) fn part(&self, after: Stamp, most_bytes: usize) -> Lines {
        let mut lines: Vec<Arc<Line>> = Vec::new();
        let mut bytes = 0;
        let mut more = false;
        for line in self.lines.range((Excluded(after), Unbounded)).map(|(_, line)| line) {
            bytes += line.bytes();
            // One line is always told, however long it is.
            more = lines.len() >= PART_LINES || (bytes > most_bytes && !lines.is_empty());
            if more {
                break;
            }
            lines.push(Arc::clone(line));
        }
        let last = lines.last().map_or(after, |line| line.id.stamp);
        let through = if more { last } else { self.head.max(after) };
        Lines { after, through, more, lines }
    }
}

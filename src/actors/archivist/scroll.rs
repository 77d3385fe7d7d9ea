//! What happened in rooms and is not on disk yet: in order, bounded in bytes.
//!
//! Unlike members, of whom only the newest state counts, rooms have a history, so nothing here takes the
//! place of anything else. **Invariant:** what is given up is what would come last, and it is counted; a
//! decision of an operator finds room after lines find none.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use crate::domain::rooms::{Deed, Record};

/// Bytes of lines that wait for a store that stays away.
const MOST_BYTES: usize = 32 << 20;
/// About what a record takes beside its text.
const EACH: usize = 256;

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Scroll {
    waiting: VecDeque<Record>,
    bytes: usize,
    /// How many records were ever taken in, and how many of them are on disk.
    taken: u64,
    written: u64,
    /// Who wants to hear when everything up to a record is on disk.
    anxious: Vec<(u64, oneshot::Sender<bool>)>,
}

impl Scroll {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes records in, and says how many it had no room for.
    pub(super) fn take_in(&mut self, records: Vec<Record>) -> u64 {
        let mut given_up = 0;
        for record in records {
            let cost = cost(&record);
            let room = if is_line(&record) { MOST_BYTES } else { 2 * MOST_BYTES };
            if self.bytes + cost > room {
                given_up += 1;
                continue;
            }
            self.bytes += cost;
            self.taken += 1;
            self.waiting.push_back(record);
        }
        given_up
    }

    /// The first ones, to be written. They must come back with [`Scroll::put_back`], or be told of with
    /// [`Scroll::on_disk`].
    pub(super) fn first(&mut self, most: usize) -> Vec<Record> {
        let batch: Vec<_> = self.waiting.drain(..most.min(self.waiting.len())).collect();
        self.bytes -= batch.iter().map(cost).sum::<usize>();
        batch
    }

    /// They could not be written. Whoever waits for them is told so; they themselves go on waiting.
    pub(super) fn put_back(&mut self, batch: Vec<Record>) {
        self.bytes += batch.iter().map(cost).sum::<usize>();
        for record in batch.into_iter().rev() {
            self.waiting.push_front(record);
        }
        for (_, anxious) in self.anxious.drain(..) {
            // Nobody listens any more: the request was given up.
            let _ = anxious.send(false);
        }
    }

    /// So many are on disk.
    pub(super) fn on_disk(&mut self, count: usize) {
        self.written += u64::try_from(count).unwrap_or(u64::MAX);
        let written = self.written;
        let (done, rest) = self.anxious.drain(..).partition(|(upto, _)| *upto <= written);
        self.anxious = rest;
        for (_, anxious) in done {
            let _ = anxious.send(true);
        }
    }

    /// Hears whether everything that was taken in so far is on disk, once that is known.
    pub(super) fn hear(&mut self) -> oneshot::Receiver<bool> {
        let (sender, receiver) = oneshot::channel();
        if self.written == self.taken {
            let _ = sender.send(true);
        } else {
            self.anxious.push((self.taken, sender));
        }
        receiver
    }

    /// Whether somebody waits to hear that.
    pub(super) fn is_awaited(&self) -> bool {
        !self.anxious.is_empty()
    }
}

fn is_line(record: &Record) -> bool {
    matches!(record, Record::Line(line) if matches!(line.deed, Deed::Said(_)))
}

fn cost(record: &Record) -> usize {
    EACH + if let Record::Line(line) = record { line.bytes() } else { 0 }
}

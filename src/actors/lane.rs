//! The bounded way to one connection.
//!
//! Mailboxes of actors are not bounded in practice, so this is the bound: whoever delivers offers to
//! the lane first. It counts the bytes that wait in the mailbox and those that the socket has not
//! taken. **Invariant:** what waits for one connection never exceeds its limit by more than one frame,
//! and that only if nothing else waits.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use actix::{Message, Recipient};

use super::stillness::{Stillness, UnderWay};
use crate::domain::{letter::Frame, refusal::Ending};

/// A frame for the socket.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub enum Deliver {
    /// To be sent.
    Frame(Frame),
    /// Nothing more will come: close.
    End(Ending),
    /// Fail in the handler, to prove that the house survives it. Only sent when `debug.faults` is on.
    Fault,
}

/// What kind of frame is offered; it decides what happens when there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Must not be lost: without room the connection is given up.
    Letter,
    /// Will be outdated soon: without room it is left out, and whoever offered it tries again later.
    List,
}

#[derive(Debug, Default)]
struct Load {
    /// Bytes in the mailbox.
    queued: AtomicUsize,
    /// Bytes that the socket has not taken.
    unsent: AtomicUsize,
    /// The connection was given up.
    closed: AtomicBool,
}

impl Load {
    fn total(&self) -> usize {
        self.queued.load(Ordering::Relaxed) + self.unsent.load(Ordering::Relaxed)
    }
}

/// What waits for the registry: the same bound, on the way in. Copies count together.
#[derive(Clone, Debug)]
pub struct Inbox {
    bytes: Arc<AtomicUsize>,
    limit: usize,
    stillness: Stillness,
}

impl Inbox {
    /// An empty inbox.
    #[must_use]
    pub fn new(limit: usize, stillness: Stillness) -> Self {
        Self { bytes: Arc::default(), limit, stillness }
    }

    /// A letter is on its way.
    pub fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A letter has arrived.
    pub fn taken(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether nothing is on its way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) == 0
    }

    /// Something that has arrived is looked at outside of the map until this is dropped.
    #[must_use]
    pub fn look(&self) -> UnderWay {
        self.stillness.look()
    }

    /// Whether the house holds still: what it changes now, the next node may not hear of.
    #[must_use]
    pub fn is_still(&self) -> bool {
        self.stillness.is_on()
    }

    /// Whether writers should wait.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.stillness.is_on() || self.is_behind()
    }

    /// Whether more waits than should.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) >= self.limit
    }
}

/// The end of the one who delivers.
#[derive(Clone)]
pub struct Lane {
    load: Arc<Load>,
    limit: usize,
    to: Recipient<Deliver>,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Lane({} of {} bytes)", self.load.total(), self.limit)
    }
}

/// The end of the connection and its pump.
#[derive(Clone, Debug, Default)]
pub struct LaneEnd {
    load: Arc<Load>,
}

impl LaneEnd {
    /// The other end of this lane.
    #[must_use]
    pub fn lane(&self, limit: usize, to: Recipient<Deliver>) -> Lane {
        Lane { load: Arc::clone(&self.load), limit, to }
    }

    /// A frame left the mailbox; until the pump says otherwise, it waits for the socket.
    pub fn taken(&self, bytes: usize) {
        self.load.unsent.fetch_add(bytes, Ordering::Relaxed);
        self.load.queued.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Nothing that is offered is taken any more.
    pub fn close(&self) {
        self.load.closed.store(true, Ordering::Relaxed);
    }

    /// So many bytes wait for the socket.
    pub fn unsent(&self, bytes: usize) {
        self.load.unsent.store(bytes, Ordering::Relaxed);
    }
}

impl Lane {
    /// Offers a frame, and says whether it was taken. A letter that finds no room ends the connection:
    /// whoever is that far behind would miss letters without knowing it.
    #[must_use]
    pub fn offer(&self, frame: Frame, class: Class) -> bool {
        let bytes = frame.len();
        let waiting = self.load.total();
        let room = match class {
            Class::Letter => self.limit,
            // Lists leave the other half to letters.
            Class::List => self.limit / 2,
        };
        if self.load.closed.load(Ordering::Relaxed) {
            return false;
        }
        if waiting > 0 && waiting + bytes > room {
            if class == Class::Letter {
                self.end(Ending::Slow);
            }
            return false;
        }
        self.load.queued.fetch_add(bytes, Ordering::Relaxed);
        self.to.do_send(Deliver::Frame(frame));
        true
    }

    /// Ends the connection. Saying it twice is saying it once.
    pub fn end(&self, ending: Ending) {
        if !self.load.closed.swap(true, Ordering::Relaxed) {
            self.to.do_send(Deliver::End(ending));
        }
    }

    /// Makes the handler at the other end fail.
    pub fn fault(&self) {
        self.to.do_send(Deliver::Fault);
    }

    /// Bytes that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.load.total()
    }
}

#[cfg(test)]
mod tests {
    use super::{Inbox, Stillness};

    #[test]
    fn an_inbox_is_full_until_what_it_holds_is_taken() {
        let inbox = Inbox::new(10, Stillness::default());
        let other_end = inbox.clone();
        inbox.add(9);
        assert!(!other_end.is_full());
        inbox.add(5);
        assert!(other_end.is_full(), "copies count together");
        other_end.taken(5);
        assert!(!inbox.is_full());
    }
}

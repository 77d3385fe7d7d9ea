//! One other node: where it stands in the list, how it is being reached, and the link that counts.

use std::time::Duration;

use crate::domain::{Moment, backoff::Backoff, endpoint::Endpoint, id::ConnectionId};

/// A link that did not last so long counts as one more failure: two nodes that disagree must not dial each
/// other without a pause.
const LASTING: Duration = Duration::from_secs(5);

/// How a link goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// On a socket of its own.
    Direct,
    /// Through the rendezvous, because neither end can be dialled.
    Relayed,
}

/// Which of two links between the same two nodes stays: the one with the lower rank.
///
/// It is that of the dialler, as the dialler tells it on this very link, so both ends compare the same values even while
/// their lists differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// When the dialler joined, as it was told by its rendezvous.
    pub seq: u64,
    /// The address of the dialler.
    pub address: Endpoint,
}

/// A link in use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) id: ConnectionId,
    pub(super) rank: Rank,
    pub(super) way: Way,
    since: Moment,
}

/// A way to a node that is being tried: its link, once it has one.
#[derive(Clone, Copy, Debug)]
struct Attempt(Option<ConnectionId>);

/// What becomes of a link that has been greeted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// It is the first one.
    First,
    /// It takes the place of this one.
    Instead(ConnectionId),
    /// The one that is there stays.
    Surplus,
}

/// What the end of a link means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Nothing; it was not in use.
    None,
    /// It never came to be; how often in a row that has happened.
    Failed(u32),
    /// The node is away.
    Away,
}

/// One other node.
#[derive(Debug)]
pub(super) struct Peer {
    link: Option<Held>,
    attempt: Option<Attempt>,
    backoff: Backoff,
    failures: u32,
    next: Moment,
}

impl Peer {
    pub(super) const fn new(backoff: Backoff, now: Moment) -> Self {
        Self { link: None, attempt: None, backoff, failures: 0, next: now }
    }

    pub(super) const fn link(&self) -> Option<&Held> {
        self.link.as_ref()
    }

    /// Whether nothing but a place in the list would keep it in mind.
    pub(super) const fn is_idle(&self) -> bool {
        self.link.is_none() && self.attempt.is_none()
    }

    /// When this way should be tried; nothing if it is, or if there is one that is as good.
    pub(super) fn wants(&self, way: Way) -> Option<Moment> {
        let has_as_good = self.link.is_some_and(|held| held.way == Way::Direct || held.way == way);
        (self.attempt.is_none() && !has_as_good).then_some(self.next)
    }

    pub(super) const fn is_tried(&self) -> bool {
        self.attempt.is_some()
    }

    pub(super) const fn attempt(&mut self) {
        self.attempt = Some(Attempt(None));
    }

    /// The attempt has a link. Says whether there is any sense in greeting on it: the other side may have been
    /// faster, with a link that stays.
    pub(super) fn dialled(&mut self, id: ConnectionId, rank: Rank, way: Way) -> bool {
        let Some(attempt) = &mut self.attempt else { return false };
        *attempt = Attempt(Some(id));
        match self.link {
            Some(held) if held.way == way && held.rank < rank => {
                self.attempt = None;
                false
            }
            _ => true,
        }
    }

    pub(super) fn greeted(&mut self, id: ConnectionId, rank: Rank, way: Way, now: Moment) -> Match {
        if self.attempt.is_some_and(|Attempt(open)| open == Some(id)) {
            self.attempt = None;
        }
        self.failures = 0;
        let new = Held { id, rank, way, since: now };
        match self.link {
            None => {
                self.link = Some(new);
                Match::First
            }
            // Of two links that one node has dialled the newer one counts: it has lost the other.
            Some(held)
                if (way, held.way) == (Way::Direct, Way::Relayed)
                    || (way == held.way && rank <= held.rank) =>
            {
                self.link = Some(new);
                Match::Instead(held.id)
            }
            Some(_) => Match::Surplus,
        }
    }

    /// The attempt came to nothing.
    pub(super) fn failed(&mut self, now: Moment, chance: u16) -> Loss {
        if self.attempt.take().is_none() {
            return Loss::None;
        }
        self.failures = self.failures.saturating_add(1);
        self.next = now + self.backoff.wait(chance);
        Loss::Failed(self.failures)
    }

    pub(super) fn closed(&mut self, id: ConnectionId, now: Moment, chance: u16) -> Loss {
        if self.attempt.is_some_and(|Attempt(open)| open == Some(id)) {
            return self.failed(now, chance);
        }
        let Some(held) = self.link.filter(|held| held.id == id) else { return Loss::None };
        self.link = None;
        if now.saturating_sub(held.since) >= LASTING {
            self.backoff.reset();
            self.failures = 0;
        }
        self.next = now + self.backoff.wait(chance);
        Loss::Away
    }

    /// Somebody asks to try again at once.
    pub(super) const fn retry(&mut self, now: Moment) {
        self.next = now;
    }
}

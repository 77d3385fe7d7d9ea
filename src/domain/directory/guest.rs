//! One socket at the rendezvous, and how often it may be sent a list.

use core::net::IpAddr;
use std::time::Duration;

use crate::domain::{Moment, endpoint::Endpoint, rate::Bucket};

/// The first clients take two lists that come together for one.
pub(super) const SPACING: Duration = Duration::from_millis(200);
/// How soon a list is repeated to one of the first clients, which dials one address for each that it gets.
const AGAIN: Duration = Duration::from_millis(500);
/// Changes that come closer together than this are told to nodes as one, because each costs a whole directory.
const GATHERING: Duration = Duration::from_millis(50);
/// How often everybody is told the directory, whether it changed or not.
pub(super) const REPEAT: Duration = Duration::from_secs(15);
/// The most addresses that one of the first clients is linked with.
const MOST_LINKS: usize = 20;

/// How a socket wants to be spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hearing {
    /// As the first clients do: it has ended nothing.
    First,
    /// It reads lists, and has shown that it knows how texts end.
    Ended,
    /// In the new form.
    Node,
}

/// What is known of whether an address can be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Who has registered it may still say that it is a node.
    Waiting(Moment),
    /// It is being tried.
    Testing(Moment),
    /// It can, or nobody has tried.
    Dialable,
    /// It cannot.
    Undialable,
}

impl Reach {
    pub(super) const fn is_listed(self) -> bool {
        matches!(self, Self::Dialable | Self::Undialable)
    }

    /// When something happens by itself.
    pub(super) const fn until(self) -> Option<Moment> {
        match self {
            Self::Waiting(until) | Self::Testing(until) => Some(until),
            Self::Dialable | Self::Undialable => None,
        }
    }
}

/// What a socket has registered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) seq: u64,
    pub(super) at: Endpoint,
    pub(super) reach: Reach,
}

/// One socket.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) from: IpAddr,
    pub(super) since: Moment,
    pub(super) heard: Moment,
    pub(super) hearing: Hearing,
    pub(super) is_greeted: bool,
    /// It has closed its own side, and may be gone.
    pub(super) listens_only: bool,
    pub(super) entry: Option<Entry>,
    pub(super) relayed: Bucket,
    pub(super) pace: Pace,
}

/// When the next list goes out.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Nothing goes out before.
    earliest: Moment,
    /// Lists that are still to come because of a change.
    owed: usize,
    /// Whether the last change has not been told at all, or it is wanted once more.
    is_stale: bool,
    last: Moment,
    /// Lists that went out though nothing was owed any more.
    repeats: usize,
    turn: Turn,
}

/// Which entries a list has, and with which of them it begins, for a reader that dials one for each list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turn {
    /// Counts lists, so that what does not fit into one stands in another.
    pub(super) part: usize,
    /// By how many entries it begins further on.
    pub(super) shift: usize,
    /// Whether its entries are in order all the same.
    pub(super) is_in_order: bool,
}

impl Pace {
    /// Nothing goes out for a moment: something else just did.
    pub(super) fn hold(&mut self, now: Moment) {
        self.earliest = self.earliest.max(now + SPACING);
    }

    /// Nothing has to be waited for any more.
    pub(super) fn release(&mut self) {
        self.earliest = Moment::ZERO;
    }

    /// There is something to tell, to somebody who is to dial so many.
    pub(super) fn owe(&mut self, hearing: Hearing, to_dial: usize) {
        self.is_stale = true;
        self.owed = if hearing == Hearing::First { to_dial.clamp(1, MOST_LINKS) } else { 1 };
    }

    /// It wants to hear once more what it has heard.
    pub(super) fn repeat(&mut self) {
        (self.is_stale, self.owed) = (true, self.owed.max(1));
    }

    /// When the next list is due.
    pub(super) fn due(&self) -> Moment {
        let wanted = match (self.is_stale, self.owed) {
            (true, _) => self.last,
            (false, 0) => self.last + REPEAT,
            (false, _) => self.last + AGAIN,
        };
        wanted.max(self.earliest)
    }

    /// A list goes out. Which one it is to be.
    ///
    /// By the lists that are owed everybody is dialled who lives. If somebody is still not, an entry that is dead hides
    /// all that stand behind it, so every second list that is repeated begins with another entry.
    pub(super) fn sent(&mut self, hearing: Hearing, now: Moment) -> Turn {
        self.last = now;
        let is_repeated = !self.is_stale && self.owed == 0;
        let is_in_order = hearing != Hearing::First || !is_repeated || self.repeats.is_multiple_of(2);
        self.repeats = self.repeats.wrapping_add(usize::from(is_repeated));
        self.is_stale = false;
        self.owed = self.owed.saturating_sub(1);
        self.turn.part = self.turn.part.wrapping_add(1);
        self.turn.shift = self.turn.shift.wrapping_add(usize::from(!is_in_order));
        self.earliest = now
            + match hearing {
                Hearing::First => SPACING,
                Hearing::Ended => Duration::ZERO,
                Hearing::Node => GATHERING,
            };
        Turn { is_in_order, ..self.turn }
    }
}

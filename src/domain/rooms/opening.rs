//! Which rooms there are: who may open one more, and when one is forgotten.
//!
//! Anybody opens a room by entering it, and what was said there keeps it for as long as its lines are kept. So that
//! nobody fills the house with rooms that keep everybody else's away, each member, each address and each neighbour has a
//! share. **Invariant:** neighbours never take the rooms that are kept for members of this home.

use std::collections::BTreeMap;

use super::{Outcome, Record, RoomName, Rooms, Stamp, counts::Counts, room::Room};
use crate::domain::{admission::Origin, id::KeyId, limits::Limits};

/// Who has opened a room, as far as that counts against a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opener {
    /// A member of this home.
    Member(KeyId),
    /// The neighbour with this key.
    Home(KeyId),
}

/// By whom a room is needed.
#[derive(Clone, Copy, Debug)]
pub(super) enum By {
    /// By this home itself: its operator, or the bridge.
    House,
    /// By a member of it, who comes from there.
    Member(KeyId, Origin),
    /// By the neighbour with this key.
    Home(KeyId),
}

/// How many rooms there may be, and of whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shares {
    all: usize,
    /// Of neighbours: the rest is kept for members of this home.
    theirs: usize,
    /// Of one neighbour.
    each: usize,
    member: usize,
    address: usize,
}

impl Shares {
    pub(super) fn new(limits: &Limits) -> Self {
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let all = count(limits.rooms);
        Self {
            all,
            theirs: all.saturating_sub((all / 4).max(1)),
            each: (all / 2).max(1),
            member: count(limits.rooms_opened_per_member),
            address: count(limits.rooms_opened_per_address),
        }
    }
}

/// How many rooms there are of whom.
#[derive(Debug, Default)]
pub(super) struct Openings {
    by: Counts<Opener>,
    /// Addresses are not written down: after a restart this begins anew.
    from: Counts<Origin>,
    theirs: usize,
}

impl Openings {
    fn add(&mut self, room: &Room) {
        if let Some(opener) = room.opener {
            self.by.add(opener);
            self.theirs += usize::from(matches!(opener, Opener::Home(_)));
        }
        if let Some(from) = room.from {
            self.from.add(from);
        }
    }

    fn remove(&mut self, room: &Room) {
        if let Some(opener) = room.opener {
            self.by.remove(&opener);
            self.theirs -= usize::from(matches!(opener, Opener::Home(_)));
        }
        if let Some(from) = room.from {
            self.from.remove(&from);
        }
    }

    fn of(&self, opener: Opener) -> usize {
        self.by.of(&opener)
    }

    fn from(&self, from: Origin) -> usize {
        self.from.of(&from)
    }
}

impl Rooms {
    /// The room of that name is there, if there is place for it: the empty room without a history that nobody has used
    /// the longest makes place.
    pub(super) fn open(&mut self, name: &RoomName, by: By, outcome: &mut Outcome) -> Option<&mut Room> {
        if !self.rooms.contains_key(name) {
            self.make_place(by, outcome)?;
            let (opener, from) = match by {
                By::House => (None, None),
                By::Member(member, from) => (Some(Opener::Member(member)), Some(from)),
                By::Home(key) => (Some(Opener::Home(key)), None),
            };
            let room = Room::opened(opener, from);
            outcome.records.push(room.record(name));
            self.put(name.clone(), room);
        }
        self.uses += 1;
        let room = self.rooms.get_mut(name)?;
        (room.used, room.is_stale) = (self.uses, false);
        Some(room)
    }

    /// A room is there that was not.
    pub(super) fn put(&mut self, name: RoomName, room: Room) {
        self.openings.add(&room);
        self.rooms.insert(name, room);
    }

    fn make_place(&mut self, by: By, outcome: &mut Outcome) -> Option<()> {
        let shares = self.limits.shares;
        match by {
            By::House => {}
            By::Home(key) => {
                let is_over = self.openings.of(Opener::Home(key)) >= shares.each;
                if is_over || self.openings.theirs >= shares.theirs {
                    return None;
                }
            }
            // Rooms that nobody would miss do not count, or who looks into many would have to wait.
            By::Member(member, from) => {
                let opener = Opener::Member(member);
                if self.openings.of(opener) >= shares.member {
                    self.forget_idle(|room| room.opener == Some(opener), outcome)?;
                }
                if self.openings.from(from) >= shares.address {
                    self.forget_idle(|room| room.from == Some(from), outcome)?;
                }
            }
        }
        if self.rooms.len() >= shares.all {
            self.forget_idle(|_| true, outcome)?;
        }
        Some(())
    }

    /// Of these rooms the one goes that nobody has used the longest, if nobody would miss it.
    fn forget_idle(&mut self, which: impl Fn(&Room) -> bool, outcome: &mut Outcome) -> Option<()> {
        let idle = self.rooms.iter().filter(|(_, room)| which(room) && room.is_idle(None));
        let name = idle.min_by_key(|(_, room)| room.used).map(|(name, _)| name.clone())?;
        self.forget(&name, outcome);
        Some(())
    }

    /// There is no such room any more.
    pub(super) fn forget(&mut self, name: &RoomName, outcome: &mut Outcome) -> Option<Room> {
        let room = self.rooms.remove(name)?;
        self.openings.remove(&room);
        outcome.records.push(Record::Forgotten(name.clone()));
        Some(room)
    }

    /// Rooms that nobody would miss are forgotten when they are seen like that for the second time: who has left one
    /// may just be about to come back.
    pub(super) fn forget_stale(&mut self, oldest: Stamp, outcome: &mut Outcome) {
        let mut stale = Vec::new();
        for (name, room) in &mut self.rooms {
            let is_idle = room.is_idle(Some(oldest));
            if std::mem::replace(&mut room.is_stale, is_idle) && is_idle {
                stale.push(name.clone());
            }
        }
        for name in stale {
            self.forget(&name, outcome);
        }
        let over = self.emptied.extract_if(.., |_, stamp| *stamp < oldest);
        outcome.records.extend(over.map(|(name, _)| Record::Emptied(name, None)));
    }

    /// Lines of a room up to some stamp are not wanted back, whoever says them again. That of the fewest rooms is
    /// remembered, the latest, and for no longer than lines are kept.
    pub(super) fn remember_emptied(&mut self, name: &RoomName, through: Stamp, outcome: &mut Outcome) {
        self.emptied.insert(name.clone(), through);
        outcome.records.push(Record::Emptied(name.clone(), Some(through)));
        if self.emptied.len() > self.limits.shares.all {
            let first = self.emptied.iter().min_by_key(|(_, stamp)| **stamp).map(|(name, _)| name.clone());
            if let Some(first) = first {
                self.emptied.remove(&first);
                outcome.records.push(Record::Emptied(first, None));
            }
        }
    }
}

/// Rooms that operators have emptied, and up to where.
pub(super) type Emptied = BTreeMap<RoomName, Stamp>;

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;

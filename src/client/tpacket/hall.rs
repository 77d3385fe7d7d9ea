//! Who is in the room, by the numbers that the server gives them.
//!
//! The server does not say where a roster ends, nor whether somebody who goes comes back at once under another
//! nick. Where nothing else tells, a moment of quiet does.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::{
    event::{Event, Output, Present},
    person::PersonId,
    room::Told,
};

/// How long it must be quiet until somebody who went is gone, or a roster is complete.
const QUIET_MS: i64 = 300;
/// Guests that are known at once; of a longer roster the rest is not read.
const MOST_GUESTS: usize = 65_536;

/// The room where the member is, or none.
#[derive(Debug, Default)]
pub(super) struct Hall {
    room: Option<String>,
    /// The one that the connection was lost in.
    lost: Option<String>,
    /// Our own number; until it is known the roster has not begun.
    number: Option<i32>,
    guests: BTreeMap<i32, String>,
    /// Who is in, as it was told last, ourselves not among them.
    told: BTreeSet<PersonId>,
    is_listed: bool,
    /// When the roster is complete, if nothing else comes.
    complete_at: Option<i64>,
    gone: Option<Gone>,
}

/// Somebody who went, or is about to be called otherwise.
#[derive(Debug)]
struct Gone {
    number: i32,
    nick: String,
    /// From then on it is the first.
    at_ms: i64,
}

impl Hall {
    pub(super) fn room(&self) -> Option<&str> {
        self.room.as_deref()
    }

    pub(super) fn is_us(&self, number: i32) -> bool {
        self.number == Some(number)
    }

    /// What somebody is called. Whoever was never announced has a number at least.
    pub(super) fn nick(&self, number: i32) -> String {
        self.guests.get(&number).cloned().unwrap_or_else(|| format!("#{number}"))
    }

    /// The connection is another one.
    pub(super) fn lose(&mut self) {
        let room = self.room.take().or_else(|| self.lost.take());
        *self = Self { lost: room, told: std::mem::take(&mut self.told), ..Self::default() };
    }

    /// We are in this room; says whether it is the one that we were lost in.
    pub(super) fn enter(&mut self, room: &str, quiet_from_ms: Option<i64>, out: &mut Vec<Output>) -> bool {
        let again = self.lost.as_deref() == Some(room);
        let told = if again { std::mem::take(&mut self.told) } else { BTreeSet::new() };
        let complete_at = quiet_from_ms.map(|now_ms| now_ms + QUIET_MS);
        *self = Self { room: Some(room.to_owned()), told, complete_at, ..Self::default() };
        let room = room.to_owned();
        out.push(Output::Event(Event::Room(Told::Entered { room, again })));
        again
    }

    /// We are in no room.
    pub(super) fn leave(&mut self, me: &PersonId, out: &mut Vec<Output>) {
        *self = Self { is_listed: true, ..Self::default() };
        self.tell(me, out);
    }

    /// Somebody is in.
    pub(super) fn came(&mut self, number: i32, nick: String, me: &PersonId, out: &mut Vec<Output>) {
        let before = match self.gone.take() {
            Some(gone) if gone.number == number => Some(gone.nick),
            Some(gone) => {
                self.gone = Some(gone);
                self.flush(me, out);
                None
            }
            None => self.guests.get(&number).cloned(),
        };
        if self.guests.len() >= MOST_GUESTS && !self.guests.contains_key(&number) {
            return;
        }
        // Whoever enters is the first one to be told.
        self.number.get_or_insert(number);
        let is_other = before.as_ref().is_some_and(|before| *before != nick);
        if let Some(before) = before.filter(|_| is_other) {
            let (before, after) = (PersonId::nick(&before), PersonId::nick(&nick));
            self.told.remove(&before);
            self.told.insert(after.clone());
            if !self.is_us(number) {
                out.push(Output::Event(Event::Room(Told::Renamed { before, after })));
            }
        }
        self.guests.insert(number, nick);
        if self.is_listed {
            self.tell(me, out);
        }
    }

    /// We are called so from now on.
    pub(super) fn rename_us(&mut self, nick: &str) {
        if let Some(guest) = self.number.and_then(|number| self.guests.get_mut(&number)) {
            nick.clone_into(guest);
        }
    }

    /// Somebody is not in any more, unless she comes back at once under another nick.
    pub(super) fn went(&mut self, number: i32, now_ms: i64) {
        if let Some(nick) = self.guests.remove(&number) {
            self.gone = Some(Gone { number, nick, at_ms: now_ms + QUIET_MS });
        }
    }

    /// Something else was said, so whoever went is gone and the roster is complete. Says whether we were put out.
    pub(super) fn settle(&mut self, me: &PersonId, out: &mut Vec<Output>) -> bool {
        let is_out = self.flush(me, out);
        if self.number.is_some() {
            self.complete(me, out);
        }
        is_out
    }

    /// The roster is complete, whoever was told.
    pub(super) fn complete(&mut self, me: &PersonId, out: &mut Vec<Output>) {
        self.complete_at = None;
        if !std::mem::replace(&mut self.is_listed, true) {
            self.tell(me, out);
        }
    }

    fn flush(&mut self, me: &PersonId, out: &mut Vec<Output>) -> bool {
        let Some(gone) = self.gone.take() else { return false };
        if self.is_us(gone.number) {
            let room = self.room.take().unwrap_or_default();
            out.push(Output::Event(Event::Room(Told::PutOut(room))));
            self.leave(me, out);
            return true;
        }
        if self.is_listed {
            self.tell(me, out);
        }
        false
    }

    /// When it has been quiet for long enough.
    pub(super) fn quiet_at(&self) -> Option<i64> {
        [self.gone.as_ref().map(|gone| gone.at_ms), self.complete_at].into_iter().flatten().min()
    }

    /// Tells who is in, and what has changed.
    pub(super) fn tell(&mut self, me: &PersonId, out: &mut Vec<Output>) {
        let mut now: BTreeSet<_> = self.guests.values().map(|nick| PersonId::nick(nick)).collect();
        now.insert(me.clone());
        let present = |id: &PersonId| Present { id: id.clone(), homes: Vec::new(), label: None };
        let members = now.iter().map(present).collect();
        now.remove(me);
        let joined = now.difference(&self.told).cloned().collect();
        let left = self.told.difference(&now).filter(|person| *person != me).cloned().collect();
        self.told = now;
        out.push(Output::Event(Event::Listed { members, joined, left }));
    }
}

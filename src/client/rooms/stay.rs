//! The room where the member is: who is there, and which line was shown last.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    hear::{Guest, Line},
    missed::Missed,
};
use crate::{
    client::{person::PersonId, room::Told},
    domain::{dialect::Dialect, rooms::LineId},
};

/// Guests that are known at once; of a longer roster the rest is not read.
pub(super) const MOST_GUESTS: usize = 65_536;

/// A room in which the member is.
#[derive(Debug)]
pub(super) struct Stay {
    pub(super) room: String,
    /// The number of the member.
    pub(super) you: u32,
    pub(super) topic: Option<String>,
    guests: BTreeMap<u32, PersonId>,
    /// The newest line that was shown.
    shown: Option<LineId>,
    /// What is still to be shown first.
    pub(super) missed: Option<Missed>,
}

/// What is remembered of the room in which the connection was lost.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) room: String,
    pub(super) topic: Option<String>,
    people: BTreeSet<PersonId>,
    shown: Option<LineId>,
}

impl Stay {
    pub(super) fn new(
        room: String,
        you: u32,
        topic: Option<String>,
        guests: &[Guest],
        ours: Dialect,
    ) -> Self {
        let guests =
            guests.iter().take(MOST_GUESTS).map(|guest| (guest.number, guest.person(ours))).collect();
        Self { room, you, topic, guests, shown: None, missed: None }
    }

    pub(super) fn lost(self) -> Lost {
        let people = self.others();
        Lost { room: self.room, topic: self.topic, people, shown: self.shown }
    }

    /// Everybody but the member.
    fn others(&self) -> BTreeSet<PersonId> {
        let others = self.guests.iter().filter(|(number, _)| **number != self.you);
        others.map(|(_, person)| person.clone()).collect()
    }

    /// The room is the one in which the connection was lost: what follows from that.
    pub(super) fn go_on(&mut self, lost: &Lost) -> Option<Told> {
        self.shown = lost.shown;
        self.missed = Some(Missed::after(lost.shown));
        let now = self.others();
        let came: Vec<_> = now.difference(&lost.people).cloned().collect();
        let went: Vec<_> = lost.people.difference(&now).cloned().collect();
        let room = self.room.clone();
        (!came.is_empty() || !went.is_empty()).then_some(Told::Moved { room, came, went })
    }

    /// Who is in, told whole.
    pub(super) fn roster(&self) -> Told {
        Told::Guests { room: self.room.clone(), guests: self.others().into_iter().collect() }
    }

    fn is_in(&self, person: &PersonId) -> bool {
        self.guests.values().any(|known| known == person)
    }

    /// Somebody comes. One member may be here by way of two servers, and comes once.
    pub(super) fn came(&mut self, number: u32, person: PersonId) -> Option<Told> {
        if self.guests.len() >= MOST_GUESTS {
            return None;
        }
        let is_new = !self.is_in(&person);
        self.guests.insert(number, person.clone());
        let room = self.room.clone();
        (is_new && number != self.you).then(|| Told::Moved { room, came: vec![person], went: Vec::new() })
    }

    /// Somebody goes.
    pub(super) fn went(&mut self, number: u32) -> Option<Told> {
        let person = self.guests.remove(&number)?;
        let room = self.room.clone();
        (!self.is_in(&person)).then(|| Told::Moved { room, came: Vec::new(), went: vec![person] })
    }

    /// Somebody is called otherwise.
    pub(super) fn renamed(&mut self, number: u32, after: PersonId) -> Option<Told> {
        let before = self.guests.insert(number, after.clone())?;
        (before != after && number != self.you).then_some(Told::Renamed { before, after })
    }

    /// A line is shown.
    pub(super) fn show(&mut self, line: &Line) {
        self.shown = self.shown.max(line.id());
    }
}

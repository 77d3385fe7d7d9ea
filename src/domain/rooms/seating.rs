//! Guests of neighbours, and which of them have a seat here.
//!
//! A neighbour says who is in its rooms. Who is seen here is another question: only whom that neighbour lists as its
//! member, whom no ban hides, and for whom there is place. Who is not seen is known all the same, and is seen as soon
//! as she may be. **Invariant:** guests of neighbours never take the places that are kept for guests of this home.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{
    Event, Guest, Outcome, RoomName, Rooms, Seat, line::LONGEST_NAME, neighbours::Neighbour, opening::By,
    shunned::Shunned,
};
use crate::domain::{
    id::{HomeId, KeyId},
    refusal::Violation,
};

/// How a member of a neighbour stands with this home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Her home lists her.
    Listed,
    /// It does not, or not yet.
    Unlisted,
    /// It does, and she is not shown here.
    Hidden,
}

/// Somebody who is in rooms of a neighbour.
#[derive(Debug)]
pub(super) struct Theirs {
    pub(super) guest: Arc<Guest>,
    pub(super) rooms: BTreeSet<RoomName>,
}

/// Whether all these guests may come: each with a number of her own, and once into each room.
fn check(neighbour: &Neighbour, news: &[(RoomName, Seat)], most: usize) -> Result<(), Violation> {
    if neighbour.seats.saturating_add(news.len()) > most {
        return Err(Violation::TooManyMembers);
    }
    let (mut seats, mut numbers, mut members) = (HashSet::new(), HashMap::new(), HashMap::new());
    for (room, seat) in news {
        if seat.name.len() > LONGEST_NAME {
            return Err(Violation::TooLarge);
        }
        let here = neighbour.guests.get(&seat.number);
        let is_known = here.is_none_or(|theirs| theirs.guest.member == seat.member)
            && neighbour.members.get(&seat.member).is_none_or(|number| *number == seat.number)
            && *numbers.entry(seat.number).or_insert(seat.member) == seat.member
            && *members.entry(seat.member).or_insert(seat.number) == seat.number;
        let is_new = here.is_none_or(|theirs| !theirs.rooms.contains(room));
        if !is_known || !is_new || !seats.insert((seat.number, room)) {
            return Err(Violation::OutOfOrder);
        }
    }
    Ok(())
}

impl Rooms {
    /// Others are banned than before: they are not seen, nor is what they say and have said.
    pub fn shun(&mut self, shunned: Shunned, stands: impl Fn(HomeId, KeyId) -> Standing) -> Outcome {
        self.shunned = shunned;
        self.look_around(stands)
    }

    /// These are banned, too, by what was just heard of them.
    pub fn shun_also(&mut self, members: impl IntoIterator<Item = KeyId>) {
        self.shunned.members.extend(members);
    }

    /// Something has changed about these members of neighbours: who may be seen now is, and who may not is gone. Whoever
    /// is merely listed no more has left, or is about to be called otherwise, which is told next.
    pub fn look_at(&mut self, members: &[KeyId], stands: impl Fn(HomeId, KeyId) -> Standing) -> Outcome {
        let mut outcome = Outcome::default();
        let homes = self.neighbours.iter();
        let known = homes.flat_map(|(home, neighbour)| {
            members.iter().filter_map(|member| Some((*home, *neighbour.members.get(member)?, *member)))
        });
        for (home, number, member) in known.collect::<Vec<_>>() {
            let standing = stands(home, member);
            if standing != Standing::Unlisted {
                self.look(home, number, standing, &mut outcome);
            }
        }
        outcome
    }

    /// Looks at all guests of neighbours. Who is not listed by now has no seat; who found no place finds one, if there is.
    pub fn look_around(&mut self, stands: impl Fn(HomeId, KeyId) -> Standing) -> Outcome {
        let mut outcome = Outcome::default();
        let homes = self.neighbours.iter();
        let mut known: Vec<_> = homes
            .flat_map(|(home, neighbour)| {
                neighbour.guests.iter().map(|(number, theirs)| (theirs.guest.number, *home, *number))
            })
            .collect();
        known.sort_unstable();
        for (_, home, number) in known {
            let member = self.theirs(home, number).map(|theirs| theirs.guest.member);
            if let Some(member) = member {
                self.look(home, number, stands(home, member), &mut outcome);
            }
        }
        outcome
    }

    fn theirs(&self, home: HomeId, number: u32) -> Option<&Theirs> {
        self.neighbours.get(&home)?.guests.get(&number)
    }

    /// Has a guest of a neighbour, by the number that she has there, seen wherever she may be, or nowhere.
    fn look(&mut self, home: HomeId, number: u32, standing: Standing, outcome: &mut Outcome) {
        let Some(theirs) = self.theirs(home, number) else { return };
        let (guest, rooms) = (Arc::clone(&theirs.guest), theirs.rooms.clone());
        let is_seen = standing == Standing::Listed && !self.shunned.is(&guest);
        for room in &rooms {
            if is_seen {
                self.seat(room, &guest, outcome);
            } else {
                self.unseat(room, guest.number, outcome);
            }
        }
    }

    /// A guest of a neighbour is seen in a room, if there is place and she is not seen there yet.
    fn seat(&mut self, name: &RoomName, guest: &Arc<Guest>, outcome: &mut Outcome) {
        if self.rooms.get(name).is_some_and(|room| room.seated(guest.number).is_some()) {
            return;
        }
        let places = self.limits.places;
        let Some(neighbour) = self.neighbours.get(&guest.home) else { return };
        let by = By::Home(neighbour.key);
        let Some(room) = self.open(name, by, outcome).filter(|room| room.has_place(guest.home, places))
        else {
            return;
        };
        outcome.tell(name, room.listeners(), Event::Came(Arc::clone(guest)));
        room.seat(guest, vec![]);
    }

    /// A guest of a neighbour is in a room no more.
    pub(super) fn unseat(&mut self, name: &RoomName, number: u32, outcome: &mut Outcome) {
        let Some(room) = self.rooms.get_mut(name) else { return };
        if let Some(seated) = room.unseat(number) {
            outcome.tell(name, room.listeners(), Event::Went(seated.guest));
        }
    }

    pub(super) fn hear_seats(
        &mut self,
        home: HomeId,
        seats: Vec<(RoomName, Seat)>,
        stands: impl Fn(HomeId, KeyId) -> Standing,
        outcome: &mut Outcome,
    ) -> Result<(), Violation> {
        let most = self.limits.seats_per_neighbour;
        let Some(neighbour) = self.neighbours.get(&home) else { return Ok(()) };
        check(neighbour, &seats, most)?;
        for (name, seat) in seats {
            let Seat { number, member, name: called, dialect } = seat;
            let guest = match self.theirs(home, number) {
                Some(theirs) => Arc::clone(&theirs.guest),
                None => Arc::new(Guest { number: self.next_number(), member, name: called, dialect, home }),
            };
            let Some(neighbour) = self.neighbours.get_mut(&home) else { return Ok(()) };
            let theirs = neighbour
                .guests
                .entry(number)
                .or_insert_with(|| Theirs { guest: Arc::clone(&guest), rooms: BTreeSet::new() });
            theirs.rooms.insert(name.clone());
            neighbour.members.insert(member, number);
            neighbour.seats += 1;
            if stands(home, member) == Standing::Listed && !self.shunned.is(&guest) {
                self.seat(&name, &guest, outcome);
            }
        }
        Ok(())
    }

    pub(super) fn hear_went(&mut self, home: HomeId, room: &RoomName, number: u32, outcome: &mut Outcome) {
        let Some(neighbour) = self.neighbours.get_mut(&home) else { return };
        let Some(theirs) = neighbour.guests.get_mut(&number) else { return };
        if !theirs.rooms.remove(room) {
            return;
        }
        neighbour.seats -= 1;
        let ours = theirs.guest.number;
        if theirs.rooms.is_empty()
            && let Some(theirs) = neighbour.guests.remove(&number)
        {
            neighbour.members.remove(&theirs.guest.member);
        }
        self.unseat(room, ours, outcome);
    }

    pub(super) fn hear_renamed(
        &mut self,
        home: HomeId,
        seat: Seat,
        stands: impl Fn(HomeId, KeyId) -> Standing,
        outcome: &mut Outcome,
    ) -> Result<(), Violation> {
        let Seat { number, member, name, dialect } = seat;
        if name.len() > LONGEST_NAME {
            return Err(Violation::TooLarge);
        }
        let Some(neighbour) = self.neighbours.get_mut(&home) else { return Ok(()) };
        if neighbour.members.get(&member).is_some_and(|other| *other != number) {
            return Err(Violation::OutOfOrder);
        }
        let Some(theirs) = neighbour.guests.get_mut(&number) else { return Ok(()) };
        let now = Arc::new(Guest { number: theirs.guest.number, member, name, dialect, home });
        let before = std::mem::replace(&mut theirs.guest, Arc::clone(&now));
        neighbour.members.remove(&before.member);
        neighbour.members.insert(member, number);
        // Who is hidden under the new name goes under the one by which she is known.
        let standing = stands(home, member);
        if standing == Standing::Hidden || self.shunned.is(&now) {
            self.look(home, number, Standing::Hidden, outcome);
            return Ok(());
        }
        for name in self.theirs(home, number).map_or_else(BTreeSet::new, |theirs| theirs.rooms.clone()) {
            let Some(room) = self.rooms.get_mut(&name) else { continue };
            let Some(seated) = room.seated_mut(now.number) else { continue };
            seated.guest = Arc::clone(&now);
            outcome.tell(&name, room.listeners(), Event::Renamed(Arc::clone(&before), Arc::clone(&now)));
        }
        if standing == Standing::Listed {
            self.look(home, number, standing, outcome);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "seating_tests.rs"]
mod tests;

//! What is said in public in another protocol, and is carried into a room.
//!
//! Whoever says it is a guest from then on, without a connection that could hear anything, until she is gone from her
//! home. What members of this home say are lines of this home. What is said at a neighbour that knows no rooms is kept
//! here as a line of that neighbour and told to nobody: every home that is linked with it hears it by itself, and if
//! each made it a line of its own, everybody would read it as often as there are homes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytestring::ByteString;

use super::{
    Deed, Event, Guest, Line, LineId, Objection, Outcome, RoomName, RoomNews, Rooms, Speaker,
    house::{guest, seat},
    opening::By,
};
use crate::domain::{
    id::{HomeId, KeyId},
    member::Member,
};

/// Something that was said in public elsewhere than in a room.
#[derive(Clone, Debug)]
pub struct Carried<'a> {
    /// Into which room.
    pub room: &'a RoomName,
    /// By whom.
    pub member: &'a Arc<Member>,
    /// Where she is.
    pub home: HomeId,
    /// The key by which that home's lines are known here.
    pub key: KeyId,
    /// What.
    pub text: ByteString,
}

/// Somebody who speaks like that.
#[derive(Debug)]
pub(super) struct Carrier {
    pub(super) guest: Arc<Guest>,
    /// Into which rooms she was carried.
    rooms: BTreeSet<RoomName>,
}

/// All of them, so that whoever leaves is found without looking at the others.
pub(super) type Carriers = BTreeMap<(KeyId, HomeId), Carrier>;

impl Rooms {
    /// Something is carried into a room.
    ///
    /// # Errors
    /// It stays outside, and nothing has happened.
    pub fn carry(&mut self, said: Carried<'_>, now_ms: i64) -> Result<Outcome, Objection> {
        let Carried { room: name, member, home, key, text } = said;
        let mut outcome = Outcome::default();
        if self.muted.contains(&member.key) {
            return Err(Objection::Muted);
        }
        if text.len() > self.limits.history.line_bytes {
            return Err(Objection::TooLong);
        }
        if self.rooms.get(name).is_some_and(|room| room.is_closed()) {
            return Err(Objection::Closed);
        }
        self.open(name, By::House, &mut outcome).ok_or(Objection::TooManyRooms)?;
        let you = self.carrier(home, member);
        let is_seated = self.seat_carrier(name, &you, &mut outcome);
        let by = Some(Speaker { member: you.member, name: Arc::clone(&you.name), dialect: you.dialect });
        let line = if home == HomeId::OWN {
            self.author(name, by, (Deed::Said(text), true), now_ms, &mut outcome)
        } else {
            let id = LineId { stamp: self.clock.next(now_ms), home: key };
            let (room, deed) = (name.clone(), Deed::Said(text));
            let line = Arc::new(Line { id, room, by, deed, was_letter: true });
            if let Some(turn) = self.write(&line, now_ms, &mut outcome) {
                self.announce(name, &turn, &mut outcome);
            }
            line
        };
        if let Some(room) = self.rooms.get(name) {
            let event = if is_seated { Event::Said(you, line) } else { Event::Recalled(line) };
            outcome.tell(name, room.listeners(), event);
        }
        Ok(outcome)
    }

    /// The same guest whichever way she speaks.
    fn carrier(&mut self, home: HomeId, member: &Arc<Member>) -> Arc<Guest> {
        if let Some(known) = self.carriers.get(&(member.key, home)) {
            return Arc::clone(&known.guest);
        }
        let is_own = home == HomeId::OWN;
        let visitor = self.visitors.get(member.key).filter(|_| is_own);
        let known = visitor.map(|visitor| Arc::clone(&visitor.guest));
        let you = known.unwrap_or_else(|| {
            let number = self.next_number();
            Arc::new(Guest { home, ..(*guest(member, number)).clone() })
        });
        let carrier = Carrier { guest: Arc::clone(&you), rooms: BTreeSet::new() };
        self.carriers.insert((member.key, home), carrier);
        you
    }

    /// Says whether she is in. Where there is no place, what she says is read all the same.
    fn seat_carrier(&mut self, name: &RoomName, you: &Arc<Guest>, outcome: &mut Outcome) -> bool {
        let places = self.limits.places;
        let Some(room) = self.rooms.get_mut(name) else { return false };
        if room.seated(you.number).is_some() {
            return true;
        }
        if !room.has_place(you.home, places) {
            return false;
        }
        outcome.tell(name, room.listeners(), Event::Came(Arc::clone(you)));
        room.seat(you, vec![]);
        if let Some(carrier) = self.carriers.get_mut(&(you.member, you.home)) {
            carrier.rooms.insert(name.clone());
        }
        if you.home == HomeId::OWN {
            self.spread(RoomNews::Seats(vec![(name.clone(), seat(you))]), outcome);
        }
        true
    }

    /// Of those who have moved, who was carried into rooms and is at her home no more is gone from them, too.
    pub fn let_go<'a>(
        &mut self,
        moved: impl IntoIterator<Item = &'a KeyId>,
        is_present: impl Fn(HomeId, KeyId) -> bool,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        for member in moved {
            let homes = (*member, HomeId(u32::MIN))..=(*member, HomeId(u32::MAX));
            let gone = self.carriers.extract_if(homes, |(member, home), _| !is_present(*home, *member));
            for (_, Carrier { guest, rooms }) in gone.collect::<Vec<_>>() {
                for room in rooms {
                    self.unseat_carrier(room, &guest, &mut outcome);
                }
            }
        }
        outcome
    }

    fn unseat_carrier(&mut self, name: RoomName, guest: &Arc<Guest>, outcome: &mut Outcome) {
        let Some(room) = self.rooms.get_mut(&name) else { return };
        // Who is in with a connection leaves with that.
        if !room.seated(guest.number).is_some_and(|seated| seated.connections.is_empty()) {
            return;
        }
        room.unseat(guest.number);
        outcome.tell(&name, room.listeners(), Event::Went(Arc::clone(guest)));
        if guest.home == HomeId::OWN {
            self.spread(RoomNews::Went(name, guest.number), outcome);
        }
    }

    /// The guest as which this member was carried in, if she was.
    pub(super) fn carried(&self, member: KeyId) -> Option<Arc<Guest>> {
        self.carriers.get(&(member, HomeId::OWN)).map(|carrier| Arc::clone(&carrier.guest))
    }
}

#[cfg(test)]
#[path = "carrying_tests.rs"]
mod tests;

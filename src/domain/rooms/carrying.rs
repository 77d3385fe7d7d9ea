//! What is said in public in another protocol, and is carried into a room.
//!
//! Whoever says it is a guest from then on, without a connection that could hear anything, until she is gone from her
//! home. What members of this home say are lines of this home. What is said at a neighbour that knows no rooms is kept
//! here as a line of that neighbour and told to nobody: every home that is linked with it hears it by itself, and if
//! each made it a line of its own, everybody would read it as often as there are homes.

use std::{collections::BTreeMap, sync::Arc};

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

/// Everybody who speaks like that.
pub(super) type Carriers = BTreeMap<(HomeId, KeyId), Arc<Guest>>;

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
            self.author(name, by, Deed::Said(text), now_ms, &mut outcome)
        } else {
            let id = LineId { stamp: self.clock.next(now_ms), home: key };
            let line = Arc::new(Line { id, room: name.clone(), by, deed: Deed::Said(text) });
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
        if let Some(known) = self.carriers.get(&(home, member.key)) {
            return Arc::clone(known);
        }
        let is_own = home == HomeId::OWN;
        let visitor = self.visitors.get(member.key).filter(|_| is_own);
        let known = visitor.map(|visitor| Arc::clone(&visitor.guest));
        let you = known.unwrap_or_else(|| {
            let number = self.next_number();
            Arc::new(Guest { home, ..(*guest(member, number)).clone() })
        });
        self.carriers.insert((home, member.key), Arc::clone(&you));
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
        if you.home == HomeId::OWN {
            self.spread(RoomNews::Seats(vec![(name.clone(), seat(you))]), outcome);
        }
        true
    }

    /// Who was carried into rooms and is at her home no more is gone from them, too.
    pub fn let_go(&mut self, is_present: impl Fn(HomeId, KeyId) -> bool) -> Outcome {
        let mut outcome = Outcome::default();
        let gone = self.carriers.extract_if(.., |(home, member), _| !is_present(*home, *member));
        let gone: Vec<Arc<Guest>> = gone.map(|(_, guest)| guest).collect();
        for guest in gone {
            let names: Vec<_> = self.rooms.keys().cloned().collect();
            for name in names {
                let Some(room) = self.rooms.get_mut(&name) else { continue };
                // Who is in with a connection leaves with that.
                if !room.seated(guest.number).is_some_and(|seated| seated.connections.is_empty()) {
                    continue;
                }
                room.unseat(guest.number);
                outcome.tell(&name, room.listeners(), Event::Went(Arc::clone(&guest)));
                if guest.home == HomeId::OWN {
                    self.spread(RoomNews::Went(name, guest.number), &mut outcome);
                }
            }
        }
        outcome
    }

    /// The guest as which this member was carried in, if she was.
    pub(super) fn carried(&self, member: KeyId) -> Option<Arc<Guest>> {
        self.carriers.get(&(HomeId::OWN, member)).map(Arc::clone)
    }
}

#[cfg(test)]
#[path = "carrying_tests.rs"]
mod tests;

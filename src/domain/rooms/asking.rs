//! What members of this home want of rooms.

use std::{ops::Bound, sync::Arc};

use bytestring::ByteString;

use super::{
    Answer, Asker, Deed, Event, Guest, Line, LineId, Objection, Outcome, Page, RoomCard, RoomName, RoomNews,
    Rooms, Scene, Speaker, Wish,
    house::{guest, seat},
    opening::By,
};
use crate::domain::{
    id::{ConnectionId, HomeId},
    member::Member,
};

type Answered = Result<Answer, Objection>;

impl Rooms {
    /// The number of a member of this home, by which others tell her apart. Kept until her last connection that was
    /// welcomed or has asked something is gone.
    pub fn welcome(&mut self, connection: ConnectionId, member: &Arc<Member>) -> u32 {
        if let Some(visitor) = self.visitors.of(connection) {
            return visitor.guest.number;
        }
        let known = self.visitors.get(member.key).map(|visitor| Arc::clone(&visitor.guest));
        // Under another number she would be somebody else to whoever has heard her before.
        let known = known.or_else(|| self.carried(member.key));
        let guest = known.unwrap_or_else(|| guest(member, self.next_number()));
        let number = guest.number;
        self.visitors.admit(connection, guest);
        number
    }

    /// A member wishes something. To be called otherwise she may only wish after everybody else has agreed.
    pub fn ask(&mut self, asker: &Asker<'_>, wish: Wish, now_ms: i64) -> Outcome {
        let Asker { connection, member, .. } = *asker;
        self.welcome(connection, member);
        let mut outcome = Outcome::default();
        let answer = match wish {
            Wish::Enter(room) => self.enter(asker, &room, false, &mut outcome),
            Wish::Move(room) => self.enter(asker, &room, true, &mut outcome),
            Wish::Leave(room) => {
                if self.leave(connection, &room, &mut outcome) {
                    Ok(Answer::Left(room))
                } else {
                    Err(Objection::NoRoom)
                }
            }
            Wish::Say(room, text) => self.say(connection, room, text, now_ms, &mut outcome),
            Wish::List(after) => Ok(self.list(after.as_ref())),
            Wish::Page(page) => self.page(connection, page),
            Wish::Rename(name) => self.rename(connection, member, name, &mut outcome),
        };
        outcome.answer = Some(answer.unwrap_or_else(Answer::Refused));
        outcome
    }

    /// A connection is over, whether it ever asked anything or not.
    pub fn gone(&mut self, connection: ConnectionId) -> Outcome {
        let mut outcome = Outcome::default();
        for room in self.rooms_of(connection) {
            self.leave(connection, &room, &mut outcome);
        }
        self.visitors.dismiss(connection);
        outcome
    }

    fn rooms_of(&self, connection: ConnectionId) -> Vec<RoomName> {
        let visitor = self.visitors.of(connection);
        visitor.into_iter().flat_map(|visitor| visitor.rooms_of(connection)).cloned().collect()
    }

    fn enter(&mut self, asker: &Asker<'_>, name: &RoomName, alone: bool, outcome: &mut Outcome) -> Answered {
        let Asker { connection, member, from } = *asker;
        let visitor = self.visitors.of(connection).ok_or(Objection::Unsupported)?;
        let others: Vec<_> =
            visitor.rooms_of(connection).filter(|room| alone && *room != name).cloned().collect();
        if visitor.rooms_of(connection).any(|room| room == name) {
            for other in others {
                self.leave(connection, &other, outcome);
            }
            return Ok(Answer::Stayed(name.clone()));
        }
        let you = Arc::clone(&visitor.guest);
        let rooms =
            if alone { visitor.rooms_beside(connection) } else { visitor.rooms().into_iter().collect() };
        let is_in = rooms.contains(name);
        if !is_in && rooms.len() >= self.limits.rooms_per_member {
            return Err(Objection::TooManyRooms);
        }
        if let Some(room) = self.rooms.get(name) {
            if room.is_closed() {
                return Err(Objection::Closed);
            }
            if !is_in && room.len() >= self.limits.places.all {
                return Err(Objection::Full);
            }
        }
        // Neighbours hear of no more than this, and of one more they would hear nothing at all. What she leaves for it is
        // free by then.
        let own: usize = self.rooms.values().map(|room| room.of(HomeId::OWN)).sum();
        let left = if alone { visitor.rooms().len().saturating_sub(rooms.len()) } else { 0 };
        if !is_in && own.saturating_sub(left) >= self.limits.seats_per_neighbour {
            return Err(Objection::Full);
        }
        self.open(name, By::Member(member.key, from), outcome).ok_or(Objection::TooManyRooms)?;
        for other in others {
            self.leave(connection, &other, outcome);
        }
        self.take_seat(connection, name, &you, outcome);
        self.scene(name, you).map(Answer::Entered).ok_or(Objection::Unknown)
    }

    fn take_seat(
        &mut self,
        connection: ConnectionId,
        name: &RoomName,
        you: &Arc<Guest>,
        outcome: &mut Outcome,
    ) {
        if let Some(visitor) = self.visitors.of_mut(connection) {
            visitor.enter(connection, name);
        }
        let Some(room) = self.rooms.get_mut(name) else { return };
        if let Some(seated) = room.seated_mut(you.number) {
            seated.connections.push(connection);
            return;
        }
        outcome.tell(name, room.listeners(), Event::Came(Arc::clone(you)));
        room.seat(you, vec![connection]);
        self.spread(RoomNews::Seats(vec![(name.clone(), seat(you))]), outcome);
    }

    fn scene(&self, name: &RoomName, you: Arc<Guest>) -> Option<Scene> {
        let room = self.rooms.get(name)?;
        let (history, _) = room.page(None, usize::MAX, |line| self.is_readable(line));
        Some(Scene { room: name.clone(), topic: room.topic(), you, guests: room.guests(), history })
    }

    /// A connection leaves a room, and with the last one the guest. Says whether it was in.
    fn leave(&mut self, connection: ConnectionId, name: &RoomName, outcome: &mut Outcome) -> bool {
        let Some(visitor) = self.visitors.of_mut(connection) else { return false };
        let number = visitor.guest.number;
        if !visitor.leave(connection, name) {
            return false;
        }
        let Some(room) = self.rooms.get_mut(name) else { return false };
        let Some(seated) = room.seated_mut(number) else { return false };
        seated.connections.retain(|other| *other != connection);
        if seated.connections.is_empty()
            && let Some(seated) = room.unseat(number)
        {
            outcome.tell(name, room.listeners(), Event::Went(seated.guest));
            self.spread(RoomNews::Went(name.clone(), number), outcome);
        }
        true
    }

    fn say(
        &mut self,
        connection: ConnectionId,
        room: Option<RoomName>,
        text: ByteString,
        now_ms: i64,
        outcome: &mut Outcome,
    ) -> Answered {
        let visitor = self.visitors.of(connection).ok_or(Objection::Unsupported)?;
        let rooms: Vec<_> = visitor.rooms_of(connection).collect();
        let room = match (room, rooms.as_slice()) {
            (Some(room), rooms) if rooms.contains(&&room) => room,
            (None, [only]) => (*only).clone(),
            _ => return Err(Objection::NoRoom),
        };
        let you = Arc::clone(&visitor.guest);
        if self.muted.contains(&you.member) {
            return Err(Objection::Muted);
        }
        if text.len() > self.limits.history.line_bytes {
            return Err(Objection::TooLong);
        }
        let Guest { member, name, dialect, .. } = &*you;
        let by = Speaker { member: *member, name: Arc::clone(name), dialect: *dialect };
        let line = self.author(&room, Some(by), (Deed::Said(text), false), now_ms, outcome);
        let id = line.id;
        if let Some(here) = self.rooms.get(&room) {
            outcome.tell(&room, here.listeners(), Event::Said(you, line));
        }
        Ok(Answer::Said(id))
    }

    /// A new line of this home, and whether it was a letter. It is the newest of all.
    pub(super) fn author(
        &mut self,
        room: &RoomName,
        by: Option<Speaker>,
        (deed, was_letter): (Deed, bool),
        now_ms: i64,
        outcome: &mut Outcome,
    ) -> Arc<Line> {
        let after = self.archive.head();
        let id = LineId { stamp: self.clock.next(now_ms), home: self.own };
        self.archive.give(id.stamp);
        let line = Arc::new(Line { id, room: room.clone(), by, deed, was_letter });
        if let Some(turn) = self.write(&line, now_ms, outcome) {
            self.announce(room, &turn, outcome);
        }
        self.share(after, &line, outcome);
        line
    }

    /// As many rooms as fit into what is told at once; one at least.
    fn list(&self, after: Option<&RoomName>) -> Answer {
        let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
        let open =
            self.rooms.range::<RoomName, _>((behind, Bound::Unbounded)).filter(|(_, room)| !room.is_closed());
        let cards = open.map(|(name, room)| RoomCard {
            name: name.clone(),
            topic: room.topic(),
            guests: u32::try_from(room.len()).unwrap_or(u32::MAX),
        });
        let (mut rooms, mut bytes) = (Vec::new(), 0);
        for card in cards {
            bytes += card.bytes();
            if bytes > self.limits.list_bytes && !rooms.is_empty() {
                return Answer::Rooms(rooms, true);
            }
            rooms.push(card);
        }
        Answer::Rooms(rooms, false)
    }

    fn page(&self, connection: ConnectionId, page: Page) -> Answered {
        let Page { room, before, most } = page;
        let visitor = self.visitors.of(connection).ok_or(Objection::Unsupported)?;
        if !visitor.rooms_of(connection).any(|own| *own == room) {
            return Err(Objection::NoRoom);
        }
        let here = self.rooms.get(&room).ok_or(Objection::NoRoom)?;
        let (lines, more) = here.page(before, most.into(), |line| self.is_readable(line));
        Ok(Answer::History { room, lines, more })
    }

    fn rename(
        &mut self,
        connection: ConnectionId,
        member: &Member,
        name: Arc<str>,
        outcome: &mut Outcome,
    ) -> Answered {
        let number = self.visitors.of(connection).ok_or(Objection::Unsupported)?.guest.number;
        let now = Arc::new(Guest { name: Arc::clone(&name), ..(*guest(member, number)).clone() });
        let before = self.visitors.rename(connection, &now).ok_or(Objection::NickInUse)?;
        if before == now {
            return Ok(Answer::Renamed(name));
        }
        let visitor = self.visitors.of(connection).ok_or(Objection::Unsupported)?;
        let rooms: Vec<_> = visitor.rooms().into_iter().cloned().collect();
        for room in &rooms {
            let Some(here) = self.rooms.get_mut(room) else { continue };
            if let Some(seated) = here.seated_mut(number) {
                seated.guest = Arc::clone(&now);
            }
            let event = Event::Renamed(Arc::clone(&before), Arc::clone(&now));
            outcome.tell(room, here.listeners(), event);
        }
        if !rooms.is_empty() {
            self.spread(RoomNews::Renamed(seat(&now)), outcome);
        }
        Ok(Answer::Renamed(name))
    }
}

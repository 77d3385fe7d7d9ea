//! What the operator of this home wants.

use super::{
    Deed, Event, LineId, Objection, Order, Outcome, Record, RoomName, RoomNews, Rooms, opening::By,
    room::Seated,
};
use crate::domain::id::{HomeId, KeyId};

impl Rooms {
    /// The operator wants something. What is so already is no error.
    ///
    /// # Errors
    /// It cannot be.
    pub fn order(&mut self, order: Order, now_ms: i64) -> Result<Outcome, Objection> {
        let mut outcome = Outcome::default();
        match order {
            Order::Topic(room, text) => {
                if text.len() > self.limits.history.line_bytes {
                    return Err(Objection::TooLong);
                }
                self.open(&room, By::House, &mut outcome).ok_or(Objection::TooManyRooms)?;
                self.author(&room, None, (Deed::Topic(text), false), now_ms, &mut outcome);
            }
            Order::Withdraw(id) => self.withdraw(id, now_ms, &mut outcome)?,
            Order::Close(room) => self.close(&room, now_ms, &mut outcome)?,
            Order::Reopen(name) => {
                let room = self.rooms.get_mut(&name).ok_or(Objection::Unknown)?;
                if room.closed.take().is_some() {
                    outcome.records.push(room.record(&name));
                }
            }
            Order::Forget(room) => self.empty(&room, &mut outcome)?,
            Order::Mute(member, mute) => self.mute(member, mute, &mut outcome),
            Order::Kick(room, number) => self.kick(&room, number, &mut outcome)?,
        }
        Ok(outcome)
    }

    fn withdraw(&mut self, id: LineId, now_ms: i64, outcome: &mut Outcome) -> Result<(), Objection> {
        if id.home != self.own {
            return self.hide(id, outcome).ok_or(Objection::Unknown);
        }
        let line = self.archive.get(id.stamp).ok_or(Objection::Unknown)?;
        if !matches!(line.deed, Deed::Said(_)) {
            return Err(Objection::Unsupported);
        }
        let bytes = u32::try_from(line.bytes()).unwrap_or(u32::MAX);
        let room = line.room.clone();
        self.author(&room, None, (Deed::Withdrew { line: id, bytes }, false), now_ms, outcome);
        Ok(())
    }

    /// A line of another home is not ours to withdraw; here nobody reads it any more.
    fn hide(&mut self, id: LineId, outcome: &mut Outcome) -> Option<()> {
        let hidden = self.rooms.values_mut().find_map(|room| room.log.hide(id))?;
        outcome.tell(&hidden.room, self.rooms.get(&hidden.room)?.listeners(), Event::Withdrawn(id));
        outcome.records.extend([Record::Erased(id), Record::Line(hidden)]);
        Some(())
    }

    fn close(&mut self, name: &RoomName, now_ms: i64, outcome: &mut Outcome) -> Result<(), Objection> {
        let room = self.open(name, By::House, outcome).ok_or(Objection::TooManyRooms)?;
        if room.is_closed() {
            return Ok(());
        }
        room.closed = Some(now_ms);
        outcome.records.push(room.record(name));
        self.put_all_out(name, outcome);
        Ok(())
    }

    /// A room is as if it had never been. Those who are in it elsewhere stay there, and lines that were said before do not
    /// come back.
    fn empty(&mut self, name: &RoomName, outcome: &mut Outcome) -> Result<(), Objection> {
        self.put_all_out(name, outcome);
        let room = self.forget(name, outcome).ok_or(Objection::Unknown)?;
        let lines = room.all_lines();
        let own = self.own;
        for id in lines.clone().filter(|id| id.home == own) {
            self.retire(id.stamp, outcome);
        }
        if let Some(last) = lines.map(|id| id.stamp).max() {
            self.remember_emptied(name, last, outcome);
        }
        if let Some(rest) = room.emptied() {
            outcome.records.push(rest.record(name));
            self.put(name.clone(), rest);
        }
        Ok(())
    }

    /// Everybody of this home is out.
    fn put_all_out(&mut self, name: &RoomName, outcome: &mut Outcome) {
        let Some(room) = self.rooms.get(name) else { return };
        outcome.tell(name, room.listeners(), Event::Closed);
        let ours: Vec<_> = room.guests().into_iter().filter(|guest| guest.home == HomeId::OWN).collect();
        for guest in ours {
            self.put_out(name, guest.number, outcome);
        }
    }

    fn mute(&mut self, member: KeyId, mute: bool, outcome: &mut Outcome) {
        let changed = if mute { self.muted.insert(member) } else { self.muted.remove(&member) };
        if changed {
            outcome.records.push(Record::Muted(member, mute));
        }
    }

    fn kick(&mut self, name: &RoomName, number: u32, outcome: &mut Outcome) -> Result<(), Objection> {
        let room = self.rooms.get(name).ok_or(Objection::Unknown)?;
        let Seated { guest, .. } = room.seated(number).ok_or(Objection::Unknown)?;
        // Others are let in and put out where they are.
        if guest.home != HomeId::OWN {
            return Err(Objection::Unsupported);
        }
        outcome.tell(name, room.listeners(), Event::Expelled(guest.clone()));
        self.put_out(name, number, outcome);
        Ok(())
    }

    /// A guest of this home is in a room no more; whoever is here has heard why.
    fn put_out(&mut self, name: &RoomName, number: u32, outcome: &mut Outcome) {
        let Some(seated) = self.rooms.get_mut(name).and_then(|room| room.unseat(number)) else { return };
        self.visitors.expel(seated.guest.member, name);
        self.spread(RoomNews::Went(name.clone(), number), outcome);
    }
}

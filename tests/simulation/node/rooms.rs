//! What the Registry does with rooms: members ask, neighbours tell, and what follows is carried out.

use std::{collections::HashSet, sync::Arc};

use kith::{
    dialect::{Ear, press},
    domain::{
        Moment,
        admission::Origin,
        id::{ConnectionId, KeyId},
        refusal::Ending,
        rooms::{Asker, Order, Outcome, RoomNews, Rooms, Shunned, Wish as Wanted},
    },
};

use super::{Node, Wish};

impl Node {
    /// Who is in which room, and what was said there.
    pub(crate) const fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    fn unix_ms(&self, now: Moment) -> i64 {
        self.born_ms + i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
    }

    /// A member wants something of rooms.
    pub(crate) fn ask(&mut self, connection: ConnectionId, member: KeyId, wanted: Wanted, now: Moment) {
        let Some(member) = self.house.roster().find(member).map(Arc::clone) else { return };
        let asker = Asker { connection, member: &member, from: Origin::V6(connection.0) };
        let mut outcome = self.rooms.ask(&asker, wanted, self.unix_ms(now));
        let answer = outcome.answer.take().map(|answer| Wish::Answered(connection, Box::new(answer)));
        self.wishes.extend(answer);
        self.follow(outcome, now);
    }

    /// An operator wants something of rooms. It may be too late for that.
    pub(crate) fn order(&mut self, order: Order, now: Moment) {
        if let Ok(outcome) = self.rooms.order(order, self.unix_ms(now)) {
            self.follow(outcome, now);
        }
    }

    pub(super) fn leave_rooms(&mut self, connection: ConnectionId, now: Moment) {
        let outcome = self.rooms.gone(connection);
        self.follow(outcome, now);
    }

    pub(super) fn link_rooms(&mut self, peer: usize, key: Option<KeyId>, now: Moment) {
        let ear = self.neighbours.get(&peer).map(|neighbour| neighbour.ear);
        if let (Some(Ear::Kith), Some(key)) = (ear, key) {
            let outcome = self.rooms.link(self.home(peer), key);
            self.follow(outcome, now);
        }
    }

    pub(super) fn unlink_rooms(&mut self, peer: usize, now: Moment) {
        let outcome = self.rooms.unlink(self.home(peer));
        self.follow(outcome, now);
    }

    pub(super) fn hear_of_rooms(&mut self, socket: ConnectionId, peer: usize, news: RoomNews, now: Moment) {
        let (home, now_ms, mesh) = (self.home(peer), self.unix_ms(now), self.house.mesh());
        match self.rooms.hear(home, news, |home, key| mesh.standing(home, key), now_ms) {
            Ok(outcome) => self.follow(outcome, now),
            Err(violation) => self.close(socket, Ending::Violated(violation), now),
        }
    }

    /// Exactly these members of neighbours are banned from now on.
    pub(crate) fn ban(&mut self, banned: HashSet<KeyId>, now: Moment) {
        self.banned.clone_from(&banned);
        self.house.hide(|member| banned.contains(&member.key));
        let mesh = self.house.mesh();
        let shunned = Shunned { members: banned, ..Shunned::default() };
        let outcome = self.rooms.shun(shunned, |home, key| mesh.standing(home, key));
        self.follow(outcome, now);
    }

    /// These members of neighbours are listed now.
    pub(super) fn seat(&mut self, arrivals: &[KeyId], now: Moment) {
        let mesh = self.house.mesh();
        let outcome = self.rooms.look_at(arrivals, |home, key| mesh.standing(home, key));
        self.follow(outcome, now);
    }

    pub(super) fn tidy_rooms(&mut self, now: Moment) {
        let outcome = self.rooms.tidy(self.unix_ms(now));
        self.follow(outcome, now);
        let mesh = self.house.mesh();
        let outcome = self.rooms.look_around(|home, key| mesh.standing(home, key));
        self.follow(outcome, now);
    }

    fn follow(&mut self, outcome: Outcome, now: Moment) {
        let Outcome { answer: _, events, news, records } = outcome;
        let happened = |(room, listeners, event)| Wish::Happened(room, listeners, event);
        self.wishes.extend(events.into_iter().map(happened));
        if !records.is_empty() {
            self.wishes.push(Wish::Write(records));
        }
        for (homes, news) in news {
            for home in homes {
                let neighbour = self.neighbours.get(&self.place(home));
                let Some((voice, ear)) = neighbour.and_then(|found| Some((found.voice?, found.ear))) else {
                    continue;
                };
                for frame in press::room_news(&news, ear) {
                    self.offer(voice, frame, now);
                }
            }
        }
    }
}

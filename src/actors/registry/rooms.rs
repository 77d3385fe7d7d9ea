//! Rooms: what members and neighbours want of them, and who hears what follows.
//!
//! `domain/rooms` decides; here it is printed, once per way of hearing it, and offered to lanes: the answer
//! to who asked first, then what guests hear. What is missed there is not said again, so whoever has no room
//! for it is given up.

use std::sync::Arc;

use actix::{Context, Handler};

use super::{Registry, Room, RoomTold, pressed::Pressed};
use crate::{
    actors::{
        archivist::Chronicle,
        clock::unix_ms,
        event::Kind,
        lane::{Class, Lane},
    },
    dialect::{Ear, press},
    domain::{
        bridge,
        id::{ConnectionId, HomeId, KeyId},
        letter::{Frame, Origin},
        member::Member,
        refusal::{Ending, Refusal},
        rooms::{Answer, Asker, Deed, Event, Objection, Outcome, Record, RoomName, RoomNews, Ticket, Wish},
    },
};

/// Offers frames one behind the other, as far as there is room.
fn offer_all(lane: &Lane, frames: Vec<Frame>) {
    for frame in frames {
        if !lane.offer(frame, Class::Letter) {
            return;
        }
    }
}

impl Registry {
    /// Somebody came who is told by a number in rooms.
    pub(super) fn enlist(&mut self, connection: ConnectionId, member: &Arc<Member>) {
        self.rooms.welcome(connection, member);
    }

    pub(super) fn leave_rooms(&mut self, connection: ConnectionId) {
        let outcome = self.rooms.gone(connection);
        self.follow(outcome);
    }

    pub(super) fn link_rooms(&mut self, home: HomeId, key: KeyId) {
        let outcome = self.rooms.link(home, key);
        self.follow(outcome);
    }

    pub(super) fn unlink_rooms(&mut self, home: HomeId) {
        let outcome = self.rooms.unlink(home);
        self.follow(outcome);
    }

    pub(super) fn tidy_rooms(&mut self) {
        let outcome = self.rooms.tidy(unix_ms());
        self.follow(outcome);
        let mesh = self.switchboard.mesh();
        let outcome = self.rooms.look_around(|home, key| mesh.standing(home, key));
        self.follow(outcome);
    }

    fn answer(&self, connection: ConnectionId, ticket: Ticket, answer: &Answer) {
        if let Some(entry) = self.entries.get(&connection) {
            offer_all(&entry.lane, press::answer(ticket, answer, entry.ear));
        }
    }

    /// Tells and writes down what follows. The answer was given before.
    pub(super) fn follow(&mut self, outcome: Outcome) {
        for (room, guests, event) in &outcome.events {
            self.tell_guests(room, guests, event);
        }
        for (homes, news) in &outcome.news {
            self.tell_room_news(homes, news);
        }
        if !outcome.records.is_empty() {
            self.announce(&outcome.records);
            self.carry_out(&outcome.records);
            self.archivist.do_send(Chronicle(outcome.records));
        }
    }

    fn tell_guests(&self, room: &RoomName, guests: &[ConnectionId], event: &Event) {
        let (mut pressed, now_ms) = (Pressed::default(), unix_ms());
        let is_read = |ear: Ear| match event {
            Event::Said(_, line) | Event::Recalled(line) => {
                bridge::is_read_as_letter(line, ear.dialect(), now_ms)
            }
            _ => false,
        };
        let guests = guests.iter().filter_map(|guest| self.entries.get(guest));
        for entry in guests.filter(|entry| !is_read(entry.ear)) {
            let frames = pressed.hear(entry.ear, || press::room_event(room, event, entry.ear));
            offer_all(&entry.lane, frames);
        }
    }

    fn tell_room_news(&self, homes: &[HomeId], news: &RoomNews) {
        let mut pressed = Pressed::default();
        for neighbour in homes.iter().filter_map(|home| self.neighbours.get(home)) {
            let frames = pressed.hear(neighbour.ear, || press::room_news(news, neighbour.ear));
            offer_all(&neighbour.lane, frames);
        }
    }

    /// Tells whoever watches the house. What is told of rooms is what is written down of them.
    fn announce(&self, records: &[Record]) {
        for record in records {
            let kind = match record {
                Record::Line(line) => match &line.deed {
                    Deed::Said(_) => {
                        self.tally.lines.inc();
                        continue;
                    }
                    Deed::Topic(_) => Kind::TopicSet { room: line.room.clone() },
                    Deed::Withdrew { line: id, .. } => {
                        Kind::LineWithdrawn { room: line.room.clone(), line: *id }
                    }
                },
                Record::Muted(member, true) => Kind::Muted { member: *member },
                Record::Muted(member, false) => Kind::Unmuted { member: *member },
                Record::Room(_)
                | Record::Erased(_)
                | Record::Forgotten(_)
                | Record::Emptied(..)
                | Record::Head(_) => continue,
            };
            self.bulletin.publish(kind);
        }
    }
}

impl Handler<Room> for Registry {
    type Result = ();

    fn handle(&mut self, room: Room, ctx: &mut Context<Self>) {
        let Room { connection, ticket, wish } = room;
        self.inbox.taken(wish.cost());
        // Under another nick she could speak again.
        if matches!(wish, Wish::Rename(_))
            && self.entries.get(&connection).is_some_and(|entry| self.rooms.is_muted(entry.member.key))
        {
            return self.answer(connection, ticket, &Answer::Refused(Objection::Muted));
        }
        if let Wish::Rename(nick) = &wish
            && let Err(refusal) = self.rename(connection, nick, ctx)
        {
            let why = match refusal {
                Refusal::NameInUse => Objection::NickInUse,
                Refusal::Banned => Objection::Banned,
                _ => Objection::Unsupported,
            };
            return self.answer(connection, ticket, &Answer::Refused(why));
        }
        let Some(entry) = self.entries.get(&connection) else { return };
        let (member, from) = (Arc::clone(&entry.member), entry.address.into());
        let is_for_good = matches!(wish, Wish::Move(_)) && self.terms.tpacket_strict_seed;
        if is_for_good && entry.has_chosen {
            return self.answer(connection, ticket, &Answer::Refused(Objection::Unsupported));
        }
        let opened = match &wish {
            Wish::Enter(room) | Wish::Move(room) if !self.rooms.contains(room) => Some(room.clone()),
            _ => None,
        };
        let outcome = self.rooms.ask(&Asker { connection, member: &member, from }, wish, unix_ms());
        if let Some(entry) = self.entries.get_mut(&connection) {
            entry.has_chosen |= is_for_good && matches!(outcome.answer, Some(Answer::Entered(_)));
        }
        if let (Some(room), Some(Answer::Entered(_))) = (opened, &outcome.answer) {
            self.bulletin.publish(Kind::RoomOpened { room });
        }
        if let Some(answer) = &outcome.answer {
            self.answer(connection, ticket, answer);
        }
        self.follow(outcome);
    }
}

impl Handler<RoomTold> for Registry {
    type Result = ();

    fn handle(&mut self, RoomTold { home, news }: RoomTold, _: &mut Context<Self>) {
        self.inbox.taken(news.cost());
        let mesh = self.switchboard.mesh();
        match self.rooms.hear(home, news, |home, key| mesh.standing(home, key), unix_ms()) {
            Ok(outcome) => self.follow(outcome),
            Err(violation) => {
                self.count_against(Origin::Home(home));
                if let Some(neighbour) = self.neighbours.get(&home) {
                    neighbour.lane.end(Ending::Violated(violation));
                }
            }
        }
    }
}

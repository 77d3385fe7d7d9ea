//! Homes for tests: members by short names, and what everybody in the rooms has heard.

use std::{collections::BTreeMap, sync::Arc};

use super::*;
use crate::domain::{
    dialect::Dialect,
    id::{ConnectionId, HomeId, KeyId},
    limits::Limits,
    member::Member,
    refusal::Violation,
};

/// When scenes begin: whatever was kept for a month was said after 1970.
pub(super) const START: i64 = 1_700_000_000_000;

pub(super) fn key(seed: u8) -> KeyId {
    KeyId([seed; 32])
}

pub(super) fn room(name: &str) -> RoomName {
    RoomName::new(name).expect("a name")
}

pub(super) fn member(seed: u8, name: &str) -> Arc<Member> {
    let (name, public_key, spelled) = (Some(name.into()), "".into(), key(seed));
    Arc::new(Member { key: key(seed), name, number: 0, dialect: Dialect::Socp, public_key, spelled })
}

/// A home in which member n has connection n and is called by a letter.
pub(super) struct Home {
    pub(super) rooms: Rooms,
    pub(super) now: i64,
    /// The roster of each room as each connection knows it from what it was told, by number.
    rosters: BTreeMap<(ConnectionId, RoomName), Vec<Arc<Guest>>>,
    /// What each connection was told in words.
    pub(super) told: Vec<(ConnectionId, String)>,
}

impl Home {
    pub(super) fn new(seed: u8, limits: &Limits) -> Self {
        let (rosters, told) = (BTreeMap::new(), Vec::new());
        Self { rooms: Rooms::new(key(seed), limits), now: START, rosters, told }
    }

    pub(super) fn with(limits: &Limits) -> Self {
        Self::new(200, limits)
    }

    pub(super) fn asks(&mut self, who: u8, wish: Wish) -> Outcome {
        let name = char::from(b'a' + who).to_string();
        self.asks_as(who, &member(who, &name), wish)
    }

    pub(super) fn asks_as(&mut self, who: u8, member: &Arc<Member>, wish: Wish) -> Outcome {
        let connection = ConnectionId(who.into());
        let outcome = self.rooms.ask(&Asker { connection, member }, wish, self.now);
        match &outcome.answer {
            Some(Answer::Entered(scene)) => {
                assert_eq!(scene.guests.last(), Some(&scene.you), "the newcomer is last");
                self.rosters.insert((connection, scene.room.clone()), scene.guests.clone());
            }
            Some(Answer::Left(room)) => {
                self.rosters.remove(&(connection, room.clone()));
            }
            _ => {}
        }
        self.hears(&outcome);
        outcome
    }

    pub(super) fn enters(&mut self, who: u8, name: &str) -> Answer {
        self.asks(who, Wish::Enter(room(name))).answer.expect("an answer")
    }

    pub(super) fn moves(&mut self, who: u8, name: &str) -> Outcome {
        let before: Vec<_> = self.rosters.keys().filter(|(id, _)| id.0 == u64::from(who)).cloned().collect();
        let outcome = self.asks(who, Wish::Move(room(name)));
        if !matches!(outcome.answer, Some(Answer::Refused(_))) {
            for place in before.into_iter().filter(|(_, left)| left.as_str() != name) {
                self.rosters.remove(&place);
            }
        }
        outcome
    }

    pub(super) fn says(&mut self, who: u8, name: &str, text: &str) -> Option<LineId> {
        match self.asks(who, Wish::Say(Some(room(name)), text.to_owned().into())).answer {
            Some(Answer::Said(id)) => Some(id),
            _ => None,
        }
    }

    pub(super) fn goes(&mut self, who: u8) -> Outcome {
        let connection = ConnectionId(who.into());
        let outcome = self.rooms.gone(connection);
        self.rosters.retain(|(id, _), _| *id != connection);
        self.hears(&outcome);
        outcome
    }

    pub(super) fn orders(&mut self, order: Order) -> Result<Outcome, Objection> {
        let outcome = self.rooms.order(order, self.now)?;
        self.hears(&outcome);
        Ok(outcome)
    }

    pub(super) fn links(&mut self, home: u32, seed: u8) -> Outcome {
        let outcome = self.rooms.link(HomeId(home), key(seed));
        self.hears(&outcome);
        outcome
    }

    pub(super) fn unlinks(&mut self, home: u32) -> Outcome {
        let outcome = self.rooms.unlink(HomeId(home));
        self.hears(&outcome);
        outcome
    }

    pub(super) fn is_told(&mut self, home: u32, news: RoomNews) -> Result<Outcome, Violation> {
        let outcome = self.rooms.hear(HomeId(home), news, self.now)?;
        self.hears(&outcome);
        Ok(outcome)
    }

    pub(super) fn tidies(&mut self) -> Outcome {
        let outcome = self.rooms.tidy(self.now);
        self.hears(&outcome);
        outcome
    }

    /// Plays what was told into what everybody knows. Whoever hears of somebody unknown, fails.
    fn hears(&mut self, outcome: &Outcome) {
        for (room, listeners, event) in &outcome.events {
            for listener in listeners {
                let roster = self.rosters.get_mut(&(*listener, room.clone())).expect("one who is in");
                let at = |guest: &Arc<Guest>| roster.iter().position(|known| known == guest);
                let words = match event {
                    Event::Came(guest) => {
                        assert!(roster.iter().all(|known| known.number != guest.number), "came twice");
                        roster.push(Arc::clone(guest));
                        format!("+{}", guest.name)
                    }
                    Event::Went(guest) | Event::Expelled(guest) => {
                        let place = at(guest).expect("one who was here");
                        roster.remove(place);
                        format!("-{}", guest.name)
                    }
                    Event::Renamed(before, now) => {
                        let place = at(before).expect("one who was here");
                        assert_eq!(before.number, now.number);
                        roster[place] = Arc::clone(now);
                        format!("{}={}", before.name, now.name)
                    }
                    Event::Said(guest, line) => {
                        assert!(at(guest).is_some(), "who says something is here");
                        format!("{}: {}", guest.name, words(line))
                    }
                    Event::Recalled(line) => format!("({})", words(line)),
                    Event::Topic(topic) => format!("#{}", topic.as_deref().unwrap_or_default()),
                    Event::Withdrawn(_) => "withdrawn".to_owned(),
                    Event::Closed => {
                        roster.clear();
                        "closed".to_owned()
                    }
                };
                self.told.push((*listener, words));
            }
        }
        let out: Vec<_> =
            outcome.events.iter().filter(|(_, _, event)| matches!(event, Event::Closed)).collect();
        for (room, _, _) in out {
            self.rosters.retain(|(_, place), _| place != room);
        }
        for (room, _, event) in &outcome.events {
            if let Event::Expelled(guest) = event {
                let own = ConnectionId(guest.member.0[0].into());
                self.rosters.remove(&(own, room.clone()));
            }
        }
    }

    /// Whoever is in a room knows exactly who is in it.
    pub(super) fn everybody_knows_everybody(&self) {
        for ((listener, name), known) in &self.rosters {
            let real = self.rooms.room(name).expect("a room").guests;
            assert_eq!(known, &real, "{listener} in {name}");
        }
    }

    /// What this member has heard since the last time.
    pub(super) fn heard(&mut self, who: u8) -> Vec<String> {
        let id = ConnectionId(who.into());
        let heard = self.told.extract_if(.., |(listener, _)| *listener == id);
        heard.map(|(_, words)| words).collect()
    }

    /// What was said in a room, oldest first.
    pub(super) fn history(&self, name: &str) -> Vec<String> {
        let lines = self.rooms.history(&room(name), None, usize::MAX);
        lines.map_or_else(Vec::new, |(lines, _)| lines.iter().map(|line| words(line)).collect())
    }
}

pub(super) fn words(line: &Line) -> String {
    match &line.deed {
        Deed::Said(text) => text.to_string(),
        Deed::Topic(text) => format!("#{text}"),
        Deed::Withdrew { .. } => "withdrew".to_owned(),
    }
}

/// A line of a neighbour whose key has this seed.
pub(super) fn line(seed: u8, unix_ms: i64, place: &str, deed: Deed) -> Arc<Line> {
    let by = Some(Speaker { member: key(seed + 1), name: "x".into(), dialect: None });
    Arc::new(Line { id: id(seed, unix_ms), room: room(place), by, deed })
}

pub(super) fn id(seed: u8, unix_ms: i64) -> LineId {
    LineId { stamp: Stamp::at(unix_ms), home: key(seed) }
}

/// The same in words.
pub(super) fn said(seed: u8, unix_ms: i64, place: &str, text: &str) -> Arc<Line> {
    line(seed, unix_ms, place, Deed::Said(text.to_owned().into()))
}

pub(super) fn seat_of(number: u32, seed: u8, name: &str) -> Seat {
    Seat { number, member: key(seed), name: name.into(), dialect: Some(Dialect::Olaf) }
}

/// Everything behind this stamp.
pub(super) fn told(after: Stamp, lines: Vec<Arc<Line>>) -> RoomNews {
    let through = lines.last().map_or(after, |line| line.id.stamp);
    RoomNews::Lines(Lines { after, through, more: false, lines })
}

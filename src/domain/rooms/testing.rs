//! Homes for tests: members by short names, and what everybody in the rooms has heard.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::*;
use crate::domain::{
    admission::Origin,
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
    let (fingerprint, sealing_key, display_name) = (None, None, None);
    let (key, number, dialect) = (key(seed), 0, Dialect::Socp);
    Arc::new(Member {
        key,
        name,
        number,
        dialect,
        public_key,
        spelled,
        fingerprint,
        sealing_key,
        display_name,
    })
}

/// What is added to the seed of a member who is called otherwise.
pub(super) const RENAMED: u8 = 60;

/// A home in which member n has connection n and is called by a letter.
pub(super) struct Home {
    pub(super) rooms: Rooms,
    pub(super) now: i64,
    key: u8,
    limits: Limits,
    /// What each connection knows of each room that it is in.
    views: BTreeMap<(ConnectionId, RoomName), View>,
    /// Whose each number is.
    numbers: BTreeMap<u32, (HomeId, u8)>,
    /// What each connection was told in words.
    told: Vec<(ConnectionId, String)>,
    /// What was written down.
    records: Vec<Record>,
}

/// A room as somebody who is in it has been told about it.
#[derive(Default)]
struct View {
    roster: Vec<Arc<Guest>>,
    lines: BTreeSet<LineId>,
}

impl View {
    fn of(scene: &Scene) -> Self {
        assert_eq!(scene.guests.last(), Some(&scene.you), "the newcomer is last");
        let lines = scene.history.iter().map(|line| line.id).collect();
        Self { roster: scene.guests.clone(), lines }
    }

    fn place(&self, guest: &Arc<Guest>) -> usize {
        self.roster.iter().position(|known| known == guest).expect("one who is here")
    }

    fn hears(&mut self, line: &Line) -> String {
        assert!(self.lines.insert(line.id), "this was told before: {}", words(line));
        words(line)
    }

    /// Plays what was told into what is known.
    fn plays(&mut self, event: &Event) -> String {
        match event {
            Event::Came(guest) => {
                assert!(self.roster.iter().all(|known| known.number != guest.number), "came twice");
                self.roster.push(Arc::clone(guest));
                format!("+{}", guest.name)
            }
            Event::Went(guest) | Event::Expelled(guest) => {
                self.roster.remove(self.place(guest));
                format!("-{}", guest.name)
            }
            Event::Renamed(before, now) => {
                assert_eq!(before.number, now.number);
                let place = self.place(before);
                self.roster[place] = Arc::clone(now);
                format!("{}={}", before.name, now.name)
            }
            Event::Said(guest, line) => {
                self.place(guest);
                format!("{}: {}", guest.name, self.hears(line))
            }
            Event::Recalled(line) => format!("({})", self.hears(line)),
            Event::Topic(topic) => format!("#{}", topic.as_deref().unwrap_or_default()),
            Event::Withdrawn(id) => {
                self.lines.remove(id);
                "withdrawn".to_owned()
            }
            Event::Closed => {
                self.roster.clear();
                "closed".to_owned()
            }
        }
    }
}

impl Home {
    pub(super) fn new(seed: u8, limits: &Limits) -> Self {
        Self {
            rooms: Rooms::new(key(seed), limits),
            now: START,
            key: seed,
            limits: limits.clone(),
            views: BTreeMap::new(),
            numbers: BTreeMap::new(),
            told: Vec::new(),
            records: Vec::new(),
        }
    }

    /// Crashes and starts again, without the last things that should have been written down.
    pub(super) fn restarts(&mut self, lost: usize) {
        let stored = self.records.len().saturating_sub(lost);
        self.records.truncate(stored);
        let mut again = Self { now: self.now, ..Self::new(self.key, &self.limits) };
        again.records = std::mem::take(&mut self.records);
        let outcome = again.rooms.restore(kept(&again.records), again.now);
        again.hears(&outcome);
        *self = again;
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
        let from = Origin::V6(connection.0);
        let outcome = self.rooms.ask(&Asker { connection, member, from }, wish, self.now);
        match &outcome.answer {
            Some(Answer::Entered(scene)) => {
                self.views.insert((connection, scene.room.clone()), View::of(scene));
            }
            Some(Answer::Left(room)) => {
                self.views.remove(&(connection, room.clone()));
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
        let before: Vec<_> = self.views.keys().filter(|(id, _)| id.0 == u64::from(who)).cloned().collect();
        let outcome = self.asks(who, Wish::Move(room(name)));
        if !matches!(outcome.answer, Some(Answer::Refused(_))) {
            for place in before.into_iter().filter(|(_, left)| left.as_str() != name) {
                self.views.remove(&place);
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
        self.views.retain(|(id, _), _| *id != connection);
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
        let outcome = self.rooms.hear(HomeId(home), news, |_, _| Standing::Listed, self.now)?;
        self.hears(&outcome);
        Ok(outcome)
    }

    pub(super) fn tidies(&mut self) -> Outcome {
        let outcome = self.rooms.tidy(self.now);
        self.hears(&outcome);
        outcome
    }

    pub(super) fn hears(&mut self, outcome: &Outcome) {
        self.records.extend(outcome.records.iter().cloned());
        for (room, listeners, event) in &outcome.events {
            for listener in listeners {
                let view = self.views.get_mut(&(*listener, room.clone())).expect("one who is in");
                self.told.push((*listener, view.plays(event)));
            }
        }
        for (room, _, event) in &outcome.events {
            match event {
                Event::Closed => self.views.retain(|(_, place), _| place != room),
                Event::Expelled(guest) => {
                    let out = ConnectionId(u64::from(guest.member.0[0] % RENAMED));
                    self.views.remove(&(out, room.clone()));
                }
                _ => {}
            }
        }
        for guest in self.rooms.rooms().flat_map(|view| view.guests) {
            let person = (guest.home, guest.member.0[0] % RENAMED);
            let owner = *self.numbers.entry(guest.number).or_insert(person);
            assert_eq!(owner, person, "a number was given twice");
        }
    }

    /// Whoever is in a room knows exactly who is in it.
    pub(super) fn everybody_knows_everybody(&self) {
        for ((listener, name), known) in &self.views {
            let real = self.rooms.room(name).expect("a room").guests;
            assert_eq!(known.roster, real, "{listener} in {name}");
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

/// What is found of what was written down.
fn kept(records: &[Record]) -> Kept {
    let mut kept = Kept::default();
    records.iter().cloned().for_each(|record| kept.note(record));
    // In whatever order.
    kept.lines.reverse();
    kept
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
    Arc::new(Line { id: id(seed, unix_ms), room: room(place), by, deed, was_letter: false })
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

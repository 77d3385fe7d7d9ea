//! All rooms of this home: what its parts have in common, and what is seen from outside.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use super::{
    Deed, Event, Guest, Kept, Line, LineId, Outcome, Record, RoomName, RoomNews, RoomView, Seat, Stamp,
    archive::Archive,
    carrying::Carriers,
    clock::Clock,
    heard::Heard,
    log::Bounds,
    neighbours::Neighbour,
    numbers::Numbers,
    opening::{By, Emptied, Openings, Shares},
    room::{Places, Room, Turn},
    shunned::Shunned,
    visitors::Visitors,
};
use crate::domain::{
    id::{ConnectionId, HomeId, KeyId},
    limits::Limits,
    member::Member,
};

/// Bytes that a neighbour is told at once, at most.
const PART_BYTES: usize = 64 << 10;

/// Bytes of a list of rooms that a member is told at once, at most: a thousand rooms with short topics.
const LIST_BYTES: usize = 256 << 10;

/// All rooms of this home.
#[derive(Debug)]
pub struct Rooms {
    pub(super) own: KeyId,
    pub(super) limits: Most,
    pub(super) clock: Clock,
    pub(super) rooms: BTreeMap<RoomName, Room>,
    pub(super) visitors: Visitors,
    pub(super) carriers: Carriers,
    pub(super) neighbours: BTreeMap<HomeId, Neighbour>,
    pub(super) archive: Archive,
    pub(super) heard: Heard,
    pub(super) muted: BTreeSet<KeyId>,
    pub(super) shunned: Shunned,
    pub(super) openings: Openings,
    pub(super) emptied: Emptied,
    pub(super) numbers: Numbers,
    pub(super) uses: u64,
}

/// The limits that are in force here.
#[derive(Debug)]
pub(super) struct Most {
    pub(super) shares: Shares,
    pub(super) rooms_per_member: usize,
    pub(super) places: Places,
    pub(super) seats_per_neighbour: usize,
    /// Bytes that a neighbour is told at once.
    pub(super) part_bytes: usize,
    /// Bytes that a member is told at once who asks which rooms there are.
    pub(super) list_bytes: usize,
    pub(super) history: Bounds,
}

impl Most {
    fn new(limits: &Limits) -> Self {
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        Self {
            shares: Shares::new(limits),
            rooms_per_member: count(limits.rooms_per_member),
            places: Places::new(count(limits.room_guests)),
            seats_per_neighbour: count(limits.peer_members),
            // However little may wait for a neighbour, there is room for much else beside it.
            part_bytes: (count(limits.peer_queue_bytes) / 16).min(PART_BYTES),
            // What is written around them makes it more, and other things wait, too.
            list_bytes: (count(limits.queue_bytes) / 8).min(LIST_BYTES),
            history: Bounds {
                lines: count(limits.room_lines),
                bytes: count(limits.room_bytes),
                line_bytes: count(limits.room_line_bytes),
                keep_ms: i64::from(limits.room_keep_s).saturating_mul(1000),
            },
        }
    }
}

impl Rooms {
    /// No rooms yet, at the home with this key.
    #[must_use]
    pub fn new(own: KeyId, limits: &Limits) -> Self {
        Self {
            own,
            limits: Most::new(limits),
            clock: Clock::default(),
            rooms: BTreeMap::new(),
            visitors: Visitors::default(),
            carriers: Carriers::new(),
            neighbours: BTreeMap::new(),
            archive: Archive::default(),
            heard: Heard::default(),
            muted: BTreeSet::new(),
            shunned: Shunned::default(),
            openings: Openings::default(),
            emptied: Emptied::new(),
            numbers: Numbers::default(),
            uses: 0,
        }
    }

    /// What was written down is there again, if anything was. Once, and before anything else. What follows is what no
    /// longer fits.
    pub fn restore(&mut self, kept: Kept, now_ms: i64) -> Outcome {
        let mut outcome = Outcome::default();
        self.muted.extend(kept.muted);
        self.emptied.extend(kept.emptied);
        for kept in kept.rooms {
            let room = Room::restored(&kept);
            self.put(kept.name, room);
        }
        let mut lines = kept.lines;
        lines.sort_by_key(|line| line.id);
        let last = lines.last().map_or(Stamp::ZERO, |line| line.id.stamp);
        for line in lines {
            let line = Arc::new(line);
            // They are in order.
            self.heard.note(line.id.home, line.id.stamp);
            let turn = self.write(&line, now_ms, &mut outcome);
            if turn.is_none_or(|turn| !turn.is_new) {
                outcome.records.push(Record::Erased(line.id));
            }
        }
        // It is in the store already.
        outcome.records.retain(|record| !matches!(record, Record::Line(_)));
        self.archive.give(kept.head);
        let own = self.heard.through(self.own);
        self.heard.bound(|_| false);
        self.clock.restore(last, own, now_ms);
        outcome
    }

    /// What is too old goes; what came too early is asked for again. Once a minute is often enough.
    pub fn tidy(&mut self, now_ms: i64) -> Outcome {
        let mut outcome = Outcome::default();
        let oldest = self.limits.history.oldest(now_ms);
        let turns = self.rooms.iter_mut().map(|(name, room)| (name.clone(), room.expire(oldest)));
        for (name, turn) in turns.collect::<Vec<_>>() {
            self.settle(&turn, &mut outcome);
            self.announce(&name, &turn, &mut outcome);
        }
        self.forget_stale(oldest, &mut outcome);
        self.ask_again(now_ms, &mut outcome);
        outcome
    }

    /// The rooms in the order of their names.
    pub fn rooms(&self) -> impl Iterator<Item = RoomView> {
        self.rooms_behind(None)
    }

    /// Those behind this name.
    pub fn rooms_behind(&self, after: Option<&RoomName>) -> impl Iterator<Item = RoomView> {
        let behind = (after.map_or(Unbounded, Excluded), Unbounded);
        self.rooms.range::<RoomName, _>(behind).map(|(name, room)| room.view(name))
    }

    /// Whether there is such a room.
    #[must_use]
    pub fn contains(&self, name: &RoomName) -> bool {
        self.rooms.contains_key(name)
    }

    /// How many rooms there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rooms.len()
    }

    /// Where everybody is who is in a room, once for each room.
    pub fn seats(&self) -> impl Iterator<Item = HomeId> {
        self.rooms.values().flat_map(Room::homes)
    }

    /// One of them.
    #[must_use]
    pub fn room(&self, name: &RoomName) -> Option<RoomView> {
        Some(self.rooms.get(name)?.view(name))
    }

    /// At most so many lines of a room, the newest or those right before this one, oldest first, and whether there
    /// are older ones. Nothing is hidden from operators but what was withdrawn.
    #[must_use]
    pub fn history(
        &self,
        room: &RoomName,
        before: Option<LineId>,
        most: usize,
    ) -> Option<(Vec<Arc<Line>>, bool)> {
        Some(self.rooms.get(room)?.page(before, most, |_| true))
    }

    /// Who may say nothing.
    pub fn muted(&self) -> impl Iterator<Item = KeyId> {
        self.muted.iter().copied()
    }

    /// Whether this one may say nothing.
    #[must_use]
    pub fn is_muted(&self, member: KeyId) -> bool {
        self.muted.contains(&member)
    }

    /// Whether the members of this home see this line. In a room that is closed here they see nothing.
    #[must_use]
    pub fn shows(&self, line: &Line) -> bool {
        self.rooms.get(&line.room).is_none_or(|room| !room.is_closed()) && self.is_readable(line)
    }

    /// Whether whoever may read the history of its room reads this line.
    pub(super) fn is_readable(&self, line: &Line) -> bool {
        let is_muted = || line.by.as_ref().is_some_and(|by| self.muted.contains(&by.member));
        (line.id.home == self.own || !is_muted()) && !self.shunned.has_said(line)
    }

    /// All connections that hear what happens in a room.
    #[must_use]
    pub fn listeners(&self, room: &RoomName) -> Vec<ConnectionId> {
        self.rooms.get(room).map_or_else(Vec::new, Room::listeners)
    }

    /// Whether this connection is in a room.
    #[must_use]
    pub fn is_in(&self, connection: ConnectionId, room: &RoomName) -> bool {
        let visitor = self.visitors.of(connection);
        visitor.is_some_and(|visitor| visitor.rooms_of(connection).any(|own| own == room))
    }

    /// A number that no guest has.
    pub(super) fn next_number(&mut self) -> u32 {
        let mut numbers = self.numbers;
        let number = numbers.give(|number| {
            let carried = self.carriers.values().map(|carrier| &carrier.guest);
            let theirs = self.neighbours.values().flat_map(|neighbour| neighbour.guests.values());
            let guests = carried.chain(theirs.map(|theirs| &theirs.guest)).chain(self.visitors.guests());
            guests.into_iter().any(|guest| guest.number == number)
        });
        self.numbers = numbers;
        number
    }

    /// A line of this home or of a neighbour is kept, if it is new and there is place for it.
    pub(super) fn write(&mut self, line: &Arc<Line>, now_ms: i64, outcome: &mut Outcome) -> Option<Turn> {
        let (own, bounds) = (self.own, self.limits.history);
        // No room is made for a line that is too old; topics are in force however old they are.
        let is_late = line.id.stamp < bounds.oldest(now_ms) && !matches!(line.deed, Deed::Topic(_));
        if is_late && !self.rooms.contains_key(&line.room) {
            return None;
        }
        if self.emptied.get(&line.room).is_some_and(|through| line.id.stamp <= *through) {
            return None;
        }
        let by = if line.id.home == own { By::House } else { By::Home(line.id.home) };
        let turn = self.open(&line.room, by, outcome)?.keep(line, &bounds, now_ms);
        if turn.is_new {
            outcome.records.push(Record::Line(Arc::clone(line)));
            if line.id.home == own {
                self.archive.push(line);
            }
        }
        self.settle(&turn, outcome);
        Some(turn)
    }

    /// What is gone from a room is gone from everywhere.
    pub(super) fn settle(&mut self, turn: &Turn, outcome: &mut Outcome) {
        for id in &turn.gone {
            outcome.records.push(Record::Erased(*id));
            if id.home == self.own {
                self.retire(id.stamp, outcome);
            }
        }
    }

    /// A line of this home is no longer kept. If it was the newest, neighbours go on from there nevertheless, also
    /// after a restart: who knows a stamp that we do not know to have given must drop all that it has of us.
    pub(super) fn retire(&mut self, stamp: Stamp, outcome: &mut Outcome) {
        self.archive.remove(stamp);
        if stamp == self.archive.head() {
            outcome.records.push(Record::Head(stamp));
        }
    }

    /// What a line has changed is told to the guests of this home.
    pub(super) fn announce(&self, name: &RoomName, turn: &Turn, outcome: &mut Outcome) {
        let Some(room) = self.rooms.get(name) else { return };
        for id in &turn.withdrawn {
            outcome.tell(name, room.listeners(), Event::Withdrawn(*id));
        }
        if turn.retitled {
            outcome.tell(name, room.listeners(), Event::Topic(room.topic()));
        }
    }

    /// All neighbours hear this.
    pub(super) fn spread(&self, news: RoomNews, outcome: &mut Outcome) {
        outcome.spread(self.neighbours.keys().copied().collect(), news);
    }
}

/// The member as a guest.
pub(super) fn guest(member: &Member, number: u32) -> Arc<Guest> {
    let name = member.name.clone().unwrap_or_else(|| member.key.short().into());
    let (home, dialect) = (HomeId::OWN, Some(member.dialect));
    Arc::new(Guest { number, member: member.key, name, dialect, home })
}

/// A guest of this home as neighbours hear of her.
pub(super) fn seat(guest: &Guest) -> Seat {
    let Guest { number, member, name, dialect, home: _ } = guest;
    Seat { number: *number, member: *member, name: Arc::clone(name), dialect: *dialect }
}

impl Outcome {
    /// Guests of this home hear something, if there are any.
    pub(super) fn tell(&mut self, room: &RoomName, listeners: Vec<ConnectionId>, event: Event) {
        if !listeners.is_empty() {
            self.events.push((room.clone(), listeners, event));
        }
    }

    /// Neighbours hear something, if there are any.
    pub(super) fn spread(&mut self, homes: Vec<HomeId>, news: RoomNews) {
        if !homes.is_empty() {
            self.news.push((homes, news));
        }
    }
}

//! One room: who is in it, its history and its topic.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use bytestring::ByteString;

use super::{
    Deed, Guest, KeptRoom, Line, LineId, Record, RoomName, RoomView, Stamp,
    counts::Counts,
    log::{Bounds, Change, Log, Retracted},
    opening::Opener,
};
use crate::domain::admission::Origin;
use crate::domain::id::{ConnectionId, HomeId};

/// Somebody who is in.
#[derive(Debug)]
pub(super) struct Seated {
    pub(super) guest: Arc<Guest>,
    /// Her connections that are in, if she is a guest of this home.
    pub(super) connections: Vec<ConnectionId>,
}

/// How many guests of whom one room may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    /// In all.
    pub(super) all: usize,
    /// Of neighbours: the rest is kept for guests of this home.
    theirs: usize,
    /// Of one neighbour.
    each: usize,
}

impl Places {
    pub(super) fn new(all: usize) -> Self {
        Self { all, theirs: all.saturating_sub((all / 4).max(1)), each: (all / 2).max(1) }
    }
}

/// One room.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Since when it is closed by an operator, in unix milliseconds, if it is.
    pub(super) closed: Option<i64>,
    /// Against whose share it counts.
    pub(super) opener: Option<Opener>,
    pub(super) from: Option<Origin>,
    /// Whether nobody would have missed it when that was asked last.
    pub(super) is_stale: bool,
    /// When something happened here last, among all that happened.
    pub(super) used: u64,
    pub(super) log: Log,
    /// The newest line that sets the topic. It stays in force when it is in the history no more.
    topic: Option<Arc<Line>>,
    /// Everybody who is in, by the order of arrival, and who has which place in it.
    seats: BTreeMap<u64, Seated>,
    places: HashMap<u32, u64>,
    /// How many are of which home.
    counts: Counts<HomeId>,
    arrivals: u64,
}

/// What follows from a line, or from the end of some.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// Whether there is a line now that was not there before.
    pub(super) is_new: bool,
    /// Which lines those can no longer see who have seen them.
    pub(super) withdrawn: Vec<LineId>,
    /// Whether another topic is in force.
    pub(super) retitled: bool,
    /// What is kept nowhere any more.
    pub(super) gone: Vec<LineId>,
}

impl Room {
    /// One that is new.
    pub(super) fn opened(opener: Option<Opener>, from: Option<Origin>) -> Self {
        Self { opener, from, ..Self::default() }
    }

    /// As it was written down.
    pub(super) fn restored(kept: &KeptRoom) -> Self {
        Self { closed: kept.closed, opener: kept.opener, ..Self::default() }
    }

    /// What is written down about it.
    pub(super) fn record(&self, name: &RoomName) -> Record {
        Record::Room(KeptRoom { name: name.clone(), closed: self.closed, opener: self.opener })
    }

    /// The topic in force.
    pub(super) fn topic(&self) -> Option<ByteString> {
        match &self.topic.as_ref()?.deed {
            Deed::Topic(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }
    }

    /// Whether an operator has closed it.
    pub(super) const fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Whether nobody would miss it: a closed one only if it was closed before that, if ever.
    pub(super) fn is_idle(&self, closed_before: Option<Stamp>) -> bool {
        let is_over = |since: i64| closed_before.is_some_and(|before| Stamp::at(since) < before);
        self.closed.is_none_or(is_over)
            && self.seats.is_empty()
            && self.log.is_empty()
            && self.topic().is_none()
    }

    /// All lines that it holds, hidden ones and places of withdrawn ones included.
    pub(super) fn all_lines(&self) -> impl Iterator<Item = LineId> + Clone {
        self.log.ids().chain(self.topic.as_ref().map(|topic| topic.id))
    }

    /// What is left without its history: those who are in, if there are any.
    pub(super) fn emptied(self) -> Option<Self> {
        let Self { opener, from, used, seats, places, counts, arrivals, .. } = self;
        let rest = Self { opener, from, used, seats, places, counts, arrivals, ..Self::default() };
        (!rest.seats.is_empty()).then_some(rest)
    }

    /// Whether somebody may see it from outside.
    pub(super) fn view(&self, name: &RoomName) -> RoomView {
        let (lines, bytes) = self.log.size();
        let (topic, guests) = (self.topic(), self.guests());
        RoomView { name: name.clone(), topic, closed: self.is_closed(), guests, lines, bytes }
    }

    /// Somebody comes, if she is not here yet.
    pub(super) fn seat(&mut self, guest: &Arc<Guest>, connections: Vec<ConnectionId>) {
        self.arrivals += 1;
        self.places.insert(guest.number, self.arrivals);
        self.counts.add(guest.home);
        self.seats.insert(self.arrivals, Seated { guest: Arc::clone(guest), connections });
    }

    /// Somebody goes.
    pub(super) fn unseat(&mut self, number: u32) -> Option<Seated> {
        let seated = self.seats.remove(&self.places.remove(&number)?)?;
        self.counts.remove(&seated.guest.home);
        Some(seated)
    }

    /// Whether there is place for one more guest of a home.
    pub(super) fn has_place(&self, home: HomeId, places: Places) -> bool {
        let theirs = self.len().saturating_sub(self.of(HomeId::OWN));
        let is_own = home == HomeId::OWN;
        self.len() < places.all && (is_own || (theirs < places.theirs && self.of(home) < places.each))
    }

    /// Somebody who is in.
    pub(super) fn seated(&self, number: u32) -> Option<&Seated> {
        self.seats.get(self.places.get(&number)?)
    }

    /// The same.
    pub(super) fn seated_mut(&mut self, number: u32) -> Option<&mut Seated> {
        self.seats.get_mut(self.places.get(&number)?)
    }

    /// Everybody, in the order of arrival.
    pub(super) fn guests(&self) -> Vec<Arc<Guest>> {
        self.seats.values().map(|seated| Arc::clone(&seated.guest)).collect()
    }

    /// Where each of them is.
    pub(super) fn homes(&self) -> impl Iterator<Item = HomeId> {
        self.seats.values().map(|seated| seated.guest.home)
    }

    /// How many of this home are in.
    pub(super) fn of(&self, home: HomeId) -> usize {
        self.counts.of(&home)
    }

    /// How many are in.
    pub(super) fn len(&self) -> usize {
        self.seats.len()
    }

    /// All connections that are in.
    pub(super) fn listeners(&self) -> Vec<ConnectionId> {
        self.seats.values().flat_map(|seated| &seated.connections).copied().collect()
    }

    /// Something was done here.
    pub(super) fn keep(&mut self, line: &Arc<Line>, bounds: &Bounds, now_ms: i64) -> Turn {
        let Change { is_new, withdrawn, gone } = self.log.insert(line, bounds, now_ms);
        let mut turn = Turn { is_new, withdrawn: withdrawn.into_iter().collect(), ..Turn::default() };
        let is_topic = matches!(line.deed, Deed::Topic(_)) && line.text() <= bounds.line_bytes;
        if is_topic && self.topic.as_ref().is_none_or(|topic| topic.id < line.id) {
            let old = self.topic.replace(Arc::clone(line));
            turn.gone.extend(old.map(|old| old.id).filter(|old| !self.log.holds(*old)));
            (turn.is_new, turn.retitled) = (true, true);
        }
        self.bury(&gone, &mut turn);
        turn
    }

    /// What is stamped earlier is too old. The topic is not, as long as anybody is here or anything was said since.
    pub(super) fn expire(&mut self, oldest: Stamp) -> Turn {
        let mut turn = Turn::default();
        let gone = self.log.expire(oldest);
        self.bury(&gone, &mut turn);
        if self.log.is_empty()
            && self.seats.is_empty()
            && let Some(old) = self.topic.take_if(|topic| topic.id.stamp < oldest)
        {
            turn.gone.push(old.id);
        }
        turn
    }

    /// A home no longer stands by some of its lines.
    pub(super) fn retract(&mut self, retracted: &Retracted<'_>) -> Turn {
        let mut turn = Turn::default();
        let gone = self.log.retract(retracted);
        let said = gone.iter().filter(|line| matches!(line.deed, Deed::Said(_)));
        turn.withdrawn = said.map(|line| line.id).collect();
        if let Some(old) = self.topic.take_if(|topic| retracted.covers(topic)) {
            self.topic = self.log.lines().rfind(|line| matches!(line.deed, Deed::Topic(_))).cloned();
            turn.gone.push(old.id);
            turn.retitled = true;
        }
        self.bury(&gone, &mut turn);
        turn
    }

    /// What the history has lost is gone, but for the topic in force.
    fn bury(&self, gone: &[Arc<Line>], turn: &mut Turn) {
        let topic = self.topic.as_ref().map(|topic| topic.id);
        turn.gone.extend(gone.iter().map(|line| line.id).filter(|id| Some(*id) != topic));
    }

    /// At most so many of its lines, the newest or those right before this one, and whether there are older ones.
    pub(super) fn page(
        &self,
        before: Option<LineId>,
        most: usize,
        mut shown: impl FnMut(&Line) -> bool,
    ) -> (Vec<Arc<Line>>, bool) {
        let readable = |line: &&Arc<Line>| !matches!(line.deed, Deed::Withdrew { .. }) && shown(line);
        let mut lines = self.log.before(before).rev().filter(readable);
        let mut page: Vec<_> = lines.by_ref().take(most).cloned().collect();
        page.reverse();
        (page, lines.next().is_some())
    }
}

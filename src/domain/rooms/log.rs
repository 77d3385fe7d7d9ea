//! The history of one room: the newest lines in the agreed order, as many as fit.
//!
//! **Invariant:** what is kept depends on which lines were heard, never on when: the oldest make place for newer
//! ones, whatever is older than anything that had to make place is not taken again, and a line that is withdrawn
//! leaves its place taken. So homes with equal bounds that have heard the same keep the same.

use std::{collections::BTreeMap, sync::Arc};

use super::{Deed, Line, LineId, Stamp};
use crate::domain::id::KeyId;

/// How much is kept of each room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Lines, withdrawn ones included.
    pub(super) lines: usize,
    /// Their bytes.
    pub(super) bytes: usize,
    /// The longest text.
    pub(super) line_bytes: usize,
    /// How old a line may be.
    pub(super) keep_ms: i64,
}

impl Bounds {
    /// What is stamped earlier than this is too old.
    pub(super) fn oldest(&self, now_ms: i64) -> Stamp {
        Stamp::at(now_ms.saturating_sub(self.keep_ms))
    }
}

#[derive(Debug)]
enum Entry {
    Line(Arc<Line>),
    /// One was here, and took so many bytes.
    Gone(usize),
}

impl Entry {
    fn bytes(&self) -> usize {
        match self {
            Self::Line(line) => line.bytes(),
            Self::Gone(bytes) => *bytes,
        }
    }

    const fn line(&self) -> Option<&Arc<Line>> {
        match self {
            Self::Line(line) => Some(line),
            Self::Gone(_) => None,
        }
    }
}

/// What follows from a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Whether it is in the history now and was not before.
    pub(super) is_new: bool,
    /// Which line it has withdrawn.
    pub(super) withdrawn: Option<LineId>,
    /// What is no longer kept.
    pub(super) gone: Vec<Arc<Line>>,
}

/// One history.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: BTreeMap<LineId, Entry>,
    bytes: usize,
    floor: Option<LineId>,
}

impl Log {
    /// An empty one, in which what is up to this line has had its time.
    pub(super) fn above(floor: Option<LineId>) -> Self {
        Self { floor, ..Self::default() }
    }

    /// The last line that had to make place.
    pub(super) const fn floor(&self) -> Option<LineId> {
        self.floor
    }

    /// How many lines it has, and how many bytes they count for.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.entries.len(), self.bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn holds(&self, id: LineId) -> bool {
        self.entries.get(&id).is_some_and(|entry| entry.line().is_some())
    }

    /// All lines in order, newest last.
    pub(super) fn lines(&self) -> impl DoubleEndedIterator<Item = &Arc<Line>> {
        self.entries.values().filter_map(Entry::line)
    }

    /// All lines before this one, or all.
    pub(super) fn before(&self, end: Option<LineId>) -> impl DoubleEndedIterator<Item = &Arc<Line>> {
        let until = end.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.entries.range((std::ops::Bound::Unbounded, until)).filter_map(|(_, entry)| entry.line())
    }

    /// One more line, if it is not in yet, and neither too old nor too long.
    pub(super) fn insert(&mut self, line: &Arc<Line>, bounds: &Bounds, now_ms: i64) -> Change {
        let mut change = Change::default();
        let oldest = bounds.oldest(now_ms);
        if self.is_past(line.id, oldest)
            || self.entries.contains_key(&line.id)
            || line.text() > bounds.line_bytes
        {
            return change;
        }
        self.put(line.id, Entry::Line(Arc::clone(line)));
        if let Deed::Withdrew { line: target, bytes } = line.deed {
            self.withdraw(target, bytes, bounds, oldest, &mut change);
        }
        self.fit(bounds, &mut change.gone);
        change.is_new = self.entries.contains_key(&line.id);
        change.gone.retain(|gone| gone.id != line.id);
        change
    }

    fn withdraw(&mut self, target: LineId, bytes: u32, bounds: &Bounds, oldest: Stamp, change: &mut Change) {
        let is_past = self.is_past(target, oldest);
        if let Some(entry) = self.entries.get_mut(&target) {
            if let Some(line) = entry.line().filter(|line| matches!(line.deed, Deed::Said(_))).cloned() {
                *entry = Entry::Gone(line.bytes());
                change.withdrawn = Some(target);
                change.gone.push(line);
            }
        } else if !is_past {
            // It was withdrawn before we could hear of it, and takes no more than it could have.
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(bounds.bytes);
            self.put(target, Entry::Gone(bytes));
        }
    }

    /// What is stamped earlier is too old.
    pub(super) fn expire(&mut self, oldest: Stamp) -> Vec<Arc<Line>> {
        let mut gone = Vec::new();
        while let Some(first) = self.entries.first_entry().filter(|first| first.key().stamp < oldest) {
            let entry = first.remove();
            self.bytes = self.bytes.saturating_sub(entry.bytes());
            gone.extend(entry.line().cloned());
        }
        gone
    }

    /// A home no longer stands by its lines behind one stamp and up to another.
    pub(super) fn retract(&mut self, home: KeyId, after: Stamp, through: Stamp) -> Vec<Arc<Line>> {
        let ids = LineId { stamp: after, home }..=LineId { stamp: through, home };
        let lines = self.entries.range(ids).filter_map(|(_, entry)| entry.line());
        let gone: Vec<_> =
            lines.filter(|line| line.id.home == home && line.id.stamp > after).cloned().collect();
        for line in &gone {
            self.take(line.id);
            // Then it has not withdrawn anything, either.
            if let Deed::Withdrew { line: target, .. } = line.deed
                && !self.holds(target)
            {
                self.take(target);
            }
        }
        gone
    }

    fn is_past(&self, id: LineId, oldest: Stamp) -> bool {
        id.stamp < oldest || self.floor.is_some_and(|floor| id <= floor)
    }

    fn put(&mut self, id: LineId, entry: Entry) {
        self.bytes = self.bytes.saturating_add(entry.bytes());
        self.entries.insert(id, entry);
    }

    fn take(&mut self, id: LineId) {
        if let Some(entry) = self.entries.remove(&id) {
            self.bytes = self.bytes.saturating_sub(entry.bytes());
        }
    }

    fn fit(&mut self, bounds: &Bounds, gone: &mut Vec<Arc<Line>>) {
        while (self.entries.len() > bounds.lines || self.bytes > bounds.bytes)
            && let Some((id, entry)) = self.entries.pop_first()
        {
            self.bytes = self.bytes.saturating_sub(entry.bytes());
            self.floor = Some(id);
            gone.extend(entry.line().cloned());
        }
    }
}

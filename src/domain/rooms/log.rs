//! The history of one room: the newest lines in the agreed order, as many as fit.
//!
//! **Invariant:** what is kept depends on which lines were said, never on when they were heard. A line stays as long as
//! what is newer leaves place for it: so many lines, and so many bytes, whatever it takes itself; and a line that is
//! withdrawn leaves its place taken. So homes with equal bounds keep the same, even if some have never heard of what
//! had to make place elsewhere.

use std::{collections::BTreeMap, sync::Arc};

use super::{Deed, Line, LineId, Stamp};
use crate::domain::id::KeyId;

/// How much is kept of each room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Lines, withdrawn ones included.
    pub(super) lines: usize,
    /// A line goes when those behind it have so many bytes.
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

/// Lines that a home no longer stands by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retracted<'a> {
    /// Whose.
    pub(super) home: KeyId,
    /// Behind this stamp.
    pub(super) after: Stamp,
    /// Up to and including this one.
    pub(super) through: Stamp,
    /// But for these, which are in order.
    pub(super) kept: &'a [Arc<Line>],
}

impl Retracted<'_> {
    /// Whether this is one of them.
    pub(super) fn covers(&self, line: &Line) -> bool {
        let LineId { stamp, home } = line.id;
        let is_between = home == self.home && stamp > self.after && stamp <= self.through;
        is_between && self.kept.binary_search_by_key(&stamp, |kept| kept.id.stamp).is_err()
    }
}

/// One history.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: BTreeMap<LineId, Entry>,
    bytes: usize,
}

impl Log {
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

    /// The ids of all lines, withdrawn ones included.
    pub(super) fn ids(&self) -> impl Iterator<Item = LineId> + Clone {
        self.entries.keys().copied()
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
        if line.id.stamp < oldest || self.entries.contains_key(&line.id) || line.text() > bounds.line_bytes {
            return change;
        }
        self.put(line.id, Entry::Line(Arc::clone(line)));
        if let Deed::Withdrew { line: target, bytes } = line.deed
            && !line.is_hidden()
        {
            self.withdraw(target, bytes, bounds, oldest, &mut change);
        }
        self.fit(bounds, &mut change.gone);
        change.is_new = self.entries.contains_key(&line.id);
        change.gone.retain(|gone| gone.id != line.id);
        change
    }

    fn withdraw(&mut self, target: LineId, bytes: u32, bounds: &Bounds, oldest: Stamp, change: &mut Change) {
        if let Some(entry) = self.entries.get_mut(&target) {
            let is_said = |line: &Line| matches!(line.deed, Deed::Said(_));
            // What was hidden here is withdrawn everywhere from now on.
            if let Some(line) = entry.line().filter(|line| is_said(line) || line.is_hidden()).cloned() {
                *entry = Entry::Gone(line.bytes());
                change.withdrawn = is_said(&line).then_some(target);
                change.gone.push(line);
            }
        } else if target.stamp >= oldest {
            // It was withdrawn before we could hear of it, and takes no more than it could have.
            let most = Line::most_bytes(bounds.line_bytes);
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(most);
            self.put(target, Entry::Gone(bytes));
        }
    }

    /// The operator hides a line of another home. What is left takes the place that it took, for as long, so that this
    /// home goes on keeping the same lines as others.
    pub(super) fn hide(&mut self, id: LineId) -> Option<Arc<Line>> {
        let entry = self.entries.get_mut(&id)?;
        let hidden = Arc::new(entry.line().filter(|line| matches!(line.deed, Deed::Said(_)))?.hidden());
        *entry = Entry::Line(Arc::clone(&hidden));
        Some(hidden)
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

    /// A home no longer stands by its lines between two stamps, but for some.
    pub(super) fn retract(&mut self, retracted: &Retracted<'_>) -> Vec<Arc<Line>> {
        let Retracted { home, after, through, .. } = *retracted;
        let ids = LineId { stamp: after, home }..=LineId { stamp: through, home };
        let lines = self.entries.range(ids).filter_map(|(_, entry)| entry.line());
        let gone: Vec<_> = lines.filter(|line| retracted.covers(line)).cloned().collect();
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
        while let Some(first) = self.entries.first_entry() {
            let newer = self.bytes.saturating_sub(first.get().bytes());
            if self.entries.len() <= bounds.lines && newer < bounds.bytes {
                return;
            }
            if let Some((_, entry)) = self.entries.pop_first() {
                self.bytes = newer;
                gone.extend(entry.line().cloned());
            }
        }
    }
}

//! What was said while the connection was lost: pages from the newest backwards, until one is reached that was shown.

use std::collections::VecDeque;

use super::hear::Line;
use crate::domain::rooms::LineId;

/// Lines that are fetched after a loss. What is older can still be asked for.
const MOST_MISSED: usize = 4_096;

/// The pages, and what is said while they come in.
#[derive(Debug)]
pub(super) struct Missed {
    /// The last line that was shown.
    shown: Option<LineId>,
    pub(super) lines: VecDeque<Line>,
    /// What has happened since, in its order; with the number of its author, if it is said just now.
    pub(super) since: Vec<(Line, Option<u32>)>,
}

impl Missed {
    pub(super) const fn after(shown: Option<LineId>) -> Self {
        Self { shown, lines: VecDeque::new(), since: Vec::new() }
    }

    /// Takes in a page, which may have older ones; says before which line the next one ends, if one is needed.
    pub(super) fn add(&mut self, page: Vec<Line>, more: bool) -> Option<LineId> {
        let first = page.first().and_then(Line::id);
        for line in page.into_iter().rev() {
            self.lines.push_front(line);
        }
        let is_reached = self.shown.is_some_and(|shown| first.is_some_and(|first| first <= shown));
        first.filter(|_| more && !is_reached && self.lines.len() < MOST_MISSED)
    }

    /// Keeps what happens meanwhile; says whether there is room for more.
    pub(super) fn keep(&mut self, line: Line, author: Option<u32>) -> bool {
        self.since.push((line, author));
        self.since.len() < MOST_MISSED
    }
}

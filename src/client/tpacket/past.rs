//! What was said before, so that a connection that comes back shows nothing twice.
//!
//! Lines of our own version have ids. Those of the first servers have not, so there the texts are counted: what
//! the log repeats after a reconnect is what was shown before, as often as it was shown.

use std::collections::VecDeque;

use crate::{dialect::trace, domain::replay::Window};

/// Ids that are remembered.
const MOST_LINES: u32 = 16_384;
/// Texts that are remembered; a first server keeps 8 KiB of them.
const MOST_TEXTS: usize = 1_024;

/// What was shown.
#[derive(Debug)]
pub(super) struct Past {
    lines: Window,
    texts: VecDeque<String>,
    /// Those of `texts` that may be repeated now.
    repeated: VecDeque<String>,
}

impl Past {
    pub(super) fn new() -> Self {
        Self { lines: Window::new(MOST_LINES), texts: VecDeque::new(), repeated: VecDeque::new() }
    }

    /// A room is entered: the one that was lost, or another one.
    pub(super) fn enter(&mut self, again: bool) {
        if !again {
            self.texts.clear();
        }
        self.repeated = self.texts.clone();
    }

    /// Whether this line is new.
    pub(super) fn is_new(&mut self, id: &[u8]) -> bool {
        self.lines.admit(trace(id))
    }

    /// Something is said now, as the log will repeat it.
    pub(super) fn hear(&mut self, entry: String) {
        self.texts.push_back(entry);
        if self.texts.len() > MOST_TEXTS {
            self.texts.pop_front();
        }
    }

    /// Whether this entry of a log is new.
    pub(super) fn is_new_entry(&mut self, entry: &str) -> bool {
        if let Some(at) = self.repeated.iter().position(|known| known == entry) {
            self.repeated.remove(at);
            return false;
        }
        self.hear(entry.to_owned());
        true
    }
}

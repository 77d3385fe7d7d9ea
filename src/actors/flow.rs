//! What a pump, its actor and the actor's inlet tell each other. They run in one task, so these are
//! plain cells.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use tokio::time::Instant;

use super::stillness::{Stillness, UnderWay};
use crate::domain::refusal::Ending;

/// Bytes read in one turn of the actor; then others have their turn.
const READ_BUDGET: usize = 64 << 10;

/// How often a connection looks whether the house still holds still.
const STILL: Duration = Duration::from_millis(20);

/// The state of one connection's flow.
#[derive(Debug, Default)]
pub struct Flow {
    budget: Cell<usize>,
    more: Cell<bool>,
    blocked: Cell<bool>,
    pause: Cell<Option<Instant>>,
    ending: Cell<Option<Ending>>,
    largest_frame: Cell<u32>,
    stillness: Stillness,
    under_way: RefCell<Option<UnderWay>>,
}

impl Flow {
    /// A flow of frames and messages of at most this size.
    #[must_use]
    pub fn of_frames(largest: u32, stillness: Stillness) -> Self {
        Self { largest_frame: Cell::new(largest), stillness, ..Self::default() }
    }

    /// The largest frame that is read, and the largest message of several.
    #[must_use]
    pub fn largest_frame(&self) -> u32 {
        self.largest_frame.get()
    }

    /// From now on larger frames are read: the other side has shown that it is a server.
    pub fn allow_frames(&self, largest: u32) {
        self.largest_frame.set(largest);
    }

    /// Nothing is read for so long: the connection says more than it may. Of several reasons the longest counts.
    pub fn pause(&self, span: Duration) {
        if !span.is_zero() {
            let until = Instant::now() + span;
            self.pause.set(self.pause.get().max(Some(until)));
        }
    }

    /// Whether something may be read in this turn. While the house holds still, nothing is, and another turn
    /// comes soon. What is read then is under way until the next question: it is dealt with by then.
    #[must_use]
    pub fn may_read(&self) -> bool {
        // Taken before the house is asked, so that whoever makes it hold still waits for what slips through.
        self.under_way.replace(Some(self.stillness.look()));
        if self.stillness.is_on() {
            self.pause(STILL);
        }
        let may = !self.is_deaf();
        if !may {
            self.has_read_nothing();
        }
        may
    }

    /// Nothing came of it.
    pub fn has_read_nothing(&self) {
        self.under_way.replace(None);
    }

    /// When a pause ends, if there is one.
    #[must_use]
    pub fn paused_until(&self) -> Option<Instant> {
        self.pause.get()
    }

    /// The pause is over.
    pub fn resume(&self) {
        self.pause.set(None);
    }

    /// Whether we are not listening, so that silence proves nothing.
    #[must_use]
    pub fn is_deaf(&self) -> bool {
        self.blocked.get() || self.pause.get().is_some()
    }

    /// The actor has its turn. `blocked`: so much waits for the socket that nothing is read.
    pub fn begin_turn(&self, blocked: bool) {
        self.budget.set(READ_BUDGET);
        self.more.set(false);
        self.blocked.set(blocked);
    }

    /// How much may be read in this turn; nothing left means that another turn is wanted.
    #[must_use]
    pub fn budget(&self) -> usize {
        self.more.set(self.more.get() || self.budget.get() == 0);
        self.budget.get()
    }

    /// So much was read.
    pub fn spend(&self, bytes: usize) {
        self.budget.set(self.budget.get().saturating_sub(bytes));
    }

    /// There is more to do in another turn.
    pub fn want_more(&self) {
        self.more.set(true);
    }

    /// Whether there is more to do.
    #[must_use]
    pub fn wants_more(&self) -> bool {
        self.more.get()
    }

    /// Whether nothing was read because too much waited for the socket.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.blocked.get()
    }

    /// The connection is given up. The first reason counts.
    pub fn give_up(&self, ending: Ending) {
        if self.ending.get().is_none() {
            self.ending.set(Some(ending));
        }
    }

    /// Why the connection was given up, if it was.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        self.ending.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_pauses_the_longer_one_counts() {
        let flow = Flow::default();
        flow.pause(Duration::ZERO);
        assert_eq!(flow.paused_until(), None);
        flow.pause(Duration::from_secs(60));
        let until = flow.paused_until();
        flow.pause(Duration::from_millis(10));
        assert_eq!(flow.paused_until(), until);
        flow.pause(Duration::from_secs(120));
        assert!(flow.paused_until() > until);
    }

    #[test]
    fn what_is_read_is_under_way_until_it_is_dealt_with_or_counted_elsewhere() {
        let stillness = Stillness::default();
        let flow = Flow::of_frames(10, stillness.clone());
        flow.begin_turn(false);
        assert!(flow.may_read() && stillness.is_busy());
        // It waits for a check, which the house that holds still will not begin.
        flow.has_read_nothing();
        assert!(!stillness.is_busy());
        assert!(flow.may_read() && stillness.is_busy());
        stillness.begin();
        assert!(stillness.is_busy(), "what was read before is waited for");
        assert!(!flow.may_read() && !stillness.is_busy(), "and nothing more is read");
        assert!(flow.paused_until().is_some(), "until another turn, soon");
    }
}

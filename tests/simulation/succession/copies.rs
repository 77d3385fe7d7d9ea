//! The database: clients write where somebody serves, followers copy, and a hand-over waits for the last change.

use std::time::Duration;

use kith::domain::succession::{
    Epoch, NodeId,
    election::{Attempt, Input, Role},
};

use super::{
    letters::RECIPIENTS,
    world::{Event, World},
};
use crate::broken::Broken;

/// How long it takes at most until what was accepted is written, in milliseconds.
const BATCH: u64 = 200;
/// How often what is missing is brought again to whoever takes over.
const AGAIN: Duration = Duration::from_millis(300);

impl World {
    fn leads_now(&self, at: usize) -> Option<Epoch> {
        match self.role(at) {
            Some(Role::Leader(epoch)) => Some(epoch),
            _ => None,
        }
    }

    pub(super) fn is_quiesced(&self, at: usize) -> bool {
        self.machines[at].life.as_ref().is_some_and(|life| life.quiesced.is_some())
    }

    /// People write, and come for what was written, wherever somebody serves.
    pub(super) fn write(&mut self, at: usize) -> Result<(), Broken> {
        let pause = Duration::from_millis(self.chance.u64(50..500));
        self.after(pause, at, Event::Write);
        let Some(epoch) = self.leads_now(at).filter(|_| self.serves(at) && !self.is_quiesced(at)) else {
            return Ok(());
        };
        if self.chance.u32(0..3) == 0 {
            self.letters.visit(epoch, self.chance.usize(0..RECIPIENTS));
        } else {
            self.letters.accept(epoch);
        }
        Ok(())
    }

    /// A batch is written down.
    pub(super) fn flush(&mut self, at: usize) -> Result<(), Broken> {
        let pause = Duration::from_millis(self.chance.u64(20..BATCH));
        self.after(pause, at, Event::Flush);
        let Some(epoch) = self.leads_now(at) else { return Ok(()) };
        let end = self.letters.flush(epoch);
        if end == self.machines[at].copy {
            return Ok(());
        }
        self.machines[at].copy = end;
        self.tell(at, Input::Copied(end))
    }

    /// Whoever follows copies what its leader has on disk.
    pub(super) fn copy(&mut self, at: usize) -> Result<(), Broken> {
        let pause = Duration::from_millis(self.chance.u64(100..600));
        self.after(pause, at, Event::Copy);
        let Some(Role::Standby(Some(leader))) = self.role(at) else { return Ok(()) };
        let from = self.index(leader);
        if let Some(epoch) = self.leads_now(from)
            && self.machines[at].copies
            && self.net.passes(at, from, &mut self.chance)
            && self.net.passes(from, at, &mut self.chance)
        {
            let delay = self.net.delay_between(from, at, &mut self.chance);
            let end = self.letters.end(epoch).index;
            self.after(delay, at, Event::Copied { from, epoch, end, then: None });
        }
        Ok(())
    }

    /// A copy counts only from whom the node follows in this epoch. A batch and its position are written as one.
    pub(super) fn copied(
        &mut self,
        at: usize,
        (from, epoch): (usize, Epoch),
        end: u64,
        then: Option<Attempt>,
    ) -> Result<(), Broken> {
        let node = self.node(at);
        let follows = node.role() == Role::Standby(Some(self.machines[from].id));
        if !follows || node.view(self.local(at)).epoch != epoch {
            return Ok(());
        }
        // A stream may end anywhere, but whoever brings the rest brings all of it.
        let part = if then.is_some() || self.chance.bool() { 1000 } else { self.chance.u64(0..1000) };
        let copy = self.letters.copied(self.machines[at].copy, epoch, end, part);
        if copy > self.machines[at].copy {
            self.machines[at].copy = copy;
            self.tell(at, Input::Copied(copy))?;
        }
        let is_whole = (copy.epoch, copy.index) == (epoch, end);
        if let Some(attempt) = then.filter(|_| is_whole)
            && self.net.passes(at, from, &mut self.chance)
        {
            let delay = self.net.delay_between(at, from, &mut self.chance);
            self.after(delay, from, Event::CaughtUp(attempt));
        }
        Ok(())
    }

    /// Accepts nothing more, writes down what was accepted, and brings the other's copy to the end.
    pub(super) fn quiesce(&mut self, at: usize, to: NodeId, attempt: Attempt) {
        if let Some(life) = &mut self.machines[at].life {
            life.quiesced = Some(attempt);
        }
        let (delay, _) = self.net.disk(&mut self.chance);
        self.after(delay, at, Event::Bring(to, attempt));
    }

    /// What is missing goes to whoever takes over, for as long as that order holds, or cannot be written down.
    pub(super) fn bring(&mut self, at: usize, to: NodeId, attempt: Attempt) -> Result<(), Broken> {
        if self.machines[at].life.as_ref().and_then(|life| life.quiesced) != Some(attempt) {
            return Ok(());
        }
        let Some(epoch) = self.leads_now(at) else { return Ok(()) };
        if !self.net.disk(&mut self.chance).1 {
            self.note("a leader whose disk refuses in a hand-over");
            return self.tell(at, Input::Stuck(attempt));
        }
        let end = self.letters.flush(epoch);
        self.machines[at].copy = end;
        self.tell(at, Input::Copied(end))?;
        self.after(AGAIN, at, Event::Bring(to, attempt));
        let to = self.index(to);
        if self.net.passes(at, to, &mut self.chance) {
            let delay = self.net.delay_between(at, to, &mut self.chance);
            self.after(delay, to, Event::Copied { from: at, epoch, end: end.index, then: Some(attempt) });
        }
        Ok(())
    }
}

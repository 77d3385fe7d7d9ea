//! The database as a list of changes: clients make them, followers copy them.

use std::time::Duration;

use kith::domain::succession::{
    Epoch, NodeId,
    election::{Input, Role},
};

use super::{
    machine::{Change, position},
    world::{Event, World},
};
use crate::broken::Broken;

impl World {
    /// Clients write wherever somebody serves.
    pub(super) fn write(&mut self, at: usize) -> Result<(), Broken> {
        let pause = Duration::from_millis(self.chance.u64(50..250));
        self.after(pause, at, Event::Write);
        let quiesced = self.machines[at].life.as_ref().is_some_and(|life| life.quiesced);
        if !self.serving().contains(&at) || quiesced {
            return Ok(());
        }
        self.accepted += 1;
        self.append(at, self.accepted)
    }

    fn append(&mut self, at: usize, value: u64) -> Result<(), Broken> {
        if let Some(Role::Leader(epoch)) = self.role(at) {
            self.machines[at].log.push((epoch, value));
        }
        let position = position(&self.machines[at].log);
        self.tell(at, Input::Copied(position))
    }

    /// Whoever follows copies what its leader has.
    pub(super) fn copy(&mut self, at: usize) -> Result<(), Broken> {
        let pause = Duration::from_millis(self.chance.u64(100..600));
        self.after(pause, at, Event::Copy);
        let Some(Role::Standby(Some(leader))) = self.role(at) else { return Ok(()) };
        let from = self.index(leader);
        if let Some(Role::Leader(epoch)) = self.role(from)
            && self.machines[at].copies
            && self.net.passes(at, from, &mut self.chance)
            && self.net.passes(from, at, &mut self.chance)
        {
            let delay = self.net.delay(&mut self.chance);
            let log = self.machines[from].log.clone();
            self.after(delay, at, Event::Copied { from, epoch, log, then: None });
        }
        Ok(())
    }

    /// A copy counts only from whom the node follows in this epoch; and no old one overtakes a new one.
    pub(super) fn copied(
        &mut self,
        at: usize,
        (from, epoch): (usize, Epoch),
        log: Vec<Change>,
        then: Option<u64>,
    ) -> Result<(), Broken> {
        let node = self.node(at);
        let follows = node.role() == Role::Standby(Some(self.machines[from].id));
        if !follows || node.view(self.local(at)).epoch != epoch {
            return Ok(());
        }
        if position(&log) > position(&self.machines[at].log) {
            let position = position(&log);
            self.machines[at].log = log;
            self.tell(at, Input::Copied(position))?;
        }
        if then == Some(self.machines[from].lives) && self.net.passes(at, from, &mut self.chance) {
            let delay = self.net.delay(&mut self.chance);
            let id = self.machines[at].id;
            self.after(delay, from, Event::CaughtUp(id));
        }
        Ok(())
    }

    /// Accepts nothing more, and sends the rest.
    pub(super) fn quiesce(&mut self, at: usize, to: NodeId) {
        let Some(life) = &mut self.machines[at].life else { return };
        life.quiesced = true;
        let (to, lives) = (self.index(to), self.machines[at].lives);
        if let Some(Role::Leader(epoch)) = self.role(at)
            && self.net.passes(at, to, &mut self.chance)
        {
            let delay = self.net.delay(&mut self.chance);
            let log = self.machines[at].log.clone();
            self.after(delay, to, Event::Copied { from: at, epoch, log, then: Some(lives) });
        }
    }
}

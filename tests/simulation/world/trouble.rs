//! Things go wrong, and come right again.

use std::{collections::VecDeque, time::Duration};

use super::{World, rooms::unix_ms};
use crate::{
    faults::{Fault, divided},
    invariants::Broken,
    net::{Happening, Machine},
    node::Node,
};

impl World {
    pub(super) fn apply_fault(&mut self, fault: Fault) -> Result<(), Broken> {
        match fault {
            Fault::Cut(one, other) => self.cut(one, other, true),
            Fault::CutOneWay(from, to) => self.net.cut(from, to, true),
            Fault::Heal(one, other) => self.cut(one, other, false),
            Fault::Partition(mask) => {
                for (one, other) in divided(mask, self.servers()) {
                    self.cut(one, other, true);
                }
            }
            Fault::Reset(one, other) => self.net.reset(one, other),
            Fault::Stretch(from, to, milliseconds) => {
                self.net.stretch(from, to, Duration::from_millis(milliseconds));
            }
            Fault::Kill(place) => self.stop(place, Machine::Killed),
            Fault::Vanish(place) => self.stop(place, Machine::Gone),
            Fault::Start(place) => self.start(place)?,
            Fault::Pause(place) => {
                if self.sites[place].node.is_some() && self.sites[place].stopped.is_none() {
                    self.sites[place].stopped = Some(VecDeque::new());
                }
            }
            Fault::Resume(place) => self.resume(place)?,
            Fault::Jump(place, milliseconds) => {
                self.sites[place].ahead += Duration::from_millis(milliseconds);
                self.set_alarm(place);
            }
            Fault::Miss(place) => {
                self.ledger.was_missed = true;
                self.with(place, |node, _| node.miss())?;
            }
            Fault::Mend => self.mend()?,
            Fault::Retry => {
                for place in 0..self.servers() {
                    self.with(place, |node, now| node.retry(now))?;
                }
            }
        }
        Ok(())
    }

    fn cut(&mut self, one: usize, other: usize, is_cut: bool) {
        self.net.cut(one, other, is_cut);
        self.net.cut(other, one, is_cut);
    }

    /// Starts a server, unless it runs.
    fn start(&mut self, place: usize) -> Result<(), Broken> {
        if self.sites[place].node.is_some() {
            return Ok(());
        }
        self.serial += 1;
        let (ties, chance) = (&self.sites[place].ties, self.chance.fork());
        let life = (self.serial, unix_ms(self.net.now()));
        let node = Node::new(place, life, ties, &self.setup, self.kept(place), chance);
        let site = &mut self.sites[place];
        (site.node, site.born, site.ahead) = (Some(node), self.net.now(), Duration::ZERO);
        self.net.turn(place, Machine::Runs);
        self.ledger.started(place);
        let banned = self.ledger.rooms.1.banned(place);
        self.with(place, |node, now| {
            node.ban(banned, now);
            node.start();
        })?;
        Ok(())
    }

    fn stop(&mut self, place: usize, machine: Machine) {
        let site = &mut self.sites[place];
        let Some(node) = site.node.take() else { return };
        for (peer, tie) in &mut site.ties {
            tie.seen = node.seen(*peer);
        }
        site.stopped = None;
        let now = self.net.now();
        let lost = site.store.extract_if(.., |(safe, _)| *safe > now).count();
        self.ledger.unwritten(lost);
        self.net.turn(place, machine);
        self.ledger.stopped(place);
        for person in &mut self.people {
            person.connections.retain(|_, (home, _)| *home != place);
        }
    }

    /// A process goes on: what waited in its sockets and what was due come in either order.
    fn resume(&mut self, place: usize) -> Result<(), Broken> {
        let Some(waiting) = self.sites[place].stopped.take() else { return Ok(()) };
        let alarms_first = self.chance.bool();
        if alarms_first {
            self.deliver(place, Happening::Alarm(place))?;
        }
        for event in waiting {
            self.deliver(place, event)?;
        }
        self.deliver(place, Happening::Alarm(place))
    }

    fn mend(&mut self) -> Result<(), Broken> {
        for place in 0..self.servers() {
            self.resume(place)?;
            self.start(place)?;
            for other in 0..self.servers() {
                self.net.cut(place, other, false);
                self.net.stretch(place, other, Duration::from_millis(1));
            }
        }
        Ok(())
    }
}

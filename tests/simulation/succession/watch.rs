//! What must be true at every moment, and what is counted so that nothing is believed to be tested that never happens.

use std::{collections::BTreeMap, time::Duration};

use kith::domain::{
    Moment,
    succession::{
        Epoch, NodeId, Position,
        election::{Cause, Handing, Input, NotHanded, Output, Role},
        message::Answer,
    },
};

use super::world::{Event, World};
use crate::broken::{Broken, must};

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Watch {
    leaders: BTreeMap<Epoch, (usize, u64)>,
    /// How far the database of a leader went when it let go, by the epoch of the next one.
    handed: BTreeMap<Epoch, Position>,
    /// In which epoch each node led last.
    pub(super) led: BTreeMap<usize, Epoch>,
    /// Who has the vote of whom, by epoch.
    votes: BTreeMap<(usize, Epoch), NodeId>,
    /// Who serves beside whom, and since when.
    beside: BTreeMap<(usize, usize), Moment>,
}

impl World {
    /// No two nodes serve at one moment. Where clocks lie they may, but for no longer than a lease.
    pub(super) fn look(&mut self) -> Result<(), Broken> {
        let serving = self.serving();
        must!(serving.len() < 2 || self.clocks_lie, "nodes {serving:?} serve at once");
        if serving.len() < 2 && self.watch.beside.is_empty() {
            return Ok(());
        }
        // Who does nothing at all serves nobody, whatever it believes.
        let awake = |at: &&usize| self.machines[**at].frozen <= self.now;
        let mut beside = BTreeMap::new();
        for one in serving.iter().filter(awake) {
            for other in serving.iter().filter(awake).filter(|other| one < *other) {
                let pair = (*one, *other);
                let since = self.watch.beside.get(&pair).copied().unwrap_or(self.now);
                must!(self.now - since <= self.numbers.lease, "nodes {pair:?} serve at once since {since:?}");
                beside.insert(pair, since);
            }
        }
        if beside.len() > self.watch.beside.len() {
            self.note("two serve at once where clocks lie");
        }
        self.watch.beside = beside;
        Ok(())
    }

    /// Nothing is said before it is on disk, and nobody votes twice in one epoch.
    pub(super) fn says(&mut self, at: usize, to: NodeId, answer: &Answer) -> Result<(), Broken> {
        let ballot = self.machines[at].ballot;
        match answer {
            Answer::Following(_) => {
                must!(ballot.promised == Some(to), "node {at} follows {to}, and has {ballot:?} on disk");
            }
            Answer::Granted(epoch) => {
                let is_written = ballot.epoch > *epoch || (ballot.epoch, ballot.voted) == (*epoch, Some(to));
                must!(is_written, "node {at} votes for {to} in epoch {epoch}, and has {ballot:?} on disk");
                let voted = *self.watch.votes.entry((at, *epoch)).or_insert(to);
                must!(voted == to, "node {at} votes for {voted} and for {to} in epoch {epoch}");
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn became(&mut self, at: usize, role: Role, cause: Cause) -> Result<(), Broken> {
        self.note(cause.word());
        self.heard.push((self.now, at, Output::Became(role, cause)));
        if let Role::Leader(epoch) = role {
            return self.leads(at, epoch, cause);
        }
        let Some(epoch) = self.watch.led.remove(&at) else { return Ok(()) };
        let unwritten = self.letters.close(epoch);
        if cause == Cause::HandedOver {
            must!(self.is_quiesced(at), "node {at} let go while it accepted letters");
            must!(unwritten == 0, "node {at} let go before all was written");
            self.watch.handed.insert(epoch.next(), self.letters.end(epoch));
        }
        if self.execs {
            let mut delay = Duration::from_millis(self.chance.u64(1..400));
            if cause == Cause::HandedOver {
                // Nobody has to be gone at once, so the vote is waited for.
                let written = self.machines[at].life.as_ref().map_or(self.now, |life| life.disk);
                delay += written.saturating_sub(self.now);
            }
            self.after(delay, at, Event::Restart);
        }
        Ok(())
    }

    fn leads(&mut self, at: usize, epoch: Epoch, cause: Cause) -> Result<(), Broken> {
        let life = (at, self.machines[at].lives);
        let other = self.watch.leaders.insert(epoch, life);
        must!(other.is_none(), "{life:?} leads in epoch {epoch}, as did {other:?}");
        let ballot = self.machines[at].ballot;
        let own = Some(self.machines[at].id);
        must!((ballot.epoch, ballot.voted) == (epoch, own), "node {at} leads, and has {ballot:?} on disk");
        let base = self.machines[at].copy;
        if cause == Cause::HandedOver {
            self.note("leads by a hand-over");
            // Whoever gave the place may have died since it asked, and have given its vote in another life.
            let Some(end) = self.watch.handed.get(&epoch).copied() else {
                self.note("leads by a hand-over of one that was killed");
                return self.begins(at, epoch);
            };
            must!(end == base, "node {at} was handed the home up to {end}, and has it up to {base}");
        }
        let size = self.machines.len();
        let awake = |at: &usize| self.is_alive(*at) && self.machines[*at].frozen <= self.now;
        if cause == Cause::Elected && (0..size).filter(awake).count() * 2 == size {
            self.note("elected by half of the home");
        }
        self.begins(at, epoch)
    }

    fn begins(&mut self, at: usize, epoch: Epoch) -> Result<(), Broken> {
        self.watch.led.insert(at, epoch);
        self.machines[at].copy = self.letters.begin(epoch, self.machines[at].copy);
        self.tell(at, Input::Copied(self.machines[at].copy))
    }

    pub(super) fn told(&mut self, at: usize, news: Output) {
        self.note(match &news {
            Output::Handing(_, Handing::Ordered) => "hand-over ordered",
            Output::Handing(_, Handing::Outranked) => "hand-over by rank",
            Output::Handing(_, Handing::Done) => "handed",
            Output::Handing(to, Handing::Cancelled) if !self.is_alive(self.index(*to)) => {
                "hand-over cancelled, the candidate is dead"
            }
            Output::Handing(_, Handing::Cancelled) => "hand-over cancelled",
            Output::NotHanded(NotHanded::Lags) => "hand-over refused to one that lags",
            Output::NotHanded(NotHanded::NotAlive) => "hand-over refused to one that is silent",
            Output::Differs(_) => "settings that do not go together",
            _ => "hand-over refused",
        });
        self.heard.push((self.now, at, news));
    }
}

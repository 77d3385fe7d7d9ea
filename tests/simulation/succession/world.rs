//! Nodes, the network between them, their disks and their clocks, under one queue of events.

use std::{collections::BTreeMap, time::Duration};

use fastrand::Rng;
use kith::domain::{
    Moment,
    succession::{
        Epoch, NodeId,
        ballot::{Ballot, Serial},
        election::{Asked, Cause, Election, Handing, Input, NotHanded, Output, Role, Setup},
        home::Seat,
        message::{Ask, Failure, Objection, Reply},
        numbers::Numbers,
    },
};

use super::{
    faults::Net,
    machine::{Change, Life, Machine, position, seat_to_node},
    wire,
};
use crate::{
    broken::{Broken, must},
    invariants::Tally,
};

#[derive(Debug)]
pub(super) enum Event {
    Tick,
    Measure,
    Copy,
    Write,
    Asked(u64, Box<Ask>),
    Answered(u64, Box<Reply>),
    Failed(u64, Failure),
    Written(Serial, Option<Ballot>),
    Prepared(Epoch),
    Copied { from: usize, epoch: Epoch, log: Vec<Change>, then: Option<u64> },
    CaughtUp(NodeId),
    Restart,
}

/// A question that is under way: from which seat of which life it was asked.
#[derive(Clone, Copy, Debug)]
struct Question {
    from: (usize, u64),
    seat: Seat,
    to: usize,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: Moment,
    queue: BTreeMap<(Moment, u64), (usize, u64, Event)>,
    count: u64,
    pub(crate) machines: Vec<Machine>,
    pub(crate) net: Net,
    pub(crate) chance: Rng,
    pub(crate) numbers: Numbers,
    questions: BTreeMap<u64, Question>,
    leaders: BTreeMap<Epoch, (usize, u64)>,
    /// What a leader had accepted when it let go, by the epoch of the next one.
    handed: BTreeMap<Epoch, Vec<Change>>,
    pub(crate) accepted: u64,
    pub(crate) heard: Vec<(Moment, usize, Output)>,
    pub(crate) tally: Tally,
    /// Whether a node that loses the role starts anew, as the program does.
    pub(crate) execs: bool,
}

impl World {
    /// So many nodes, the fallback among them if there is one. None of them runs yet.
    pub(crate) fn new(size: usize, fallback: Option<usize>, numbers: Numbers, seed: u64) -> Self {
        let machines = (0..size).map(|at| Machine::new(at, size, fallback));
        let mut world = Self {
            now: Moment::ZERO,
            queue: BTreeMap::new(),
            count: 0,
            machines: machines.collect(),
            net: Net::default(),
            chance: Rng::with_seed(seed),
            numbers,
            questions: BTreeMap::new(),
            leaders: BTreeMap::new(),
            handed: BTreeMap::new(),
            accepted: 0,
            heard: Vec::new(),
            tally: Tally::new(),
            execs: true,
        };
        world.numbers.check().expect("sound numbers");
        world.chance.u8(..);
        world
    }

    pub(crate) fn start(&mut self, at: usize) {
        if self.is_alive(at) {
            return;
        }
        let chance = self.chance.u64(..);
        let machine = &mut self.machines[at];
        machine.lives += 1;
        let setup = Setup {
            own: machine.id,
            home: machine.home.clone(),
            numbers: self.numbers.clone(),
            ballot: machine.ballot,
            position: position(&machine.log),
        };
        let mut out = Vec::new();
        let node = Election::start(setup, machine.clock.shows, chance, &mut out);
        machine.life =
            Some(Life { node, began: self.now, quiesced: false, tick: Moment::MAX, written: Serial(0) });
        for event in [Event::Tick, Event::Measure, Event::Copy, Event::Write] {
            self.after(Duration::ZERO, at, event);
        }
        self.carry_out(at, out).expect("a node that starts says nothing yet");
    }

    pub(crate) fn start_all(&mut self) {
        (0..self.machines.len()).for_each(|at| self.start(at));
    }

    /// It stops without a word; what was not on disk is lost.
    pub(crate) fn crash(&mut self, at: usize) {
        self.machines[at].life = None;
    }

    pub(crate) fn is_alive(&self, at: usize) -> bool {
        self.machines[at].life.is_some()
    }

    pub(crate) fn role(&self, at: usize) -> Option<Role> {
        self.machines[at].life.as_ref().map(|life| life.node.role())
    }

    pub(crate) fn node(&self, at: usize) -> &Election {
        &self.machines[at].life.as_ref().expect("it lives").node
    }

    pub(crate) fn node_mut(&mut self, at: usize) -> &mut Election {
        &mut self.machines[at].life.as_mut().expect("it lives").node
    }

    /// Takes a node out of the world.
    pub(crate) fn take(&mut self, at: usize) -> Election {
        self.machines[at].life.take().expect("it lives").node
    }

    /// What its own clock shows.
    pub(crate) fn local(&self, at: usize) -> Moment {
        let machine = &self.machines[at];
        let began = machine.life.as_ref().map_or(self.now, |life| life.began);
        machine.clock.local(self.now - began)
    }

    /// Who serves at this moment.
    pub(crate) fn serving(&self) -> Vec<usize> {
        let serves = |at: &usize| {
            let life = self.machines[*at].life.as_ref();
            life.and_then(|life| life.node.serves_until()).is_some_and(|until| self.local(*at) < until)
        };
        (0..self.machines.len()).filter(serves).collect()
    }

    pub(super) fn after(&mut self, delay: Duration, at: usize, event: Event) {
        self.count += 1;
        let life = self.machines[at].lives;
        self.queue.insert((self.now + delay, self.count), (at, life, event));
    }

    /// Something happens to a node from outside.
    pub(crate) fn tell(&mut self, at: usize, input: Input) -> Result<(), Broken> {
        let (local, chance) = (self.local(at), self.chance.u64(..));
        let Some(life) = &mut self.machines[at].life else { return Ok(()) };
        let mut out = Vec::new();
        life.node.handle(input, local, chance, &mut out);
        let next = life.node.next_tick(local);
        must!(next > local, "node {at} wants to be asked again at once");
        self.carry_out(at, out)?;
        self.tick_at(at, next);
        self.look()
    }

    fn tick_at(&mut self, at: usize, next: Moment) {
        let now = self.now;
        let machine = &mut self.machines[at];
        let Some(life) = &mut machine.life else { return };
        let due = life.began + machine.clock.real(next);
        // One that is planned earlier asks again by itself.
        if life.tick > now && life.tick <= due {
            return;
        }
        life.tick = due;
        self.after(due.saturating_sub(now), at, Event::Tick);
    }

    /// What must be true at every moment.
    fn look(&mut self) -> Result<(), Broken> {
        let serving = self.serving();
        must!(serving.len() < 2, "nodes {serving:?} serve at once");
        Ok(())
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, span: Duration) -> Result<(), Broken> {
        let until = self.now + span;
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= until) {
            let ((at, _), (node, life, event)) = entry.remove_entry();
            self.now = at;
            if let Event::Restart = event {
                let settled = self.machines[node].life.as_ref().is_none_or(|life| life.node.is_settled());
                if life == self.machines[node].lives && !settled {
                    self.after(Duration::from_millis(50), node, Event::Restart);
                } else if life == self.machines[node].lives {
                    self.crash(node);
                    self.start(node);
                }
            } else if self.machines[node].life.is_some() && life == self.machines[node].lives {
                self.happens(node, event)?;
            }
        }
        self.now = until;
        Ok(())
    }

    /// Lets time pass until this is true; says how long it took, or that it was too long.
    pub(crate) fn until(
        &mut self,
        bound: Duration,
        what: impl Fn(&Self) -> bool,
    ) -> Result<Duration, Broken> {
        let began = self.now;
        while !what(self) {
            must!(self.now < began + bound, "it did not happen within {bound:?}");
            self.run(Duration::from_millis(50))?;
        }
        Ok(self.now - began)
    }

    fn happens(&mut self, at: usize, event: Event) -> Result<(), Broken> {
        match event {
            Event::Tick => self.tell(at, Input::Tick),
            Event::Measure => {
                self.after(self.numbers.report, at, Event::Measure);
                let figures = self.machines[at].figures.clone();
                self.tell(at, Input::Measured(figures))
            }
            Event::Write => self.write(at),
            Event::Copy => self.copy(at),
            Event::Asked(ticket, ask) => self.tell(at, Input::Ask(Asked(ticket), ask)),
            Event::Answered(ticket, reply) => match self.questions.remove(&ticket) {
                Some(question) => self.tell(at, Input::Reply(question.seat, reply)),
                None => Ok(()),
            },
            Event::Failed(ticket, failure) => match self.questions.remove(&ticket) {
                Some(question) => self.tell(at, Input::Failed(question.seat, failure)),
                None => Ok(()),
            },
            Event::Written(serial, Some(ballot)) => {
                // What was asked for later is newer, however long each write took.
                if let Some(life) = self.machines[at].life.as_mut().filter(|life| life.written < serial) {
                    life.written = serial;
                    self.machines[at].ballot = ballot;
                }
                self.tell(at, Input::Persisted(serial))
            }
            Event::Written(serial, None) => self.tell(at, Input::NotPersisted(serial)),
            Event::Prepared(epoch) => {
                let can = if self.machines[at].can_lead { Ok(()) } else { Err(Objection::NoDisk) };
                self.tell(at, Input::Prepared(epoch, can))
            }
            Event::Copied { from, epoch, log, then } => self.copied(at, (from, epoch), log, then),
            Event::CaughtUp(to) => self.tell(at, Input::CaughtUp(to)),
            Event::Restart => Ok(()),
        }
    }

    pub(super) fn index(&self, id: NodeId) -> usize {
        usize::try_from(id.0 - 1).expect("small")
    }

    fn carry_out(&mut self, at: usize, out: Vec<Output>) -> Result<(), Broken> {
        for output in out {
            self.carry(at, output)?;
        }
        Ok(())
    }

    fn carry(&mut self, at: usize, output: Output) -> Result<(), Broken> {
        match output {
            Output::Persist(serial, ballot) => {
                let (delay, works) = self.net.disk(&mut self.chance);
                self.after(delay, at, Event::Written(serial, works.then_some(ballot)));
            }
            Output::Ask(seat, ask) => self.send(at, seat, ask),
            Output::Reply(asked, reply) => self.send_back(at, asked.0, reply),
            Output::Became(role, cause) => self.became(at, role, cause)?,
            Output::Leased(_) => {}
            Output::Prepare(epoch) => {
                let delay = self.net.delay(&mut self.chance);
                self.after(delay, at, Event::Prepared(epoch));
            }
            Output::Quiesce(to) => self.quiesce(at, to),
            Output::Resume => {
                if let Some(life) = &mut self.machines[at].life {
                    life.quiesced = false;
                }
            }
            news @ (Output::Handing(..) | Output::NotHanded(_)) => {
                *self.tally.entry(told(&news)).or_default() += 1;
                self.heard.push((self.now, at, news));
            }
        }
        Ok(())
    }

    fn send(&mut self, at: usize, seat: Seat, ask: Box<Ask>) {
        let to = seat_to_node(at, seat);
        self.count += 1;
        let ticket = self.count;
        let question = Question { from: (at, self.machines[at].lives), seat, to };
        self.questions.insert(ticket, question);
        let delay = self.net.delay(&mut self.chance);
        if self.net.unasked.contains(&(at, to)) || !self.net.passes(at, to, &mut self.chance) {
            return self.after(Duration::from_secs(3), at, Event::Failed(ticket, Failure::TimedOut));
        }
        if !self.is_alive(to) {
            return self.after(delay * 2, at, Event::Failed(ticket, Failure::Refused));
        }
        // Writing all of them down would take longer than everything else.
        let ask = if ticket.is_multiple_of(16) { wire::carried(&ask) } else { ask };
        self.after(delay, to, Event::Asked(ticket, ask));
        self.after(Duration::from_secs(3), at, Event::Failed(ticket, Failure::TimedOut));
    }

    fn send_back(&mut self, at: usize, ticket: u64, reply: Box<Reply>) {
        let Some(Question { from: (asker, life), to, .. }) = self.questions.get(&ticket).copied() else {
            return;
        };
        if to == at && life == self.machines[asker].lives && self.net.passes(at, asker, &mut self.chance) {
            let delay = self.net.delay(&mut self.chance);
            let reply = if ticket.is_multiple_of(16) { wire::carried_back(&reply) } else { reply };
            self.after(delay, asker, Event::Answered(ticket, reply));
        }
    }

    fn became(&mut self, at: usize, role: Role, cause: Cause) -> Result<(), Broken> {
        *self.tally.entry(cause.word()).or_default() += 1;
        self.heard.push((self.now, at, Output::Became(role, cause)));
        if let Role::Leader(epoch) = role {
            let life = (at, self.machines[at].lives);
            let other = self.leaders.insert(epoch, life);
            must!(other.is_none(), "{life:?} leads in epoch {epoch}, as did {other:?}");
            if cause == Cause::HandedOver {
                *self.tally.entry("leads by a hand-over").or_default() += 1;
                let before = self.handed.get(&epoch).cloned().unwrap_or_default();
                let lost: Vec<_> =
                    before.iter().filter(|change| !self.machines[at].log.contains(change)).collect();
                must!(lost.is_empty(), "node {at} was handed the home without {lost:?}");
            }
            // The first change of an epoch says that it has begun.
            self.machines[at].log.push((epoch, 0));
            let end = position(&self.machines[at].log);
            return self.tell(at, Input::Copied(end));
        }
        if cause == Cause::HandedOver && matches!(role, Role::Standby(_)) {
            let epoch = self.node(at).view(self.local(at)).epoch;
            self.handed.insert(epoch, self.machines[at].log.clone());
        }
        let led = self.leaders.values().any(|life| *life == (at, self.machines[at].lives));
        if led && self.execs {
            let delay = Duration::from_millis(self.chance.u64(1..400));
            self.after(delay, at, Event::Restart);
        }
        Ok(())
    }
}

fn told(news: &Output) -> &'static str {
    match news {
        Output::Handing(_, Handing::Ordered) => "hand-over ordered",
        Output::Handing(_, Handing::Outranked) => "hand-over by rank",
        Output::Handing(_, Handing::Done) => "handed",
        Output::Handing(_, Handing::Cancelled) => "hand-over cancelled",
        Output::NotHanded(NotHanded::Lags) => "hand-over refused to one that lags",
        _ => "hand-over refused",
    }
}

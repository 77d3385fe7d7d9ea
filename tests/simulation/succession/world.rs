//! Nodes, the network between them, their disks and their clocks, under one queue of events.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    time::Duration,
};

use fastrand::Rng;
use kith::domain::{
    Moment,
    succession::{
        Epoch, NodeId,
        ballot::{Ballot, Serial},
        election::{Asked, Attempt, Election, Input, Output, Role, Setup},
        message::{Ask, Failure, Objection, Reply},
        numbers::Numbers,
        sequence::Sequence,
    },
};

use super::{
    faults::Net,
    letters::Letters,
    machine::{Life, Machine},
    post::Question,
    watch::Watch,
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
    Flush,
    Asked(u64, Sequence, Box<Ask>),
    Answered(u64, Box<Reply>),
    Failed(u64, Failure),
    /// The ballot is on disk, whatever the disk says about it later.
    OnDisk(Serial, Ballot),
    Written(Serial, bool),
    Prepared(Epoch),
    Copied {
        from: usize,
        epoch: Epoch,
        end: u64,
        then: Option<Attempt>,
    },
    Bring(NodeId, Attempt),
    CaughtUp(Attempt),
    Strike(super::faults::Blow),
    Restart,
}

/// What happens to a node, and in which of its lives.
#[derive(Debug)]
struct Planned {
    node: usize,
    life: u64,
    event: Event,
}

/// When something happens, in nanoseconds, and where it stands. Two of one moment happen as they were planned.
type Due = Reverse<(u128, usize)>;

/// Everything.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: Moment,
    queue: BinaryHeap<Due>,
    planned: Vec<Option<Planned>>,
    free: Vec<usize>,
    pub(super) count: u64,
    pub(crate) machines: Vec<Machine>,
    pub(crate) net: Net,
    pub(crate) chance: Rng,
    pub(crate) numbers: Numbers,
    pub(super) questions: BTreeMap<u64, Question>,
    pub(super) letters: Letters,
    pub(super) watch: Watch,
    pub(crate) heard: Vec<(Moment, usize, Output)>,
    pub(crate) tally: Tally,
    /// Whether a node that loses the role starts anew, as the program does.
    pub(crate) execs: bool,
    /// Whether clocks may differ by more than they should.
    pub(crate) clocks_lie: bool,
    /// Whether nothing goes wrong any more that was planned before.
    pub(crate) is_calm: bool,
}

impl World {
    /// So many nodes, the fallback among them if there is one. None of them runs yet.
    pub(crate) fn new(size: usize, fallback: Option<usize>, numbers: Numbers, seed: u64) -> Self {
        let machines = (0..size).map(|at| Machine::new(at, size, fallback));
        numbers.check().expect("sound numbers");
        let mut world = Self {
            now: Moment::ZERO,
            queue: BinaryHeap::new(),
            planned: Vec::new(),
            free: Vec::new(),
            count: 0,
            machines: machines.collect(),
            net: Net::default(),
            chance: Rng::with_seed(seed),
            numbers,
            questions: BTreeMap::new(),
            letters: Letters::default(),
            watch: Watch::default(),
            heard: Vec::new(),
            tally: Tally::new(),
            execs: true,
            clocks_lie: false,
            is_calm: false,
        };
        world.chance.u8(..);
        world
    }

    pub(crate) fn start(&mut self, at: usize) {
        self.machines[at].is_dark = false;
        if self.is_alive(at) {
            return;
        }
        let (chance, local) = (self.chance.u64(..), self.local(at));
        let machine = &mut self.machines[at];
        machine.lives += 1;
        machine.frozen = self.now;
        machine.missed.clear();
        let setup = Setup {
            own: machine.id,
            home: machine.home.clone(),
            numbers: machine.numbers.clone().unwrap_or_else(|| self.numbers.clone()),
            ballot: machine.ballot,
            position: machine.copy,
        };
        let mut out = Vec::new();
        let node = Election::start(setup, local, chance, &mut out);
        machine.life = Some(Life::new(node, self.now));
        for event in [Event::Tick, Event::Measure, Event::Copy, Event::Write, Event::Flush] {
            self.after(Duration::ZERO, at, event);
        }
        self.carry_out(at, out).expect("a node that starts says nothing yet");
    }

    pub(crate) fn start_all(&mut self) {
        (0..self.machines.len()).for_each(|at| self.start(at));
    }

    /// It stops without a word; what was not on disk is lost.
    pub(crate) fn crash(&mut self, at: usize) {
        if let Some(epoch) = self.watch.led.remove(&at)
            && self.letters.close(epoch) > 0
        {
            self.note("crash before all was written");
        }
        self.machines[at].life = None;
        self.questions.retain(|_, question| question.from.0 != at);
    }

    pub(crate) fn is_alive(&self, at: usize) -> bool {
        self.machines[at].life.is_some()
    }

    /// Letters that were accepted so far.
    pub(crate) fn accepted(&self) -> u64 {
        self.letters.accepted()
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
        self.machines[at].clock.local(self.now)
    }

    /// Whether this node believes that it may serve.
    pub(crate) fn serves(&self, at: usize) -> bool {
        let until = self.machines[at].life.as_ref().and_then(|life| life.node.serves_until());
        until.is_some_and(|until| self.local(at) < until)
    }

    /// Who serves at this moment.
    pub(crate) fn serving(&self) -> Vec<usize> {
        (0..self.machines.len()).filter(|at| self.serves(*at)).collect()
    }

    pub(crate) fn note(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    pub(super) fn after(&mut self, delay: Duration, node: usize, event: Event) {
        self.plan(self.now + delay, node, event);
    }

    pub(super) fn plan(&mut self, at: Moment, node: usize, event: Event) {
        self.count += 1;
        let planned = Some(Planned { node, life: self.machines[node].lives, event });
        let slot = match self.free.pop() {
            Some(slot) => {
                self.planned[slot] = planned;
                slot
            }
            None => {
                self.planned.push(planned);
                self.planned.len() - 1
            }
        };
        self.queue.push(Reverse((at.as_nanos() << 64 | u128::from(self.count), slot)));
    }

    /// What happens next, if that is before this moment.
    fn next(&mut self, until: Moment) -> Option<Planned> {
        let Reverse((due, _)) = self.queue.peek()?;
        let at = Duration::from_nanos(u64::try_from(due >> 64).expect("a short life"));
        if at > until {
            return None;
        }
        let Reverse((_, slot)) = self.queue.pop()?;
        self.now = at;
        self.free.push(slot);
        self.planned[slot].take()
    }

    /// Something happens to a node from outside.
    pub(crate) fn tell(&mut self, at: usize, input: Input) -> Result<(), Broken> {
        let (local, chance) = (self.local(at), self.chance.u64(..));
        let Some(life) = &mut self.machines[at].life else { return Ok(()) };
        let mut out = Vec::new();
        life.node.handle(input, local, chance, &mut out);
        let next = life.node.next_tick(local);
        must!(next > local, "node {at} wants to be asked again at once");
        let leads = matches!(life.node.role(), Role::Leader(_));
        let is_leased = life.node.serves_until().is_some_and(|until| local < until);
        // The fallback of two needs nobody, and takes its lease anew whenever it looks.
        let is_alone = life.node.home().is_enough(&BTreeSet::new());
        must!(!leads || is_leased || is_alone, "node {at} leads after its lease");
        self.carry_out(at, out)?;
        self.tick_at(at, next);
        self.look()
    }

    fn tick_at(&mut self, at: usize, next: Moment) {
        let now = self.now;
        let machine = &mut self.machines[at];
        let Some(life) = &mut machine.life else { return };
        let due = machine.clock.real(next);
        // One that is planned earlier asks again by itself.
        if life.tick > now && life.tick <= due {
            return;
        }
        life.tick = due;
        self.plan(due.max(now), at, Event::Tick);
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, span: Duration) -> Result<(), Broken> {
        let until = self.now + span;
        while let Some(Planned { node, life, event }) = self.next(until) {
            if let Event::Strike(blow) = event {
                self.strikes(node, blow);
            } else if self.machines[node].life.is_none() || life != self.machines[node].lives {
                // It has died since.
            } else if self.machines[node].frozen > self.now {
                self.machines[node].missed.push((life, event));
            } else {
                self.happens(node, event)?;
            }
        }
        self.now = until;
        self.look()
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
            self.run(Duration::from_millis(20))?;
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
            Event::Flush => self.flush(at),
            Event::Copy => self.copy(at),
            Event::Asked(ticket, sequence, ask) => self.hears(at, ticket, sequence, ask),
            Event::Answered(ticket, reply) => match self.questions.remove(&ticket) {
                Some(question) => self.tell(at, Input::Reply(question.seat, reply)),
                None => Ok(()),
            },
            Event::Failed(ticket, failure) => match self.questions.remove(&ticket) {
                Some(question) => self.tell(at, Input::Failed(question.seat, failure)),
                None => Ok(()),
            },
            Event::OnDisk(serial, ballot) => {
                if let Some(life) = self.machines[at].life.as_mut().filter(|life| life.written < serial) {
                    life.written = serial;
                    self.machines[at].ballot = ballot;
                }
                Ok(())
            }
            Event::Written(serial, true) => self.tell(at, Input::Persisted(serial)),
            Event::Written(serial, false) => self.tell(at, Input::NotPersisted(serial)),
            Event::Prepared(epoch) => {
                let can = if self.machines[at].can_lead { Ok(()) } else { Err(Objection::NoDisk) };
                self.tell(at, Input::Prepared(epoch, can))
            }
            Event::Copied { from, epoch, end, then } => self.copied(at, (from, epoch), end, then),
            Event::Bring(to, attempt) => self.bring(at, to, attempt),
            Event::CaughtUp(attempt) => self.tell(at, Input::CaughtUp(attempt)),
            Event::Restart => {
                self.crash(at);
                self.start(at);
                Ok(())
            }
            Event::Strike(_) => Ok(()),
        }
    }

    pub(crate) fn index(&self, id: NodeId) -> usize {
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
            Output::Persist(serial, ballot) => self.persist(at, serial, ballot),
            Output::Ask(seat, ask) => self.send(at, seat, ask),
            Output::Reply(Asked(ticket), reply) => self.send_back(at, ticket, reply)?,
            Output::Became(role, cause) => self.became(at, role, cause)?,
            Output::Leased(_) => {}
            Output::Prepare(epoch) => {
                let delay = self.net.delay(&mut self.chance);
                self.after(delay, at, Event::Prepared(epoch));
            }
            Output::Quiesce(to, attempt) => self.quiesce(at, to, attempt),
            Output::Resume => {
                if let Some(life) = &mut self.machines[at].life {
                    life.quiesced = None;
                }
            }
            news @ (Output::Handing(..) | Output::NotHanded(_) | Output::Differs(_)) => self.told(at, news),
        }
        Ok(())
    }

    /// Ballots are written one after the other. A disk that says it has failed may have written them all the same.
    fn persist(&mut self, at: usize, serial: Serial, ballot: Ballot) {
        let (delay, works) = self.net.disk(&mut self.chance);
        let Some(life) = &mut self.machines[at].life else { return };
        let begins = life.disk.max(self.now);
        let ends = begins + delay;
        life.disk = ends;
        if works || self.chance.bool() {
            self.plan(begins + delay / 2, at, Event::OnDisk(serial, ballot));
        }
        self.plan(ends, at, Event::Written(serial, works));
    }
}

//! The world: servers on a network, people at their servers, and everything that happens in order.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use fastrand::Rng;
use kith::domain::{Moment, id::ConnectionId};

use crate::{
    faults::{Fault, divided},
    invariants::{Broken, Ledger},
    member::{self, Act, Person},
    net::{Happening, Machine, Net},
    node::{Node, Setup, Ties, Wish},
};

/// Something that is planned.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Fault(Fault),
    Person(Act),
}

type Event = Happening<Deed>;

/// A server as the world sees it.
#[derive(Debug)]
struct Site {
    node: Option<Node>,
    ties: Ties,
    born: Moment,
    /// How far its clock has jumped ahead.
    ahead: Duration,
    alarm: Option<Moment>,
    /// What waits while the process is stopped.
    stopped: Option<VecDeque<Event>>,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct World {
    net: Net<Deed>,
    setup: Setup,
    sites: Vec<Site>,
    people: Vec<Person>,
    ledger: Ledger,
    serial: u64,
    chance: Rng,
    /// What happened, if somebody wants to know.
    trace: Option<Vec<String>>,
}

impl World {
    /// A world of servers, none of which runs yet, that know each other like this.
    pub(crate) fn new(ties: Vec<Ties>, people: usize, setup: Setup, mut chance: Rng) -> Self {
        let servers = ties.len();
        let mut net = Net::new(servers, chance.fork());
        for place in 0..servers {
            net.turn(place, Machine::Killed);
        }
        let site = |ties| Site {
            node: None,
            ties,
            born: Moment::ZERO,
            ahead: Duration::ZERO,
            alarm: None,
            stopped: None,
        };
        Self {
            net,
            setup,
            sites: ties.into_iter().map(site).collect(),
            people: (0..people).map(|_| Person::default()).collect(),
            ledger: Ledger::new(servers),
            serial: 0,
            chance,
            trace: None,
        }
    }

    /// From now on everything that happens is written down.
    pub(crate) fn write_down(&mut self) {
        self.trace = Some(Vec::new());
    }

    /// What was written down.
    pub(crate) fn take_trace(&mut self) -> Vec<String> {
        self.trace.take().unwrap_or_default()
    }

    pub(crate) const fn now(&self) -> Moment {
        self.net.now()
    }

    pub(crate) const fn net(&self) -> &Net<Deed> {
        &self.net
    }

    pub(crate) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) const fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    pub(crate) const fn setup(&self) -> &Setup {
        &self.setup
    }

    pub(crate) fn people(&self) -> &[Person] {
        &self.people
    }

    /// The servers that run.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.sites.iter().enumerate().filter_map(|(place, site)| Some((place, site.node.as_ref()?)))
    }

    pub(crate) fn node(&self, place: usize) -> Option<&Node> {
        self.sites[place].node.as_ref()
    }

    pub(crate) fn servers(&self) -> usize {
        self.sites.len()
    }

    /// Whether these two are meant to have a link.
    pub(crate) fn are_neighbours(&self, one: usize, other: usize) -> bool {
        self.sites[one].ties.contains_key(&other)
    }

    pub(crate) fn plan(&mut self, at: Moment, deed: Deed) {
        self.net.plan(at, deed);
    }

    /// Lets time pass.
    pub(crate) fn run_until(&mut self, end: Moment) -> Result<(), Broken> {
        while let Some(event) = self.net.next(end) {
            self.apply(event)?;
        }
        Ok(())
    }

    fn note(&mut self, words: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>12.6} {}", self.net.now().as_secs_f64(), words()));
        }
    }

    fn apply(&mut self, event: Event) -> Result<(), Broken> {
        let place = match &event {
            Happening::Deed(deed) => {
                let deed = deed.clone();
                return self.apply_deed(deed);
            }
            Happening::Alarm(place) => {
                self.sites[*place].alarm = None;
                *place
            }
            Happening::Accepted(place, _)
            | Happening::Opened(place, _)
            | Happening::Gone(place, _)
            | Happening::Frame(place, ..) => *place,
        };
        if let Some(waiting) = &mut self.sites[place].stopped {
            if !matches!(event, Happening::Alarm(_)) {
                waiting.push_back(event);
            }
            return Ok(());
        }
        self.deliver(place, event)
    }

    /// Hands something to a server.
    fn deliver(&mut self, place: usize, event: Event) -> Result<(), Broken> {
        if !matches!(event, Happening::Alarm(_)) {
            self.note(|| describe(&event));
        }
        let taken = match &event {
            Happening::Frame(_, socket, frame) => {
                self.net.other_end(place, *socket).map(|sender| (sender, *socket, frame.len()))
            }
            _ => None,
        };
        self.with(place, |node, now| match event {
            Happening::Accepted(_, socket) => node.on_accepted(socket, now),
            Happening::Opened(_, socket) => node.on_opened(socket, now),
            Happening::Frame(_, socket, frame) => node.on_frame(socket, frame, now),
            Happening::Gone(_, socket) => node.on_gone(socket, now),
            Happening::Alarm(_) => while node.on_alarm(now) {},
            Happening::Deed(_) => {}
        })?;
        if let Some((sender, socket, bytes)) = taken {
            self.with(sender, |node, now| node.on_taken(socket, bytes, now))?;
        }
        Ok(())
    }

    /// Does something with a server that runs, and then what it wishes.
    pub(crate) fn with<T>(
        &mut self,
        place: usize,
        act: impl FnOnce(&mut Node, Moment) -> T,
    ) -> Result<Option<T>, Broken> {
        let site = &mut self.sites[place];
        let now = self.net.now() - site.born + site.ahead;
        let Some(node) = &mut site.node else { return Ok(None) };
        let done = act(node, now);
        let wishes = node.take_wishes();
        for wish in wishes {
            self.fulfil(place, wish)?;
        }
        self.set_alarm(place);
        self.check_node(place)?;
        Ok(Some(done))
    }

    fn set_alarm(&mut self, place: usize) {
        let site = &mut self.sites[place];
        let Some(at) = site.node.as_ref().and_then(Node::next_alarm) else { return };
        let at = (at + site.born).saturating_sub(site.ahead).max(self.net.now());
        if site.alarm.is_none_or(|earlier| at < earlier) {
            site.alarm = Some(at);
            self.net.wake(place, at);
        }
    }

    fn fulfil(&mut self, place: usize, wish: Wish) -> Result<(), Broken> {
        if !matches!(wish, Wish::Send(..)) {
            self.note(|| format!("  {place}: {}", tell(&wish)));
        }
        match wish {
            Wish::Dial(socket, to) => {
                self.ledger.dialled(place, to, self.net.now())?;
                self.net.dial(socket, place, to);
            }
            Wish::Send(socket, frame) => self.net.write(place, socket, frame),
            Wish::Close(socket) => self.net.close(place, socket),
            Wish::Deliver(connection, frame) => self.ledger.delivered(connection, &frame)?,
            Wish::Linked(peer, _) => self.ledger.linked(place, peer, self.net.now()),
            Wish::Unlinked(peer) => self.ledger.unlinked(place, peer)?,
            Wish::Over(_, _, ending) => self.ledger.over(place, ending)?,
            Wish::Planned(letter, plan) => self.ledger.planned(place, &letter, plan)?,
            Wish::Wanted(peer) => self.ledger.wanted(place, peer)?,
        }
        Ok(())
    }

    fn check_node(&mut self, place: usize) -> Result<(), Broken> {
        if let Some(node) = &self.sites[place].node {
            self.ledger.saw(place, node, &self.setup)?;
        }
        Ok(())
    }

    fn apply_deed(&mut self, deed: Deed) -> Result<(), Broken> {
        self.note(|| format!("{deed:?}"));
        match deed {
            Deed::Fault(fault) => self.apply_fault(fault),
            Deed::Person(act) => self.apply_act(act),
        }
    }

    fn apply_fault(&mut self, fault: Fault) -> Result<(), Broken> {
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
        let node = Node::new(place, self.serial, ties, &self.setup, chance);
        let site = &mut self.sites[place];
        (site.node, site.born, site.ahead) = (Some(node), self.net.now(), Duration::ZERO);
        self.net.turn(place, Machine::Runs);
        self.ledger.started(place);
        self.with(place, |node, _| node.start())?;
        Ok(())
    }

    fn stop(&mut self, place: usize, machine: Machine) {
        let site = &mut self.sites[place];
        let Some(node) = site.node.take() else { return };
        for (peer, tie) in &mut site.ties {
            tie.seen = node.seen(*peer);
        }
        site.stopped = None;
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

    fn apply_act(&mut self, act: Act) -> Result<(), Broken> {
        match act {
            Act::Join(person, place) => self.join(person, place),
            Act::Leave(person) => match self.some_connection(person) {
                Some(connection) => self.leave(person, connection),
                None => Ok(()),
            },
            Act::LeaveFrom(person, connection) => self.leave(person, connection),
            Act::Move(person, place, pause, leaves_first) => {
                let Some(connection) = self.some_connection(person) else { return Ok(()) };
                let (leave, join) = (Act::LeaveFrom(person, connection), Act::Join(person, place));
                let (first, second) = if leaves_first { (leave, join) } else { (join, leave) };
                self.plan(self.now() + pause, Deed::Person(second));
                self.apply_act(first)
            }
            Act::Say(person, homes) => self.say(person, homes.as_deref()),
        }
    }

    fn some_connection(&mut self, person: usize) -> Option<ConnectionId> {
        let connections: Vec<_> = self.people[person].connections.keys().copied().collect();
        self.chance.choice(connections)
    }

    fn join(&mut self, person: usize, place: usize) -> Result<(), Broken> {
        if self.sites[place].stopped.is_some() {
            return Ok(());
        }
        self.serial += 1;
        let connection = ConnectionId(self.serial);
        let newcomer = member::hello(person, self.chance.usize(0..2), self.serial);
        self.ledger.may_join(place, newcomer.key);
        if self.with(place, |node, now| node.join(connection, &newcomer, now))? == Some(true) {
            self.people[person].connections.insert(connection, (place, 0));
        }
        Ok(())
    }

    fn leave(&mut self, person: usize, connection: ConnectionId) -> Result<(), Broken> {
        if let Some((place, _)) = self.people[person].connections.remove(&connection) {
            self.with(place, |node, now| node.leave(connection, now))?;
        }
        Ok(())
    }

    fn say(&mut self, person: usize, homes: Option<&[usize]>) -> Result<(), Broken> {
        let Some(connection) = self.some_connection(person) else { return Ok(()) };
        let Some((place, count)) = self.people[person].connections.get_mut(&connection) else {
            return Ok(());
        };
        let place = *place;
        if self.sites[place].stopped.is_some() {
            return Ok(());
        }
        *count += 1;
        let from = (connection, *count);
        let hearers = self.hearers(place, homes);
        let number = self.ledger.written(from, place, hearers);
        let letter = member::letter(number, person, connection, homes);
        self.with(place, |node, now| node.route(letter, now))?;
        Ok(())
    }

    /// Who must hear a letter that is written at this home now, as far as its links reach.
    fn hearers(&self, place: usize, homes: Option<&[usize]>) -> BTreeMap<usize, Vec<ConnectionId>> {
        let reached = |home: &usize| {
            let is_linked =
                || self.node(place).and_then(|node| node.link(*home)).is_some_and(|(_, is_told)| is_told);
            homes.is_none_or(|homes| homes.contains(home)) && (*home == place || is_linked())
        };
        let connections = |home| self.node(home).map(|node| node.connections().iter().copied().collect());
        (0..self.servers())
            .filter(reached)
            .map(|home| (home, connections(home).unwrap_or_default()))
            .collect()
    }
}

fn describe(event: &Event) -> String {
    match event {
        Happening::Accepted(place, socket) => format!("{place}: {socket:x?} knocks"),
        Happening::Opened(place, socket) => format!("{place}: {socket:x?} is open"),
        Happening::Frame(place, socket, frame) => {
            format!("{place}: {socket:x?} brings {} bytes", frame.len())
        }
        Happening::Gone(place, socket) => format!("{place}: {socket:x?} is gone"),
        Happening::Alarm(place) => format!("{place}: alarm"),
        Happening::Deed(deed) => format!("{deed:?}"),
    }
}

fn tell(wish: &Wish) -> String {
    match wish {
        Wish::Planned(letter, plan) => {
            format!("letter {} from {:?}: {plan:?}", member::number(letter.trace), letter.from)
        }
        Wish::Deliver(connection, frame) => format!("{connection} hears {:?}", member::read(frame)),
        other => format!("{other:x?}"),
    }
}

/// The setup that everybody agrees on, with these limits.
pub(crate) fn setup(limits: kith::domain::limits::Limits, part: usize, room: usize) -> Setup {
    Setup { limits: Arc::new(limits), part, room }
}

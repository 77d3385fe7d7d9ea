//! The world: servers on a network, people at their servers, and everything that happens in order.
//!
//! `mod` hands what the network brings to the servers and does what they wish, `trouble` makes things go
//! wrong, `life` lets people do things. The ledger of the invariants is told everything.

mod life;
mod rooms;
mod trouble;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use fastrand::Rng;
use kith::domain::{Moment, letter::Origin, limits::Limits, rooms::Record};

use crate::{
    faults::Fault,
    invariants::{Broken, Ledger},
    member::{self, Act, Person},
    net::{Happening, Machine, Net},
    node::{Links, Node, Setup, Ties, Wish},
    rooms::Act as RoomAct,
};

/// Something that is planned.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Fault(Fault),
    Person(Act),
    Room(RoomAct),
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
    /// What it has written down, and when it was safe.
    store: Vec<(Moment, Record)>,
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
            store: Vec::new(),
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

    fn is_stopped(&self, place: usize) -> bool {
        self.sites[place].stopped.is_some()
    }

    pub(crate) fn plan(&mut self, at: Moment, deed: Deed) {
        self.net.plan(at, deed);
    }

    /// Lets time pass.
    pub(crate) fn run_until(&mut self, end: Moment) -> Result<(), Broken> {
        while self.step(end)? {}
        Ok(())
    }

    /// Lets the next thing happen, if there is one before `end`.
    pub(crate) fn step(&mut self, end: Moment) -> Result<bool, Broken> {
        let Some(event) = self.net.next(end) else { return Ok(false) };
        self.apply(event)?;
        Ok(true)
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
        let from = match &event {
            Happening::Accepted(_, socket) => self.net.other_end(place, *socket),
            _ => None,
        };
        self.with(place, |node, now| match event {
            Happening::Accepted(_, socket) => node.on_accepted(socket, from, now),
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
        let is_quiet = wishes.is_empty();
        for wish in wishes {
            self.fulfil(place, wish)?;
        }
        self.set_alarm(place);
        if let Some(node) = &self.sites[place].node {
            self.ledger.saw(place, node, &self.setup, is_quiet)?;
        }
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
            Wish::Linked(peer) => self.ledger.linked(place, peer, self.net.now()),
            Wish::Unlinked(peer) => self.ledger.unlinked(place, peer)?,
            Wish::Over(ending) => self.ledger.over(place, ending)?,
            Wish::Planned(letter, plan) => {
                let from = match letter.from {
                    Origin::Here(_) => None,
                    Origin::Home(home) => self.sites[place].node.as_ref().map(|node| node.place(home)),
                };
                self.ledger.planned(place, &letter, plan, from)?;
            }
            Wish::Wanted(peer) => self.ledger.wanted(place, peer)?,
            Wish::Answered(connection, answer) => self.ledger.rooms.answered(place, connection, &answer),
            Wish::Happened(room, listeners, event) => {
                self.ledger.happened(place, &room, &listeners, &event)?;
            }
            Wish::Write(records) => {
                let safe = self.net.now() + self.setup.lag;
                self.sites[place].store.extend(records.into_iter().map(|record| (safe, record)));
            }
        }
        Ok(())
    }

    /// Something happens at once that may also be planned.
    pub(crate) fn apply_deed(&mut self, deed: Deed) -> Result<(), Broken> {
        self.note(|| format!("{deed:?}"));
        match deed {
            Deed::Fault(fault) => self.apply_fault(fault),
            Deed::Person(act) => self.apply_act(act),
            Deed::Room(act) => self.apply_room_act(act),
        }
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
            format!("letter {:?} from {:?}: {plan:?}", member::read(&letter.original), letter.from)
        }
        Wish::Deliver(connection, frame) => format!("{connection} hears {:?}", member::read(frame)),
        other => format!("{other:x?}"),
    }
}

/// The setup that everybody agrees on, with these limits.
pub(crate) fn setup(limits: Limits, part: usize, room: usize, slowness: u64) -> Setup {
    Setup { limits: Arc::new(limits), part, room, slowness, lag: Duration::ZERO, links: Links::Kith }
}

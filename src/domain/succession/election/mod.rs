//! One node's role: follower, candidate, leader, or fenced; and how it changes.
//!
//! Everything that happens goes in through [`Election::handle`], everything that should be done comes out. The
//! shell sends what it is told to, answers what it is told to, writes the ballot when it is told to and says when
//! that is done, and calls again with [`Input::Tick`] at [`Election::next_tick`] at the latest.
//!
//! Why two never serve at once: whoever follows or votes *promises* to help nobody else for a while
//! ([`Numbers::promise`]), counted from hearing. A leader serves for `lease`, counted from asking, after answers of
//! enough nodes (`home`). Any other set that is enough shares a node with those, and its promise began after the
//! lease did and is longer by a tenth, so it ends later unless clocks differ by more. Whoever has numbers with which
//! that is not so is not listened to (`hearing`). A promise ends before its time
//! only where whom it was given to has said that it will never lead in the epoch of that vote.

mod calling;
mod candidate;
mod disk;
mod following;
mod handing;
mod hearing;
mod leading;
mod terms;
mod view;
mod voting;

pub use self::{
    terms::{Asked, Attempt, Cause, Difference, Handing, Input, NotHanded, Output, ROLES, Role},
    view::{HandingView, HostRow, View},
};

use std::time::Duration;

use self::{
    candidate::Campaign,
    disk::Disk,
    following::{Following, Prepared, Promise},
    leading::Reign,
};
use super::{
    Epoch, NodeId, Position,
    ballot::Ballot,
    home::{Fallback, Home, Member, Seat},
    hosts::{Heard, Hosts, Kind},
    message::{Answer, Ask, Failure, Objection, Question, Reply, Sender},
    numbers::Numbers,
    report::Figures,
};
use crate::domain::Moment;

/// What a node starts with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its own id, which is on disk already.
    pub own: NodeId,
    /// The other nodes.
    pub home: Home,
    /// The numbers in force, checked.
    pub numbers: Numbers,
    /// What it remembers; the default if it remembers nothing.
    pub ballot: Ballot,
    /// How far its copy of the database goes.
    pub position: Position,
}

/// One node.
#[derive(Debug)]
pub struct Election {
    own: NodeId,
    home: Home,
    numbers: Numbers,
    ballot: Ballot,
    disk: Disk,
    hosts: Hosts,
    figures: Figures,
    position: Position,
    seats: Vec<Place>,
    started: Moment,
    state: State,
    /// What was said last about the role: what, since when, and why.
    told: (Role, Moment, Cause),
    /// Whom we follow.
    following: Option<Following>,
    /// Whom alone we help for a while.
    promise: Option<Promise>,
    /// When we stand at the earliest.
    stand_at: Moment,
    /// By how much later than in our turn, by chance, so that two whose turns fall together do not meet.
    lot: Duration,
    /// Until when those that are left are asked at short intervals, because a leader has just gone.
    eager_until: Moment,
    /// Whether we have let somebody with a better copy go first since somebody led.
    yielded: bool,
    /// What the leader asked us to get ready for.
    prepared: Option<Prepared>,
    /// Our last hand-over.
    attempt: Attempt,
    /// Who has handed over to us, and until when it is not chosen again.
    held: Option<(NodeId, Moment)>,
    /// The host of the first form to which all of them are left.
    heir: Option<NodeId>,
    failures: [u64; Failure::ALL.len()],
    chance: u64,
}

#[derive(Debug)]
enum State {
    Standby,
    Fenced,
    Candidate(Campaign),
    Leader(Reign),
}

/// What is known of the node at a seat.
#[derive(Clone, Debug, Default)]
struct Place {
    /// Who answered there last.
    node: Option<NodeId>,
    /// When it was asked what it has not answered yet.
    asked: Option<Moment>,
    /// When it is asked next.
    next: Moment,
    /// Questions that it was asked since it last answered one.
    attempts: u32,
    /// The latest moment at which we asked something that it has answered as our follower.
    acked: Option<Moment>,
    /// Why its words do not count, if its settings and ours do not go together.
    differs: Option<Objection>,
}

impl Election {
    /// A node that starts, with what it remembers. It begins with a ballot to write, and says nothing before
    /// that is on disk.
    pub fn start(setup: Setup, now: Moment, chance: u64, out: &mut Vec<Output>) -> Self {
        let Setup { own, home, numbers, ballot, position } = setup;
        let seats = home.seats().map(|_| Place { next: now, ..Place::default() }).collect();
        let mut node = Self {
            own,
            home,
            eager_until: now + numbers.takeover * 2,
            numbers,
            ballot: Ballot { run: ballot.run.saturating_add(1), ..ballot },
            disk: Disk::default(),
            hosts: Hosts::default(),
            figures: Figures::default(),
            position,
            seats,
            started: now,
            state: State::Standby,
            told: (Role::Standby(None), now, Cause::Started),
            following: None,
            promise: None,
            stand_at: now,
            lot: Duration::ZERO,
            yielded: false,
            prepared: None,
            attempt: Attempt::default(),
            held: None,
            heir: None,
            failures: [0; Failure::ALL.len()],
            chance,
        };
        node.first_wait(now);
        node.persist(out);
        node
    }

    /// When a node that has just started stands at the earliest.
    fn first_wait(&mut self, now: Moment) {
        // When it was that we helped somebody else is forgotten, so it counts as just now. That one may have counted on
        // other numbers than ours are now.
        let until = now + self.numbers.promise().max(self.ballot.promised_for);
        self.promise = self.ballot.promised.filter(|to| *to != self.own).map(|to| Promise { to, until });
        self.lot = self.spread(self.numbers.stagger / 2);
        let (shortest, longest) = self.numbers.first_wait;
        self.stand_at = match self.promise {
            _ if self.home.others.is_empty() => now,
            Some(promise) => promise.until,
            None if self.ballot.epoch == Epoch::default() => {
                now + shortest + self.spread(longest.saturating_sub(shortest))
            }
            // Time to hear of somebody who leads, and no more: the others may be waiting for us alone.
            None => now + self.numbers.stagger + self.spread(self.numbers.stagger),
        };
    }

    /// The only door: something happened, and this should be done. `chance` is any number that nobody can guess.
    pub fn handle(&mut self, input: Input, now: Moment, chance: u64, out: &mut Vec<Output>) {
        self.chance = chance;
        // Whatever else happens, nobody acts as leader when the lease is over.
        self.fence_if_due(now, out);
        match input {
            Input::Tick => self.tick(now, out),
            Input::Measured(figures) => self.measured(figures, now),
            Input::Copied(position) => self.copied(position),
            Input::Ask(asked, ask) => self.hears(asked, *ask, now, out),
            Input::Reply(seat, reply) => self.answered(seat, *reply, now, out),
            Input::Failed(seat, failure) => self.failed(seat, failure, now),
            Input::Persisted(serial) => self.persisted(serial, now, out),
            Input::NotPersisted(serial) => self.not_persisted(serial, now, out),
            Input::Prepared(epoch, ready) => self.is_prepared(epoch, ready, out),
            Input::CaughtUp(attempt) => self.caught_up(attempt, now, out),
            Input::Stuck(attempt) => self.stuck(attempt, now, out),
            Input::HandOver(to) => self.ordered(to, now, out),
        }
    }

    fn tick(&mut self, now: Moment, out: &mut Vec<Output>) {
        self.persist_again(now, out);
        self.hosts.forget(now, &self.numbers);
        if !self.disk.is_awake() {
            return;
        }
        match self.state {
            State::Leader(_) => self.reign(now, out),
            State::Candidate(_) => {
                self.campaign(now, out);
                self.report(now, out);
            }
            State::Standby | State::Fenced => {
                self.report(now, out);
                self.stand_if_due(now, out);
            }
        }
    }

    fn measured(&mut self, figures: Figures, now: Moment) {
        let heard = Heard { figures: Some(&figures), position: Some(self.position), address: None };
        // The table is never so full that we ourselves have no place.
        let _ = self.hosts.heard(self.own, Kind::Ourselves, &heard, now, &self.numbers);
        self.figures = figures;
    }

    fn copied(&mut self, position: Position) {
        // A leader's copy is the one that counts: it never goes back to an epoch before its own.
        let leads = matches!(self.state, State::Leader(_));
        self.position = if leads { self.position.max(position) } else { position };
    }

    /// A higher epoch is never argued with: whoever leads in a lower one stops at once.
    fn adopt(&mut self, epoch: Epoch, now: Moment, out: &mut Vec<Output>) {
        if epoch <= self.ballot.epoch {
            return;
        }
        self.ballot = Ballot { epoch, voted: None, ..self.ballot };
        self.persist(out);
        if self.is_handed(epoch) {
            // The leader has let go for us: this is the epoch that it gave us.
            return;
        }
        self.following = None;
        if matches!(self.state, State::Leader(_) | State::Candidate(_)) {
            self.stand_at = now + self.numbers.stagger + self.spread(self.numbers.stagger);
        }
        if !matches!(self.state, State::Fenced) {
            self.becomes(State::Standby, Cause::HigherEpoch, now, out);
        }
    }

    fn becomes(&mut self, state: State, cause: Cause, now: Moment, out: &mut Vec<Output>) {
        let before = std::mem::replace(&mut self.state, state);
        if let (State::Candidate(campaign), false) = (&before, matches!(self.state, State::Leader(_))) {
            self.concede(campaign, out);
        }
        let role = self.role();
        if role != self.told.0 {
            self.told = (role, now, cause);
            out.push(Output::Became(role, cause));
        }
    }

    fn place(&self, seat: Seat) -> Option<&Place> {
        self.seats.get(usize::from(seat.0))
    }

    fn place_mut(&mut self, seat: Seat) -> Option<&mut Place> {
        self.seats.get_mut(usize::from(seat.0))
    }

    /// What the settings say about another node, once it has answered where they say that it is.
    #[must_use]
    pub fn member(&self, node: NodeId) -> Option<&Member> {
        self.seat_of(node).and_then(|seat| self.home.member(seat))
    }

    fn seat_of(&self, node: NodeId) -> Option<Seat> {
        self.home.seats().find(|seat| self.place(*seat).is_some_and(|place| place.node == Some(node)))
    }

    /// Some part of a span, by chance.
    fn spread(&self, span: Duration) -> Duration {
        let part = u32::try_from(self.chance % 1024).unwrap_or(0);
        span * part / 1024
    }

    fn sender(&self) -> Sender {
        Sender {
            node: self.own,
            epoch: self.ballot.epoch,
            position: self.position,
            size: self.home.size(),
            is_fallback: self.home.fallback == Fallback::Ourselves,
            spans: self.numbers.spans(),
        }
    }

    fn ask(&self, seat: Seat, what: Question, out: &mut Vec<Output>) {
        let ask = Ask { from: self.sender(), figures: self.figures.clone(), what };
        out.push(Output::Ask(seat, Box::new(ask)));
    }

    fn reply(&self, asked: Asked, what: Answer, out: &mut Vec<Output>) {
        out.push(Output::Reply(asked, Box::new(Reply { from: self.sender(), what })));
    }

    /// When to call with [`Input::Tick`] if nothing else happens before.
    #[must_use]
    pub fn next_tick(&self, now: Moment) -> Moment {
        let role = match &self.state {
            _ if !self.disk.is_awake() => self.disk.again,
            State::Leader(reign) => self.next_of_reign(reign),
            State::Candidate(campaign) => self.next_question().min(campaign.next.min(campaign.until)),
            // Nobody stands whose votes cannot be written down.
            State::Standby | State::Fenced if self.disk.failed => self.next_question(),
            State::Standby | State::Fenced => self.next_question().min(self.standing_from(now)),
        };
        let next = if self.disk.failed { role.min(self.disk.again) } else { role };
        // Nothing is ever so urgent that a processor should spin on it.
        next.clamp(now + Duration::from_millis(1), now + self.numbers.pulse)
    }

    /// What this node is.
    #[must_use]
    pub fn role(&self) -> Role {
        match &self.state {
            State::Standby => Role::Standby(self.following.as_ref().map(|following| following.leader)),
            State::Fenced => Role::Fenced,
            State::Candidate(_) => Role::Candidate,
            State::Leader(_) => Role::Leader(self.ballot.epoch),
        }
    }

    /// Until when this node may serve, by its own clock: a leader's lease, and nothing in any other role. The program is
    /// told by [`Output::Leased`]; this is for whoever looks at a node from outside, as the simulation does.
    #[must_use]
    pub const fn serves_until(&self) -> Option<Moment> {
        if let State::Leader(reign) = &self.state { Some(reign.leased) } else { None }
    }

    /// The number of this run, which is on disk once the first [`Output::Persist`] is.
    #[must_use]
    pub const fn run(&self) -> u64 {
        self.ballot.run
    }

    /// The home as the settings describe it.
    #[must_use]
    pub const fn home(&self) -> &Home {
        &self.home
    }

    /// Everything that people are shown.
    #[must_use]
    pub fn view(&self, now: Moment) -> View {
        view::of(self, now)
    }
}

//! A machine of the home: its disk, its clock, and the node that runs on it.

use std::time::Duration;

use kith::domain::{
    Moment,
    succession::{
        NodeId, Position,
        ballot::{Ballot, Serial},
        election::{Attempt, Election},
        home::{Fallback, Home, Member, Seat},
        numbers::Numbers,
        report::Figures,
        sequence::Sequences,
    },
};

use super::world::Event;

/// How a node's clock runs: what it showed at some moment, and how many microseconds in a second it has gained or
/// lost since then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    since: Moment,
    shows: Moment,
    gains: i64,
}

impl Clock {
    pub(crate) fn new(shows: Moment, gains: i64) -> Self {
        Self { since: Moment::ZERO, shows, gains }
    }

    fn rate(self) -> u64 {
        u64::try_from(1_000_000 + self.gains).expect("it runs forwards")
    }

    pub(crate) fn local(self, real: Moment) -> Moment {
        let passed = u64::try_from(real.saturating_sub(self.since).as_nanos()).expect("a short life");
        // In two parts, or the product would be too large.
        let (whole, part) = (passed / 1_000_000, passed % 1_000_000);
        self.shows + Duration::from_nanos(whole * self.rate() + part * self.rate() / 1_000_000)
    }

    /// The first moment at which the clock shows at least this.
    pub(crate) fn real(self, local: Moment) -> Moment {
        let passed = u64::try_from(local.saturating_sub(self.shows).as_nanos()).expect("a short life");
        let (whole, part) = (passed / self.rate(), passed % self.rate());
        self.since + Duration::from_nanos(whole * 1_000_000 + (part * 1_000_000).div_ceil(self.rate()))
    }

    /// From now on it runs like this.
    pub(crate) fn turn(&mut self, now: Moment, gains: i64) {
        *self = Self { since: now, shows: self.local(now), gains };
    }

    /// It shows more than has passed, all at once.
    pub(crate) fn jump(&mut self, now: Moment, ahead: Duration) {
        *self = Self { since: now, shows: self.local(now) + ahead, gains: self.gains };
    }

    /// It stands still for so long.
    pub(crate) fn stop(&mut self, now: Moment, span: Duration) {
        *self = Self { since: now + span, shows: self.local(now), gains: self.gains };
    }
}

/// One machine: what survives a crash, and the node that runs on it.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) id: NodeId,
    pub(crate) home: Home,
    /// What it starts with the next time, if that is not what all others have.
    pub(crate) numbers: Option<Numbers>,
    pub(crate) ballot: Ballot,
    /// How far the copy of the database goes that is on its disk.
    pub(crate) copy: Position,
    pub(crate) clock: Clock,
    pub(crate) figures: Figures,
    /// Whether it says that it could lead when it is asked.
    pub(crate) can_lead: bool,
    /// Whether it copies what the leader has.
    pub(crate) copies: bool,
    /// Without power: nobody says no in its stead.
    pub(crate) is_dark: bool,
    /// Until when its process does nothing.
    pub(crate) frozen: Moment,
    /// What it will find when it goes on, and in which of its lives that happened.
    pub(super) missed: Vec<(u64, Event)>,
    pub(crate) life: Option<Life>,
    pub(crate) lives: u64,
}

#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) node: Election,
    /// Which order to accept nothing more holds, if one does.
    pub(crate) quiesced: Option<Attempt>,
    pub(crate) tick: Moment,
    /// The newest ballot that was written, and when the disk is done with all of them.
    pub(crate) written: Serial,
    pub(crate) disk: Moment,
    /// Which messages of others it has heard, and how many it has sent.
    pub(crate) heard: Sequences,
    pub(crate) sent: u64,
}

impl Life {
    pub(crate) fn new(node: Election, now: Moment) -> Self {
        Self {
            node,
            quiesced: None,
            tick: Moment::MAX,
            written: Serial(0),
            disk: now,
            heard: Sequences::default(),
            sent: 0,
        }
    }
}

impl Machine {
    pub(crate) fn new(at: usize, size: usize, fallback: Option<usize>) -> Self {
        Self {
            id: NodeId(u128::try_from(at + 1).expect("small")),
            home: home(at, size, fallback),
            numbers: None,
            ballot: Ballot::default(),
            copy: Position::default(),
            clock: Clock::new(Moment::ZERO, 0),
            figures: figures(50),
            can_lead: true,
            copies: true,
            is_dark: false,
            frozen: Moment::ZERO,
            missed: Vec::new(),
            life: None,
            lives: 0,
        }
    }
}

/// The figures of a host whose processors are this busy.
pub(crate) fn figures(cpu_percent: u32) -> Figures {
    Figures { cpu_percent, ram_used_mb: 4_000, ram_total_mb: 8_000, ..Figures::default() }
}

pub(crate) fn seat_to_node(at: usize, seat: Seat) -> usize {
    let seat = usize::from(seat.0);
    if seat < at { seat } else { seat + 1 }
}

fn home(at: usize, size: usize, fallback: Option<usize>) -> Home {
    let fallback = match fallback {
        None => Fallback::Nobody,
        Some(fallback) if fallback == at => Fallback::Ourselves,
        Some(fallback) => {
            let seat = if fallback < at { fallback } else { fallback - 1 };
            Fallback::Other(Seat(u8::try_from(seat).expect("small")))
        }
    };
    let others = (0..size).filter(|other| *other != at).map(|other| Member {
        address: format!("10.0.0.{other}:3012").into(),
        door: format!("ws://10.0.0.{other}:8080").into(),
        name: format!("node {other}").into(),
    });
    Home { others: others.collect(), fallback }
}

//! A machine of the home: its disk, its clock, and the node that runs on it.

use std::time::Duration;

use kith::domain::{
    Moment,
    succession::{
        Epoch, NodeId, Position,
        ballot::{Ballot, Serial},
        election::Election,
        home::{Fallback, Home, Member, Seat},
        report::Figures,
    },
};

/// One change of the database: who made it, in which epoch and run, is all that matters.
pub(crate) type Change = (Epoch, u64);

/// How a node's clock runs: what it shows at its start, and how many microseconds in a second it gains or loses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) shows: Moment,
    pub(crate) gains: i64,
}

impl Clock {
    fn rate(self) -> u128 {
        u128::try_from(1_000_000 + self.gains).expect("it runs forwards")
    }

    pub(crate) fn local(self, real: Moment) -> Moment {
        let nanoseconds = real.as_nanos() * self.rate() / 1_000_000;
        self.shows + Duration::from_nanos(u64::try_from(nanoseconds).expect("a short life"))
    }

    /// The first moment at which the clock shows at least this.
    pub(crate) fn real(self, local: Moment) -> Moment {
        let nanoseconds = local.saturating_sub(self.shows).as_nanos() * 1_000_000;
        Duration::from_nanos(u64::try_from(nanoseconds.div_ceil(self.rate())).expect("a short life"))
    }
}

/// One machine: what survives a crash, and the node that runs on it.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) id: NodeId,
    pub(crate) home: Home,
    pub(crate) ballot: Ballot,
    pub(crate) log: Vec<Change>,
    pub(crate) clock: Clock,
    pub(crate) figures: Figures,
    /// Whether it says that it could lead when it is asked.
    pub(crate) can_lead: bool,
    /// Whether it copies what the leader has.
    pub(crate) copies: bool,
    pub(crate) life: Option<Life>,
    pub(crate) lives: u64,
}

#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) node: Election,
    pub(crate) began: Moment,
    pub(crate) quiesced: bool,
    pub(crate) tick: Moment,
    pub(crate) written: Serial,
}

impl Machine {
    pub(crate) fn new(at: usize, size: usize, fallback: Option<usize>) -> Self {
        Self {
            id: NodeId(u128::try_from(at + 1).expect("small")),
            home: home(at, size, fallback),
            ballot: Ballot::default(),
            log: Vec::new(),
            clock: Clock { shows: Moment::ZERO, gains: 0 },
            figures: figures(50),
            can_lead: true,
            copies: true,
            life: None,
            lives: 0,
        }
    }
}

/// How far such a copy goes.
pub(crate) fn position(log: &[Change]) -> Position {
    let epoch = log.last().map_or(Epoch(0), |(epoch, _)| *epoch);
    Position { epoch, index: u64::try_from(log.len()).expect("short") }
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

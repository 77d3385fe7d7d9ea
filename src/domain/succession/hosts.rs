//! The table of hosts: who reports, how busy each is, and whether it still lives.
//!
//! Whether a host lives is told by our own clock, which never jumps: it is heard or it is not. What it says about
//! the time is not asked for. **Invariants:** a host is known by its id and by nothing else; only one that was
//! heard just now is chosen for anything; the table never grows beyond its bound.

use std::{collections::BTreeMap, sync::Arc};

use super::{NodeId, Position, numbers::Numbers, ranking::Score, report::Figures};
use crate::domain::Moment;

/// What a host is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// This node.
    Ourselves,
    /// Another node of this home.
    Node,
    /// A host that knows only the first form of the protocol.
    Legacy,
}

impl Kind {
    /// The word that people are shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ourselves => "own",
            Self::Node => "node",
            Self::Legacy => "host",
        }
    }
}

/// Whether it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Liveness {
    /// It was heard just now.
    Alive,
    /// It has missed some reports.
    Suspect,
    /// It has been silent for long.
    Disconnected,
}

impl Liveness {
    /// All of them, best first.
    pub const ALL: [Self; 3] = [Self::Alive, Self::Suspect, Self::Disconnected];

    /// The word that people are shown, as in the table of the first program.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alive => "connected",
            Self::Suspect => "suspect",
            Self::Disconnected => "disconnected",
        }
    }
}

/// One host.
#[derive(Clone, Debug)]
pub struct Host {
    /// What it is to us.
    pub kind: Kind,
    /// From where it was heard; empty for nodes, which have a seat.
    pub address: Arc<str>,
    /// What it says about itself.
    pub figures: Figures,
    /// How good that is, smoothed; none before its first report.
    pub score: Option<Score>,
    /// How far its copy of the database goes, if it has one.
    pub position: Option<Position>,
    /// When it was heard last.
    pub heard: Moment,
}

impl Host {
    /// Whether it lives.
    #[must_use]
    pub fn liveness(&self, now: Moment, numbers: &Numbers) -> Liveness {
        let silence = now.saturating_sub(self.heard);
        if self.kind == Kind::Ourselves || silence < numbers.suspect {
            Liveness::Alive
        } else if silence < numbers.disconnected {
            Liveness::Suspect
        } else {
            Liveness::Disconnected
        }
    }
}

/// The table.
#[derive(Debug, Default)]
pub struct Hosts(BTreeMap<NodeId, Host>);

/// The table is full of hosts that live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Hosts {
    /// A host is heard. What it says nothing about stays as it was.
    ///
    /// # Errors
    /// There is no room for another one.
    pub fn heard(
        &mut self,
        id: NodeId,
        kind: Kind,
        heard: &Heard<'_>,
        now: Moment,
        numbers: &Numbers,
    ) -> Result<(), Full> {
        if !self.0.contains_key(&id) {
            self.make_room(kind, now, numbers)?;
        }
        let host = self.0.entry(id).or_insert_with(|| Host {
            kind,
            address: Arc::default(),
            figures: Figures::default(),
            score: None,
            position: None,
            heard: now,
        });
        host.heard = now;
        // Who has proven to be a node stays one, whoever uses its id afterwards.
        if host.kind == Kind::Legacy {
            host.kind = kind;
        }
        if let Some(address) = heard.address {
            host.address = Arc::from(address);
        }
        if let Some(figures) = heard.figures {
            let latest = Score::of(figures);
            host.score = Some(host.score.map_or(latest, |score| score.smoothed(latest)));
            host.figures = figures.clone();
        }
        host.position = heard.position.or(host.position);
        Ok(())
    }

    /// A place for one more: whoever has been silent longest goes, if it is disconnected. A node may take the place
    /// of a host that is none, so that strangers never keep a node out.
    fn make_room(&mut self, kind: Kind, now: Moment, numbers: &Numbers) -> Result<(), Full> {
        if self.0.len() < usize::try_from(numbers.hosts).unwrap_or(usize::MAX) {
            return Ok(());
        }
        let legacy = self.0.iter().filter(|(_, host)| host.kind == Kind::Legacy);
        let quietest = legacy.min_by_key(|(_, host)| host.heard).map(|(id, host)| (*id, host));
        let (id, host) = quietest.ok_or(Full)?;
        if kind == Kind::Legacy && host.liveness(now, numbers) != Liveness::Disconnected {
            return Err(Full);
        }
        self.0.remove(&id);
        Ok(())
    }

    /// Forgets who has been silent for so long that it is gone.
    pub fn forget(&mut self, now: Moment, numbers: &Numbers) {
        self.0.retain(|_, host| {
            host.kind == Kind::Ourselves || now.saturating_sub(host.heard) < numbers.forget
        });
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: NodeId) -> Option<&Host> {
        self.0.get(&id)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of one kind that live, in no order.
    pub fn living<'a>(
        &'a self,
        kind: Kind,
        now: Moment,
        numbers: &'a Numbers,
    ) -> impl Iterator<Item = NodeId> + 'a {
        let living = move |host: &Host| host.kind == kind && host.liveness(now, numbers) == Liveness::Alive;
        self.0.iter().filter(move |(_, host)| living(host)).map(|(id, _)| *id)
    }

    /// All of them, best first: those that live before those that may not, ties by the lower id.
    #[must_use]
    pub fn ranked(&self, now: Moment, numbers: &Numbers) -> Vec<(NodeId, &Host)> {
        let mut all: Vec<_> = self.0.iter().map(|(id, host)| (*id, host)).collect();
        all.sort_by_key(|(id, host)| {
            (host.liveness(now, numbers), std::cmp::Reverse(host.score.unwrap_or_default()), *id)
        });
        all
    }

    /// Who may be chosen, best first: heard within two reports, and with figures.
    pub fn eligible<'a>(
        &'a self,
        kind: Kind,
        now: Moment,
        numbers: &'a Numbers,
    ) -> impl Iterator<Item = (NodeId, &'a Host)> + 'a {
        let fresh = (numbers.report * 2).min(numbers.suspect);
        self.ranked(now, numbers).into_iter().filter(move |(_, host)| {
            host.kind == kind && host.score.is_some() && now.saturating_sub(host.heard) <= fresh
        })
    }
}

/// What was heard of a host. Whatever is not there was not said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard<'a> {
    /// From where.
    pub address: Option<&'a str>,
    /// How busy it is.
    pub figures: Option<&'a Figures>,
    /// How far its copy goes.
    pub position: Option<Position>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Moment {
        Moment::from_secs(second)
    }

    fn busy(cpu_percent: u32) -> Figures {
        Figures { cpu_percent, ..Figures::default() }
    }

    fn hear(hosts: &mut Hosts, id: u128, kind: Kind, cpu: u32, now: Moment) -> Result<(), Full> {
        let figures = busy(cpu);
        let heard = Heard { figures: Some(&figures), ..Heard::default() };
        hosts.heard(NodeId(id), kind, &heard, now, &Numbers { hosts: 3, ..Numbers::default() })
    }

    #[test]
    fn silence_makes_suspect_then_disconnected_then_forgotten_and_never_chosen() {
        let (numbers, mut hosts) = (Numbers::default(), Hosts::default());
        hear(&mut hosts, 1, Kind::Node, 0, at(100)).expect("room");
        let state =
            |hosts: &Hosts, second| hosts.get(NodeId(1)).map(|host| host.liveness(at(second), &numbers));
        let chosen = |hosts: &Hosts, second| hosts.eligible(Kind::Node, at(second), &numbers).count();
        assert_eq!((state(&hosts, 102), chosen(&hosts, 102)), (Some(Liveness::Alive), 1));
        assert_eq!((state(&hosts, 103), chosen(&hosts, 103)), (Some(Liveness::Suspect), 0));
        assert_eq!(state(&hosts, 120), Some(Liveness::Disconnected));
        hosts.forget(at(699), &numbers);
        assert_eq!(hosts.len(), 1);
        hosts.forget(at(700), &numbers);
        assert!(hosts.is_empty());
    }

    #[test]
    fn the_table_has_a_bound_that_strangers_cannot_use_against_nodes() {
        let mut hosts = Hosts::default();
        for id in 1..=3 {
            hear(&mut hosts, id, Kind::Legacy, 50, at(10)).expect("room");
        }
        assert_eq!(hear(&mut hosts, 4, Kind::Legacy, 50, at(11)), Err(Full), "all of them live");
        assert_eq!(hear(&mut hosts, 5, Kind::Node, 50, at(11)), Ok(()), "a node goes first");
        assert_eq!(hear(&mut hosts, 6, Kind::Legacy, 50, at(40)), Ok(()), "one of them is gone");
        assert_eq!(hosts.len(), 3);
        assert_eq!(hear(&mut hosts, 5, Kind::Legacy, 0, at(41)), Ok(()));
        assert_eq!(hosts.get(NodeId(5)).map(|host| host.kind), Some(Kind::Node), "it stays a node");
    }

    #[test]
    fn the_best_comes_first_and_of_equals_the_lower_id() {
        let (numbers, mut hosts) = (Numbers { hosts: 3, ..Numbers::default() }, Hosts::default());
        for (id, cpu) in [(3, 10), (2, 90), (1, 10)] {
            hear(&mut hosts, id, Kind::Node, cpu, at(1)).expect("room");
        }
        let ranked: Vec<_> = hosts.ranked(at(1), &numbers).iter().map(|(id, _)| id.0).collect();
        assert_eq!(ranked, [1, 3, 2]);
    }
}

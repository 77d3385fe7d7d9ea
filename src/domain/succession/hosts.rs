//! The table of hosts: who reports, how busy each is, and whether it still lives.
//!
//! Whether a host lives is told by our own clock, which never jumps: it is heard or it is not. What it says about
//! the time is not asked for. **Invariants:** a host is known by its id and by nothing else; only one that was
//! heard just now is chosen for anything; the table never grows beyond its bound.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
};

use super::{NodeId, Position, numbers::Numbers, ranking::Score, report::Figures};
use crate::domain::{Moment, admission::Origin};

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
            self.make_room(kind, heard.address, now, numbers)?;
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
    /// of a host that is none, so that strangers never keep a node out; and a host from an address that has few may take
    /// that of one from the address that has most, so that no stranger fills the table for all.
    fn make_room(
        &mut self,
        kind: Kind,
        address: Option<&str>,
        now: Moment,
        numbers: &Numbers,
    ) -> Result<(), Full> {
        if self.0.len() < usize::try_from(numbers.hosts).unwrap_or(usize::MAX) {
            return Ok(());
        }
        let legacy = self.0.iter().filter(|(_, host)| host.kind == Kind::Legacy);
        let quietest = legacy.min_by_key(|(_, host)| host.heard).map(|(id, host)| (*id, host));
        let (id, host) = quietest.ok_or(Full)?;
        let goes = if kind != Kind::Legacy || host.liveness(now, numbers) == Liveness::Disconnected {
            id
        } else {
            self.one_of_the_crowd(address.unwrap_or_default()).ok_or(Full)?
        };
        self.0.remove(&goes);
        Ok(())
    }

    /// The quietest host from whichever address has most, if that has no fewer than the newcomer's even afterwards.
    fn one_of_the_crowd(&self, newcomer: &str) -> Option<NodeId> {
        let legacy = || {
            let hosts = self.0.iter().filter(|(_, host)| host.kind == Kind::Legacy);
            hosts.map(|(id, host)| (*id, host.heard, origin(&host.address)))
        };
        let mut rows: HashMap<Option<Origin>, usize> = HashMap::new();
        for (_, _, from) in legacy() {
            *rows.entry(from).or_default() += 1;
        }
        let count = |from: &Option<Origin>| rows.get(from).copied().unwrap_or_default();
        let (id, _, crowd) = legacy().max_by_key(|(_, heard, from)| (count(from), Reverse(*heard)))?;
        (count(&crowd) > count(&origin(newcomer)) + 1).then_some(id)
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
    ) -> impl Iterator<Item = (NodeId, &'a Host)> + 'a {
        let living = move |host: &Host| host.kind == kind && host.liveness(now, numbers) == Liveness::Alive;
        self.0.iter().filter(move |(_, host)| living(host)).map(|(id, host)| (*id, host))
    }

    /// All of them, best first: those that live before those that may not, ties by the lower id.
    #[must_use]
    pub fn ranked(&self, now: Moment, numbers: &Numbers) -> Vec<(NodeId, &Host)> {
        let mut all: Vec<_> = self.0.iter().map(|(id, host)| (*id, host)).collect();
        all.sort_by_key(|(id, host)| {
            (host.liveness(now, numbers), Reverse(host.score.unwrap_or_default()), *id)
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

/// Who can have made up all hosts of an address.
fn origin(address: &str) -> Option<Origin> {
    address.parse::<IpAddr>().ok().map(Origin::from)
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
    fn no_address_fills_the_table_for_all_others() {
        let (numbers, mut hosts) = (Numbers { hosts: 4, ..Numbers::default() }, Hosts::default());
        let mut hear = |id: u128, address: &str, second| {
            let heard = Heard { address: Some(address), ..Heard::default() };
            hosts.heard(NodeId(id), Kind::Legacy, &heard, at(second), &numbers)
        };
        for (id, second) in [(1, 11), (2, 12), (3, 13), (4, 14), (1, 15)] {
            assert_eq!(hear(id, &format!("2001:db8::{id}"), second), Ok(()));
        }
        assert_eq!(hear(5, "2001:db8::5", 15), Err(Full), "a stranger has many addresses of one network");
        assert_eq!(hear(6, "10.0.0.6", 15), Ok(()), "somebody else comes");
        assert_eq!(hear(7, "10.0.0.6", 16), Ok(()), "with a second host");
        assert_eq!(hear(8, "10.0.0.6", 16), Err(Full), "and would have more than that stranger with a third");
        let left: Vec<_> = hosts.0.keys().map(|id| id.0).collect();
        assert_eq!(left, [1, 4, 6, 7], "the quietest went first, and none of those that have few");
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

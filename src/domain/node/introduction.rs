//! What a rendezvous tells: who is there, in which order, and who cannot be dialled.

use std::collections::HashSet;

use crate::domain::{
    directory::listed::{Directory, Listed},
    endpoint::Endpoint,
};

/// Nodes of one list that are looked at. A list is a stranger's word, and each node in it costs a dial.
const MOST_NODES: usize = 256;

/// A list, in the order in which nodes dial: who stands earlier dials who stands later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Introduction {
    /// Which life of the rendezvous, and which of its lists; only newer programs say so.
    pub edition: Option<(u64, u64)>,
    /// Everybody.
    pub nodes: Vec<Listed>,
}

/// A list of the first kind: all that it says is the order.
impl From<Vec<Endpoint>> for Introduction {
    fn from(list: Vec<Endpoint>) -> Self {
        let nodes = (0..).zip(list).map(|(seq, at)| Listed {
            seq,
            at,
            undialable: false,
            relayed: false,
            home: None,
            member: None,
        });
        Self { edition: None, nodes: nodes.collect() }
    }
}

impl From<Directory> for Introduction {
    fn from(directory: Directory) -> Self {
        Self { edition: Some((directory.epoch, directory.version)), nodes: directory.members }
    }
}

/// What a node has to do about another one, by the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    Dial,
    Relay,
    Wait,
}

impl Introduction {
    /// Whether this one is out of date beside one that is known.
    pub(super) fn is_older_than(&self, known: &Self) -> bool {
        match (self.edition, known.edition) {
            (Some(edition), Some(known)) => edition < known,
            _ => false,
        }
    }

    /// Each node once, and not more of them than is reasonable; whoever reads this itself is never left out.
    pub(super) fn tidied(mut self, me: Endpoint) -> Self {
        let mut seen = HashSet::new();
        self.nodes.retain(|node| seen.insert(node.at));
        if let Some(mine) = self.nodes.iter().position(|node| node.at == me) {
            // Who stands behind us is dialled, so these are worth more than those who dial us.
            let surplus = self.nodes.len().saturating_sub(MOST_NODES);
            self.nodes.drain(..surplus.min(mine));
        }
        self.nodes.truncate(MOST_NODES);
        self
    }

    pub(super) fn find(&self, address: Endpoint) -> Option<Listed> {
        self.nodes.iter().find(|node| node.at == address).copied()
    }

    /// What `me` has to do about each of the others, in the order of the list.
    ///
    /// Of two nodes of which one can be dialled, the other one dials, wherever it stands: during a change of marks the order
    /// may not have followed yet. If both can be, or neither, the earlier one begins.
    pub(super) fn duties(&self, me: Endpoint) -> Vec<(Endpoint, Duty)> {
        let Some(mine) = self.nodes.iter().position(|node| node.at == me) else { return Vec::new() };
        let i_am_undialable = self.nodes.get(mine).is_some_and(|node| node.undialable);
        let duty = |(place, node): (usize, &Listed)| {
            let duty = match (i_am_undialable, node.undialable) {
                _ if node.relayed && place > mine => Duty::Relay,
                (true, false) => Duty::Dial,
                (false, false) if place > mine => Duty::Dial,
                _ => Duty::Wait,
            };
            (node.at, duty)
        };
        self.nodes.iter().enumerate().filter(|(place, _)| *place != mine).map(duty).collect()
    }
}

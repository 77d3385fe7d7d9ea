//! What people are shown of a node: its role and why, its lease, and the table of hosts.

use std::{sync::Arc, time::Duration};

use super::{Election, Handing, Role};
use crate::domain::{
    Moment,
    succession::{
        Epoch, NodeId, Position,
        hosts::{Kind, Liveness},
        message::Failure,
        report::Figures,
    },
};

/// A node as people are shown it.
#[derive(Clone, Debug)]
pub struct View {
    /// Its own id.
    pub own: NodeId,
    /// What it is.
    pub role: Role,
    /// Why, in a word, and for how long.
    pub why: &'static str,
    /// For how long it has been that.
    pub since: Duration,
    /// The highest epoch it has heard of.
    pub epoch: Epoch,
    /// Who leads, as far as it knows.
    pub leader: Option<NodeId>,
    /// What is left of the lease: its own if it leads, else what the leader said last, less what has passed.
    pub lease_left: Option<Duration>,
    /// Attempts in a row in which the leader gave no answer.
    pub attempts: u32,
    /// Who is next, best first.
    pub successors: Vec<NodeId>,
    /// A hand-over that is under way.
    pub handing: Option<HandingView>,
    /// How often questions got no answer, by kind.
    pub failures: Vec<(Failure, u64)>,
    /// The hosts, best first.
    pub hosts: Vec<HostRow>,
}

/// A hand-over that is under way.
#[derive(Clone, Debug)]
pub struct HandingView {
    /// To whom.
    pub to: NodeId,
    /// Why it began.
    pub why: Handing,
    /// For how long it has been in its present step.
    pub since: Duration,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct HostRow {
    /// Its place, from 1 on; only hosts that live have one.
    pub rank: Option<u32>,
    /// Its id.
    pub id: NodeId,
    /// What it is to us.
    pub kind: Kind,
    /// Whether it lives.
    pub state: Liveness,
    /// Whether it leads.
    pub leads: bool,
    /// What it says about itself.
    pub figures: Figures,
    /// How good that is, in thousandths of a per cent.
    pub score: u32,
    /// Where it is: the succession address of a node, or where a host was heard from.
    pub address: Arc<str>,
    /// The door of a node, as URL.
    pub door: Arc<str>,
    /// How far its copy of the database goes.
    pub position: Option<Position>,
    /// For how long nothing was heard.
    pub silence: Duration,
}

pub(super) fn of(node: &Election, now: Moment) -> View {
    let _ = now;
    View {
        own: node.own,
        role: node.role(),
        why: "started",
        since: Duration::ZERO,
        epoch: node.ballot.epoch,
        leader: None,
        lease_left: None,
        attempts: 0,
        successors: Vec::new(),
        handing: None,
        failures: Vec::new(),
        hosts: Vec::new(),
    }
}

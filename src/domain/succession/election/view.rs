//! What people are shown of a node: its role and why, its lease, and the table of hosts.

use std::{sync::Arc, time::Duration};

use super::{Election, Handing, Place, Role, State};
use crate::domain::{
    Moment,
    succession::{
        Epoch, NodeId, Position,
        home::Member,
        hosts::{Host, Kind, Liveness},
        message::{Failure, Objection},
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
    /// Why, in a word.
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
    /// Nodes whose words do not count here because of their settings, or ours because of ours: the succession address of
    /// each, and why.
    pub differing: Vec<(Arc<str>, Objection)>,
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
    let (role, since, why) = node.told;
    let following = node.following.as_ref();
    let (leader, lease_left, successors, handing) = match &node.state {
        State::Leader(reign) => {
            let left = reign.leased.saturating_sub(now);
            (Some(node.own), Some(left), node.successors(now), reign.handing.as_ref())
        }
        _ => {
            let left = following.map(|leader| {
                let told = Duration::from_millis(leader.guidance.lease_ms);
                told.saturating_sub(now.saturating_sub(leader.heard))
            });
            let next = following.map(|leader| leader.guidance.successors.clone());
            (following.map(|leader| leader.leader), left, next.unwrap_or_default(), None)
        }
    };
    let seat = leader.and_then(|leader| node.seat_of(leader));
    View {
        own: node.own,
        role,
        why: why.word(),
        since: now.saturating_sub(since),
        epoch: node.ballot.epoch,
        leader,
        lease_left,
        attempts: seat.and_then(|seat| node.place(seat)).map_or(0, Place::unanswered),
        successors,
        handing: handing.map(|handing| HandingView {
            to: handing.to,
            why: handing.why,
            since: now.saturating_sub(handing.since),
        }),
        failures: Failure::ALL.iter().map(|(kind, _)| *kind).zip(node.failures).collect(),
        differing: node
            .seats
            .iter()
            .zip(&node.home.others)
            .filter_map(|both| differing(node, both))
            .collect(),
        hosts: rows(node, leader, now),
    }
}

/// Of a node that does not run any more nobody knows what its settings are.
fn differing(node: &Election, (place, member): (&Place, &Member)) -> Option<(Arc<str>, Objection)> {
    let differs = place.differs.filter(|_| place.unanswered() <= node.numbers.retries);
    differs.map(|why| (Arc::clone(&member.address), why))
}

fn rows(node: &Election, leader: Option<NodeId>, now: Moment) -> Vec<HostRow> {
    let ranked = node.hosts.ranked(now, &node.numbers);
    ranked.into_iter().zip(1_u32..).map(|((id, host), rank)| row(node, id, host, rank, leader, now)).collect()
}

fn row(node: &Election, id: NodeId, host: &Host, rank: u32, leader: Option<NodeId>, now: Moment) -> HostRow {
    let state = host.liveness(now, &node.numbers);
    let ours = host.kind == Kind::Ourselves;
    let member = node.seat_of(id).and_then(|seat| node.home.member(seat));
    HostRow {
        rank: (state == Liveness::Alive).then_some(rank),
        id,
        kind: host.kind,
        state,
        leads: leader == Some(id),
        figures: host.figures.clone(),
        score: host.score.unwrap_or_default().0,
        address: member.map_or_else(|| Arc::clone(&host.address), |member| Arc::clone(&member.address)),
        door: member.map(|member| Arc::clone(&member.door)).unwrap_or_default(),
        position: if ours { Some(node.position) } else { host.position },
        silence: if ours { Duration::ZERO } else { now.saturating_sub(host.heard) },
    }
}

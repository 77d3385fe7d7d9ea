//! Hosts of the first form: what this node tells them, whatever its role is.

use std::sync::Arc;

use super::{Election, State};
use crate::domain::{
    Moment,
    succession::{
        NodeId,
        home::host_of,
        hosts::{Heard, Kind},
        legacy::{Call, Told},
    },
};

impl Election {
    /// A host of the first form calls; `fresh` is an id for it if it needs one. Where there is no room for it in the table,
    /// it is told to come back: whoever gets no answer at all may end.
    pub fn call(&mut self, call: &Call, fresh: NodeId, now: Moment) -> Told {
        // Nobody is taken for a node who did not prove to be one.
        let is_node =
            |id: NodeId| id == self.own || self.hosts.get(id).is_some_and(|host| host.kind != Kind::Legacy);
        let known = call.id.filter(|id| !is_node(*id));
        let id = known.unwrap_or(fresh);
        let heard = Heard { address: Some(&call.address), figures: Some(&call.figures), position: None };
        let has_row = self.hosts.heard(id, Kind::Legacy, &heard, now, &self.numbers).is_ok();
        let lead = self.heir == Some(id);
        let heir = self.heir.filter(|heir| *heir != id).and_then(|heir| self.hosts.get(heir));
        let heir = heir.map(|host| Arc::clone(&host.address));
        Told {
            is_known: known.is_some() && has_row,
            lead,
            new_server: heir.or_else(|| self.leader_elsewhere()).filter(|_| !lead),
            fallback: self.fallback_address(now),
            id,
            address: Arc::clone(&call.address),
        }
    }

    /// This node stops for good. If no other node lives that could go on, the best of the hosts that know only the
    /// first form is told to lead, and the others to go there. One of them, and never another one after it.
    pub fn bequeath(&mut self, now: Moment) -> Option<NodeId> {
        let leads = matches!(self.state, State::Leader(_));
        let alone = self.hosts.eligible(Kind::Node, now, &self.numbers).next().is_none();
        if self.heir.is_none() && leads && alone {
            let best = self.hosts.eligible(Kind::Legacy, now, &self.numbers).next();
            self.heir = best.map(|(id, _)| id);
        }
        self.heir
    }

    fn leader_elsewhere(&self) -> Option<Arc<str>> {
        let leader = self.following.as_ref()?.leader;
        self.node_host(leader)
    }

    /// Where hosts of the first form go when we are gone: to the next node, or else to the best of themselves.
    fn fallback_address(&self, now: Moment) -> Option<Arc<str>> {
        let next = match (&self.state, &self.following) {
            (State::Leader(_), _) => self.successors(now),
            (_, Some(following)) => following.guidance.successors.clone(),
            (_, None) => Vec::new(),
        };
        let node = next.into_iter().filter(|id| *id != self.own).find_map(|id| self.node_host(id));
        node.or_else(|| {
            let leads = matches!(self.state, State::Leader(_));
            let mut hosts = self.hosts.eligible(Kind::Legacy, now, &self.numbers).filter(|_| leads);
            hosts.next().map(|(_, host)| Arc::clone(&host.address))
        })
    }

    /// The host of a node's address. The first form has no place for a port.
    fn node_host(&self, node: NodeId) -> Option<Arc<str>> {
        let member = self.home.member(self.seat_of(node)?)?;
        Some(Arc::from(host_of(&member.address)))
    }
}

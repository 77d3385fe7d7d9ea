//! What administrators ask of the registry, and the order to close.

use std::{
    ops::Bound::{Excluded, Unbounded},
    sync::{Arc, atomic::Ordering},
};

use actix::{AsyncContext as _, Context, Handler, MessageResult};

use super::{Client, Clients, Collapse, Count, Drain, Entry, Fault, Find, HomeView, Homes, Kick, Registry};
use crate::{
    actors::lane::Lane,
    domain::{
        id::{ConnectionId, HomeId},
        refusal::Ending,
    },
};

/// Steps in which a drain closes connections.
const DRAIN_STEPS: u32 = 20;

fn view(connection: ConnectionId, entry: &Entry) -> Client {
    Client {
        connection,
        member: Arc::clone(&entry.member),
        ear: entry.ear,
        address: entry.address,
        since_ms: entry.since_ms,
        waiting_bytes: entry.lane.waiting(),
    }
}

impl Handler<Kick> for Registry {
    type Result = bool;

    fn handle(&mut self, Kick(connection): Kick, _: &mut Context<Self>) -> bool {
        let entry = self.entries.get(&connection);
        entry.inspect(|entry| entry.lane.end(Ending::Kicked)).is_some()
    }
}

impl Handler<Fault> for Registry {
    type Result = bool;

    fn handle(&mut self, Fault(connection): Fault, _: &mut Context<Self>) -> bool {
        let entry = self.entries.get(&connection);
        entry.inspect(|entry| entry.lane.fault()).is_some()
    }
}

impl Handler<Collapse> for Registry {
    type Result = ();

    fn handle(&mut self, _: Collapse, _: &mut Context<Self>) {
        panic!("the connection map failed on purpose, because debug.faults is on");
    }
}

impl Handler<Clients> for Registry {
    type Result = MessageResult<Clients>;

    fn handle(&mut self, query: Clients, _: &mut Context<Self>) -> Self::Result {
        let first = query.after.map_or(Unbounded, Excluded);
        let page = self.entries.range((first, Unbounded));
        let wanted = page.filter(|(_, entry)| query.dialect.is_none_or(|only| entry.member.dialect == only));
        let views = wanted.take(query.limit).map(|(connection, entry)| view(*connection, entry));
        MessageResult(views.collect())
    }
}

impl Handler<Find> for Registry {
    type Result = MessageResult<Find>;

    fn handle(&mut self, Find(connection): Find, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.entries.get(&connection).map(|entry| view(connection, entry)))
    }
}

impl Handler<Homes> for Registry {
    type Result = MessageResult<Homes>;

    fn handle(&mut self, Homes(most): Homes, _: &mut Context<Self>) -> Self::Result {
        let (roster, mesh) = (self.switchboard.roster(), self.switchboard.mesh());
        let own = HomeView {
            home: HomeId::OWN,
            address: self.home.clone(),
            count: roster.len(),
            is_whole: true,
            members: roster.members().take(most).cloned().collect(),
        };
        let others = mesh.homes().map(|(id, home)| HomeView {
            home: id,
            address: home.address().to_owned(),
            count: home.len(),
            is_whole: home.is_whole(),
            members: mesh.listed(id).take(most).cloned().collect(),
        });
        MessageResult(std::iter::once(own).chain(others).collect())
    }
}

impl Handler<Count> for Registry {
    type Result = usize;

    fn handle(&mut self, _: Count, _: &mut Context<Self>) -> usize {
        self.entries.len()
    }
}

impl Handler<Drain> for Registry {
    type Result = ();

    fn handle(&mut self, Drain(span): Drain, ctx: &mut Context<Self>) {
        if self.draining.swap(true, Ordering::Relaxed) {
            return;
        }
        self.switchboard.drain();
        let neighbours = self.neighbours.values().map(|neighbour| &neighbour.lane);
        let lanes = self.entries.values().map(|entry| &entry.lane).chain(neighbours);
        let lanes: Vec<Lane> = lanes.cloned().collect();
        let steps = usize::try_from(DRAIN_STEPS).unwrap_or(1);
        for (step, lanes) in (0..).zip(lanes.chunks(lanes.len().div_ceil(steps).max(1))) {
            let lanes = lanes.to_vec();
            // Closed in steps, so that not everybody dials the next server in the same instant.
            ctx.run_later(span / DRAIN_STEPS * step, move |_, _| {
                for lane in lanes {
                    lane.end(Ending::Draining);
                }
            });
        }
    }
}

//! Homes that several nodes may serve: what neighbours are told of our doors, and what they tell of theirs.

use std::sync::Arc;

use actix::{Context, Handler};

use super::{Moved, Neighbourhood};
use crate::{
    actors::{lane::Class, peer_link::Ways},
    dialect::{Ear, kith::doors},
};

impl Neighbourhood {
    /// Tells those Kith neighbours our doors that were not told them on the socket that they have now.
    pub(super) fn tell_doors(&mut self) {
        if self.parts.doors.is_empty() {
            return;
        }
        let frame = doors::frame(&self.parts.doors);
        for known in self.known.values_mut() {
            let Some(status) = known.status.as_ref().filter(|status| status.ear == Some(Ear::Kith)) else {
                continue;
            };
            for socket in &status.sockets {
                let is_told = known.told_doors.as_ref().is_some_and(|told| Arc::ptr_eq(told, &socket.meter));
                // Without room it is told in the next round.
                if !is_told && socket.lane.offer(frame.clone(), Class::List) {
                    known.told_doors = Some(Arc::clone(&socket.meter));
                }
            }
        }
    }
}

impl Handler<Moved> for Neighbourhood {
    type Result = ();

    /// The link is sealed with the key that we hold the neighbour to, so its word is enough. Whoever answers behind
    /// another door has to prove that very key again.
    fn handle(&mut self, Moved { home, doors }: Moved, _: &mut Context<Self>) {
        let Some(entry) = self.parts.book.entry_mut(home) else { return };
        if !entry.found_behind(doors) {
            return;
        }
        let ways = Ways(entry.doors.clone());
        tracing::info!(peer = %entry.id, doors = ?ways.0, "a neighbour says where else it is found");
        self.save(home);
        if let Some(known) = self.known.get(&home) {
            known.link.do_send(ways);
        }
    }
}

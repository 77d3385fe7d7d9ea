//! Homes that several nodes may serve: what neighbours tell of their doors.

use actix::{Context, Handler};

use super::{Moved, Neighbourhood};
use crate::actors::peer_link::Ways;

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

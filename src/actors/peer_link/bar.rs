//! Sockets that end although nobody there wants it: a ban keeps the neighbour out, or one of the addresses from which
//! it came, or the house closes.

use std::sync::Arc;

use actix::{Context, Handler};

use super::{Bar, PeerLink, chance, trouble};
use crate::{
    actors::registry::Unlink,
    domain::{
        id::ConnectionId,
        neighbourhood::{Direction, Loss},
        refusal::{Ending, Refusal},
    },
};

impl PeerLink {
    /// The house closes, and one of the sockets of this link has. A neighbour that keeps another one would go on saying
    /// letters there.
    pub(super) fn hang_up(&self) {
        for socket in self.sockets.values() {
            socket.lane.end(Ending::Draining);
        }
    }

    /// Ends a socket whose other end may not come. What becomes of the link is decided at once: the registry
    /// must not hand over one more letter.
    fn shut(&mut self, connection: ConnectionId) {
        let house = Arc::clone(&self.parts.house);
        self.drop_socket(connection, Ending::Refused(Refusal::Banned));
        match self.peer.closed(connection, true, self.now(), chance(), &house.limits) {
            Loss::None => {}
            Loss::Moved(_) => self.speak(),
            Loss::Down => house.registry.do_send(Unlink(self.parts.home)),
        }
    }
}

impl Handler<Bar> for PeerLink {
    type Result = ();

    fn handle(&mut self, Bar(reason): Bar, ctx: &mut Context<Self>) {
        let house = Arc::clone(&self.parts.house);
        let is_shut = |socket: &crate::actors::neighbourhood::SocketView| {
            socket.direction == Direction::In && house.bans.has_address(socket.address)
        };
        let sockets = self.sockets.iter();
        let shut: Vec<ConnectionId> = sockets
            .filter(|(_, socket)| reason.is_some() || is_shut(socket))
            .map(|(connection, _)| *connection)
            .collect();
        let attempt = self.attempt.as_ref().map(|(connection, _)| *connection).filter(|_| reason.is_some());
        let was_barred = self.parts.bar.is_some();
        if !shut.is_empty() || reason.is_some() {
            self.trouble = Some(trouble::barred(reason.as_deref().unwrap_or_default()));
        } else if was_barred {
            self.trouble = None;
        }
        // Barred first, so that nothing is dialled in place of what is shut.
        if was_barred || reason.is_some() {
            self.peer.ban(reason.is_some(), self.now(), &house.limits);
        }
        self.parts.bar = reason;
        for connection in shut.into_iter().chain(attempt) {
            self.shut(connection);
        }
        self.go_on(ctx);
    }
}

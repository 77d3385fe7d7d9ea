//! The key of the public channel, which others make: what is wrapped for a member is kept until it comes.

use std::sync::Arc;

use actix::{Context, Handler};

use super::{Registry, Wrapped};
use crate::{
    actors::{
        archivist::KeepWraps,
        lane::{Class, Lane},
    },
    dialect::Ear,
    domain::{id::KeyId, letter::Frame},
};

impl Registry {
    /// Hands a member that comes what servers have wrapped for it while it was away.
    pub(super) fn hand_keys(&self, member: KeyId, ear: Ear, lane: &Lane) {
        if let Ear::Socp(_) = ear {
            let frames: Vec<Frame> = self.channel.frames(member).cloned().collect();
            // Whoever has no room for a key is told of the next one.
            let _ = frames.into_iter().all(|frame| lane.offer(frame, Class::List));
        }
    }
}

impl Handler<Wrapped> for Registry {
    type Result = ();

    fn handle(&mut self, Wrapped { home, wraps }: Wrapped, _: &mut Context<Self>) {
        self.inbox.taken(wraps.frame.len());
        let Some(neighbour) = self.neighbours.get_mut(&home) else { return };
        neighbour.server = Some(Arc::clone(&wraps.server));
        for kept in self.channel.take(wraps) {
            self.archivist.do_send(KeepWraps(kept));
        }
    }
}

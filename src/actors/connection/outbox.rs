//! What goes out, in order. Some dialects want our signature under what we deliver; whatever comes behind a
//! frame that is being signed waits for it, the end included.

use std::{collections::VecDeque, sync::Arc};

use super::{Connection, Context, ask::place};
use crate::{
    actors::clock::unix_ms,
    dialect::{event::Hand, socp::stamp::Unsigned},
    domain::{letter::Frame, refusal::Ending},
};

/// What waits for a signature.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    behind: VecDeque<Frame>,
    parting: Option<Ending>,
}

impl Connection {
    /// Sends a frame, once everything before it is out.
    pub(super) fn deliver(&mut self, frame: Frame, ctx: &mut Context) {
        if let Some(outbox) = &mut self.outbox {
            outbox.behind.push_back(frame);
        } else if let Some(unsigned) = self.session.unsigned(&frame) {
            self.outbox = Some(Box::default());
            self.have_stamped(unsigned, ctx);
        } else {
            self.say(frame, ctx);
        }
    }

    /// Nothing else is read or taken from the lane meanwhile, so what waits here is what one message brought.
    fn have_stamped(&mut self, unsigned: Unsigned, ctx: &mut Context) {
        let text = unsigned.text();
        let (house, address) = (Arc::clone(&self.house), self.address);
        let is_client = self.peer.is_none();
        // What was accepted and has to be signed first is on its way.
        let under_way = house.stillness.look();
        let signature = async move {
            // What a client makes us sign takes one of the places that its own checks have.
            let place = if is_client { Some(place(&house, address).await) } else { None };
            let signature = house.notary.sign(Hand::Herald, text).await;
            drop(place);
            (signature, under_way)
        };
        self.wait_for(signature, ctx, |connection, (signature, _under_way), ctx| {
            let outbox = connection.outbox.take().unwrap_or_default();
            let Ok(signature) = signature else {
                connection.ending.get_or_insert(Ending::Failed);
                return connection.part(outbox.parting.unwrap_or(Ending::Failed), ctx);
            };
            connection.say(unsigned.signed(&signature, unix_ms()), ctx);
            let Outbox { behind, parting } = *outbox;
            for frame in behind {
                connection.deliver(frame, ctx);
            }
            if let Some(ending) = parting {
                connection.part(ending, ctx);
            }
        });
    }

    /// Ends the connection, once everything before that is out.
    pub(super) fn part(&mut self, ending: Ending, ctx: &mut Context) {
        match &mut self.outbox {
            Some(outbox) => outbox.parting = Some(ending),
            None => self.hang_up(ending, ctx),
        }
    }
}

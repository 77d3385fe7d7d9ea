//! What a client wants of the directory of the rendezvous. What it registers goes with its connection.

use super::{Connection, Context};
use crate::{
    actors::rendezvous::{Publish, Release, Show, Withdraw},
    dialect::rooms::directory::{self, Errand},
    domain::{
        directory::order::{Holder, Publication},
        id::KeyId,
        letter::Frame,
        refusal::Ending,
        rooms::Ticket,
    },
};

impl Connection {
    /// Asks the rendezvous, and reads nothing until it has answered.
    pub(super) fn run_errand(&mut self, ticket: Ticket, member: KeyId, errand: Errand, ctx: &mut Context) {
        let rendezvous = self.house.rendezvous.clone();
        match errand {
            Errand::Register(at) => {
                // Each of them is told to everybody.
                if let Err(refusal) = self.house.gate.hello(self.address) {
                    self.house.tally.refusal(refusal);
                    return self.hand_back(directory::busy(ticket), ctx);
                }
                self.registers = true;
                let holder = Holder::Connection(self.id);
                let publication = Publication { member, at, holder, seconds: None };
                let asked = rendezvous.send(Publish { publication, from: Some(self.address) });
                self.wait_for(asked, ctx, move |connection, answer, ctx| match answer {
                    Ok(outcome) => {
                        connection.hand_back(directory::registered(ticket, at, outcome.map(|_| ())), ctx);
                    }
                    Err(_) => connection.end(Ending::Failed, ctx),
                });
            }
            Errand::Unregister(at) => {
                let asked = rendezvous.send(Withdraw { member, at });
                self.wait_for(asked, ctx, move |connection, answer, ctx| match answer {
                    Ok(was) => connection.hand_back(directory::unregistered(ticket, at, was), ctx),
                    Err(_) => connection.end(Ending::Failed, ctx),
                });
            }
            Errand::Read => {
                let asked = rendezvous.send(Show);
                self.wait_for(asked, ctx, move |connection, answer, ctx| match answer {
                    Ok(shown) => connection.hand_back(directory::directory(ticket, &shown.directory), ctx),
                    Err(_) => connection.end(Ending::Failed, ctx),
                });
            }
        }
    }

    fn hand_back(&mut self, frames: impl IntoIterator<Item = Frame>, ctx: &mut Context) {
        for frame in frames {
            self.deliver(frame, ctx);
        }
    }

    /// The connection is over.
    pub(super) fn release(&self) {
        if self.registers {
            self.house.rendezvous.do_send(Release(self.id));
        }
    }
}

//! Signs of a neighbour between two handshakes: it has shown its key once more, or somebody who could not came
//! under its name.

use actix::{Context, Handler};

use super::{Doubt, PeerLink, trouble};
use crate::{
    actors::neighbourhood::Shown,
    domain::refusal::{Ending, Refusal},
};

impl Handler<Shown> for PeerLink {
    type Result = ();

    fn handle(&mut self, Shown(connection): Shown, _: &mut Context<Self>) {
        if self.peer.shown(connection, self.now()) {
            self.speak();
        }
    }
}

impl Handler<Doubt> for PeerLink {
    type Result = ();

    fn handle(&mut self, Doubt { ending, steps }: Doubt, ctx: &mut Context<Self>) {
        if ending == Ending::Refused(Refusal::Crossed) {
            self.peer.called(self.now());
        } else {
            self.doubt = Some(trouble::told(ending, &steps));
        }
        self.go_on(ctx);
    }
}

//! What the rendezvous is told, handed to the board.

use std::sync::Arc;

use actix::{ActorFutureExt as _, Context, Handler, Message, ResponseActFuture, WrapFuture as _};

use super::{
    Close, Connected, Dismiss, Gone, Introduce, ListensOnly, NotIntroduced, Publish, Release, Rename,
    Rendezvous, Restore, Show, Shown, Spoken, Told, Withdraw,
};
use crate::{
    actors::clock::unix_ms,
    dialect::rendezvous::{
        client::{Ended, Said},
        line::Line,
    },
    domain::{
        directory::{order::Farewell, published::Withdrawn, rules::Refused},
        endpoint::Endpoint,
    },
    store::StoreError,
};

/// What came of dialling an address.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub(super) struct Tested {
    pub(super) at: Endpoint,
    pub(super) is_dialable: bool,
}

impl Handler<Connected> for Rendezvous {
    type Result = ();

    fn handle(&mut self, Connected { socket, from, pipe }: Connected, ctx: &mut Context<Self>) {
        self.pipes.insert(socket, (pipe, from));
        self.step(ctx, |board, (now, _), out| board.connected(socket, from.ip(), now, out));
    }
}

impl Handler<Spoken> for Rendezvous {
    type Result = ();

    fn handle(&mut self, Spoken(socket, said): Spoken, ctx: &mut Context<Self>) {
        match said {
            Said::Registration { at, ended } => {
                self.parts.tally.rendezvous_registrations.inc();
                let is_bare = ended != Ended::Line;
                self.step(ctx, |board, times, out| board.registered_at(socket, at, is_bare, times, out));
            }
            Said::Line(Line::Node) => {
                self.step(ctx, |board, (now, _), out| board.is_node(socket, now, out));
            }
            Said::Line(Line::RelayTo { peer, payload }) => {
                self.step(ctx, |board, (now, _), out| board.relay(socket, peer, payload, now, out));
            }
            Said::Line(Line::Ping { n }) => {
                self.step(ctx, |board, (now, _), _| board.heard(socket, now));
                self.say(socket, &Line::Pong { n }, ctx);
            }
            Said::Line(_) | Said::Unknown => {
                self.step(ctx, |board, (now, _), _| board.heard(socket, now));
            }
            Said::Nonsense => {
                self.parts.tally.rendezvous_nonsense.inc();
            }
        }
    }
}

impl Handler<ListensOnly> for Rendezvous {
    type Result = ();

    fn handle(&mut self, ListensOnly(socket): ListensOnly, ctx: &mut Context<Self>) {
        self.step(ctx, |board, (now, _), out| board.listens_only(socket, now, out));
    }
}

impl Handler<Gone> for Rendezvous {
    type Result = ();

    fn handle(&mut self, Gone(socket): Gone, ctx: &mut Context<Self>) {
        self.pipes.remove(&socket);
        self.step(ctx, |board, (now, _), out| board.left(socket, now, out));
    }
}

impl Handler<Tested> for Rendezvous {
    type Result = ();

    fn handle(&mut self, Tested { at, is_dialable }: Tested, ctx: &mut Context<Self>) {
        self.step(ctx, |board, (now, _), out| board.tested(at, is_dialable, now, out));
    }
}

impl Handler<Close> for Rendezvous {
    type Result = ();

    fn handle(&mut self, _: Close, ctx: &mut Context<Self>) {
        self.step(ctx, |board, (now, _), out| board.end(Farewell::Draining, now, out));
    }
}

impl Handler<Show> for Rendezvous {
    type Result = Shown;

    fn handle(&mut self, _: Show, _: &mut Context<Self>) -> Shown {
        Shown { directory: self.board.marked() }
    }
}

impl Handler<Publish> for Rendezvous {
    type Result = Result<(), Refused>;

    fn handle(&mut self, Publish { publication, from }: Publish, ctx: &mut Context<Self>) -> Self::Result {
        self.step(ctx, |board, times, out| board.publish(publication, from, times, out))
    }
}

impl Handler<Introduce> for Rendezvous {
    type Result = ResponseActFuture<Self, Result<(), NotIntroduced>>;

    fn handle(&mut self, Introduce { member, at, span }: Introduce, _: &mut Context<Self>) -> Self::Result {
        let turn = Arc::clone(&self.writing).lock_owned().into_actor(self);
        Box::pin(turn.then(move |turn, rendezvous, ctx| {
            let before = rendezvous.board.introduced_until(member, at);
            let introduced =
                rendezvous.step(ctx, |board, times, out| board.introduce(member, at, span, times, out));
            let store = rendezvous.parts.store.clone();
            let written = async move {
                let kept = introduced.map_err(NotIntroduced::Refused)?;
                store.keep_introduction(&kept, unix_ms()).await.map_err(NotIntroduced::Unwritten)
            };
            written.into_actor(rendezvous).map(move |written, rendezvous, ctx| {
                if let Err(NotIntroduced::Unwritten(_)) = &written {
                    // What would be gone after a restart does not count before it either.
                    rendezvous
                        .step(ctx, |board, (now, _), out| board.unwritten(member, at, before, now, out));
                }
                drop(turn);
                written
            })
        }))
    }
}

impl Handler<Restore> for Rendezvous {
    type Result = ();

    fn handle(&mut self, Restore(kept): Restore, ctx: &mut Context<Self>) {
        self.step(ctx, |board, times, out| board.restored(kept, times, out));
    }
}

impl Handler<Withdraw> for Rendezvous {
    type Result = ResponseActFuture<Self, Result<bool, StoreError>>;

    fn handle(&mut self, Withdraw { member, at }: Withdraw, ctx: &mut Context<Self>) -> Self::Result {
        let withdrawn = self.step(ctx, |board, (now, _), out| board.withdraw(member, at, now, out));
        let (turn, store) = (Arc::clone(&self.writing).lock_owned(), self.parts.store.clone());
        let forgotten = async move {
            if withdrawn == Some(Withdrawn::WrittenDown) {
                let _turn = turn.await;
                store.forget_introduction(member, at).await?;
            }
            Ok(withdrawn.is_some())
        };
        Box::pin(forgotten.into_actor(self))
    }
}

impl Handler<Dismiss> for Rendezvous {
    type Result = ResponseActFuture<Self, Result<bool, StoreError>>;

    fn handle(&mut self, Dismiss { member, at }: Dismiss, _: &mut Context<Self>) -> Self::Result {
        let (turn, store) = (Arc::clone(&self.writing).lock_owned(), self.parts.store.clone());
        let forgotten = async move { (turn.await, store.forget_introduction(member, at).await) };
        Box::pin(forgotten.into_actor(self).map(move |(_turn, forgotten), rendezvous, ctx| {
            // What is still on disk comes back with the next start, so it is not gone before it is gone there.
            let was_kept = forgotten?;
            let withdrawn = rendezvous.step(ctx, |board, (now, _), out| board.withdraw(member, at, now, out));
            Ok(was_kept || withdrawn.is_some())
        }))
    }
}

impl Handler<Release> for Rendezvous {
    type Result = ();

    fn handle(&mut self, Release(connection): Release, ctx: &mut Context<Self>) {
        self.step(ctx, |board, (now, _), out| board.released(connection, now, out));
    }
}

impl Handler<Rename> for Rendezvous {
    type Result = ();

    fn handle(&mut self, Rename(connection, member): Rename, ctx: &mut Context<Self>) {
        self.step(ctx, |board, (now, _), out| board.renamed(connection, member, now, out));
    }
}

impl Handler<Told> for Rendezvous {
    type Result = ();

    fn handle(&mut self, Told { home, entries }: Told, ctx: &mut Context<Self>) {
        if self.parts.neighbours.is_some() {
            self.step(ctx, |board, (now, _), out| board.told(home, entries, now, out));
        }
    }
}

//! What is known of neighbours, on its way to the database: beside everything else, and one after the other.
//!
//! **Invariant:** what was said later is what is written. A key to which an operator holds a neighbour must not be
//! written over by what was known of it a moment before.

use actix::{Context, Handler, Message, ResponseFuture};
use tokio::sync::{mpsc, oneshot};

use super::Neighbourhood;
use crate::{
    domain::id::PeerId,
    store::{PeerRecord, Store},
};

/// Asks whether everything that was to be written so far is. Answered when that is known.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "bool")]
pub struct Written;

#[derive(Debug)]
enum Work {
    Save(Box<PeerRecord>),
    Erase(PeerId),
    /// Somebody wants to know whether everything before this was written, since the last one who did.
    Told(oneshot::Sender<bool>),
}

/// Writes for as long as it is held, and what it was given before that ends.
#[derive(Debug)]
pub(super) struct Scribe {
    work: mpsc::UnboundedSender<Work>,
}

impl Scribe {
    /// One that writes on the runtime that is there.
    pub(super) fn start(store: Store) -> Self {
        let (work, to_do) = mpsc::unbounded_channel();
        actix_rt::spawn(write(store, to_do));
        Self { work }
    }

    /// Keeps what is known about a neighbour.
    pub(super) fn save(&self, record: PeerRecord) {
        self.give(Work::Save(Box::new(record)));
    }

    /// Leaves nothing of a neighbour that turned out to be another one.
    pub(super) fn erase(&self, id: PeerId) {
        self.give(Work::Erase(id));
    }

    fn give(&self, work: Work) {
        // It writes for as long as we are here.
        let _ = self.work.send(work);
    }
}

async fn write(store: Store, mut to_do: mpsc::UnboundedReceiver<Work>) {
    let mut is_whole = true;
    while let Some(work) = to_do.recv().await {
        let (peer, written) = match work {
            Work::Save(record) => (record.id, store.save_peer(&record).await),
            Work::Erase(id) => (id, store.forget_peer(id).await.map(drop)),
            Work::Told(teller) => {
                // Whoever does not wait any more does not want to know.
                let _ = teller.send(std::mem::replace(&mut is_whole, true));
                continue;
            }
        };
        if let Err(error) = written {
            tracing::error!(%error, %peer, "what is known of a neighbour could not be written down");
            is_whole = false;
        }
    }
}

impl Handler<Written> for Neighbourhood {
    type Result = ResponseFuture<bool>;

    fn handle(&mut self, _: Written, _: &mut Context<Self>) -> Self::Result {
        let (teller, told) = oneshot::channel();
        self.scribe.give(Work::Told(teller));
        Box::pin(async move { told.await.unwrap_or(false) })
    }
}

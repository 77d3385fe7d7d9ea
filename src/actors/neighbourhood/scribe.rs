//! What is known of neighbours, on its way to the database: beside everything else, and one after the other.
//!
//! **Invariant:** what was said later is what is written. A key to which an operator holds a neighbour must not be
//! written over by what was known of it a moment before.

use std::collections::BTreeMap;

use actix::{Context, Handler, Message, ResponseFuture};
use tokio::sync::{mpsc, oneshot};

use super::Neighbourhood;
use crate::{
    domain::id::PeerId,
    store::{PeerRecord, Store},
};

/// Asks whether everything that is known of neighbours is written. What the disk has not taken is tried again first.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "bool")]
pub struct Written;

/// What is known of a neighbour; nothing, if nothing is to be left of it.
type Word = Option<Box<PeerRecord>>;

#[derive(Debug)]
enum Work {
    Keep(PeerId, Word),
    /// Somebody wants to know whether everything before this is written.
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
        self.give(Work::Keep(record.id, Some(Box::new(record))));
    }

    /// Leaves nothing of a neighbour that turned out to be another one.
    pub(super) fn erase(&self, id: PeerId) {
        self.give(Work::Keep(id, None));
    }

    fn give(&self, work: Work) {
        // It writes for as long as we are here.
        let _ = self.work.send(work);
    }
}

async fn write(store: Store, mut to_do: mpsc::UnboundedReceiver<Work>) {
    let mut left: BTreeMap<PeerId, Word> = BTreeMap::new();
    while let Some(work) = to_do.recv().await {
        match work {
            Work::Keep(peer, word) => keep(&store, peer, word, &mut left).await,
            Work::Told(teller) => {
                for (peer, word) in std::mem::take(&mut left) {
                    keep(&store, peer, word, &mut left).await;
                }
                // Whoever does not wait any more does not want to know.
                let _ = teller.send(left.is_empty());
            }
        }
    }
}

/// Writes the newest word on a neighbour, or remembers that it is not written.
async fn keep(store: &Store, peer: PeerId, word: Word, left: &mut BTreeMap<PeerId, Word>) {
    left.remove(&peer);
    let written = match &word {
        Some(record) => store.save_peer(record).await,
        None => store.forget_peer(peer).await.map(drop),
    };
    if let Err(error) = written {
        tracing::error!(%error, %peer, "what is known of a neighbour could not be written down");
        left.insert(peer, word);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::peer::Source;

    fn record(name: &str) -> PeerRecord {
        PeerRecord {
            id: PeerId([7; 6]),
            url: None,
            doors: Vec::new(),
            address: None,
            name: Some(name.to_owned()),
            key: None,
            seen_key: None,
            dialect: None,
            accent: None,
            source: Source::Api,
            removed: false,
            added_at: 0,
            linked_at: None,
        }
    }

    async fn is_all_written(scribe: &Scribe) -> bool {
        let (teller, told) = oneshot::channel();
        scribe.give(Work::Told(teller));
        told.await.expect("an answer")
    }

    #[actix_web::test]
    async fn the_last_word_counts_and_nobody_is_told_of_what_is_not_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("kith.db")).await.expect("a store");
        let scribe = Scribe::start(store.clone());
        for number in 0..50 {
            scribe.save(record(&number.to_string()));
        }
        assert!(is_all_written(&scribe).await);
        let names = store.peers().await.expect("peers").into_iter().map(|peer| peer.name);
        assert_eq!(names.collect::<Vec<_>>(), [Some("49".to_owned())]);
        scribe.erase(PeerId([7; 6]));
        assert!(is_all_written(&scribe).await);
        assert!(store.peers().await.expect("peers").is_empty());
        store.close().await;
        scribe.save(record("too late"));
        assert!(!is_all_written(&scribe).await);
        assert!(!is_all_written(&scribe).await, "nor when somebody asks again");
    }
}

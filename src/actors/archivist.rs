//! Writes down what should be remembered, beside the way of messages.
//!
//! Records wait in memory, one per member, and go to the store in batches. A store that is full or
//! locked stops nothing: records keep waiting up to a bound, the newest per member win, and health
//! shows. What is lost if the process is killed is at most what arrived since the last batch.
//!
//! **Invariant:** no letter ever waits for the disk.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use actix::{
    Actor, ActorFutureExt as _, AsyncContext as _, Context, Handler, Message, ResponseActFuture,
    WrapFuture as _, dev::MessageResponse,
};

use super::tally::Tally;
use crate::{
    domain::id::KeyId,
    store::{Seen, Store, StoreError},
};

/// How long records wait for company.
const BATCH_SPAN: Duration = Duration::from_millis(200);
/// How long a store that failed is left alone.
const RETRY_SPAN: Duration = Duration::from_secs(2);
/// How often an idle store is asked whether it still takes writes.
const PROBE_SPAN: Duration = Duration::from_secs(5);
/// Records of one batch; a batch is one transaction.
const BATCH: usize = 512;
/// Records that wait for a store that stays away. About 40 MB of public keys.
const MOST_WAITING: usize = 65_536;

/// A member was seen.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Remember(pub Seen);

/// Writes some of what waits. To be repeated until nothing is left, or a write fails.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Flushed")]
pub struct Flush;

/// How far a [`Flush`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, MessageResponse)]
pub enum Flushed {
    /// Everything is on disk.
    Whole,
    /// There is more, or a batch is under way.
    Partly,
    /// The store takes no writes.
    Failed,
}

/// Asks whether the store takes writes at the moment.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Option<Arc<str>>")]
pub struct Trouble;

/// The actor.
#[derive(Debug)]
pub struct Archivist {
    store: Store,
    tally: Tally,
    waiting: HashMap<KeyId, Seen>,
    writing: bool,
    scheduled: bool,
    trouble: Option<Arc<str>>,
}

impl Archivist {
    /// An archivist of this store.
    #[must_use]
    pub fn new(store: Store, tally: Tally) -> Self {
        Self { store, tally, waiting: HashMap::new(), writing: false, scheduled: false, trouble: None }
    }

    fn schedule(&mut self, span: Duration, ctx: &mut Context<Self>) {
        if !std::mem::replace(&mut self.scheduled, true) {
            ctx.run_later(span, |archivist, ctx| {
                archivist.scheduled = false;
                archivist.write(ctx);
            });
        }
    }

    fn write(&mut self, ctx: &mut Context<Self>) {
        if self.writing || self.waiting.is_empty() {
            return;
        }
        let work = self.write_batch();
        ctx.spawn(work.into_actor(self).map(|(batch, result), archivist, ctx| {
            archivist.writing = false;
            let span = if archivist.settle(batch, result) { BATCH_SPAN } else { RETRY_SPAN };
            if !archivist.waiting.is_empty() {
                archivist.schedule(span, ctx);
            }
        }));
    }

    /// Keeps a record, or lets `merge` bring it together with the one that waits for the same member.
    fn keep(&mut self, seen: Seen, merge: impl FnOnce(&mut Seen, Seen)) {
        match self.waiting.entry(seen.key_id) {
            Entry::Vacant(place) => {
                place.insert(seen);
            }
            Entry::Occupied(mut place) => merge(place.get_mut(), seen),
        }
    }

    /// Begins to write one batch, and gives it back with how that went.
    fn write_batch(&mut self) -> impl Future<Output = (Vec<Seen>, Result<(), StoreError>)> + use<> {
        self.writing = true;
        let batch = self.take_batch();
        let store = self.store.clone();
        async move {
            let result = store.remember_members(&batch).await;
            (batch, result)
        }
    }

    fn take_batch(&mut self) -> Vec<Seen> {
        let keys: Vec<KeyId> = self.waiting.keys().take(BATCH).copied().collect();
        keys.iter().filter_map(|key| self.waiting.remove(key)).collect()
    }

    /// Notes how a batch went; what failed waits again, unless something newer waits already.
    fn settle(&mut self, batch: Vec<Seen>, result: Result<(), StoreError>) -> bool {
        let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        if result.is_ok() {
            self.tally.stored.inc_by(count);
        } else {
            for seen in batch {
                self.keep(seen, |waiting, older| {
                    let later = std::mem::replace(waiting, older);
                    waiting.again(&later);
                });
            }
        }
        self.note(result)
    }

    fn note(&mut self, result: Result<(), StoreError>) -> bool {
        let trouble = result.err().map(|error| Arc::from(error.to_string()));
        match (&self.trouble, &trouble) {
            (None, Some(error)) => tracing::error!(%error, "the store takes no writes; messages go on"),
            (Some(_), None) => tracing::info!("the store takes writes again"),
            _ => {}
        }
        self.tally.store_healthy.set(i64::from(trouble.is_none()));
        if trouble.is_some() {
            self.tally.store_failures.inc();
        }
        self.trouble = trouble;
        self.trouble.is_none()
    }

    fn probe(&mut self, ctx: &mut Context<Self>) {
        if self.writing {
            return;
        }
        self.writing = true;
        let store = self.store.clone();
        let work = async move { store.probe().await };
        ctx.spawn(work.into_actor(self).map(|result, archivist, ctx| {
            archivist.writing = false;
            if archivist.note(result) && !archivist.waiting.is_empty() {
                archivist.schedule(BATCH_SPAN, ctx);
            }
        }));
    }
}

impl Actor for Archivist {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(PROBE_SPAN, Self::probe);
    }
}

impl Handler<Remember> for Archivist {
    type Result = ();

    fn handle(&mut self, Remember(seen): Remember, ctx: &mut Self::Context) {
        if self.waiting.len() >= MOST_WAITING && !self.waiting.contains_key(&seen.key_id) {
            self.tally.store_dropped.inc();
            return;
        }
        self.keep(seen, |waiting, later| waiting.again(&later));
        if self.trouble.is_none() {
            self.schedule(BATCH_SPAN, ctx);
        } else {
            self.schedule(RETRY_SPAN, ctx);
        }
    }
}

impl Handler<Flush> for Archivist {
    type Result = ResponseActFuture<Self, Flushed>;

    fn handle(&mut self, _: Flush, _: &mut Self::Context) -> Self::Result {
        if self.writing || self.waiting.is_empty() {
            let answer = if self.writing { Flushed::Partly } else { Flushed::Whole };
            return Box::pin(async move { answer }.into_actor(self));
        }
        let work = self.write_batch();
        Box::pin(work.into_actor(self).map(|(batch, result), archivist, _| {
            archivist.writing = false;
            match (archivist.settle(batch, result), archivist.waiting.is_empty()) {
                (false, _) => Flushed::Failed,
                (true, false) => Flushed::Partly,
                (true, true) => Flushed::Whole,
            }
        }))
    }
}

impl Handler<Trouble> for Archivist {
    type Result = Option<Arc<str>>;

    fn handle(&mut self, _: Trouble, _: &mut Self::Context) -> Self::Result {
        self.trouble.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dialect::Dialect;

    fn seen(spelling: &str, at: i64) -> Seen {
        Seen::now(KeyId([7; 32]), Dialect::Olaf, spelling.to_owned(), at)
    }

    async fn archivist() -> (tempfile::TempDir, Archivist) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("kith.db")).await.expect("a store");
        (folder, Archivist::new(store, Tally::default()))
    }

    #[actix_web::test]
    async fn what_was_received_first_stays_while_it_waits() {
        let (_folder, archivist) = archivist().await;
        let store = archivist.store.clone();
        let actor = archivist.start();
        for (spelling, at) in [("first", 10), ("second", 30), ("third", 20)] {
            actor.send(Remember(seen(spelling, at))).await.expect("an actor");
        }
        while actor.send(Flush).await.expect("an actor") != Flushed::Whole {
            actix_rt::task::yield_now().await;
        }
        let member = store.member(KeyId([7; 32])).await.expect("a store").expect("a member");
        assert_eq!((member.public_key.as_str(), member.first_seen, member.last_seen), ("first", 10, 30));
    }

    #[actix_web::test]
    async fn a_batch_that_failed_is_older_than_what_waits() {
        let (_folder, mut archivist) = archivist().await;
        archivist.keep(seen("later", 30), |_, _| {});
        let failed = StoreError::Row { table: "members" };
        assert!(!archivist.settle(vec![seen("earlier", 10)], Err(failed)));
        let waiting = &archivist.waiting[&KeyId([7; 32])];
        assert_eq!((waiting.public_key.as_str(), waiting.first, waiting.last), ("earlier", 10, 30));
        assert_eq!(archivist.tally.store_healthy.get(), 0);
    }

    #[actix_web::test]
    async fn nothing_to_write_says_nothing_about_the_store() {
        let (_folder, mut archivist) = archivist().await;
        archivist.trouble = Some("it is locked".into());
        let actor = archivist.start();
        assert_eq!(actor.send(Flush).await, Ok(Flushed::Whole));
        assert!(actor.send(Trouble).await.expect("an actor").is_some());
    }
}

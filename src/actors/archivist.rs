//! Writes down what should be remembered, beside the way of messages.
//!
//! Records wait in memory and go to the store in batches: one per member, and what happened in rooms in its
//! order (`scroll`). A store that is full or locked stops nothing: records keep waiting up to a bound, the
//! newest per member win, and health shows. What is lost if the process is killed is at most what arrived
//! since the last batch.
//!
//! **Invariant:** no letter ever waits for the disk. Only who orders something of a room as an operator is
//! answered after it is there.

mod scroll;

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use actix::{
    Actor, ActorFutureExt as _, AsyncContext as _, Context, Handler, Message, ResponseActFuture,
    ResponseFuture, WrapFuture as _, dev::MessageResponse,
};

use self::scroll::Scroll;
use super::{clock::unix_ms, tally::Tally};
use crate::{
    domain::{channel::KeptWraps, id::KeyId, rooms::Record},
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
/// Servers of which something waits for it.
const MOST_SERVERS: usize = 1024;

/// A member was seen.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Remember(pub Seen);

/// Something happened in rooms, in this order.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Chronicle(pub Vec<Record>);

/// What is kept of a server that hands out keys of the public channel, in place of what was.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct KeepWraps(pub KeptWraps);

/// Asks whether all that happened in rooms so far is on disk, and waits for the attempt.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "bool")]
pub struct Settled;

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

/// What is written at once.
#[derive(Debug, Default)]
struct Batch {
    members: Vec<Seen>,
    rooms: Vec<Record>,
    wraps: Vec<KeptWraps>,
}

/// The actor.
#[derive(Debug)]
pub struct Archivist {
    store: Store,
    tally: Tally,
    waiting: HashMap<KeyId, Seen>,
    rooms: Scroll,
    /// The newest of each server.
    wraps: BTreeMap<Arc<str>, KeptWraps>,
    writing: bool,
    scheduled: bool,
    trouble: Option<Arc<str>>,
}

impl Archivist {
    /// An archivist of this store.
    #[must_use]
    pub fn new(store: Store, tally: Tally) -> Self {
        Self {
            store,
            tally,
            waiting: HashMap::new(),
            rooms: Scroll::default(),
            wraps: BTreeMap::new(),
            writing: false,
            scheduled: false,
            trouble: None,
        }
    }

    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.rooms.is_empty() && self.wraps.is_empty()
    }

    fn schedule(&mut self, span: Duration, ctx: &mut Context<Self>) {
        if !std::mem::replace(&mut self.scheduled, true) {
            ctx.run_later(span, |archivist, ctx| {
                archivist.scheduled = false;
                archivist.write(ctx);
            });
        }
    }

    /// Something new waits.
    fn schedule_next(&mut self, ctx: &mut Context<Self>) {
        self.schedule(if self.trouble.is_none() { BATCH_SPAN } else { RETRY_SPAN }, ctx);
    }

    fn write(&mut self, ctx: &mut Context<Self>) {
        if self.writing || self.is_idle() {
            return;
        }
        let work = self.write_batch();
        ctx.spawn(work.into_actor(self).map(|(batch, result), archivist, ctx| {
            archivist.writing = false;
            let span = if archivist.settle(batch, result) { BATCH_SPAN } else { RETRY_SPAN };
            if archivist.rooms.is_awaited() {
                // Somebody asked while this batch was under way.
                archivist.write(ctx);
            } else if !archivist.is_idle() {
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
    fn write_batch(&mut self) -> impl Future<Output = (Batch, Result<(), StoreError>)> + use<> {
        self.writing = true;
        let batch = self.take_batch();
        let store = self.store.clone();
        async move {
            let mut result = store.remember_members(&batch.members).await;
            if result.is_ok() {
                result = store.write_rooms(&batch.rooms, unix_ms()).await;
            }
            if result.is_ok() {
                result = store.write_wraps(&batch.wraps, unix_ms()).await;
            }
            (batch, result)
        }
    }

    fn take_batch(&mut self) -> Batch {
        let keys: Vec<KeyId> = self.waiting.keys().take(BATCH).copied().collect();
        let members = keys.iter().filter_map(|key| self.waiting.remove(key)).collect();
        let wraps = std::mem::take(&mut self.wraps).into_values().collect();
        Batch { members, rooms: self.rooms.first(BATCH), wraps }
    }

    /// Notes how a batch went; what failed waits again, unless something newer waits already.
    fn settle(&mut self, batch: Batch, result: Result<(), StoreError>) -> bool {
        let Batch { members, rooms, wraps } = batch;
        let count = u64::try_from(members.len() + rooms.len() + wraps.len()).unwrap_or(u64::MAX);
        if result.is_ok() {
            self.tally.stored.inc_by(count);
            self.rooms.on_disk(rooms.len());
        } else {
            self.rooms.put_back(rooms);
            for kept in wraps {
                self.wraps.entry(Arc::clone(&kept.server)).or_insert(kept);
            }
            for seen in members {
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
            if archivist.note(result) && !archivist.is_idle() {
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
        self.schedule_next(ctx);
    }
}

impl Handler<KeepWraps> for Archivist {
    type Result = ();

    fn handle(&mut self, KeepWraps(kept): KeepWraps, ctx: &mut Self::Context) {
        if self.wraps.len() >= MOST_SERVERS && !self.wraps.contains_key(&kept.server) {
            self.tally.store_dropped.inc();
            return;
        }
        self.wraps.insert(Arc::clone(&kept.server), kept);
        self.schedule_next(ctx);
    }
}

impl Handler<Chronicle> for Archivist {
    type Result = ();

    fn handle(&mut self, Chronicle(records): Chronicle, ctx: &mut Self::Context) {
        self.tally.store_dropped.inc_by(self.rooms.take_in(records));
        self.schedule_next(ctx);
    }
}

impl Handler<Settled> for Archivist {
    type Result = ResponseFuture<bool>;

    fn handle(&mut self, _: Settled, ctx: &mut Self::Context) -> Self::Result {
        let settled = self.rooms.hear();
        self.write(ctx);
        Box::pin(async move { settled.await.unwrap_or(false) })
    }
}

impl Handler<Flush> for Archivist {
    type Result = ResponseActFuture<Self, Flushed>;

    fn handle(&mut self, _: Flush, _: &mut Self::Context) -> Self::Result {
        if self.writing || self.is_idle() {
            let answer = if self.writing { Flushed::Partly } else { Flushed::Whole };
            return Box::pin(async move { answer }.into_actor(self));
        }
        let work = self.write_batch();
        Box::pin(work.into_actor(self).map(|(batch, result), archivist, _| {
            archivist.writing = false;
            match (archivist.settle(batch, result), archivist.is_idle()) {
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
mod tests;

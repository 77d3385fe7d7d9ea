//! Writes down which letters wait for members who are away, beside the way of messages.
//!
//! Everything is written in the order in which it was asked for, so that a letter that is handed over while it
//! is being written is forgotten afterwards. **Invariants:** who asks for a letter to be kept hears yes only once
//! it is on disk; that something is gone is tried until it is written, so that a letter that was handed over comes
//! again only if the process is killed in between.

use std::{collections::VecDeque, time::Duration};

use actix::{
    Actor, ActorFutureExt as _, AsyncContext as _, Context, Handler, Message, ResponseActFuture,
    ResponseFuture, WrapFuture as _,
};
use tokio::sync::oneshot;

use super::{archivist::Flushed, tally::Tally};
use crate::{
    domain::offline::Kept,
    store::{OfflineChange, Store, StoreError},
};

/// How long changes wait for company. Somebody waits for the answer, so not for long.
const BATCH_SPAN: Duration = Duration::from_millis(5);
/// How long a store that failed is left alone.
const RETRY_SPAN: Duration = Duration::from_secs(2);
/// Changes of one batch; a batch is one transaction.
const BATCH: usize = 256;

/// Changes that wait for a store that stays away. Beyond it, it is no longer noted who came and went; what is
/// said of letters is bounded by the letters that may be kept.
const MOST_WAITING: usize = 65_536;

/// A letter is to be kept. Says whether it is on disk.
#[derive(Message, Debug)]
#[rtype(result = "bool")]
pub struct Keep(pub Kept);

/// Something else changes.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Change(pub OfflineChange);

/// Writes some of what waits. To be repeated until nothing is left, or a write fails.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Flushed")]
pub struct FlushOffline;

#[derive(Debug)]
struct Task {
    change: OfflineChange,
    answer: Option<oneshot::Sender<bool>>,
}

impl Task {
    /// Letters are given up when the store does not take them; everything else is tried again.
    fn cost(&self) -> u64 {
        if let OfflineChange::Keep(kept) = &self.change { kept.cost() } else { 0 }
    }
}

/// The actor.
#[derive(Debug)]
pub struct Keeper {
    store: Store,
    tally: Tally,
    tasks: VecDeque<Task>,
    /// Bytes of letters that wait to be written, and how many may.
    bytes: u64,
    most_bytes: u64,
    writing: bool,
    scheduled: bool,
}

impl Keeper {
    /// A keeper with this store, which holds at most so many bytes that are not written.
    #[must_use]
    pub fn new(store: Store, tally: Tally, most_bytes: u64) -> Self {
        let tasks = VecDeque::new();
        Self { store, tally, tasks, bytes: 0, most_bytes, writing: false, scheduled: false }
    }

    fn add(&mut self, task: Task, ctx: &mut Context<Self>) {
        let is_mark = matches!(task.change, OfflineChange::Mark(..) | OfflineChange::Unmark(_));
        if is_mark && self.tasks.len() >= MOST_WAITING {
            self.tally.store_dropped.inc();
            return;
        }
        self.bytes += task.cost();
        self.tasks.push_back(task);
        self.schedule(BATCH_SPAN, ctx);
    }

    fn schedule(&mut self, span: Duration, ctx: &mut Context<Self>) {
        if !self.writing && !std::mem::replace(&mut self.scheduled, true) {
            ctx.run_later(span, |keeper, ctx| {
                keeper.scheduled = false;
                if !keeper.writing && !keeper.tasks.is_empty() {
                    let work = keeper.write_batch().into_actor(keeper);
                    ctx.spawn(work.map(|(batch, result), keeper, ctx| {
                        let span = if keeper.settle(batch, &result) { BATCH_SPAN } else { RETRY_SPAN };
                        if !keeper.tasks.is_empty() {
                            keeper.schedule(span, ctx);
                        }
                    }));
                }
            });
        }
    }

    /// Begins to write one batch, and gives it back with how that went.
    fn write_batch(&mut self) -> impl Future<Output = (Vec<Task>, Result<(), StoreError>)> + use<> {
        self.writing = true;
        let batch: Vec<Task> = self.tasks.drain(..self.tasks.len().min(BATCH)).collect();
        self.bytes -= batch.iter().map(Task::cost).sum::<u64>();
        let store = self.store.clone();
        async move {
            let changes: Vec<OfflineChange> = batch.iter().map(|task| task.change.clone()).collect();
            let result = store.change_offline(&changes).await;
            (batch, result)
        }
    }

    /// Answers whoever waits for a batch; what must not be lost goes back in front.
    fn settle(&mut self, batch: Vec<Task>, result: &Result<(), StoreError>) -> bool {
        self.writing = false;
        if let Err(error) = result {
            tracing::error!(%error, "letters for those who are away cannot be written down");
        }
        for task in batch.into_iter().rev() {
            let is_kept = matches!(task.change, OfflineChange::Keep(_));
            if result.is_err() && !is_kept {
                self.tasks.push_front(task);
            } else if let Some(answer) = task.answer {
                // Whoever does not wait any more needs no answer.
                let _ = answer.send(result.is_ok());
            }
        }
        result.is_ok()
    }
}

impl Actor for Keeper {
    type Context = Context<Self>;
}

impl Handler<Keep> for Keeper {
    type Result = ResponseFuture<bool>;

    fn handle(&mut self, Keep(kept): Keep, ctx: &mut Self::Context) -> Self::Result {
        let (answer, answered) = oneshot::channel();
        let task = Task { change: OfflineChange::Keep(kept), answer: Some(answer) };
        if self.bytes + task.cost() > self.most_bytes {
            return Box::pin(async { false });
        }
        self.add(task, ctx);
        Box::pin(async move { answered.await.unwrap_or(false) })
    }
}

impl Handler<Change> for Keeper {
    type Result = ();

    fn handle(&mut self, Change(change): Change, ctx: &mut Self::Context) {
        self.add(Task { change, answer: None }, ctx);
    }
}

impl Handler<FlushOffline> for Keeper {
    type Result = ResponseActFuture<Self, Flushed>;

    fn handle(&mut self, _: FlushOffline, _: &mut Self::Context) -> Self::Result {
        if self.writing || self.tasks.is_empty() {
            let answer = if self.writing { Flushed::Partly } else { Flushed::Whole };
            return Box::pin(async move { answer }.into_actor(self));
        }
        let work = self.write_batch().into_actor(self);
        Box::pin(work.map(|(batch, result), keeper, _| {
            match (keeper.settle(batch, &result), keeper.tasks.is_empty()) {
                (false, _) => Flushed::Failed,
                (true, false) => Flushed::Partly,
                (true, true) => Flushed::Whole,
            }
        }))
    }
}

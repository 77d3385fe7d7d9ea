//! Telling a follower what changes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};

use super::{
    Copies,
    give::give,
    guest::Guest,
    ledger::Lacks,
    wire::{Asked, CopyError, Told, Wire},
};
use crate::{
    domain::succession::NodeId,
    store::{Mark, Since, Store, shelf::Shelf},
};

/// How often the log is asked while nothing happens: a question of a few dozen microseconds.
const GLANCE: Duration = Duration::from_millis(20);

/// How often something is said, whether there is anything to say or not.
const BEAT: Duration = Duration::from_secs(1);

/// Numbers streams, so that an old one is told from the one that took its place.
static STREAMS: AtomicU64 = AtomicU64::new(0);

/// Whoever serves, as its followers need it.
#[derive(Clone, Debug)]
pub struct Reign {
    /// Which node this is.
    pub node: NodeId,
    /// In which epoch it serves.
    pub epoch: u64,
    /// What changes.
    pub store: Store,
    /// How far the followers are.
    pub copies: Copies,
    /// The folder of uploaded files.
    pub shelf: Shelf,
    /// Who may copy everything at the moment.
    pub wholes: Arc<Semaphore>,
}

/// Tells one follower everything, then what changes, until the connection ends; or gives it uploaded files, if it asks
/// for one.
///
/// # Errors
/// Why it ended.
pub async fn lead(guest: Guest, reign: &Reign) -> Result<(), CopyError> {
    let Guest { mut wire, node, asked } = guest;
    let ended = match asked {
        Asked::Have(mark) => {
            let stream = STREAMS.fetch_add(1, Ordering::Relaxed);
            let ended = Leader { wire, node, stream, lacks: Lacks::default(), reign }.tell(mark).await;
            reign.copies.forget(node, stream);
            ended
        }
        Asked::Content(id, from) => give(&mut wire, &reign.shelf, (id, from)).await,
        Asked::Applied(_) | Asked::Lacks(_) => Err(CopyError::Nonsense),
    };
    match ended {
        Err(CopyError::Closed) => Ok(()),
        ended => ended,
    }
}

struct Leader<'a> {
    wire: Wire,
    node: NodeId,
    stream: u64,
    /// What it lacks of the files whose rows it has.
    lacks: Lacks,
    reign: &'a Reign,
}

impl Leader<'_> {
    async fn tell(&mut self, have: Option<Mark>) -> Result<(), CopyError> {
        self.wire.say(&Told::Serving(self.reign.epoch)).await?;
        let mut at = match have {
            // It counts as a copy once it has said what it lacks.
            Some(Mark { epoch, seq }) if epoch == self.reign.epoch => seq,
            _ => self.everything().await?,
        };
        let mut said = Instant::now();
        loop {
            let news = match self.reign.store.changes_since(at).await? {
                Since::TooLongAgo => {
                    at = self.everything().await?;
                    continue;
                }
                Since::Changes(batch) if batch.changes.is_empty() && batch.through == at => None,
                Since::Changes(batch) => Some(batch),
            };
            match news {
                Some(batch) => {
                    at = batch.through;
                    self.wire.say(&Told::Changes(batch)).await?;
                    said = Instant::now();
                }
                None if said.elapsed() >= BEAT => {
                    self.wire.say(&Told::Still).await?;
                    said = Instant::now();
                }
                None => self.listen(GLANCE).await?,
            }
            self.listen(Duration::ZERO).await?;
        }
    }

    async fn everything(&mut self) -> Result<u64, CopyError> {
        let reign = self.reign;
        // Each holds one of the few connections that read.
        let _turn = self.meanwhile(reign.wholes.acquire()).await?.map_err(|_| CopyError::Closed)?;
        self.wire.say(&Told::Everything).await?;
        let mut whole = self.meanwhile(reign.store.whole()).await??;
        while let Some(batch) = self.meanwhile(whole.next()).await?? {
            self.wire.say(&Told::Rows(batch)).await?;
        }
        let through = whole.through();
        self.wire.say(&Told::Complete(through)).await?;
        Ok(through)
    }

    /// Waits for something that may take long. The follower hears that it is not forgotten, and nobody waits for one
    /// that has hung up.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Result<T, CopyError> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                heard = self.listen(BEAT) => heard?,
            }
            self.wire.say(&Told::Still).await?;
        }
    }

    /// Hears how far the follower is, for so long.
    async fn listen(&mut self, span: Duration) -> Result<(), CopyError> {
        let pause = sleep(span);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                biased;
                asked = self.wire.next() => match asked? {
                    Asked::Applied(seq) => self.reign.copies.set(self.node, self.stream, seq, self.lacks),
                    Asked::Lacks(lacks) => {
                        self.lacks = lacks;
                        self.reign.copies.lacks(self.node, self.stream, lacks);
                    }
                    Asked::Have(_) | Asked::Content(..) => return Err(CopyError::Nonsense),
                },
                () = &mut pause => return Ok(()),
            }
        }
    }
}

//! Keeping a copy of what somebody else serves.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, timeout_at},
};

use super::{
    Asker, Contents, Lacks,
    wire::{Asked, CopyError, PATIENCE, Told, Wire},
};
use crate::store::{Copy, Mark};

/// A copy, and what it is kept with.
#[derive(Clone, Debug)]
pub struct Follower {
    /// The rows.
    pub copy: Copy,
    /// The bytes of uploaded files.
    pub contents: Contents,
    /// Who hears how far the rows are on disk.
    pub mark: watch::Sender<Option<Mark>>,
    /// The rows here do not take the changes, so they are other ones than those that were changed.
    is_doubted: Arc<AtomicBool>,
}

impl Follower {
    /// A copy that goes so far, and who hears how far it goes from now on.
    #[must_use]
    pub fn new(copy: Copy, contents: Contents, mark: Option<Mark>) -> (Self, watch::Receiver<Option<Mark>>) {
        let (mark, marks) = watch::channel(mark);
        (Self { copy, contents, mark, is_doubted: Arc::default() }, marks)
    }

    /// Applies what the node at the other end says, until the connection ends. What is on disk is said to it, and
    /// to whoever watches. If the rows here do not take what it says, the next time begins with a whole copy.
    ///
    /// # Errors
    /// Why it ended.
    pub async fn follow(&self, stream: TcpStream, asker: Asker<'_>) -> Result<(), CopyError> {
        let ended = self.keep(stream, asker).await;
        if matches!(&ended, Err(CopyError::Store(error)) if error.is_about_rows()) {
            self.is_doubted.store(true, Ordering::Relaxed);
        }
        ended
    }

    async fn keep(&self, stream: TcpStream, asker: Asker<'_>) -> Result<(), CopyError> {
        let mut wire = Wire::dial(stream, asker.secret, asker.node).await?;
        let is_doubted = self.is_doubted.load(Ordering::Relaxed);
        let have = if is_doubted { None } else { self.copy.mark().await? };
        wire.say(&Asked::Have(have)).await?;
        let Told::Serving(epoch) = wire.hear().await? else { return Err(CopyError::Nonsense) };
        let mut stream = Stream { wire, epoch, lacks: Lacks::default(), follower: self };
        if let Some(mark) = have.filter(|mark| mark.epoch == epoch) {
            // Nobody knows in the middle of what the last stream ended.
            self.contents.tidy(self.copy.store()).await?;
            stream.applied(mark.seq).await?;
        }
        stream.hear().await
    }
}

/// One connection to whoever serves.
struct Stream<'a> {
    wire: Wire,
    epoch: u64,
    /// What the other side believes to be lacking here.
    lacks: Lacks,
    follower: &'a Follower,
}

impl Stream<'_> {
    async fn hear(&mut self) -> Result<(), CopyError> {
        let mut news = self.follower.contents.ledger.watch();
        let mut silent = Instant::now() + PATIENCE;
        loop {
            let told = tokio::select! {
                told = timeout_at(silent, self.wire.next()) => told.map_err(|_| CopyError::Silent)??,
                () = news() => {
                    self.lacking().await?;
                    continue;
                }
            };
            match told {
                Told::Everything => {
                    let seq = self.everything().await?;
                    self.applied(seq).await?;
                }
                Told::Changes(batch) => {
                    let Follower { copy, contents, .. } = self.follower;
                    copy.apply(self.epoch, &batch).await?;
                    contents.heed(copy.store(), &batch).await?;
                    self.applied(batch.through).await?;
                }
                Told::Still => {}
                _ => return Err(CopyError::Nonsense),
            }
            silent = Instant::now() + PATIENCE;
        }
    }

    /// Says how far the copy is. What is lacking of that is said first, so that nobody believes for a moment that
    /// nothing is.
    async fn applied(&mut self, seq: u64) -> Result<(), CopyError> {
        self.lacking().await?;
        self.follower.mark.send_replace(Some(Mark { epoch: self.epoch, seq }));
        self.wire.say(&Asked::Applied(seq)).await
    }

    async fn lacking(&mut self) -> Result<(), CopyError> {
        let lacks = self.follower.contents.ledger.lacks();
        if lacks != self.lacks {
            self.lacks = lacks;
            self.wire.say(&Asked::Lacks(lacks)).await?;
        }
        Ok(())
    }

    async fn everything(&mut self) -> Result<u64, CopyError> {
        let Follower { copy, contents, is_doubted, .. } = self.follower;
        let mut replacement = copy.replace().await?;
        loop {
            match self.wire.hear().await? {
                Told::Rows(batch) => replacement.add(&batch).await?,
                Told::Still => {}
                Told::Complete(seq) => {
                    replacement.finish(Mark { epoch: self.epoch, seq }).await?;
                    is_doubted.store(false, Ordering::Relaxed);
                    contents.tidy(copy.store()).await?;
                    return Ok(seq);
                }
                _ => return Err(CopyError::Nonsense),
            }
        }
    }
}

//! Where uploaded files lie: the folder, its quota and its sweeper.
//!
//! A file comes in as a [`Draft`] under a hidden name. Only when it is whole does it get its place and
//! its row in the store. Quota is taken before the bytes are written, so that uploads under way count
//! as well. **Invariant:** whatever dies on the way (the client, the request, the process), the draft
//! and its quota go too: at once by `Drop`, or at the next start by the sweep.

mod draft;
mod sweep;

#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use actix_web::http::StatusCode;
use tokio::fs;

pub use self::{draft::Draft, sweep::Swept};
use super::problem::Problem;
use crate::{
    actors::{clock::unix_ms, tally::Tally},
    domain::limits::Limits,
    store::{
        FileRecord, Store, StoreError,
        shelf::{Shelf, is_id},
    },
};

/// Why a file could not be taken or handed out.
#[derive(Debug, thiserror::Error)]
pub enum FilingError {
    /// Larger than one file may be.
    #[error("a file may have at most {0} bytes")]
    TooLarge(u64),
    /// All files together are as large as they may be, or the disk is full.
    #[error("there is no room for more files at the moment")]
    Full,
    /// The rows of the files.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder or a file in it.
    #[error("the folder of uploaded files: {0}")]
    Disk(io::Error),
}

impl From<io::Error> for FilingError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Disk(error),
        }
    }
}

impl From<FilingError> for Problem {
    fn from(error: FilingError) -> Self {
        match error {
            FilingError::TooLarge(_) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The file is too large").detail(error)
            }
            // Not 413: that would tell the client that its file can never be taken.
            FilingError::Full => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "files_full", "There is no room").detail(error)
            }
            FilingError::Store(error) => error.into(),
            FilingError::Disk(error) => {
                tracing::error!(%error, "the folder of uploaded files failed");
                Self::internal()
            }
        }
    }
}

/// The folder of uploaded files. Copies are the same folder.
#[derive(Clone, Debug)]
pub struct Filing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shelf: Shelf,
    store: Store,
    limits: Arc<Limits>,
    tally: Tally,
    /// Bytes of files and of drafts.
    used: AtomicU64,
    /// Drafts, until their row is written: the sweep leaves them alone.
    open: Mutex<HashSet<String>>,
    /// Whether another node may have what is missing here.
    others: bool,
}

impl Filing {
    /// Opens the folder, makes it if need be, and sweeps it. If there are `others`, a row whose file is not here
    /// stays, because one of them may bring it.
    ///
    /// # Errors
    /// The folder cannot be used, or the store cannot be read.
    pub async fn open(
        data: &Path,
        others: bool,
        store: Store,
        limits: Arc<Limits>,
        tally: Tally,
    ) -> Result<Self, FilingError> {
        let shelf = Shelf::of(data);
        shelf.make().await?;
        let used = store.files_total_bytes().await?;
        tally.upload_bytes.set(used);
        let (used, open) = (AtomicU64::new(used), Mutex::default());
        let filing = Self(Arc::new(Inner { shelf, store, limits, tally, used, open, others }));
        filing.sweep(unix_ms()).await?;
        Ok(filing)
    }

    /// Begins a file that its sender calls `name`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub async fn draft(&self, name: &str) -> Result<Draft, FilingError> {
        Draft::begin(self.clone(), name).await
    }

    /// The file with that id, unless its time is over.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn find(&self, id: &str, now_ms: i64) -> Result<Option<FileRecord>, FilingError> {
        if !is_id(id) {
            return Ok(None);
        }
        Ok(self.0.store.file(id).await?.filter(|record| record.expires_at > now_ms))
    }

    /// The bytes of a file. `None` if the sweep was quicker, or no node that lives has them.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn read(&self, record: &FileRecord) -> Result<Option<fs::File>, FilingError> {
        Ok(self.0.shelf.open(&record.id).await?)
    }

    /// Deletes a file, and says whether there was one.
    ///
    /// # Errors
    /// The file or its row cannot be deleted.
    pub async fn delete(&self, id: &str) -> Result<bool, FilingError> {
        if !is_id(id) {
            return Ok(false);
        }
        match self.0.store.file(id).await? {
            Some(record) => self.remove(&record).await,
            None => Ok(false),
        }
    }

    /// Bytes of all files, uploads under way included.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// The bytes go before the row: a full disk may refuse to write the row before it has room again.
    async fn remove(&self, record: &FileRecord) -> Result<bool, FilingError> {
        self.0.shelf.remove(&record.id).await?;
        let deleted = self.0.store.delete_file(&record.id).await?;
        if deleted {
            self.release(record.bytes);
        }
        Ok(deleted)
    }

    /// Takes quota, or nothing at all.
    fn reserve(&self, bytes: u64) -> Result<(), FilingError> {
        let most = self.0.limits.upload_total_bytes;
        let grow = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= most);
        self.0
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow)
            .map_err(|_| FilingError::Full)?;
        self.0.tally.upload_bytes.inc_by(bytes);
        Ok(())
    }

    fn release(&self, bytes: u64) {
        self.0.used.fetch_sub(bytes, Ordering::Relaxed);
        self.0.tally.upload_bytes.dec_by(bytes);
    }

    /// A set of names: even a panic elsewhere leaves it usable.
    fn open_drafts(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

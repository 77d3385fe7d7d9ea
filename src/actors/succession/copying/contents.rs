//! The bytes of uploaded files, kept as the rows of a copy say.

use std::collections::{BTreeMap, HashSet};

use super::ledger::{Ledger, Wanted};
use crate::store::{
    Batch, Store, StoreError,
    shelf::{Shelf, id_of, is_fetched, is_id},
};

/// Rows that are read at once.
const PAGE: u32 = 500;
/// What the disk must still have room for beside a file that comes: without it the rows could not follow.
const RESERVE: u64 = 64 << 20;

/// The folder of a node, and what is lacking in it. Trouble with files holds up no rows: what cannot be read
/// counts as lacking, and what cannot be deleted is tried again with the next whole look.
#[derive(Clone, Debug)]
pub struct Contents {
    pub(super) shelf: Shelf,
    pub(super) ledger: Ledger,
    pub(super) reserve: u64,
}

impl Contents {
    /// What lies in this folder, and where is noted what is lacking.
    #[must_use]
    pub const fn new(shelf: Shelf, ledger: Ledger) -> Self {
        Self { shelf, ledger, reserve: RESERVE }
    }

    /// Notes which files are lacking. Says what lies in the folder, and which ids have rows.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub(super) async fn look(&self, store: &Store) -> Result<(HashSet<String>, HashSet<String>), StoreError> {
        let names = self.shelf.names().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the folder of uploaded files cannot be read");
            self.ledger.failed(&error);
            HashSet::new()
        });
        let (mut ids, mut wanted, mut after) = (HashSet::new(), BTreeMap::new(), None);
        loop {
            let page = store.files(after.as_ref(), PAGE).await?;
            for record in page.items.into_iter().filter(|record| is_id(&record.id)) {
                if !names.contains(&record.id) {
                    wanted.insert(record.id.clone(), Wanted::of(&record));
                }
                ids.insert(record.id);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        self.ledger.set(wanted);
        Ok((names, ids))
    }

    /// Compares the folder of a copy with all its rows: what is lacking is noted, what no row names is deleted.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub(super) async fn tidy(&self, store: &Store) -> Result<(), StoreError> {
        let (names, ids) = self.look(store).await?;
        for name in names {
            // What was uploaded here, and not to its end, is nobody's. What is half fetched goes on if it is wanted.
            let id = id_of(&name);
            let is_kept = if name == id { ids.contains(id) } else { self.is_half(&name, id) };
            if !is_kept && let Err(error) = self.shelf.remove(&name).await {
                self.refused(&error);
            }
        }
        Ok(())
    }

    fn is_half(&self, name: &str, id: &str) -> bool {
        is_fetched(name) && self.ledger.is_wanted(id)
    }

    /// Heeds what has changed.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub(super) async fn heed(&self, store: &Store, batch: &Batch) -> Result<(), StoreError> {
        for id in batch.files().filter(|id| is_id(id)) {
            match store.file(id).await? {
                None => {
                    self.ledger.forget(id);
                    if let Err(error) = self.shelf.clear(id).await {
                        self.refused(&error);
                    }
                }
                Some(record) if self.shelf.holds(id, record.bytes).await => self.ledger.forget(id),
                Some(record) => self.ledger.want(&record),
            }
        }
        Ok(())
    }

    fn refused(&self, error: &std::io::Error) {
        tracing::warn!(%error, "an uploaded file could not be deleted");
        self.ledger.failed(error);
    }
}

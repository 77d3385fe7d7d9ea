//! Taking away what should not be in the folder, or not in the store.

use std::{collections::HashSet, time::Duration};

use super::{Filing, FilingError};
use crate::{
    actors::clock::unix_ms,
    store::shelf::{id_of, is_fetched},
};

/// Rows that are read at once.
const PAGE: u32 = 500;
/// How often the folder is swept.
const EVERY: Duration = Duration::from_secs(60);

/// What a sweep took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files whose time was over.
    pub expired: usize,
    /// Files and drafts that no row knows.
    pub strays: usize,
    /// Rows without a file, where nobody else could bring it.
    pub empty: usize,
}

impl Filing {
    /// Deletes what is expired, and what is left over from accidents. Files that are not named as ours
    /// are left alone. One that cannot be deleted does not save the others.
    ///
    /// # Errors
    /// The folder or the store cannot be read.
    pub async fn sweep(&self, now_ms: i64) -> Result<Swept, FilingError> {
        let mut swept = Swept::default();
        for record in self.0.store.expired_files(now_ms).await? {
            swept.expired += count(self.remove(&record).await);
        }
        let names = self.0.shelf.names().await?;
        let rows = self.rows().await?;
        for name in names.difference(&rows) {
            swept.strays += count(self.remove_stray(name).await);
        }
        for id in rows.difference(&names).filter(|_| !self.0.others) {
            swept.empty += count(self.remove_empty(id).await);
        }
        if swept != Swept::default() {
            tracing::info!(
                expired = swept.expired,
                strays = swept.strays,
                empty = swept.empty,
                "files swept"
            );
        }
        Ok(swept)
    }

    /// Sweeps every minute, for ever.
    pub async fn sweep_regularly(self) {
        loop {
            tokio::time::sleep(EVERY).await;
            if let Err(error) = self.sweep(unix_ms()).await {
                tracing::warn!(%error, "the folder of uploaded files could not be swept");
            }
        }
    }

    async fn rows(&self) -> Result<HashSet<String>, FilingError> {
        let (mut ids, mut after) = (HashSet::new(), None);
        loop {
            let page = self.0.store.files(after.as_ref(), PAGE).await?;
            ids.extend(page.items.into_iter().map(|record| record.id));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(ids),
            }
        }
    }

    /// The order matters: a draft is first in the folder, then has its row, and then is no draft any
    /// more. So what is no draft and then has no row is a stray.
    async fn remove_stray(&self, name: &str) -> Result<bool, FilingError> {
        let id = id_of(name);
        if self.open_drafts().contains(id) {
            return Ok(false);
        }
        let has_row = self.0.store.file(id).await?.is_some();
        let is_awaited = || has_row && is_fetched(name) && !self.0.shelf.file(id).exists();
        if (name == id && has_row) || is_awaited() {
            return Ok(false);
        }
        self.0.shelf.remove(name).await?;
        Ok(true)
    }

    /// The row may be younger than our look into the folder.
    async fn remove_empty(&self, id: &str) -> Result<bool, FilingError> {
        if tokio::fs::try_exists(self.0.shelf.file(id)).await? {
            return Ok(false);
        }
        match self.0.store.file(id).await? {
            Some(record) => self.remove(&record).await,
            None => Ok(false),
        }
    }
}

fn count(removed: Result<bool, FilingError>) -> usize {
    match removed {
        Ok(removed) => usize::from(removed),
        Err(error) => {
            tracing::warn!(%error, "an uploaded file could not be deleted");
            0
        }
    }
}

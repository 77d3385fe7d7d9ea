//! Taking away what should not be in the folder, or not in the store.

use std::{collections::HashSet, time::Duration};

use super::{DRAFT_PREFIX, Filing, FilingError, is_id, remove_if_there};
use crate::actors::clock::unix_ms;

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
    /// Rows without a file.
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
        let names = self.names().await?;
        let rows = self.rows().await?;
        for name in names.difference(&rows) {
            swept.strays += count(self.remove_stray(name).await);
        }
        for id in rows.difference(&names) {
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

    async fn names(&self) -> Result<HashSet<String>, FilingError> {
        let mut names = HashSet::new();
        let mut folder = tokio::fs::read_dir(&self.0.folder).await?;
        while let Some(entry) = folder.next_entry().await? {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if is_id(name.strip_prefix(DRAFT_PREFIX).unwrap_or(&name)) {
                names.insert(name);
            }
        }
        Ok(names)
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
        let id = name.strip_prefix(DRAFT_PREFIX).unwrap_or(name);
        if self.open_drafts().contains(id) {
            return Ok(false);
        }
        if name == id && self.0.store.file(id).await?.is_some() {
            return Ok(false);
        }
        remove_if_there(&self.path(name)).await?;
        Ok(true)
    }

    /// The row may be younger than our look into the folder.
    async fn remove_empty(&self, id: &str) -> Result<bool, FilingError> {
        if tokio::fs::try_exists(self.path(id)).await? {
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

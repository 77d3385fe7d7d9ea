//! The copy of a database that somebody else writes.

use std::{path::Path, sync::Arc};

use sqlx::{AssertSqlSafe, Sqlite, Transaction};

use super::log::write_mark;
use super::shape::query;
use super::{Batch, CARRIED, Change, Mark, Shape};
use crate::store::{Store, StoreError, StoreOptions};

/// A database that follows another one. It has to be opened anew before a house lives on it, because it does
/// not look after references between tables: what it is told was right where it comes from, and the order of
/// last changes need not be that of references.
#[derive(Clone, Debug)]
pub struct Copy {
    store: Store,
}

impl Copy {
    /// Opens the file, or makes one.
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = StoreOptions { references: false, ..StoreOptions::default() };
        let store = Store::open_with(path, &options).await?;
        // What happens here is noted where it happened first.
        store.end_changes().await?;
        Ok(Self { store })
    }

    /// How far it goes: the copy of another node's database, or what this node wrote when it served itself.
    /// `None` if it is neither.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn mark(&self) -> Result<Option<Mark>, StoreError> {
        let mark: Option<(i64, i64)> = sqlx::query_as("SELECT epoch, seq FROM written WHERE id = 1")
            .fetch_optional(&self.store.readers)
            .await?;
        Ok(mark.and_then(|(epoch, seq)| {
            Some(Mark { epoch: u64::try_from(epoch).ok()?, seq: u64::try_from(seq).ok()? })
        }))
    }

    /// Applies what has changed: all of it and the mark, or nothing.
    ///
    /// # Errors
    ///
    /// The batch has tables, columns or values that this version does not know, or the database cannot be
    /// written.
    pub async fn apply(&self, epoch: u64, batch: &Batch) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        put(&mut transaction, &self.store.shapes, batch).await?;
        write_mark(&mut transaction, epoch, Some(batch.through)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Begins to copy everything anew. What was there stays until that is finished.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn replace(&self) -> Result<Replacement, StoreError> {
        let mut transaction = self.store.begin().await?;
        for table in CARRIED {
            sqlx::query(AssertSqlSafe(format!("DELETE FROM {table}"))).execute(&mut *transaction).await?;
        }
        Ok(Replacement { transaction, known: Arc::clone(&self.store.shapes) })
    }

    /// For reading what it holds.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Closes the file, so that a house can open it.
    pub async fn close(&self) {
        self.store.close().await;
    }
}

/// A whole copy on its way. Dropped, it leaves everything as it was.
#[derive(Debug)]
pub struct Replacement {
    transaction: Transaction<'static, Sqlite>,
    known: Arc<[Shape]>,
}

impl Replacement {
    /// Adds rows.
    ///
    /// # Errors
    ///
    /// As [`Copy::apply`].
    pub async fn add(&mut self, batch: &Batch) -> Result<(), StoreError> {
        put(&mut self.transaction, &self.known, batch).await
    }

    /// From now on this is what is there.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn finish(mut self, mark: Mark) -> Result<(), StoreError> {
        write_mark(&mut self.transaction, mark.epoch, Some(mark.seq)).await?;
        self.transaction.commit().await?;
        Ok(())
    }
}

async fn put(
    transaction: &mut Transaction<'static, Sqlite>,
    known: &[Shape],
    batch: &Batch,
) -> Result<(), StoreError> {
    let fits = |shape: &&Shape| known.iter().any(|known| known.takes(shape));
    if let Some(strange) = batch.shapes.iter().find(|shape| !fits(shape)) {
        return Err(StoreError::Shape { table: strange.table.clone() });
    }
    let texts: Vec<(Arc<str>, Arc<str>)> =
        batch.shapes.iter().map(|shape| (shape.put().into(), shape.take().into())).collect();
    for Change { shape, cells } in &batch.changes {
        let known = batch.shapes.get(*shape).zip(texts.get(*shape));
        let (shape, (put, take)) = known.ok_or(StoreError::Row { table: "changes" })?;
        let sql = match cells.len() {
            all if all == shape.columns.len() => put,
            key if key == shape.key => take,
            _ => return Err(StoreError::Shape { table: shape.table.clone() }),
        };
        query(Arc::clone(sql), cells).execute(&mut **transaction).await?;
    }
    Ok(())
}

//! Everything that is carried on, read as it stood in one moment.

use futures_util::TryStreamExt as _;
use sqlx::{Sqlite, Transaction};

use super::log::last;
use super::shape::{cells, query};
use super::{BATCH_BYTES, BATCH_ROWS, Batch, Cell, Change, Shape};
use crate::store::{Store, StoreError};

/// A view of the whole database that stays as it is, however long reading it takes.
#[derive(Debug)]
pub struct Whole {
    reading: Transaction<'static, Sqlite>,
    shapes: Vec<Shape>,
    through: u64,
    /// Which table comes next, and behind which key.
    table: usize,
    behind: Vec<Cell>,
}

impl Store {
    /// Everything, together with all changes that the log had by then.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn whole(&self) -> Result<Whole, StoreError> {
        let mut reading = self.readers.begin().await?;
        // The first question fixes the moment.
        let through = last(&mut *reading).await?;
        Ok(Whole { reading, shapes: self.shapes.to_vec(), through, table: 0, behind: Vec::new() })
    }
}

impl Whole {
    /// The next rows; `None` behind the last ones.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn next(&mut self) -> Result<Option<Batch>, StoreError> {
        let mut batch = Batch { shapes: self.shapes.clone(), changes: Vec::new(), through: self.through };
        let (mut bytes, mut room) = (0, BATCH_ROWS);
        while let Some(shape) = self.shapes.get(self.table) {
            let page = shape.page(self.behind.is_empty(), room);
            let behind = std::mem::take(&mut self.behind);
            // One by one: a page of the largest rows would be read a hundred times over, and fill the memory.
            let mut rows = query(page, &behind).fetch(&mut *self.reading);
            while let Some(row) = rows.try_next().await? {
                let cells = cells(&row)?;
                room = room.saturating_sub(1);
                bytes += cells.iter().map(Cell::bytes).sum::<usize>();
                self.behind = cells.get(..shape.key).unwrap_or_default().to_vec();
                batch.changes.push(Change { shape: self.table, cells });
                if bytes >= BATCH_BYTES {
                    return Ok(Some(batch));
                }
            }
            if room == 0 {
                break;
            }
            self.table += 1;
            self.behind.clear();
        }
        Ok((!batch.changes.is_empty()).then_some(batch))
    }

    /// Up to which change of the log this goes.
    #[must_use]
    pub const fn through(&self) -> u64 {
        self.through
    }
}

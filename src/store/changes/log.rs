//! The log of changes, where they are made.

use sqlx::{AssertSqlSafe, Executor, Sqlite, Transaction};

use super::shape::{cells, query};
use super::{BATCH_BYTES, BATCH_ROWS, Batch, Cell, Change, Shape, Since};
use crate::store::{Store, StoreError};

/// How far the log reaches back, in changes. Whoever is further behind copies everything, which costs about
/// as much.
const KEPT: i64 = 65_536;

/// What the names of our triggers begin with.
const PREFIX: &str = "note_";

impl Store {
    /// Begins the log of a reign: of what changes from now on. What was noted before is forgotten.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn begin_changes(&self, epoch: u64) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        drop_triggers(&mut transaction).await?;
        for shape in self.shapes.iter() {
            for trigger in triggers(shape) {
                sqlx::query(AssertSqlSafe(trigger)).execute(&mut *transaction).await?;
            }
        }
        // What this node has copied has numbers, too, and positions must never seem to go back.
        let copied: Option<i64> =
            sqlx::query_scalar("SELECT seq FROM written").fetch_optional(&mut *transaction).await?.flatten();
        raise(&mut transaction, copied.unwrap_or(0)).await?;
        cut(&mut transaction, 0).await?;
        write_mark(&mut transaction, epoch, None).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends the log: there is nobody to tell. How far it went stays known.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn end_changes(&self) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        drop_triggers(&mut transaction).await?;
        cut(&mut transaction, 0).await?;
        let last = i64::try_from(last(&mut *transaction).await?).unwrap_or(i64::MAX);
        sqlx::query("UPDATE written SET seq = ? WHERE seq IS NULL")
            .bind(last)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends the log of a server that is its whole home. From here on its database is no copy of another one, and
    /// counts more than an empty one: whoever makes it a node of a larger home wants to keep what is there.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn stand_alone(&self) -> Result<(), StoreError> {
        self.end_changes().await?;
        let write = sqlx::query(
            "INSERT INTO written (id, epoch, seq) VALUES (1, 0, 1) ON CONFLICT (id) DO UPDATE SET seq = seq + 1",
        );
        write.execute(&self.writer).await?;
        Ok(())
    }

    /// The number of the last change.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn last_change(&self) -> Result<u64, StoreError> {
        last(&self.readers).await
    }

    /// What has changed behind this one.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn changes_since(&self, seq: u64) -> Result<Since, StoreError> {
        let mut reading = self.readers.begin().await?;
        let from = i64::try_from(seq).unwrap_or(i64::MAX);
        let cut: i64 = sqlx::query_scalar("SELECT seq FROM changes_cut").fetch_one(&mut *reading).await?;
        if from < cut {
            return Ok(Since::TooLongAgo);
        }
        let noted: Vec<(i64, String, String)> =
            sqlx::query_as("SELECT seq, tbl, key FROM changes WHERE seq > ? ORDER BY seq LIMIT ?")
                .bind(from)
                .bind(BATCH_ROWS)
                .fetch_all(&mut *reading)
                .await?;
        if noted.is_empty() {
            return Ok(Since::Changes(Batch { through: seq, ..Batch::default() }));
        }
        let mut batch =
            Batch { shapes: self.shapes.to_vec(), changes: Vec::with_capacity(noted.len()), through: seq };
        let mut bytes = 0;
        for (at, table, key) in noted {
            // A table that a newer program carried on.
            if let Some(place) = batch.shapes.iter().position(|shape| shape.table == table) {
                let shape = batch.shapes.get(place).ok_or(StoreError::Row { table: "changes" })?;
                let cells = now(&mut reading, shape, &key).await?;
                bytes += cells.iter().map(Cell::bytes).sum::<usize>();
                batch.changes.push(Change { shape: place, cells });
            }
            batch.through = u64::try_from(at).unwrap_or(seq);
            if bytes >= BATCH_BYTES {
                break;
            }
        }
        Ok(Since::Changes(batch))
    }

    /// Forgets what is further back than anybody should need.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn cut_changes(&self) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        cut(&mut transaction, KEPT).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// The number of the last change, which may be gone from the log.
pub(super) async fn last<'c, E>(database: E) -> Result<u64, StoreError>
where
    E: Executor<'c, Database = Sqlite>,
{
    let last: Option<i64> = sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'changes'")
        .fetch_optional(database)
        .await?;
    Ok(last.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0))
}

/// Notes how far this database goes; without a number, the log knows.
pub(super) async fn write_mark(
    transaction: &mut Transaction<'static, Sqlite>,
    epoch: u64,
    seq: Option<u64>,
) -> Result<(), StoreError> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT INTO written (id, epoch, seq) VALUES (1, ?, ?)
         ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq",
    )
    .bind(number(epoch))
    .bind(seq.map(number))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// The next change has a greater number than this.
async fn raise(transaction: &mut Transaction<'static, Sqlite>, seq: i64) -> Result<(), StoreError> {
    let raised = sqlx::query("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'changes'")
        .bind(seq)
        .execute(&mut **transaction)
        .await?;
    if raised.rows_affected() == 0 {
        // The row comes with the first change.
        let first = sqlx::query("INSERT INTO sqlite_sequence (name, seq) VALUES ('changes', ?)");
        first.bind(seq).execute(&mut **transaction).await?;
    }
    Ok(())
}

/// Leaves so many changes in the log.
async fn cut(transaction: &mut Transaction<'static, Sqlite>, kept: i64) -> Result<(), StoreError> {
    let last = i64::try_from(last(&mut **transaction).await?).unwrap_or(i64::MAX);
    let gone = last.saturating_sub(kept);
    sqlx::query("DELETE FROM changes WHERE seq <= ?").bind(gone).execute(&mut **transaction).await?;
    sqlx::query("UPDATE changes_cut SET seq = max(seq, ?)").bind(gone).execute(&mut **transaction).await?;
    Ok(())
}

/// What a row is now: all of it, or only its key if it is gone.
async fn now(
    reading: &mut Transaction<'static, Sqlite>,
    shape: &Shape,
    key: &str,
) -> Result<Vec<Cell>, StoreError> {
    // Each such text is used once. Kept statements would push out those that are used again.
    let found = query(shape.find(key), &[]).persistent(false).fetch_optional(&mut **reading).await?;
    match found {
        Some(row) => cells(&row),
        None => {
            let key = query(format!("SELECT {key}"), &[]).persistent(false);
            cells(&key.fetch_one(&mut **reading).await?)
        }
    }
}

/// What notes the changes of a table. Taking the old note out first, and not `REPLACE`, because the word for
/// conflicts in the statement that fires a trigger counts inside it as well.
fn triggers(shape: &Shape) -> [String; 3] {
    let note = |row: &str| {
        let (table, key) = (&shape.table, shape.quoted_key(row));
        format!(
            "DELETE FROM changes WHERE tbl = '{table}' AND key = {key}; \
             INSERT INTO changes (tbl, key) VALUES ('{table}', {key});"
        )
    };
    let trigger = |event: &str, notes: String| {
        let table = &shape.table;
        format!("CREATE TRIGGER {PREFIX}{table}_{event} AFTER {event} ON {table} BEGIN {notes} END")
    };
    [
        trigger("insert", note("NEW")),
        trigger("update", note("OLD") + &note("NEW")),
        trigger("delete", note("OLD")),
    ]
}

async fn drop_triggers(transaction: &mut Transaction<'static, Sqlite>) -> Result<(), StoreError> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND substr(name, 1, ?) = ?",
    )
    .bind(i64::try_from(PREFIX.len()).unwrap_or_default())
    .bind(PREFIX)
    .fetch_all(&mut **transaction)
    .await?;
    for name in names {
        sqlx::query(AssertSqlSafe(format!("DROP TRIGGER {name}"))).execute(&mut **transaction).await?;
    }
    Ok(())
}

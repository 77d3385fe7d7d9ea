//! Where operators have said that members listen. Bounded by the setting `rendezvous.max_clients` and by the time for
//! which each counts, so they are read all at once.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::domain::directory::published::Introduction;
use crate::domain::endpoint::Endpoint;
use crate::domain::id::KeyId;

use super::Store;
use super::error::StoreError;

impl Store {
    /// Those that still count, in the order in which they came.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn introductions(&self, now_ms: i64) -> Result<Vec<Introduction>, StoreError> {
        let rows = sqlx::query("SELECT * FROM introductions WHERE until > ? ORDER BY seq")
            .bind(now_ms)
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(read).collect()
    }

    /// Keeps one, in place of what was kept of its address, and forgets those that count no more.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn keep_introduction(&self, kept: &Introduction, now_ms: i64) -> Result<(), StoreError> {
        let Introduction { at, member, seq, until_ms } = kept;
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM introductions WHERE until <= ?")
            .bind(now_ms)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT OR REPLACE INTO introductions (address, member, seq, until) VALUES (?, ?, ?, ?)")
            .bind(at.to_string())
            .bind(member.0.as_slice())
            .bind(i64::try_from(*seq).unwrap_or(i64::MAX))
            .bind(until_ms)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Forgets what was kept of a member at an address. Says whether anything was.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn forget_introduction(&self, member: KeyId, at: Endpoint) -> Result<bool, StoreError> {
        let forgotten = sqlx::query("DELETE FROM introductions WHERE address = ? AND member = ?")
            .bind(at.to_string())
            .bind(member.0.as_slice())
            .execute(&self.writer)
            .await?;
        Ok(forgotten.rows_affected() > 0)
    }
}

fn read(row: &SqliteRow) -> Result<Introduction, StoreError> {
    let odd = || StoreError::Row { table: "introductions" };
    let (at, member): (String, Vec<u8>) = (row.try_get("address")?, row.try_get("member")?);
    let (seq, until_ms): (i64, i64) = (row.try_get("seq")?, row.try_get("until")?);
    Ok(Introduction {
        at: at.parse().map_err(|_| odd())?,
        member: member.try_into().map(KeyId).map_err(|_| odd())?,
        seq: u64::try_from(seq).map_err(|_| odd())?,
        until_ms,
    })
}

//! Who may not come: the operator's bans, and the lists of neighbours. Bounded by the limit `bans`, so they
//! are read all at once.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite};

use crate::domain::bans::{Ban, BanId, Draft, Origin, Target};
use crate::domain::id::KeyId;

use super::Store;
use super::error::StoreError;

impl Store {
    /// All bans, in order of their ids.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn bans(&self) -> Result<Vec<Ban>, StoreError> {
        let rows = sqlx::query("SELECT * FROM bans ORDER BY id").fetch_all(&self.readers).await?;
        rows.iter().map(read).collect()
    }

    /// Keeps a ban of the operator, and gives it its id.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written, or the operator has made this very ban before.
    pub async fn add_ban(&self, said: Draft) -> Result<Ban, StoreError> {
        add(&self.writer, said, Origin::Operator).await
    }

    /// Forgets these bans, all of them or none.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn forget_bans(&self, ids: &[BanId]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for id in ids {
            sqlx::query("DELETE FROM bans WHERE id = ?").bind(id.0).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// The lists that are kept: the key of each signer, and the number of its newest issue.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn ban_lists(&self) -> Result<Vec<(KeyId, u64)>, StoreError> {
        let rows = sqlx::query("SELECT key_id, issue FROM ban_lists").fetch_all(&self.readers).await?;
        let odd = || StoreError::Row { table: "ban_lists" };
        let read = |row: &SqliteRow| {
            let (key, issue): (Vec<u8>, i64) = (row.try_get("key_id")?, row.try_get("issue")?);
            let key = key.try_into().map(KeyId).map_err(|_| odd())?;
            Ok((key, u64::try_from(issue).map_err(|_| odd())?))
        };
        rows.iter().map(read).collect()
    }

    /// Keeps a list in place of the one that this key signed before.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written, or the list says something twice. The former list stays then.
    pub async fn replace_ban_list(
        &self,
        key: KeyId,
        issue: u64,
        list: Vec<Draft>,
    ) -> Result<Vec<Ban>, StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM ban_lists WHERE key_id = ?")
            .bind(key.0.as_slice())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO ban_lists (key_id, issue) VALUES (?, ?)")
            .bind(key.0.as_slice())
            .bind(i64::try_from(issue).unwrap_or(i64::MAX))
            .execute(&mut *transaction)
            .await?;
        let mut kept = Vec::with_capacity(list.len());
        for said in list {
            kept.push(add(&mut *transaction, said, Origin::List(key)).await?);
        }
        transaction.commit().await?;
        Ok(kept)
    }

    /// Forgets the list of this key, and which issue it was.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn forget_ban_list(&self, key: KeyId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM ban_lists WHERE key_id = ?")
            .bind(key.0.as_slice())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

async fn add<'a>(
    to: impl sqlx::Executor<'a, Database = Sqlite>,
    said: Draft,
    by: Origin,
) -> Result<Ban, StoreError> {
    let list = match by {
        Origin::Operator => None,
        Origin::List(key) => Some(key.0.to_vec()),
    };
    let id = sqlx::query_scalar(
        "INSERT INTO bans (kind, value, reason, made_at, until, list) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(said.target.kind())
    .bind(said.target.value())
    .bind(&said.reason)
    .bind(said.made)
    .bind(said.until)
    .bind(list)
    .fetch_one(to)
    .await?;
    Ok(Ban { id: BanId(id), said, by })
}

/// A row that cannot be understood is an error and not passed over: whoever it is about would come in.
fn read(row: &SqliteRow) -> Result<Ban, StoreError> {
    let odd = || StoreError::Row { table: "bans" };
    let list: Option<Vec<u8>> = row.try_get("list")?;
    let by = match list {
        None => Origin::Operator,
        Some(key) => Origin::List(key.try_into().map(KeyId).map_err(|_| odd())?),
    };
    let target = Target::read(row.try_get("kind")?, row.try_get("value")?).map_err(|_| odd())?;
    let said = Draft {
        target,
        until: row.try_get("until")?,
        reason: row.try_get("reason")?,
        made: row.try_get("made_at")?,
    };
    Ok(Ban { id: BanId(row.try_get("id")?), said, by })
}

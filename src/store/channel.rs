//! The wrapped keys of the public channel. Each server that hands out keys has a group of its own beside the one
//! of which everybody is a member: its version is that of the key, its members are those for whom it is wrapped.

use sqlx::{Row as _, Sqlite, Transaction};

use crate::domain::channel::KeptWraps;

use super::Store;
use super::error::StoreError;

/// What the groups of servers are called; no group of the protocol is.
const OF_SERVER: &str = "public@";

impl Store {
    /// Writes what is kept of some servers, in place of what was kept of them before.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn write_wraps(&self, servers: &[KeptWraps], now_ms: i64) -> Result<(), StoreError> {
        if servers.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        for kept in servers {
            write(&mut transaction, kept, now_ms).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// The frames in which servers have handed out keys: each server's in the order in which they came.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read, or holds what nobody has written there.
    pub async fn wraps(&self) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT meta FROM groups WHERE substr(group_id, 1, length(?1)) = ?1 ORDER BY created_at",
        )
        .bind(OF_SERVER)
        .fetch_all(&self.readers)
        .await?;
        let mut frames = Vec::new();
        for row in rows {
            let meta: String = row.try_get("meta")?;
            let of_server: Vec<String> =
                serde_json::from_str(&meta).map_err(|_| StoreError::Row { table: "groups" })?;
            frames.extend(of_server);
        }
        Ok(frames)
    }
}

async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    kept: &KeptWraps,
    now_ms: i64,
) -> Result<(), StoreError> {
    let group = format!("{OF_SERVER}{}", kept.server);
    sqlx::query("DELETE FROM groups WHERE group_id = ?").bind(&group).execute(&mut **transaction).await?;
    if kept.frames.is_empty() {
        return Ok(());
    }
    let frames: Vec<&str> = kept.frames.iter().filter_map(|frame| frame.text()).collect();
    let meta = serde_json::to_string(&frames).map_err(|_| StoreError::Row { table: "groups" })?;
    sqlx::query(
        "INSERT INTO groups (group_id, creator_id, created_at, meta, version) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(&group)
    .bind(&*kept.server)
    .bind(now_ms)
    .bind(meta)
    .bind(i64::try_from(kept.version).unwrap_or(i64::MAX))
    .execute(&mut **transaction)
    .await?;
    for (name, wrapped) in &kept.wraps {
        sqlx::query(
            "INSERT INTO group_members (group_id, member_id, role, wrapped_key, added_at)
             VALUES (?, ?, 'member', ?, ?) ON CONFLICT (group_id, member_id) DO UPDATE SET
                 wrapped_key = excluded.wrapped_key",
        )
        .bind(&group)
        .bind(&**name)
        .bind(&**wrapped)
        .bind(now_ms)
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}

//! Members who have names, whose keys they are held to, and the public channel of which all are members.

use sqlx::{Row as _, Sqlite, Transaction};

use crate::domain::{dialect::Dialect, id::KeyId, names::Bearer};

use super::Store;
use super::error::StoreError;
use super::record::Seen;

/// The group of which everybody is a member.
const PUBLIC: &str = "public";

/// Remembers a member who has a name. The first key stays; that it was proven stays, too.
pub(super) async fn remember(
    transaction: &mut Transaction<'_, Sqlite>,
    seen: &Seen,
) -> Result<(), StoreError> {
    // Names of another dialect are other names.
    let Some(named) = seen.named.as_ref().filter(|_| seen.dialect == Dialect::Socp) else { return Ok(()) };
    sqlx::query(
        "INSERT INTO users (user_id, pubkey, key_id, proven, first_seen, last_seen)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (user_id) DO UPDATE SET
             pubkey = CASE WHEN key_id IS NULL THEN excluded.pubkey ELSE pubkey END,
             key_id = coalesce(key_id, excluded.key_id),
             proven = max(proven, key_id IS NOT NULL AND key_id = excluded.key_id AND excluded.proven),
             last_seen = max(last_seen, excluded.last_seen)",
    )
    .bind(&*named.name)
    .bind(&seen.public_key)
    .bind(named.key.map(|key| key.0.to_vec()))
    .bind(named.proven)
    .bind(seen.first)
    .bind(seen.last)
    .execute(&mut **transaction)
    .await?;
    sqlx::query(
        "INSERT INTO groups (group_id, creator_id, created_at) VALUES (?, 'system', ?)
         ON CONFLICT (group_id) DO NOTHING",
    )
    .bind(PUBLIC)
    .bind(seen.first)
    .execute(&mut **transaction)
    .await?;
    sqlx::query(
        "INSERT INTO group_members (group_id, member_id, role, added_at) VALUES (?, ?, 'member', ?)
         ON CONFLICT (group_id, member_id) DO NOTHING",
    )
    .bind(PUBLIC)
    .bind(&*named.name)
    .bind(seen.first)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

impl Store {
    /// Who bears which name, at most so many: those first who have proven it, then those seen last.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn names(&self, most: u32) -> Result<Vec<(String, Bearer)>, StoreError> {
        let rows = sqlx::query(
            "SELECT user_id, key_id, proven FROM users WHERE key_id IS NOT NULL
             ORDER BY proven DESC, last_seen DESC LIMIT ?",
        )
        .bind(most)
        .fetch_all(&self.readers)
        .await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let key: Vec<u8> = row.try_get("key_id")?;
            let key = key.try_into().map(KeyId).map_err(|_| StoreError::Row { table: "users" })?;
            Ok((row.try_get("user_id")?, Bearer { key, proven: row.try_get("proven")? }))
        };
        rows.iter().map(read).collect()
    }
}

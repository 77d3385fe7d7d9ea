//! The neighbours this server knows. Few: the limit `peers` bounds them, so they are read all at once.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::domain::id::{KeyId, PeerId};
use crate::domain::peer::{LinkDialect, Source};

use super::Store;
use super::error::StoreError;
use super::record::PeerRecord;

impl Store {
    /// All neighbours, removed ones included, those known longest first.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn peers(&self) -> Result<Vec<PeerRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM peers ORDER BY added_at, id").fetch_all(&self.readers).await?;
        rows.iter().map(read).collect()
    }

    /// Keeps a neighbour exactly as it is given, whatever was known under its id before.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn save_peer(&self, peer: &PeerRecord) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO peers (id, url, address, name, key, seen_key, dialect, accent, source, removed,
                                added_at, linked_at, doors)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET
                 url = excluded.url, address = excluded.address, name = excluded.name,
                 key = excluded.key, seen_key = excluded.seen_key, dialect = excluded.dialect,
                 accent = excluded.accent, source = excluded.source, removed = excluded.removed,
                 added_at = excluded.added_at, linked_at = excluded.linked_at,
                 doors = excluded.doors",
        )
        .bind(peer.id.hex())
        .bind(&peer.url)
        .bind(&peer.address)
        .bind(&peer.name)
        .bind(&peer.key)
        .bind(peer.seen_key.as_ref().map(|key| key.0.as_slice()))
        .bind(peer.dialect.map(LinkDialect::name))
        .bind(&peer.accent)
        .bind(peer.source.name())
        .bind(peer.removed)
        .bind(peer.added_at)
        .bind(peer.linked_at)
        .bind(peer.doors.join(" "))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Forgets a neighbour for good, its remembered key with it; says whether it was known.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn forget_peer(&self, id: PeerId) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM peers WHERE id = ?").bind(id.hex()).execute(&self.writer).await?;
        Ok(done.rows_affected() > 0)
    }
}

/// A row that cannot be understood is an error and not passed over: a neighbour without its pin would
/// be trusted like a new one.
fn read(row: &SqliteRow) -> Result<PeerRecord, StoreError> {
    let odd = || StoreError::Row { table: "peers" };
    let seen_key: Option<Vec<u8>> = row.try_get("seen_key")?;
    let doors: String = row.try_get("doors")?;
    let dialect: Option<String> = row.try_get("dialect")?;
    Ok(PeerRecord {
        id: PeerId::from_hex(row.try_get("id")?).ok_or_else(odd)?,
        url: row.try_get("url")?,
        doors: doors.split_whitespace().map(str::to_owned).collect(),
        address: row.try_get("address")?,
        name: row.try_get("name")?,
        key: row.try_get("key")?,
        seen_key: seen_key.map(|key| key.try_into().map(KeyId).map_err(|_| odd())).transpose()?,
        dialect: dialect.map(|name| LinkDialect::from_name(&name).ok_or_else(odd)).transpose()?,
        accent: row.try_get("accent")?,
        source: Source::from_name(row.try_get("source")?).ok_or_else(odd)?,
        removed: row.try_get("removed")?,
        added_at: row.try_get("added_at")?,
        linked_at: row.try_get("linked_at")?,
    })
}

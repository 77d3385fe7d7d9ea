//! The members who were ever seen here.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::domain::dialect::Dialect;
use crate::domain::id::KeyId;

use super::Store;
use super::error::StoreError;
use super::record::{Cursor, MemberRecord, Page, Seen};
use super::users;

impl Store {
    /// Remembers that these members were seen, all of them or none.
    ///
    /// The first public key and the first meeting stay; the last meeting only moves forward, so that
    /// batches may arrive out of order.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn remember_members(&self, seen: &[Seen]) -> Result<(), StoreError> {
        if seen.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        for member in seen {
            sqlx::query(
                "INSERT INTO members (key_id, dialect, name, public_key, first_seen, last_seen)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (key_id) DO UPDATE SET last_seen = max(last_seen, excluded.last_seen)",
            )
            .bind(member.key_id.0.as_slice())
            .bind(member.dialect.name())
            .bind(member.named.as_ref().map(|named| &*named.name))
            .bind(&member.public_key)
            .bind(member.first)
            .bind(member.last)
            .execute(&mut *transaction)
            .await?;
            users::remember(&mut transaction, member).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// The member with that key, if it was ever seen.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn member(&self, key_id: KeyId) -> Result<Option<MemberRecord>, StoreError> {
        let row = sqlx::query(
            "SELECT members.*, users.key_id AS name_key
             FROM members LEFT JOIN users ON users.user_id = members.name AND members.dialect = 'socp' WHERE members.key_id = ?",
        )
        .bind(key_id.0.as_slice())
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(read).transpose()
    }

    /// Members, those seen last first. A member who is seen again moves to the front.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn members(
        &self,
        dialect: Option<Dialect>,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<MemberRecord>, StoreError> {
        let place = |cursor: &Cursor| {
            // A forged cursor finds a place too, only not one that a page named.
            let key_id = KeyId::from_hex(&cursor.id).map(|id| id.0.to_vec());
            (cursor.at, key_id.unwrap_or_default())
        };
        // Nobody was seen later than that.
        let (at, key_id) = after.map_or_else(|| (i64::MAX, Vec::new()), place);
        let rows = sqlx::query(
            "SELECT members.*, users.key_id AS name_key
             FROM members LEFT JOIN users ON users.user_id = members.name AND members.dialect = 'socp'
             WHERE (members.last_seen, members.key_id) < (?1, ?2) AND (?3 IS NULL OR members.dialect = ?3)
             ORDER BY members.last_seen DESC, members.key_id DESC LIMIT ?4",
        )
        .bind(at)
        .bind(key_id)
        .bind(dialect.map(Dialect::name))
        .bind(i64::from(limit) + 1)
        .fetch_all(&self.readers)
        .await?;
        let members = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page::cut(members, limit, |member| Cursor { at: member.last_seen, id: member.key_id.hex() }))
    }

    /// How many members were ever seen.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn count_members(&self) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM members").fetch_one(&self.readers).await?;
        Ok(count.unsigned_abs())
    }
}

fn read(row: &SqliteRow) -> Result<MemberRecord, StoreError> {
    let id = |bytes: Vec<u8>| bytes.try_into().map(KeyId).map_err(|_| StoreError::Row { table: "members" });
    Ok(MemberRecord {
        key_id: id(row.try_get("key_id")?)?,
        name: row.try_get("name")?,
        name_key: row.try_get::<Option<Vec<u8>>, _>("name_key")?.map(id).transpose()?,
        dialect: row.try_get("dialect")?,
        public_key: row.try_get("public_key")?,
        first_seen: row.try_get("first_seen")?,
        last_seen: row.try_get("last_seen")?,
    })
}

//! Letters that wait for members who are away. Only what is sealed comes here, and nothing of it is ever shown.

use bytes::Bytes;
use bytestring::ByteString;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};

use crate::domain::dialect::Dialect;
use crate::domain::id::KeyId;
use crate::domain::letter::Frame;
use crate::domain::offline::{Heard, Kept};
use crate::domain::replay::Trace;

use super::error::StoreError;
use super::record::Page;
use super::{Cursor, Store};

const LETTERS: &str = "offline_letters";
const HEARD: &str = "offline_heard";

/// Something that changes about the letters that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfflineChange {
    /// A letter is kept.
    Keep(Kept),
    /// Letters are gone: handed over, or over.
    Forget(Vec<u64>),
    /// How far a member has heard.
    Mark(KeyId, Heard),
    /// How far a member has heard is no longer known.
    Unmark(KeyId),
}

/// What waits for one member, without a word of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflineRecord {
    /// For whom.
    pub member: KeyId,
    /// Its name, in dialects that have names.
    pub name: Option<String>,
    /// How many letters.
    pub letters: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest of them came.
    pub oldest: i64,
}

/// Everything that waits, as it was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offline {
    /// The letters, in order.
    pub letters: Vec<Kept>,
    /// Up to where members have heard.
    pub marks: Vec<(KeyId, Heard)>,
}

impl Store {
    /// Writes changes in their order, all of them or none.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn change_offline(&self, changes: &[OfflineChange]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for change in changes {
            match change {
                OfflineChange::Keep(kept) => keep(&mut transaction, kept).await?,
                OfflineChange::Forget(numbers) => {
                    for number in numbers {
                        let forget = sqlx::query("DELETE FROM offline_letters WHERE number = ?");
                        forget.bind(signed(*number)).execute(&mut *transaction).await?;
                    }
                }
                OfflineChange::Mark(member, heard) => {
                    let (number, left_ms) = match heard {
                        Heard::All => (None, 0),
                        Heard::Through { number, left_ms } => (Some(signed(*number)), *left_ms),
                    };
                    sqlx::query(
                        "INSERT OR REPLACE INTO offline_heard (member, heard, left_at) VALUES (?, ?, ?)",
                    )
                    .bind(member.0.as_slice())
                    .bind(number)
                    .bind(left_ms)
                    .execute(&mut *transaction)
                    .await?;
                }
                OfflineChange::Unmark(member) => {
                    let forget = sqlx::query("DELETE FROM offline_heard WHERE member = ?");
                    forget.bind(member.0.as_slice()).execute(&mut *transaction).await?;
                }
            }
        }
        Ok(transaction.commit().await?)
    }

    /// Everything that waits.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn offline(&self) -> Result<Offline, StoreError> {
        let letters = sqlx::query("SELECT * FROM offline_letters ORDER BY number").fetch_all(&self.readers);
        let letters = letters.await?.iter().map(read_letter).collect::<Result<Vec<_>, _>>()?;
        let marks = sqlx::query("SELECT * FROM offline_heard").fetch_all(&self.readers).await?;
        let marks = marks.iter().map(read_mark).collect::<Result<_, _>>()?;
        Ok(Offline { letters: letters.into_iter().flatten().collect(), marks })
    }

    /// Forgets everything that waits.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn forget_offline(&self) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for table in ["DELETE FROM offline_letters", "DELETE FROM offline_heard"] {
            sqlx::query(table).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// For whom something waits, in the order of their keys.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn offline_members(
        &self,
        after: Option<KeyId>,
        limit: u32,
    ) -> Result<Page<OfflineRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT waiting.*, members.name FROM (
                 SELECT recipient AS member, count(*) AS letters, sum(length(original)) AS bytes,
                        min(kept_at) AS oldest
                 FROM offline_letters WHERE recipient > ?1 GROUP BY recipient
                 UNION ALL
                 SELECT member, count(*), sum(length(original)), min(kept_at)
                 FROM offline_heard JOIN offline_letters ON recipient IS NULL AND number > heard
                 WHERE member > ?1 GROUP BY member
             ) AS waiting LEFT JOIN members ON members.key_id = waiting.member
             ORDER BY waiting.member LIMIT ?2",
        )
        .bind(after.map(|key| key.0.to_vec()).unwrap_or_default())
        .bind(i64::from(limit) + 1)
        .fetch_all(&self.readers)
        .await?;
        let items = rows.iter().map(read_record).collect::<Result<_, _>>()?;
        Ok(Page::cut(items, limit, |record: &OfflineRecord| Cursor { at: 0, id: record.member.hex() }))
    }
}

async fn keep(transaction: &mut Transaction<'_, Sqlite>, kept: &Kept) -> Result<(), StoreError> {
    let (is_text, original): (_, &[u8]) = match &kept.original {
        Frame::Text(text) => (true, text.as_bytes()),
        Frame::Binary(bytes) => (false, bytes),
    };
    sqlx::query(
        "INSERT INTO offline_letters (number, recipient, author, kept_at, trace, dialect, is_text, original)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(signed(kept.number))
    .bind(kept.recipient.map(|key| key.0.to_vec()))
    .bind(kept.author.0.as_slice())
    .bind(kept.at_ms)
    .bind(kept.trace.0.as_slice())
    .bind(kept.dialect.name())
    .bind(is_text)
    .bind(original)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Numbers are given one by one from 1 on.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn key(bytes: Vec<u8>, table: &'static str) -> Result<KeyId, StoreError> {
    bytes.try_into().map(KeyId).map_err(|_| StoreError::Row { table })
}

/// A letter; nothing, if only a newer program knows its dialect.
fn read_letter(row: &SqliteRow) -> Result<Option<Kept>, StoreError> {
    let wrong = || StoreError::Row { table: LETTERS };
    let Some(dialect) = Dialect::from_name(row.try_get("dialect")?) else { return Ok(None) };
    let recipient: Option<Vec<u8>> = row.try_get("recipient")?;
    let trace: Vec<u8> = row.try_get("trace")?;
    let original = Bytes::from(row.try_get::<Vec<u8>, _>("original")?);
    Ok(Some(Kept {
        number: row.try_get::<i64, _>("number")?.unsigned_abs(),
        recipient: recipient.map(|bytes| key(bytes, LETTERS)).transpose()?,
        author: key(row.try_get("author")?, LETTERS)?,
        at_ms: row.try_get("kept_at")?,
        trace: Trace(trace.try_into().map_err(|_| wrong())?),
        dialect,
        original: if row.try_get("is_text")? {
            Frame::Text(ByteString::try_from(original).map_err(|_| wrong())?)
        } else {
            Frame::Binary(original)
        },
    }))
}

fn read_mark(row: &SqliteRow) -> Result<(KeyId, Heard), StoreError> {
    let left_ms = row.try_get("left_at")?;
    let heard = match row.try_get::<Option<i64>, _>("heard")? {
        None => Heard::All,
        Some(number) => Heard::Through { number: number.unsigned_abs(), left_ms },
    };
    Ok((key(row.try_get("member")?, HEARD)?, heard))
}

fn read_record(row: &SqliteRow) -> Result<OfflineRecord, StoreError> {
    Ok(OfflineRecord {
        member: key(row.try_get("member")?, LETTERS)?,
        name: row.try_get("name")?,
        letters: row.try_get::<i64, _>("letters")?.unsigned_abs(),
        bytes: row.try_get::<i64, _>("bytes")?.unsigned_abs(),
        oldest: row.try_get("oldest")?,
    })
}

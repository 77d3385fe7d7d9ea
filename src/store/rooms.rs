//! Rooms, what was said in them, and who may say nothing. Written as it happens, read once at the start.

use std::sync::Arc;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};

use crate::domain::dialect::Dialect;
use crate::domain::id::KeyId;
use crate::domain::limits::Limits;
use crate::domain::rooms::{Deed, Line, LineId, Record, RoomName, Speaker, Stamp};

use super::Store;
use super::error::StoreError;

/// What the store holds of rooms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptRooms {
    /// The rooms, those made first in front, and whether an operator has closed them.
    pub rooms: Vec<(RoomName, bool)>,
    /// Their lines, in order.
    pub lines: Vec<Line>,
    /// Who may say nothing.
    pub muted: Vec<KeyId>,
}

impl Store {
    /// Writes down what happened in rooms, in this order, all of it or nothing. `now` is when rooms that
    /// are new were made.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn write_rooms(&self, records: &[Record], now: i64) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        for record in records {
            write(&mut transaction, record, now).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// What was written, as far as these limits let it be kept: of each room the newest lines.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read, or holds what no version of this program writes.
    pub async fn rooms(&self, limits: &Limits) -> Result<KeptRooms, StoreError> {
        let rooms = sqlx::query("SELECT name, closed FROM rooms ORDER BY made, name LIMIT ?")
            .bind(limits.rooms)
            .fetch_all(&self.readers)
            .await?;
        let rooms: Vec<_> = rooms.iter().map(read_room).collect::<Result<_, _>>()?;
        let mut lines = Vec::new();
        for (room, _) in &rooms {
            // The topic in force may be older than everything else.
            let rows = sqlx::query(
                "SELECT * FROM (SELECT * FROM room_lines WHERE room = ?1 AND kind <> 'topic'
                                ORDER BY stamp DESC, home DESC LIMIT ?2)
                 UNION ALL
                 SELECT * FROM (SELECT * FROM room_lines WHERE room = ?1 AND kind = 'topic'
                                ORDER BY stamp DESC, home DESC LIMIT ?2)",
            )
            .bind(room.as_str())
            .bind(limits.room_lines)
            .fetch_all(&self.readers)
            .await?;
            for row in &rows {
                lines.push(read_line(row)?);
            }
        }
        lines.sort_by_key(|line| line.id);
        let muted = sqlx::query_scalar("SELECT member FROM room_mutes ORDER BY member");
        let muted: Vec<Vec<u8>> = muted.fetch_all(&self.readers).await?;
        let muted = muted.into_iter().map(|key| key_id(key, "room_mutes")).collect::<Result<_, _>>()?;
        Ok(KeptRooms { rooms, lines, muted })
    }
}

async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    record: &Record,
    now: i64,
) -> Result<(), StoreError> {
    match record {
        Record::Line(line) => return write_line(transaction, line).await,
        Record::Erased(id) => sqlx::query("DELETE FROM room_lines WHERE stamp = ? AND home = ?")
            .bind(signed(id.stamp))
            .bind(id.home.0.as_slice())
            .execute(&mut **transaction),
        Record::Room { name, closed } => sqlx::query(
            "INSERT INTO rooms (name, closed, made) VALUES (?, ?, ?)
             ON CONFLICT (name) DO UPDATE SET closed = excluded.closed",
        )
        .bind(name.as_str())
        .bind(closed)
        .bind(now)
        .execute(&mut **transaction),
        Record::Forgotten(name) => {
            sqlx::query("DELETE FROM room_lines WHERE room = ?")
                .bind(name.as_str())
                .execute(&mut **transaction)
                .await?;
            sqlx::query("DELETE FROM rooms WHERE name = ?").bind(name.as_str()).execute(&mut **transaction)
        }
        Record::Muted(member, true) => {
            sqlx::query("INSERT INTO room_mutes (member) VALUES (?) ON CONFLICT (member) DO NOTHING")
                .bind(member.0.as_slice())
                .execute(&mut **transaction)
        }
        Record::Muted(member, false) => sqlx::query("DELETE FROM room_mutes WHERE member = ?")
            .bind(member.0.as_slice())
            .execute(&mut **transaction),
    }
    .await?;
    Ok(())
}

async fn write_line(transaction: &mut Transaction<'_, Sqlite>, line: &Line) -> Result<(), StoreError> {
    let (kind, text, of) = match &line.deed {
        Deed::Said(text) => ("said", Some(&**text), None),
        Deed::Topic(text) => ("topic", Some(&**text), None),
        Deed::Withdrew(id) => ("withdrew", None, Some(id)),
    };
    let by = line.by.as_ref();
    // What is there is the same line: a batch that failed half-way may come again.
    sqlx::query(
        "INSERT INTO room_lines (room, stamp, home, member, name, dialect, kind, text, of_stamp, of_home)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (stamp, home) DO NOTHING",
    )
    .bind(line.room.as_str())
    .bind(signed(line.id.stamp))
    .bind(line.id.home.0.as_slice())
    .bind(by.map(|by| by.member.0.to_vec()))
    .bind(by.map(|by| &*by.name))
    .bind(by.map(|by| by.dialect.name()))
    .bind(kind)
    .bind(text)
    .bind(of.map(|id| signed(id.stamp)))
    .bind(of.map(|id| id.home.0.to_vec()))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// SQLite knows signed numbers only. The bits stay as they are.
const fn signed(stamp: Stamp) -> i64 {
    stamp.0.cast_signed()
}

const fn stamp(signed: i64) -> Stamp {
    Stamp(signed.cast_unsigned())
}

fn key_id(bytes: Vec<u8>, table: &'static str) -> Result<KeyId, StoreError> {
    bytes.try_into().map(KeyId).map_err(|_| StoreError::Row { table })
}

fn room_name(text: &str, table: &'static str) -> Result<RoomName, StoreError> {
    RoomName::new(text).ok_or(StoreError::Row { table })
}

fn read_room(row: &SqliteRow) -> Result<(RoomName, bool), StoreError> {
    Ok((room_name(row.try_get("name")?, "rooms")?, row.try_get("closed")?))
}

fn read_line(row: &SqliteRow) -> Result<Line, StoreError> {
    const TABLE: &str = "room_lines";
    let odd = || StoreError::Row { table: TABLE };
    let id = LineId { stamp: stamp(row.try_get("stamp")?), home: key_id(row.try_get("home")?, TABLE)? };
    let text = || -> Result<_, StoreError> {
        let text: Option<String> = row.try_get("text")?;
        text.map(Into::into).ok_or_else(odd)
    };
    let deed = match row.try_get("kind")? {
        "said" => Deed::Said(text()?),
        "topic" => Deed::Topic(text()?),
        "withdrew" => {
            let of: Option<i64> = row.try_get("of_stamp")?;
            let home: Option<Vec<u8>> = row.try_get("of_home")?;
            let (of, home) = of.zip(home).ok_or_else(odd)?;
            Deed::Withdrew(LineId { stamp: stamp(of), home: key_id(home, TABLE)? })
        }
        _ => return Err(odd()),
    };
    Ok(Line { id, room: room_name(row.try_get("room")?, TABLE)?, by: read_speaker(row)?, deed })
}

fn read_speaker(row: &SqliteRow) -> Result<Option<Speaker>, StoreError> {
    let odd = || StoreError::Row { table: "room_lines" };
    let member: Option<Vec<u8>> = row.try_get("member")?;
    let Some(member) = member else { return Ok(None) };
    let name: Option<String> = row.try_get("name")?;
    let dialect: Option<&str> = row.try_get("dialect")?;
    Ok(Some(Speaker {
        member: key_id(member, "room_lines")?,
        name: Arc::from(name.ok_or_else(odd)?),
        dialect: dialect.and_then(Dialect::from_name).ok_or_else(odd)?,
    }))
}

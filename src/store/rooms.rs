//! Rooms, what was said in them, and who may say nothing. Written as it happens, read once at the start.

use std::sync::Arc;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};

use crate::domain::dialect::Dialect;
use crate::domain::id::KeyId;
use crate::domain::limits::Limits;
use crate::domain::rooms::{Deed, Kept, KeptRoom, Line, LineId, Opener, Record, RoomName, Speaker, Stamp};

use super::Store;
use super::error::StoreError;

/// What openers are, as it is written.
const MEMBER: &str = "member";
const HOME: &str = "home";
/// The last stamp that this home has given, as a fact.
const HEAD: &str = "rooms.head";

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
    pub async fn rooms(&self, limits: &Limits) -> Result<Kept, StoreError> {
        let rooms = sqlx::query("SELECT * FROM rooms ORDER BY made, name LIMIT ?")
            .bind(limits.rooms)
            .fetch_all(&self.readers)
            .await?;
        let rooms: Vec<_> = rooms.iter().map(read_room).collect::<Result<_, _>>()?;
        let mut lines = Vec::new();
        for room in &rooms {
            // The topic in force may be older than everything else.
            let rows = sqlx::query(
                "SELECT * FROM (SELECT * FROM room_lines WHERE room = ?1 AND kind <> 'topic'
                                ORDER BY stamp DESC, home DESC LIMIT ?2)
                 UNION ALL
                 SELECT * FROM (SELECT * FROM room_lines WHERE room = ?1 AND kind = 'topic'
                                ORDER BY stamp DESC, home DESC LIMIT ?2)",
            )
            .bind(room.name.as_str())
            .bind(limits.room_lines)
            .fetch_all(&self.readers)
            .await?;
            for row in &rows {
                lines.push(read_line(row)?);
            }
        }
        let muted = sqlx::query_scalar("SELECT member FROM room_mutes ORDER BY member");
        let muted: Vec<Vec<u8>> = muted.fetch_all(&self.readers).await?;
        let muted = muted.into_iter().map(|key| key_id(key, "room_mutes")).collect::<Result<_, _>>()?;
        let emptied = sqlx::query("SELECT * FROM room_emptied ORDER BY stamp DESC LIMIT ?")
            .bind(limits.rooms)
            .fetch_all(&self.readers)
            .await?;
        let emptied = emptied.iter().map(read_emptied).collect::<Result<_, _>>()?;
        let head = self.fact(HEAD).await?.map(|text| text.parse().map(Stamp));
        let head = head.transpose().map_err(|_| StoreError::Row { table: "facts" })?.unwrap_or(Stamp::ZERO);
        Ok(Kept { rooms, lines, muted, emptied, head })
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
        Record::Room(room) => return write_room(transaction, room, now).await,
        Record::Emptied(name, Some(through)) => sqlx::query(
            "INSERT INTO room_emptied (room, stamp) VALUES (?, ?)
             ON CONFLICT (room) DO UPDATE SET stamp = excluded.stamp",
        )
        .bind(name.as_str())
        .bind(signed(*through))
        .execute(&mut **transaction),
        Record::Emptied(name, None) => sqlx::query("DELETE FROM room_emptied WHERE room = ?")
            .bind(name.as_str())
            .execute(&mut **transaction),
        Record::Forgotten(name) => {
            sqlx::query("DELETE FROM room_lines WHERE room = ?")
                .bind(name.as_str())
                .execute(&mut **transaction)
                .await?;
            sqlx::query("DELETE FROM rooms WHERE name = ?").bind(name.as_str()).execute(&mut **transaction)
        }
        Record::Head(stamp) => sqlx::query(
            "INSERT INTO facts (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .bind(HEAD)
        .bind(stamp.0.to_string())
        .execute(&mut **transaction),
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

async fn write_room(
    transaction: &mut Transaction<'_, Sqlite>,
    room: &KeptRoom,
    now: i64,
) -> Result<(), StoreError> {
    let opener = room.opener.map(|opener| match opener {
        Opener::Member(member) => (MEMBER, member.0.to_vec()),
        Opener::Home(home) => (HOME, home.0.to_vec()),
    });
    let (kind, opener) = opener.unzip();
    sqlx::query(
        "INSERT INTO rooms (name, closed, closed_at, opener_kind, opener, made) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET closed = excluded.closed, closed_at = excluded.closed_at,
             opener_kind = excluded.opener_kind, opener = excluded.opener",
    )
    .bind(room.name.as_str())
    .bind(room.closed.is_some())
    .bind(room.closed)
    .bind(kind)
    .bind(opener)
    .bind(now)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn write_line(transaction: &mut Transaction<'_, Sqlite>, line: &Line) -> Result<(), StoreError> {
    let (kind, text, of) = match &line.deed {
        Deed::Said(text) => ("said", Some(&**text), None),
        Deed::Topic(text) => ("topic", Some(&**text), None),
        Deed::Withdrew { line, bytes } => ("withdrew", None, Some((*line, *bytes))),
    };
    let by = line.by.as_ref();
    // What is there is the same line: a batch that failed half-way may come again.
    sqlx::query(
        "INSERT INTO room_lines (room, stamp, home, member, name, dialect, kind, text, of_stamp, of_home, of_bytes,
                                 was_letter)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (stamp, home) DO NOTHING",
    )
    .bind(line.room.as_str())
    .bind(signed(line.id.stamp))
    .bind(line.id.home.0.as_slice())
    .bind(by.map(|by| by.member.0.to_vec()))
    .bind(by.map(|by| &*by.name))
    .bind(by.and_then(|by| by.dialect).map(Dialect::name))
    .bind(kind)
    .bind(text)
    .bind(of.map(|(id, _)| signed(id.stamp)))
    .bind(of.map(|(id, _)| id.home.0.to_vec()))
    .bind(of.map(|(_, bytes)| bytes))
    .bind(line.was_letter)
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

fn read_room(row: &SqliteRow) -> Result<KeptRoom, StoreError> {
    let name = room_name(row.try_get("name")?, "rooms")?;
    let kind: Option<&str> = row.try_get("opener_kind")?;
    let key: Option<Vec<u8>> = row.try_get("opener")?;
    let key = key.map(|key| key_id(key, "rooms")).transpose()?;
    let opener = match kind.zip(key) {
        Some((MEMBER, member)) => Some(Opener::Member(member)),
        Some((HOME, home)) => Some(Opener::Home(home)),
        Some(_) => return Err(StoreError::Row { table: "rooms" }),
        None => None,
    };
    Ok(KeptRoom { name, closed: row.try_get("closed_at")?, opener })
}

fn read_emptied(row: &SqliteRow) -> Result<(RoomName, Stamp), StoreError> {
    Ok((room_name(row.try_get("room")?, "room_emptied")?, stamp(row.try_get("stamp")?)))
}

/// A line's id in two columns.
fn read_id(row: &SqliteRow, columns: [&str; 2], table: &'static str) -> Result<Option<LineId>, StoreError> {
    let [at, home] = columns;
    let (at, home): (Option<i64>, Option<Vec<u8>>) = (row.try_get(at)?, row.try_get(home)?);
    let Some((at, home)) = at.zip(home) else { return Ok(None) };
    Ok(Some(LineId { stamp: stamp(at), home: key_id(home, table)? }))
}

fn read_line(row: &SqliteRow) -> Result<Line, StoreError> {
    const TABLE: &str = "room_lines";
    let odd = || StoreError::Row { table: TABLE };
    let id = read_id(row, ["stamp", "home"], TABLE)?.ok_or_else(odd)?;
    let text = || -> Result<_, StoreError> {
        let text: Option<String> = row.try_get("text")?;
        text.map(Into::into).ok_or_else(odd)
    };
    let deed = match row.try_get("kind")? {
        "said" => Deed::Said(text()?),
        "topic" => Deed::Topic(text()?),
        "withdrew" => {
            let line = read_id(row, ["of_stamp", "of_home"], TABLE)?.ok_or_else(odd)?;
            Deed::Withdrew { line, bytes: row.try_get("of_bytes")? }
        }
        _ => return Err(odd()),
    };
    let (room, by) = (room_name(row.try_get("room")?, TABLE)?, read_speaker(row)?);
    Ok(Line { id, room, by, deed, was_letter: row.try_get("was_letter")? })
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
        dialect: dialect.and_then(Dialect::from_name),
    }))
}

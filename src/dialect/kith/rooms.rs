//! What neighbours tell each other about rooms, as messages of the Kith link.
//!
//! Whoever speaks a dialect that only newer programs know is a guest and a speaker as everybody else: histories would
//! not be the same everywhere if her lines were missing in some.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::wire::{Malformed, encode, kind};
use crate::domain::{
    dialect::Dialect,
    id::KeyId,
    letter::Frame,
    rooms::{Deed, Line, LineId, Lines, RoomName, RoomNews, Seat, Speaker, Stamp},
};

#[derive(Serialize, Deserialize)]
struct SeatWire<'a> {
    number: u32,
    member: [u8; 32],
    name: &'a str,
    /// Empty, if the sender itself does not know it.
    dialect: &'a str,
}

#[derive(Serialize, Deserialize)]
struct SpeakerWire<'a> {
    member: [u8; 32],
    name: &'a str,
    dialect: &'a str,
}

#[derive(Serialize, Deserialize)]
enum DeedWire<'a> {
    Said(&'a str),
    Topic(&'a str),
    Withdrew { stamp: u64, bytes: u32 },
}

#[derive(Serialize, Deserialize)]
struct LineWire<'a> {
    stamp: u64,
    room: &'a str,
    #[serde(borrow)]
    by: Option<SpeakerWire<'a>>,
    #[serde(borrow)]
    deed: DeedWire<'a>,
}

#[derive(Serialize, Deserialize)]
struct LinesWire<'a> {
    after: u64,
    through: u64,
    more: bool,
    #[serde(borrow)]
    lines: Vec<LineWire<'a>>,
}

/// What is told. It fits into one message: whoever tells more than a few things tells them in parts.
#[must_use]
pub fn news(news: &RoomNews) -> Vec<Frame> {
    let message = match news {
        RoomNews::Seats(seats) => {
            let seats: Vec<_> = seats.iter().map(|(room, seat)| (room.as_str(), seat_wire(seat))).collect();
            encode(kind::SEATS, &seats)
        }
        RoomNews::Went(room, number) => encode(kind::WENT, &(room.as_str(), number)),
        RoomNews::Renamed(seat) => encode(kind::RENAMED, &seat_wire(seat)),
        RoomNews::WantLines(stamp) => encode(kind::WANT_LINES, &stamp.0),
        RoomNews::Lines(Lines { after, through, more, lines }) => {
            let letters: Vec<bool> = lines.iter().map(|line| line.was_letter).collect();
            let lines = lines.iter().map(|line| line_wire(line)).collect();
            let part = LinesWire { after: after.0, through: through.0, more: *more, lines };
            encode(kind::LINES, &(part, letters))
        }
        RoomNews::Lost(stamp) => encode(kind::LOST, &stamp.0),
    };
    vec![Frame::Binary(message)]
}

/// What a neighbour with this key tells. Nothing, if it is no message about rooms.
///
/// # Errors
/// Its fields are wrong.
pub fn read(message: &Bytes, home: KeyId) -> Result<Option<RoomNews>, Malformed> {
    let Some((kind, body)) = message.split_first() else { return Ok(None) };
    let news = match *kind {
        kind::SEATS => {
            let seats: Vec<(&str, SeatWire<'_>)> = fields(body)?;
            let seats = seats.into_iter().map(|(name, wire)| Ok((room(name)?, seat(&wire))));
            RoomNews::Seats(seats.collect::<Result<_, _>>()?)
        }
        kind::WENT => {
            let (name, number) = fields(body)?;
            RoomNews::Went(room(name)?, number)
        }
        kind::RENAMED => RoomNews::Renamed(seat(&fields(body)?)),
        kind::WANT_LINES => RoomNews::WantLines(Stamp(fields(body)?)),
        kind::LINES => {
            let (part, behind) = postcard::take_from_bytes(body).map_err(|_| Malformed)?;
            let LinesWire { after, through, more, lines } = part;
            // Older programs say nothing behind the lines.
            let letters: Vec<bool> = if behind.is_empty() { Vec::new() } else { fields(behind)? };
            let letters = letters.into_iter().map(Some).chain(std::iter::repeat(None));
            let lines = lines.iter().zip(letters).map(|(wire, was_letter)| line(wire, was_letter, home));
            let lines = lines.collect::<Result<_, _>>()?;
            RoomNews::Lines(Lines { after: Stamp(after), through: Stamp(through), more, lines })
        }
        kind::LOST => RoomNews::Lost(Stamp(fields(body)?)),
        _ => return Ok(None),
    };
    Ok(Some(news))
}

fn fields<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Malformed> {
    postcard::take_from_bytes(body).map(|(fields, _)| fields).map_err(|_| Malformed)
}

fn room(name: &str) -> Result<RoomName, Malformed> {
    RoomName::new(name).ok_or(Malformed)
}

fn named(dialect: Option<Dialect>) -> &'static str {
    dialect.map_or("", Dialect::name)
}

fn seat_wire(seat: &Seat) -> SeatWire<'_> {
    let Seat { number, member, name, dialect } = seat;
    SeatWire { number: *number, member: member.0, name, dialect: named(*dialect) }
}

fn seat(wire: &SeatWire<'_>) -> Seat {
    let SeatWire { number, member, name, dialect } = wire;
    let dialect = Dialect::from_name(dialect);
    Seat { number: *number, member: KeyId(*member), name: (*name).into(), dialect }
}

fn line_wire(line: &Line) -> LineWire<'_> {
    let by = line.by.as_ref().map(|by| SpeakerWire {
        member: by.member.0,
        name: &by.name,
        dialect: named(by.dialect),
    });
    let deed = match &line.deed {
        Deed::Said(text) => DeedWire::Said(text),
        Deed::Topic(text) => DeedWire::Topic(text),
        Deed::Withdrew { line, bytes } => DeedWire::Withdrew { stamp: line.stamp.0, bytes: *bytes },
    };
    LineWire { stamp: line.id.stamp.0, room: line.room.as_str(), by, deed }
}

fn line(wire: &LineWire<'_>, was_letter: Option<bool>, home: KeyId) -> Result<Arc<Line>, Malformed> {
    let id = |stamp| LineId { stamp: Stamp(stamp), home };
    let by = wire.by.as_ref().map(|by| Speaker {
        member: KeyId(by.member),
        name: by.name.into(),
        dialect: Dialect::from_name(by.dialect),
    });
    let deed = match wire.deed {
        DeedWire::Said(text) => Deed::Said(text.into()),
        DeedWire::Topic(text) => Deed::Topic(text.into()),
        // Nobody can withdraw but her own.
        DeedWire::Withdrew { stamp, bytes } => Deed::Withdrew { line: id(stamp), bytes },
    };
    let (id, room) = (id(wire.stamp), room(wire.room)?);
    // To homes that do not say it, whoever has letters says nothing in the public room in another way.
    let has_letters = || by.as_ref().and_then(|by| by.dialect).is_some_and(|by| by != Dialect::Tpacket);
    let may_be = || room.is_public() && matches!(deed, Deed::Said(_)) && has_letters();
    let was_letter = was_letter.unwrap_or_else(may_be);
    Ok(Arc::new(Line { id, room, by, deed, was_letter }))
}

#[cfg(test)]
#[path = "rooms_tests.rs"]
mod tests;

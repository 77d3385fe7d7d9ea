//! What those are told who asked: answers, and what happens in the rooms that they are in.
//!
//! Lists have no bound that every client could take in one frame, so long ones come in several.

use std::sync::Arc;

use bytestring::ByteString;
use serde::Serialize;

use crate::domain::{
    dialect::Dialect,
    letter::Frame,
    rooms::{Answer, Deed, Event, Guest, Line, RoomCard, RoomName, Scene, Speaker, Ticket},
};

/// About how much of a list stands in one frame. Libraries refuse frames from one mebibyte on if they are told
/// nothing else, and six bytes of JSON may stand for one of a text.
const A_FRAME: usize = 64 << 10;
/// What an entry of a list takes beside its words.
pub(super) const EACH: usize = 128;

/// Everything that is ever said.
#[derive(Serialize)]
#[serde(tag = "kith", rename_all = "lowercase")]
enum Word<'a> {
    Entered {
        ticket: u32,
        room: &'a str,
        topic: Option<&'a str>,
        you: u32,
        guests: Vec<GuestView<'a>>,
        history: Vec<LineView<'a>>,
        more: bool,
        #[serde(skip_serializing_if = "is_last")]
        unfinished: bool,
    },
    Stayed {
        ticket: u32,
        room: &'a str,
    },
    Left {
        ticket: u32,
        room: &'a str,
    },
    Said {
        ticket: u32,
        id: String,
    },
    Rooms {
        ticket: u32,
        rooms: Vec<CardView<'a>>,
        #[serde(skip_serializing_if = "is_last")]
        unfinished: bool,
        #[serde(skip_serializing_if = "is_last")]
        more: bool,
    },
    History {
        ticket: u32,
        room: &'a str,
        lines: Vec<LineView<'a>>,
        more: bool,
    },
    Doors {
        doors: &'a [String],
    },
    Refused {
        ticket: Option<u32>,
        code: &'a str,
    },
    Event {
        room: &'a str,
        #[serde(flatten)]
        happened: Happened<'a>,
    },
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Happened<'a> {
    Came { guest: GuestView<'a> },
    Went { guest: GuestView<'a> },
    Renamed { before: GuestView<'a>, guest: GuestView<'a> },
    Said { guest: u32, line: LineView<'a> },
    Recalled { line: LineView<'a> },
    Topic { topic: Option<&'a str> },
    Withdrawn { line: String },
    Closed,
    Expelled { guest: GuestView<'a> },
}

#[derive(Serialize)]
struct GuestView<'a> {
    number: u32,
    name: &'a str,
    dialect: Option<&'static str>,
    member: String,
}

#[derive(Serialize)]
struct SpeakerView<'a> {
    name: &'a str,
    dialect: Option<&'static str>,
    member: String,
}

#[derive(Serialize)]
struct LineView<'a> {
    id: String,
    at: i64,
    by: Option<SpeakerView<'a>>,
    #[serde(flatten)]
    deed: DeedView<'a>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum DeedView<'a> {
    Said { text: &'a str },
    Topic { text: &'a str },
    Withdrew { withdrawn: String },
}

#[derive(Serialize)]
struct CardView<'a> {
    room: &'a str,
    topic: Option<&'a str>,
    guests: u32,
}

impl<'a> From<&'a Guest> for GuestView<'a> {
    fn from(guest: &'a Guest) -> Self {
        let Guest { number, member, name, dialect, home: _ } = guest;
        Self { number: *number, name, dialect: dialect.map(Dialect::name), member: member.hex() }
    }
}

impl<'a> From<&'a Speaker> for SpeakerView<'a> {
    fn from(Speaker { member, name, dialect }: &'a Speaker) -> Self {
        Self { name, dialect: dialect.map(Dialect::name), member: member.hex() }
    }
}

impl<'a> From<&'a Line> for LineView<'a> {
    fn from(line: &'a Line) -> Self {
        let deed = match &line.deed {
            Deed::Said(text) => DeedView::Said { text },
            Deed::Topic(text) => DeedView::Topic { text },
            Deed::Withdrew { line, .. } => DeedView::Withdrew { withdrawn: line.to_string() },
        };
        let by = line.by.as_ref().map(SpeakerView::from);
        Self { id: line.id.to_string(), at: line.id.stamp.unix_ms(), by, deed }
    }
}

impl<'a> From<&'a RoomCard> for CardView<'a> {
    fn from(card: &'a RoomCard) -> Self {
        Self { room: card.name.as_str(), topic: card.topic.as_deref(), guests: card.guests }
    }
}

/// Whoever knows nothing of answers in several frames reads those that are in one.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde wants")]
pub(super) const fn is_last(unfinished: &bool) -> bool {
    !*unfinished
}

pub(super) fn frame(word: &impl Serialize) -> Option<Frame> {
    serde_json::to_string(word).ok().map(|text| Frame::Text(ByteString::from(text)))
}

/// All of them, each as it is shown.
fn views<'a, T, V: From<&'a T>>(entries: &'a [Arc<T>]) -> Vec<V> {
    entries.iter().map(|entry| V::from(entry)).collect()
}

/// A list in parts that each fit into a frame, with whether more follow. Of an empty list there is one part.
pub(super) fn parts<T>(entries: &[T], cost: impl Fn(&T) -> usize) -> impl Iterator<Item = (&[T], bool)> {
    let mut taken = 0;
    let parts = entries.chunk_by(move |one, _| {
        taken += cost(one);
        let fits = taken < A_FRAME;
        if !fits {
            taken = 0;
        }
        fits
    });
    let mut parts: Vec<_> = parts.collect();
    if parts.is_empty() {
        parts.push(entries);
    }
    let last = parts.len();
    (1..).zip(parts).map(move |(at, part)| (part, at < last))
}

/// The newest lines that fit into a frame, at least one, and whether that leaves any out.
fn newest(lines: &[Arc<Line>]) -> (&[Arc<Line>], bool) {
    let mut taken = 0;
    let fitting = lines.iter().rev().take_while(|line| {
        let is_first = taken == 0;
        taken += EACH + line.bytes();
        is_first || taken <= A_FRAME
    });
    let left_out = lines.len().saturating_sub(fitting.count());
    (lines.split_at_checked(left_out).map_or(lines, |(_, newest)| newest), left_out > 0)
}

/// Behind which doors this home is found.
pub(super) fn doors(doors: &[String]) -> Option<Frame> {
    frame(&Word::Doors { doors })
}

/// It is not done, and this is why.
pub(super) fn refused(ticket: Option<Ticket>, code: &str) -> Option<Frame> {
    frame(&Word::Refused { ticket: ticket.map(|Ticket(ticket)| ticket), code })
}

/// The answer to a wish: these frames, in this order.
#[must_use]
pub fn answer(ticket: Ticket, answer: &Answer) -> Vec<Frame> {
    let Ticket(number) = ticket;
    let word = match answer {
        Answer::Entered(scene) => return entered(number, scene),
        Answer::Rooms(rooms, more) => return list(number, rooms, *more),
        Answer::Refused(objection) => return refused(Some(ticket), objection.code()).into_iter().collect(),
        Answer::Stayed(room) => Word::Stayed { ticket: number, room: room.as_str() },
        Answer::Left(room) => Word::Left { ticket: number, room: room.as_str() },
        Answer::Said(id) => Word::Said { ticket: number, id: id.to_string() },
        Answer::History { room, lines, more } => {
            let (lines, is_cut) = newest(lines);
            let (room, more) = (room.as_str(), *more || is_cut);
            Word::History { ticket: number, room, lines: views(lines), more }
        }
        // There is no word to ask for it.
        Answer::Renamed(_) => return Vec::new(),
    };
    frame(&word).into_iter().collect()
}

/// The history stands in the last frame, behind all guests.
fn entered(ticket: u32, scene: &Scene) -> Vec<Frame> {
    let (history, more) = newest(&scene.history);
    let parts = parts(&scene.guests, |guest| EACH + guest.name.len());
    let frames = parts.filter_map(|(guests, unfinished)| {
        frame(&Word::Entered {
            ticket,
            room: scene.room.as_str(),
            topic: scene.topic.as_deref(),
            you: scene.you.number,
            guests: views(guests),
            history: if unfinished { Vec::new() } else { views(history) },
            more,
            unfinished,
        })
    });
    frames.collect()
}

fn list(ticket: u32, rooms: &[RoomCard], more: bool) -> Vec<Frame> {
    let cost = |card: &RoomCard| EACH + card.topic.as_ref().map_or(0, |topic| topic.len());
    let parts = parts(rooms, cost).filter_map(|(rooms, unfinished)| {
        let rooms = rooms.iter().map(CardView::from).collect();
        frame(&Word::Rooms { ticket, rooms, unfinished, more: more && !unfinished })
    });
    parts.collect()
}

/// What happened in a room.
#[must_use]
pub fn event(room: &RoomName, event: &Event) -> Option<Frame> {
    let happened = match event {
        Event::Came(guest) => Happened::Came { guest: (&**guest).into() },
        Event::Went(guest) => Happened::Went { guest: (&**guest).into() },
        Event::Renamed(before, after) => {
            Happened::Renamed { before: (&**before).into(), guest: (&**after).into() }
        }
        Event::Said(guest, line) => Happened::Said { guest: guest.number, line: (&**line).into() },
        Event::Recalled(line) => Happened::Recalled { line: (&**line).into() },
        Event::Topic(topic) => Happened::Topic { topic: topic.as_deref() },
        Event::Withdrawn(line) => Happened::Withdrawn { line: line.to_string() },
        Event::Closed => Happened::Closed,
        Event::Expelled(guest) => Happened::Expelled { guest: (&**guest).into() },
    };
    frame(&Word::Event { room: room.as_str(), happened })
}

#[cfg(test)]
#[path = "speech_tests.rs"]
mod tests;

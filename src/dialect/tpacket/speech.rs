//! What the server says: answers, and what happens in the room. One packet per message, in the order in which the
//! first client wants to hear them.

use std::borrow::Cow;

use super::{
    Version, code, extension,
    packet::{Packet, UNASKED, command},
    split,
};
use crate::domain::{
    letter::Frame,
    rooms::{Answer, Deed, Event, Guest, Line, RoomName, Scene, Ticket},
};

const EMPTY: Packet<'_> = Packet { uid: UNASKED, command: command::NOP, p1: 0, p2: 0, data: b"" };

/// Something happened that nobody asked for.
fn unasked(command: u32, p1: i32, data: &[u8]) -> Frame {
    Packet { command, p1, data, ..EMPTY }.print()
}

/// It is done.
pub(super) fn done(ticket: Ticket) -> Frame {
    Packet { uid: ticket.0, command: command::RESP_OK, ..EMPTY }.print()
}

/// It is not done; why is a number.
pub(super) fn refused(uid: u32, code: i32) -> Frame {
    Packet { uid, command: command::RESP_ERROR, p1: code, ..EMPTY }.print()
}

/// A client is in, and this version is spoken with it.
pub(super) fn welcome(ticket: Ticket, version: Version) -> Frame {
    Packet { uid: ticket.0, command: command::RESP_OK, p1: version.number(), ..EMPTY }.print()
}

/// The answer to a wish.
pub(crate) fn answer(ticket: Ticket, answer: &Answer, version: Version) -> Vec<Frame> {
    match answer {
        Answer::Entered(scene) => entered(ticket, scene, version),
        Answer::Stayed(_) | Answer::Left(_) | Answer::Renamed(_) => vec![done(ticket)],
        Answer::Refused(objection) => vec![refused(ticket.0, code::of_objection(*objection))],
        Answer::Said(line) => match version {
            // Whoever says something hears it as everybody else does.
            Version::Seed => Vec::new(),
            Version::One => vec![extension::receipt(ticket, *line)],
        },
        Answer::Rooms(rooms, more) => extension::rooms(ticket, rooms, *more),
        Answer::History { lines, more, .. } => extension::history(ticket, lines, *more),
    }
}

/// The first client empties its page on the answer, so that comes before all that belongs there.
fn entered(ticket: Ticket, scene: &Scene, version: Version) -> Vec<Frame> {
    let mut frames = vec![done(ticket)];
    if let Some(topic) = &scene.topic {
        frames.extend(about(Some(topic), version));
    }
    frames.extend(scene.guests.iter().rev().map(|guest| is_in(guest, version)));
    frames.extend(scene.history.iter().flat_map(|line| remembered(line, version)));
    frames
}

/// What happened in a room.
pub(crate) fn event(room: &RoomName, event: &Event, version: Version) -> Vec<Frame> {
    match event {
        Event::Came(guest) => vec![is_in(guest, version)],
        Event::Went(guest) | Event::Expelled(guest) => vec![is_out(guest, version)],
        // The first client would uncover the old nick again if it only heard the new one.
        Event::Renamed(before, after) => vec![is_out(before, version), is_in(after, version)],
        Event::Said(guest, line) => said(guest, line, version),
        Event::Recalled(line) => remembered(line, version),
        Event::Topic(topic) => about(topic.as_deref(), version),
        Event::Withdrawn(line) => match version {
            // What stands on a page there stays there.
            Version::Seed => Vec::new(),
            Version::One => vec![extension::withdrawn(*line)],
        },
        Event::Closed => match version {
            Version::Seed => note("an operator has closed this room"),
            Version::One => vec![unasked(command::ROOM_CLOSED, 0, room.as_str().as_bytes())],
        },
    }
}

fn is_in(guest: &Guest, version: Version) -> Frame {
    unasked(command::NEW_USER, number(guest), called(guest, version).as_bytes())
}

fn is_out(guest: &Guest, version: Version) -> Frame {
    unasked(command::DEL_USER, number(guest), called(guest, version).as_bytes())
}

fn called(guest: &Guest, version: Version) -> Cow<'_, str> {
    let name = match version {
        Version::Seed => split::short(&guest.name),
        Version::One => &guest.name,
    };
    split::shown(name, guest.dialect)
}

/// The same bits: nobody is far enough from the first number for a sign.
pub(super) fn number(guest: &Guest) -> i32 {
    guest.number.cast_signed()
}

fn said(guest: &Guest, line: &Line, version: Version) -> Vec<Frame> {
    match (version, &line.deed) {
        (Version::Seed, Deed::Said(text)) => {
            let pieces = split::pieces(text, split::LONGEST_TEXT);
            pieces.map(|piece| unasked(command::NEW_MSG, number(guest), piece.as_bytes())).collect()
        }
        (Version::Seed, _) => Vec::new(),
        (Version::One, _) => vec![extension::line(UNASKED, Some(guest), line)],
    }
}

fn remembered(line: &Line, version: Version) -> Vec<Frame> {
    match (version, &line.deed, &line.by) {
        (Version::Seed, Deed::Said(text), Some(by)) => {
            split::logged(&split::shown(&by.name, by.dialect), text)
                .map(|entry| unasked(command::LOGGED_MSG, 0, entry.as_bytes()))
                .collect()
        }
        (Version::Seed, ..) => Vec::new(),
        (Version::One, ..) => vec![extension::line(UNASKED, None, line)],
    }
}

fn about(topic: Option<&str>, version: Version) -> Vec<Frame> {
    match (version, topic) {
        (Version::Seed, Some(topic)) => note(&format!("this room is about: {topic}")),
        (Version::Seed, None) => note("this room has no topic any more"),
        (Version::One, topic) => vec![unasked(command::TOPIC, 0, topic.unwrap_or_default().as_bytes())],
    }
}

/// Words of the server's own, where there is no packet for what they say. The log is what any client shows.
fn note(words: &str) -> Vec<Frame> {
    let words = format!("*** {words}");
    let pieces = split::pieces(&words, split::LONGEST_TEXT);
    pieces.map(|piece| unasked(command::LOGGED_MSG, 0, piece.as_bytes())).collect()
}

#[cfg(test)]
#[path = "speech_tests.rs"]
mod tests;

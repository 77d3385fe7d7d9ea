//! Version one: what clients hear and ask that said they know more than the first ones.
//!
//! A line is told by its id everywhere: eight bytes of its stamp, little-endian, and the 32 bytes of the
//! fingerprint of the home where it was said.

use std::sync::Arc;

use super::{
    packet::{Packet, UNASKED, command},
    speech::number,
    split,
};
use crate::domain::{
    id::KeyId,
    letter::Frame,
    rooms::{Deed, Guest, Line, LineId, Page, RoomCard, RoomName, Stamp, Ticket, Wish},
};

/// The bytes of a line's id.
const ID: usize = 40;
/// Lines in an answer to somebody who does not say how many are wanted.
const A_PAGE: u16 = 100;

fn id(line: LineId) -> Vec<u8> {
    [&line.stamp.0.to_le_bytes()[..], &line.home.0].concat()
}

fn read_id(bytes: &[u8; ID]) -> Option<LineId> {
    let (stamp, home) = bytes.split_first_chunk::<8>()?;
    Some(LineId { stamp: Stamp(u64::from_le_bytes(*stamp)), home: KeyId(home.try_into().ok()?) })
}

/// A name behind its length, in one byte.
fn name(name: &str) -> Vec<u8> {
    let name = split::cut(name, usize::from(u8::MAX));
    let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    [&[length], name.as_bytes()].concat()
}

/// The number of a list's entries. None that is printed is longer.
pub(super) fn count(entries: usize) -> i32 {
    i32::try_from(entries).unwrap_or(i32::MAX)
}

/// What was said is in the history, as this line.
pub(super) fn receipt(ticket: Ticket, line: LineId) -> Frame {
    Packet { uid: ticket.0, command: command::RESP_OK, p1: 0, p2: 0, data: &id(line) }.print()
}

/// A line is no longer in the history.
pub(super) fn withdrawn(line: LineId) -> Frame {
    Packet { uid: UNASKED, command: command::WITHDRAWN, p1: 0, p2: 0, data: &id(line) }.print()
}

/// A line: with the number of whoever says it now, or out of the history.
pub(super) fn line(uid: u32, guest: Option<&Guest>, line: &Line) -> Frame {
    let (deed, said) = match &line.deed {
        Deed::Said(text) => (0, text.as_bytes().to_vec()),
        Deed::Topic(text) => (1, text.as_bytes().to_vec()),
        Deed::Withdrew { line, .. } => (2, id(*line)),
    };
    let by = line.by.as_ref().map(|by| split::shown(&by.name, by.dialect)).unwrap_or_default();
    let data = [id(line.id), name(&by), said].concat();
    Packet { uid, command: command::LINE, p1: guest.map_or(0, number), p2: deed, data: &data }.print()
}

/// Which rooms there are: how many, whether there are more behind them, then each.
pub(super) fn rooms(ticket: Ticket, rooms: &[RoomCard], more: bool) -> Vec<Frame> {
    let (uid, p1, p2) = (ticket.0, count(rooms.len()), i32::from(more));
    let head = Packet { uid, command: command::RESP_OK, p1, p2, data: b"" }.print();
    let cards = rooms.iter().map(|card| {
        let topic = card.topic.as_deref().unwrap_or_default();
        let data = [name(card.name.as_str()), topic.as_bytes().to_vec()].concat();
        let guests = i32::try_from(card.guests).unwrap_or(i32::MAX);
        Packet { uid, command: command::ROOMS, p1: guests, p2: 0, data: &data }.print()
    });
    std::iter::once(head).chain(cards).collect()
}

/// Part of a history: how many lines, whether there are older ones, then each.
pub(super) fn history(ticket: Ticket, lines: &[Arc<Line>], more: bool) -> Vec<Frame> {
    let (uid, p1, p2) = (ticket.0, count(lines.len()), i32::from(more));
    let head = Packet { uid, command: command::RESP_OK, p1, p2, data: b"" }.print();
    std::iter::once(head).chain(lines.iter().map(|told| line(uid, None, told))).collect()
}

/// What a request of ours asks for; nothing, if it is none of ours. The inner `None` is data that are not what they
/// should be.
pub(super) fn wish(packet: &Packet<'_>) -> Option<Option<Wish>> {
    Some(match packet.command {
        command::ROOMS if packet.data.is_empty() => Some(Wish::List(None)),
        command::ROOMS => room(packet.data).map(|after| Wish::List(Some(after))),
        command::HISTORY => page(packet).map(Wish::Page),
        command::LEAVE_ROOM => room(packet.data).map(Wish::Leave),
        _ => return None,
    })
}

fn page(packet: &Packet<'_>) -> Option<Page> {
    let (length, rest) = packet.data.split_first()?;
    let (room_name, before) = rest.split_at_checked(usize::from(*length))?;
    let before = match before {
        [] => None,
        id => Some(read_id(id.try_into().ok()?)?),
    };
    let most = match u16::try_from(packet.p1) {
        Ok(0) => A_PAGE,
        Ok(most) => most,
        Err(_) if packet.p1 > 0 => u16::MAX,
        Err(_) => return None,
    };
    Some(Page { room: room(room_name)?, before, most })
}

/// The room of that name.
pub(super) fn room(bytes: &[u8]) -> Option<RoomName> {
    std::str::from_utf8(bytes).ok().and_then(RoomName::new)
}

//! What we write: one packet per message, and nothing that a first server breaks on.

use crate::{
    dialect::tpacket::{
        packet::{Packet, command},
        split,
    },
    domain::letter::Frame,
};

/// How long an entry of a log may be, the author's nick included: a first server has 256 bytes for it.
const LONGEST_ENTRY: usize = 255;
/// Entries that are longer than this, but shorter than the next, leave a first server in frames whose length is
/// wrong, and whoever comes later hears nothing after them.
const LONGEST_SHORT_ENTRY: usize = 101;
const SHORTEST_LONG_ENTRY: usize = 126;
/// The longest text for a first server, in bytes. It takes no more than its buffer holds at once.
pub(super) const LONGEST_TEXT: usize = 4_096;
/// Lines of a history that are asked for at once.
const A_PAGE: i32 = 100;

/// A request.
pub(super) fn request(uid: u32, command: u32, p1: i32, data: &[u8]) -> Frame {
    Packet { uid, command, p1, p2: 0, data }.print()
}

/// The wish to hear what was said last in a room, or right before a line.
pub(super) fn history(uid: u32, room: &str, before: &[u8]) -> Frame {
    // A name has at most 64 bytes.
    let length = u8::try_from(room.len()).unwrap_or(u8::MAX);
    request(uid, command::HISTORY, A_PAGE, &[&[length], room.as_bytes(), before].concat())
}

/// A text in pieces that a first server can keep and repeat.
pub(super) fn pieces<'a>(nick: &str, text: &'a str) -> impl Iterator<Item = &'a str> {
    let head = nick.len() + ": ".len();
    let mut rest = text;
    std::iter::from_fn(move || {
        let most = match head + rest.len() {
            entry if entry > LONGEST_SHORT_ENTRY && entry < SHORTEST_LONG_ENTRY => LONGEST_SHORT_ENTRY - head,
            _ => LONGEST_ENTRY - head,
        };
        let piece = split::cut(rest, most);
        rest = rest.get(piece.len()..)?;
        (!piece.is_empty()).then_some(piece)
    })
}

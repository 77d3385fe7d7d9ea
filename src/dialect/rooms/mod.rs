//! Rooms for clients whose protocol has none, as `docs/rooms.md` tells.
//!
//! They ask in frames of their own, told apart by the key `kith`, between those of OLAF or SOCP. Nobody is told
//! anything of rooms who has not asked: `request` reads, `speech` prints answers and events, and what
//! happens is decided elsewhere (`domain/rooms`). **Invariant:** a frame with that key is no frame of any protocol
//! whose connection it comes on, whoever sends it: it is never a letter, and never handed on.

pub mod directory;
mod request;
mod speech;

use serde::{Deserializer, de::Error as _};

use self::request::Asked;
pub use self::{
    request::is_ours,
    speech::{answer, event},
};
use super::event::Output;
use crate::domain::{refusal::Violation, rooms::Wish};

/// The version of what is offered, as clients find it in the information document.
pub const VERSION: u32 = 1;

/// The key whose value says what a frame is.
pub const KEY: &str = "kith";

/// Somebody who has said who it is asks something in one of our frames.
/// Whoever enters a room of a home of several doors hears first where else it is found.
pub(super) fn hear(text: &str, doors: &[String], out: &mut Vec<Output>) {
    match request::read(text) {
        Ok((ticket, Asked::Room(wish))) => {
            if matches!(wish, Wish::Enter(_)) && !doors.is_empty() {
                out.extend(speech::doors(doors).map(Output::Send));
            }
            out.push(Output::Room(ticket, wish));
        }
        Ok((ticket, Asked::Directory(errand))) => out.push(Output::Errand(ticket, errand)),
        Err(refused) => {
            if refused.is_malformed() {
                out.push(Output::Note(Violation::Malformed));
            }
            out.extend(speech::refused(refused.ticket, refused.code()).map(Output::Send));
        }
    }
}

/// In the place of a field of another protocol's frames: what has our key is none of them.
pub(super) fn refuse<'de, D: Deserializer<'de>>(_: D) -> Result<(), D::Error> {
    Err(D::Error::custom("a frame about rooms"))
}

//! What members want of rooms, and what they are answered.

use std::sync::Arc;

use bytestring::ByteString;

use super::{Guest, Line, LineId, RoomName};

/// The number that a client gave its wish; the answer repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub u32);

/// What a member wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To be in this room, too.
    Enter(RoomName),
    /// To be in this room, and in no other.
    Move(RoomName),
    /// To leave it.
    Leave(RoomName),
    /// To say something; without a room, in the only one that the member is in.
    Say(Option<RoomName>, ByteString),
    /// Which rooms there are, behind this one or from the first one on.
    List(Option<RoomName>),
    /// Some of a history.
    Page(Page),
    /// To be called so. Only in dialects whose members choose a nick.
    Rename(Arc<str>),
}

impl Wish {
    /// About how much memory it takes while it waits.
    #[must_use]
    pub fn cost(&self) -> usize {
        const EACH: usize = 128;
        EACH + match self {
            Self::Say(_, text) => text.len(),
            Self::Rename(nick) => nick.len(),
            Self::Enter(_) | Self::Move(_) | Self::Leave(_) | Self::List(_) | Self::Page(_) => {
                RoomName::LONGEST
            }
        }
    }
}

/// Which part of a history: the newest lines, or those right before this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Of which room.
    pub room: RoomName,
    /// Only lines before this one.
    pub before: Option<LineId>,
    /// At most so many.
    pub most: u16,
}

/// The answer to a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// She is in.
    Entered(Scene),
    /// She was in already; nothing has happened.
    Stayed(RoomName),
    /// She has left.
    Left(RoomName),
    /// It was said, and is in the history as this line.
    Said(LineId),
    /// These rooms there are, in the order of their names, and whether there are more behind them.
    Rooms(Vec<RoomCard>, bool),
    /// That part of the history, oldest first, and whether there is more before it.
    History {
        /// Of which room.
        room: RoomName,
        /// The lines.
        lines: Vec<Arc<Line>>,
        /// Whether there are older ones.
        more: bool,
    },
    /// She is called so from now on.
    Renamed(Arc<str>),
    /// No.
    Refused(Objection),
}

/// What somebody finds who enters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// The room.
    pub room: RoomName,
    /// Its topic, if it has one.
    pub topic: Option<ByteString>,
    /// Who has entered.
    pub you: Arc<Guest>,
    /// Everybody who is in, in the order in which they came, the newcomer last.
    pub guests: Vec<Arc<Guest>>,
    /// What was said, oldest first.
    pub history: Vec<Arc<Line>>,
}

/// A room from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomCard {
    /// The room.
    pub name: RoomName,
    /// Its topic, if it has one.
    pub topic: Option<ByteString>,
    /// How many are in it.
    pub guests: u32,
}

impl RoomCard {
    /// About how many bytes it takes to tell of it.
    pub(super) fn bytes(&self) -> usize {
        const EACH: usize = 128;
        EACH + self.name.as_str().len() + self.topic.as_ref().map_or(0, |topic| topic.len())
    }
}

/// Why a wish is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Objection {
    /// Not here, or not like this.
    Unsupported,
    /// Somebody else is called so.
    NickInUse,
    /// Nobody can be called so.
    BadNick,
    /// No room can be called so.
    BadRoom,
    /// One must be in a room first.
    NoRoom,
    /// It is too long.
    TooLong,
    /// There are as many rooms as there may be, or this member is in as many as one may.
    TooManyRooms,
    /// There are as many guests in the room as there may be.
    Full,
    /// There is no such room, guest or line here.
    Unknown,
    /// An operator has closed the room.
    Closed,
    /// An operator lets this member say nothing.
    Muted,
    /// An operator keeps this member out.
    Banned,
}

impl Objection {
    /// The stable name of the reason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unsupported => "unsupported",
            Self::NickInUse => "nick_in_use",
            Self::BadNick => "bad_nick",
            Self::BadRoom => "bad_room",
            Self::NoRoom => "no_room",
            Self::TooLong => "too_long",
            Self::TooManyRooms => "too_many_rooms",
            Self::Full => "full",
            Self::Unknown => "unknown",
            Self::Closed => "closed",
            Self::Muted => "muted",
            Self::Banned => "banned",
        }
    }
}

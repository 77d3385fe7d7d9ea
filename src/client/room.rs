//! Rooms, and the directory of clients that mesh by themselves, as a member asks for them and hears of them, in
//! whatever dialect has them.

use super::{introduction::Entry, person::PersonId};
use crate::domain::endpoint::Endpoint;

/// What a member wants of rooms, or of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To be in this room, and in no other.
    Join(String),
    /// To leave this room, or the only one.
    Leave(Option<String>),
    /// To be called so.
    Nick(String),
    /// Which rooms there are.
    Rooms,
    /// What was said in this room, or in the one where the member is.
    History(Option<String>),
    /// What was said before the lines of the last answer.
    Older,
    /// To be listed in the directory as somebody who listens there, and nowhere else.
    Introduce(Endpoint),
    /// To be listed there no more.
    Hide,
    /// Who is listed there.
    Introductions,
}

/// What rooms, or the directory, have to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The member is in this room.
    Entered {
        /// Which one.
        room: String,
        /// Whether it is the one that the connection was lost in.
        again: bool,
    },
    /// The member has left this room.
    Left(String),
    /// Who else is in the room, where that is not the same as who is here at all.
    Guests {
        /// Which room.
        room: String,
        /// Who.
        guests: Vec<PersonId>,
    },
    /// Who has come into it or gone since.
    Moved {
        /// Which room.
        room: String,
        /// Who came.
        came: Vec<PersonId>,
        /// Who went.
        went: Vec<PersonId>,
    },
    /// Somebody says something in the room, where everybody can be spoken to elsewhere. It is the server's word.
    Said {
        /// Which room.
        room: String,
        /// Who, as the server tells.
        by: PersonId,
        /// What.
        text: String,
    },
    /// Somebody has put the member out of this room.
    PutOut(String),
    /// An operator has closed this room.
    Closed(String),
    /// What the room is about; nothing any more.
    Topic(Option<String>),
    /// Something was said before the member could hear it.
    Logged(Logged),
    /// Something that was said is taken back.
    Withdrawn,
    /// Which rooms there are.
    Rooms(Vec<Card>),
    /// What was said in a room, oldest first.
    History {
        /// Which room.
        room: String,
        /// The lines.
        lines: Vec<Logged>,
        /// Whether there are older ones.
        more: bool,
    },
    /// Somebody is called otherwise from now on; it may be the member.
    Renamed {
        /// Who it was.
        before: PersonId,
        /// Who it is.
        after: PersonId,
    },
    /// The member is listed in the directory as somebody who listens there.
    Introduced(Endpoint),
    /// She is listed there no more.
    Hidden(Endpoint),
    /// Who is, in the order in which they dial each other.
    Introductions(Vec<Entry>),
    /// The server does not do what was asked for.
    Refused {
        /// What that was; nothing, if it was something to say.
        what: Option<Wish>,
        /// Why.
        why: Why,
    },
}

impl Told {
    /// Whether it answers a wish.
    #[must_use]
    pub const fn is_answer(&self) -> bool {
        matches!(
            self,
            Self::Entered { .. }
                | Self::Left(_)
                | Self::Rooms(_)
                | Self::History { .. }
                | Self::Renamed { .. }
                | Self::Introduced(_)
                | Self::Hidden(_)
                | Self::Introductions(_)
                | Self::Refused { what: Some(_), .. }
        )
    }
}

/// A room from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub topic: Option<String>,
    /// How many are in it.
    pub guests: u32,
}

/// A line of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Who said it, as the server tells. Some servers put that into the text.
    pub by: Option<PersonId>,
    /// When, in Unix milliseconds. Some servers do not know.
    pub at_ms: Option<i64>,
    /// What.
    pub text: String,
    /// Whether it is what the room is about from then on.
    pub is_topic: bool,
}

/// Why a server does not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It gives no reason.
    #[error("the server refuses it")]
    Refused,
    /// Somebody else is called so.
    #[error("somebody else is called so")]
    NickInUse,
    /// Nobody can be called so.
    #[error("nobody can be called so here")]
    BadNick,
    /// It knows no other nick than the first one.
    #[error("on this server a nick stays; leave and come back with another one")]
    NickStays,
    /// No room can be called so, or it is closed.
    #[error("there can be no such room, or it is closed")]
    BadRoom,
    /// One must be in a room first.
    #[error("one must be in that room for it")]
    NoRoom,
    /// The text is too long.
    #[error("it is too long for this server")]
    TooLong,
    /// This comes too often.
    #[error("this comes too often")]
    TooOften,
    /// It understood something else, or nothing.
    #[error("the server does not understand it")]
    NotUnderstood,
    /// Every place is taken.
    #[error("every place is taken")]
    Full,
    /// An operator lets the member say nothing.
    #[error("an operator lets you say nothing in rooms")]
    Muted,
    /// An operator keeps the member out.
    #[error("an operator keeps you out")]
    Banned,
    /// There are none for clients of this dialect.
    #[error("this server has no rooms")]
    NoRooms,
    /// There is none for clients of this dialect.
    #[error("this server has no directory")]
    NoDirectory,
    /// The member does not come from that address.
    #[error("that is not an address of yours")]
    Foreign,
    /// Nobody can be dialled there.
    #[error("nobody can be dialled there")]
    Unusable,
    /// It is another member's.
    #[error("somebody else has registered that address")]
    Taken,
    /// The member has not registered it.
    #[error("you are not listed there")]
    NotListed,
}

//! What a link needs of a dialect, and what it is told to say in it.
//!
//! A voice is one member's session without a socket or a clock: frames and the time come in, frames and events
//! go out. It outlives connections; `greet` begins a new one.

use std::fmt;

use super::{
    event::{Output, SayError},
    person::PersonId,
    room::Wish,
    rooms::Offer,
};
use crate::domain::letter::Frame;

/// Something to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// For everyone.
    Public(String),
    /// Where the member is: for those in the room, or for everyone.
    Here(String),
    /// For these only.
    Private(Vec<PersonId>, String),
    /// A part of a file, for one person or for everybody. Only where letters carry files.
    Part(Option<PersonId>, Part),
    /// Something that is asked of the server. Only where there are rooms or nicks.
    Wish(Wish),
}

/// A part of a file on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which file.
    pub file: uuid::Uuid,
    /// What of it.
    pub what: Piece,
}

/// What of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// It begins.
    Start {
        /// What it is called.
        name: String,
        /// How long it is.
        size: u64,
        /// The digest of all of it.
        sha256: [u8; 32],
    },
    /// So many bytes of it; the first has the number 0.
    Chunk(u64, Vec<u8>),
    /// It is complete.
    End,
}

/// How files get from one member to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilePost {
    /// They are uploaded, and a letter tells where.
    Uploaded,
    /// In letters, part by part.
    InLetters(Chunks),
    /// Not at all.
    None,
}

/// How long the chunks of a file may be, for one person and for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunks {
    /// For one person.
    pub private: usize,
    /// For everybody.
    pub public: usize,
}

/// A member's side of a dialect. Times are milliseconds of the clock.
pub trait Voice: fmt::Debug + Send + Sync {
    /// Who we are.
    fn me(&self) -> PersonId;

    /// What others can compare to know our key, in a dialect that has keys.
    fn fingerprint(&self) -> Option<String>;

    /// How files are carried.
    fn files(&self) -> FilePost {
        FilePost::Uploaded
    }

    /// Whether private letters may be for people who are away; the server says what becomes of them.
    fn reaches_absent(&self) -> bool {
        false
    }

    /// What opens a connection, to be sent in this order. Called once per connection.
    ///
    /// # Errors
    /// The key cannot sign.
    fn greet(&mut self, now_ms: i64) -> Result<Vec<Frame>, SayError>;

    /// The frames that say something, to be sent in this order.
    ///
    /// # Errors
    /// It cannot be said.
    fn say(&mut self, say: &Say, now_ms: i64) -> Result<Vec<Frame>, SayError>;

    /// Whether what the server offers must be known before this is said; of nothing, right away.
    fn wonders(&self, _say: Option<&Say>) -> bool {
        false
    }

    /// What the server of this connection offers to those whose dialect has no rooms, if anything.
    fn offered(&mut self, _offer: Option<Offer>, _out: &mut Vec<Output>) {}

    /// The wish for a new list of members.
    fn ask_for_list(&mut self, now_ms: i64) -> Option<Frame>;

    /// A frame of the server.
    fn receive(&mut self, frame: &Frame, now_ms: i64, out: &mut Vec<Output>);

    /// The key that somebody comes with now is believed from here on.
    fn trust(&mut self, _person: &PersonId, _out: &mut Vec<Output>) {}

    /// Some seconds have passed.
    fn tick(&mut self, _now_ms: i64, _out: &mut Vec<Output>) {}

    /// When the session wants to be woken although nothing comes.
    fn wakes_at(&self) -> Option<i64> {
        None
    }

    /// It is that late now.
    fn wake(&mut self, _now_ms: i64, _out: &mut Vec<Output>) {}

    /// What is said before the connection is closed.
    fn goodbye(&self) -> Option<Frame> {
        None
    }
}

//! Wire protocols as values: bytes in, wishes out, and nothing is done here.
//!
//! One folder per dialect. This file is the closed list: the compiler names every match below when a
//! dialect is added to `domain::dialect::Dialect`. A session never sleeps, never checks a signature
//! itself and never touches a socket, so that its laws can be tested without any of them.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::as_conversions)]

pub mod event;
pub mod olaf;
pub mod press;

use event::{Input, Output};

use crate::domain::{
    dialect::Dialect,
    id::ConnectionId,
    letter::Frame,
    refusal::{Ending, Violation},
};

/// What a session must know of the house.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Recipients that one letter may have.
    pub recipients_per_letter: u32,
    /// Whether to adapt to implementations that are recognised by the way they write.
    pub detect_accents: bool,
}

/// How a connection wants to be written to. Connections with equal ears share the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ear {
    /// An OLAF client.
    Olaf(olaf::accent::Ear),
}

/// One connection's side of its protocol.
#[derive(Debug)]
pub enum Session {
    /// Nothing was said yet; the first frame decides.
    Undecided(Undecided),
    /// OLAF, client side of the server.
    Olaf(olaf::session::Session),
}

/// A connection that has not shown its dialect.
#[derive(Debug)]
pub struct Undecided {
    id: ConnectionId,
    terms: Terms,
    wish: Option<olaf::accent::Ear>,
    over: bool,
}

impl Session {
    /// A session for a new connection, pinned to a dialect by path or listener, or still open.
    ///
    /// `wish` is what the client asked for in the URL, if it did.
    #[must_use]
    pub fn new(
        id: ConnectionId,
        pinned: Option<Dialect>,
        terms: Terms,
        wish: Option<olaf::accent::Ear>,
    ) -> Self {
        match pinned {
            None => Self::Undecided(Undecided { id, terms, wish, over: false }),
            Some(Dialect::Olaf) => Self::Olaf(olaf::session::Session::new(id, terms, wish)),
        }
    }

    /// The only door: something happened, and these are the wishes.
    pub fn handle(&mut self, input: Input, out: &mut Vec<Output>) {
        match self {
            Self::Olaf(session) => session.handle(input, out),
            Self::Undecided(undecided) if undecided.over => {}
            Self::Undecided(undecided) => {
                let Input::Frame(frame) = &input else { return };
                match dialect_of(frame) {
                    Some(dialect) => {
                        *self = Self::new(undecided.id, Some(dialect), undecided.terms, undecided.wish);
                        self.handle(input, out);
                    }
                    None => out.push(Output::Note(Violation::Malformed)),
                }
            }
        }
    }

    /// The connection is over; no wish will ever come from here again.
    pub fn end(&mut self) {
        match self {
            Self::Undecided(undecided) => undecided.over = true,
            Self::Olaf(session) => session.end(),
        }
    }
}

/// The dialect that speaks like this, if one does.
#[must_use]
pub fn dialect_of(frame: &Frame) -> Option<Dialect> {
    Dialect::ALL.into_iter().find(|dialect| match dialect {
        Dialect::Olaf => olaf::wire::is_olaf(frame),
    })
}

/// Whether an objection of the house ends the connection, or only costs the frame.
#[must_use]
pub const fn is_fatal(ending: Ending) -> bool {
    !matches!(
        ending,
        Ending::Violated(
            Violation::Malformed
                | Violation::OutOfOrder
                | Violation::StaleCounter
                | Violation::WrongSender
                | Violation::TooManyRecipients
        )
    )
}

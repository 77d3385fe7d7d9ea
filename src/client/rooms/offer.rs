//! What a server's information document says about rooms, and how a link gets to know it.

use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};

use crate::{
    dialect::rooms::{KEY, VERSION},
    domain::{dialect::Dialect, rooms::RoomName},
};

/// Rooms for clients whose protocol has none.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Offer {
    version: u32,
    key: String,
    dialects: Vec<String>,
    /// How long a line may be.
    pub(super) line_bytes: usize,
    /// Whether what is said in the room `public` is said by the protocol's own words, and heard so.
    #[serde(default)]
    bridged: bool,
}

impl Offer {
    /// Whether it is one for clients of this dialect, and one that is understood here.
    pub(super) fn suits(&self, dialect: Dialect) -> bool {
        let is_meant = self.dialects.iter().any(|name| name == dialect.name());
        self.version == VERSION && self.key == KEY && is_meant
    }

    /// Whether everybody is in this room anyway.
    pub(super) fn is_everybodys(&self, room: &str) -> bool {
        self.bridged && room == RoomName::PUBLIC
    }
}

/// Somebody who finds out what the server offers, each time that it is asked.
#[derive(Clone, Debug)]
pub struct Inquiry(mpsc::Sender<oneshot::Sender<Option<Offer>>>);

impl Inquiry {
    /// An inquiry, and the questions that are to be answered.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<oneshot::Sender<Option<Offer>>>) {
        let (ask, asked) = mpsc::channel(1);
        (Self(ask), asked)
    }

    /// What the server offers. Who gets no answer is offered nothing.
    pub(in crate::client) fn ask(&self) -> oneshot::Receiver<Option<Offer>> {
        let (answer, answered) = oneshot::channel();
        // One question waits at most: that of the connection before this one needs no answer any more.
        let _ = self.0.try_send(answer);
        answered
    }
}

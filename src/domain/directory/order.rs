//! What the board wants done.

use std::sync::Arc;

use super::{
    listed::{Directory, Listed},
    rules::{Refused, Unrelayed},
};
use crate::domain::{endpoint::Endpoint, id::ConnectionId};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Say to this socket, in a segment of its own, what only newer programs understand.
    Greet(ConnectionId),
    /// Say to this socket that its answer was understood.
    Acknowledge(ConnectionId),
    /// Send this socket a list of the first kind.
    List(ConnectionId, Vec<Endpoint>),
    /// Send this socket a directory in the new form. Equal ones are one value.
    Directory(ConnectionId, Arc<Directory>),
    /// Ask this node whether it lives.
    Ping(ConnectionId),
    /// Try whether somebody can be dialled there, and say what came of it.
    Test(Endpoint),
    /// Hand a payload on to this socket, or say to the sender that there is no room.
    Relay {
        /// Who wants it handed on.
        sender: ConnectionId,
        /// Where that one listens.
        from: Endpoint,
        /// To whom.
        recipient: ConnectionId,
        /// Where that one listens.
        to: Endpoint,
        /// What.
        payload: Vec<u8>,
    },
    /// Say to this socket that something was not handed on.
    Unrelayed(ConnectionId, Endpoint, Unrelayed),
    /// Close this socket, after these words. The board has forgotten it.
    Close(ConnectionId, Farewell),
    /// Somebody is listed.
    Joined(Listed),
    /// Somebody is listed no more.
    Left(Listed),
    /// Tell neighbours that these are the entries of this home.
    Share(Arc<[Listed]>),
    /// It is over: nobody is taken any more.
    Over,
}

/// Why a socket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// It did not say where it listens, or has not shown for a long time that it lives.
    Silent,
    /// There is no place.
    Full,
    /// Its registration does not count.
    Refused(Refused),
    /// Another socket from the same host has registered the same address.
    Replaced,
    /// It ends for everybody, on purpose.
    Teardown,
    /// The house closes; it may come back.
    Draining,
}

impl Farewell {
    /// Every stable name.
    pub const CODES: [&'static str; 6] = ["silent", "full", "refused", "replaced", "teardown", "draining"];

    /// The stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        let [silent, full, refused, replaced, teardown, draining] = Self::CODES;
        match self {
            Self::Silent => silent,
            Self::Full => full,
            Self::Refused(_) => refused,
            Self::Replaced => replaced,
            Self::Teardown => teardown,
            Self::Draining => draining,
        }
    }
}

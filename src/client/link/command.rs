//! The words between a link and whoever uses it.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::client::{
    door::Door,
    event::{Event, SayError},
    person::PersonId,
    voice::Say,
};

/// What a link is told to do.
#[derive(Debug)]
pub(super) enum Command {
    /// Say something, and tell so how it went.
    Say(Receipt, Say),
    /// Ask the server for the list of members.
    AskForList,
    /// Believe the key that somebody comes with now.
    Trust(PersonId),
    /// Say everything that was to be said, and close.
    Close,
}

/// Who wants to know how something went.
#[derive(Debug)]
pub(super) enum Receipt {
    /// Whoever reads the reports, under this number.
    Report(u64),
    /// Whoever waits for it.
    Tell(oneshot::Sender<Result<(), NotSent>>),
}

/// What a link has to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// It dials.
    Connecting,
    /// The connection is there, by this door, and the hello is on its way.
    Connected(Door),
    /// The connection, or the attempt, is over; it will be tried again.
    Lost(String),
    /// How long it waits before it dials again.
    Retrying(Duration),
    /// It will not come back, for this reason; `None` if it was asked to close.
    Ended(Option<String>),
    /// Something came in.
    Event(Event),
    /// A letter was handed to the system whole.
    Sent(u64),
    /// A letter was not sent, or nobody knows.
    NotSent(u64, NotSent),
}

/// Why a letter was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// It cannot be written.
    #[error(transparent)]
    Unsayable(#[from] SayError),
    /// There is no connection.
    #[error("not connected")]
    NotConnected,
    /// The connection broke while it was under way.
    #[error("the connection broke; it may or may not have arrived")]
    Lost,
}

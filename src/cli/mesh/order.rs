//! What is said at the control door: one line of JSON for each wish, and one for each answer.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// A wish, with the proof that it comes from somebody who may read the record.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Wish {
    pub(super) token: String,
    pub(super) order: Order,
}

/// What is wished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// Say what runs and what is cut.
    Report,
    /// End everything in order.
    Down,
    /// Start one more server.
    Add,
    /// End a server without a word.
    Kill(u8),
    /// End a server in order.
    Stop(u8),
    /// Start a server.
    Start(u8),
    /// Change the line between two servers, both ways.
    Line { one: u8, other: u8, change: Change },
}

/// How a line changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Change {
    /// Nothing passes any more.
    Cut,
    /// What is open is reset, what is dialled is refused.
    Refuse,
    /// Everything passes.
    Heal,
    /// Everything passes this much later.
    Slow { delay_ms: u64 },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// It is done; in words.
    Done(String),
    /// It is not; in words.
    Refused(String),
    /// How things are.
    Report(Report),
}

/// How things are, as far as the one knows who looks after them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) servers: Vec<ServerReport>,
    pub(super) links: Vec<LinkReport>,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ServerReport {
    pub(super) number: u8,
    pub(super) name: String,
    /// Its main door.
    pub(super) main: SocketAddr,
    /// Its admin door.
    pub(super) admin: SocketAddr,
    /// The digest that names its key, in hex.
    pub(super) key: String,
    /// Its process; none while it does not run.
    pub(super) pid: Option<u32>,
    /// Whether its doors are open.
    pub(super) running: bool,
}

/// The line through which one server dials another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LinkReport {
    pub(super) from: u8,
    pub(super) to: u8,
    pub(super) cut: bool,
    pub(super) delay_ms: u64,
}

//! The words of succession: text lines over TCP, one request and one answer per connection.
//!
//! `host` and `answer` are the first form of the protocol, to the letter: nine lines in, five keys out. `node` is
//! what nodes of one home add to it where programs of the first form do not look, marked under the home's key
//! (`crypto::home`). `stream` says when a request is whole. Nothing here panics, whatever comes, and nothing is
//! taken from a message that is not whole. `docs/succession.md` specifies it.

mod answer;
mod host;
mod lines;
mod node;
mod stream;
#[cfg(test)]
mod tests;

pub use self::{
    answer::{read_answer, tell},
    host::{HostReport, host_request, utc},
    node::{Request, SealedAsk, open_reply, read_request, seal_ask, seal_reply},
    stream::{End, end_of_request},
};

use crate::domain::succession::message::Failure;

/// The port on which programs of the first form find each other; they cannot be told another one.
pub const PORT: u16 = 3012;
/// The longest request and the longest answer. Both have some hundred bytes.
pub const MOST_BYTES: usize = 4096;

/// Why a message does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing came before the end.
    #[error("there is nothing in it")]
    Empty,
    /// It is longer than any message may be.
    #[error("it is too long")]
    TooLong,
    /// It is not UTF-8.
    #[error("it is not text")]
    NotText,
    /// It ends too early.
    #[error("lines are missing")]
    Cut,
    /// A number is none.
    #[error("a figure is not a number")]
    NoNumber,
    /// A key is missing, or its value means nothing.
    #[error("the line {0:?} is missing or means nothing")]
    Line(&'static str),
    /// It is not marked by a node of our home, or not as the answer to our question.
    #[error("it is not proven to be of our home")]
    Unproven,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Empty => Self::Empty,
            Fault::Unproven => Self::Unproven,
            _ => Self::Malformed,
        }
    }
}

/// The text of a message that may be one.
fn text(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.len() > MOST_BYTES {
        return Err(Fault::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::NotText)?;
    if text.trim().is_empty() { Err(Fault::Empty) } else { Ok(text) }
}

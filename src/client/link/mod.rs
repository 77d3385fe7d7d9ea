//! A connection that stays up: it dials, greets, answers pings, and comes back after a loss, by another
//! door if its home has several (`doors`).
//!
//! Commands go in, reports come out, and the session in between says what they mean on the wire.
//! **Invariant:** whatever is to be said is reported exactly once, as sent or as not sent; nothing is
//! sent twice, because a letter that arrives twice is worse than one that has to be typed again.

mod command;
mod doors;
mod line;
mod outbox;
mod run;
mod words;

pub use command::{NotSent, Report};
pub use run::{Config, Link};

#[cfg(test)]
mod tests;

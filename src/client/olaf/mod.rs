//! The member's side of OLAF / Neighbourhood, without a socket: text in, text and events out.
//!
//! `session` is the one door, `directory` who is present and with which key, `say` what we write,
//! `seal` how private letters are closed and, liberally, opened, and `event` the words between a
//! session and whoever runs it.

mod directory;
mod event;
mod hear;
mod say;
mod seal;
mod session;

pub use event::{Author, Doubt, Event, Output, Present, Rejection, SayError};
pub use session::Session;

#[cfg(test)]
mod tests;

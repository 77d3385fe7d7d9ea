//! The member's side of OLAF / Neighbourhood, without a socket: text in, text and events out.
//!
//! `session` is the one door, `directory` who is present and with which key, `say` what we write,
//! `seal` how private letters are closed and, liberally, opened, and `voice` how a link uses it.

mod directory;
mod hear;
mod say;
mod seal;
mod session;
mod voice;

pub use session::Session;

#[cfg(test)]
mod tests;

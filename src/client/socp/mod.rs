//! The user's side of SOCP v1.3, without a socket: text in, text and events out.
//!
//! `session` is the one door, `presence` who comes and goes, `incoming` what they say. `directory` is who is
//! here and with which key, `say` what we write, `letter` who wrote what we hear and what it says, `seal` how
//! bytes are closed and opened with RSA alone, `files` the files that are coming in, and `voice` how a link
//! uses it all.
//!
//! A user id belongs to whoever came with it first: keys are believed at first contact, remembered, and a
//! key that changes is not used until the member says so.

mod directory;
mod files;
mod incoming;
mod letter;
mod presence;
mod say;
mod seal;
mod session;
mod voice;

pub use session::Session;

#[cfg(test)]
mod recorded;
#[cfg(test)]
mod tests;

//! `kith chat`: a member's end of the conversation, one line at a time.
//!
//! It works in a terminal and in a pipe. With a pipe there is no prompt and no colour, lines are
//! obeyed in their order once the list of members is there, and after the last one it waits until
//! everything is sent, closes and exits with 0, or with 1 if something could not be sent. What it
//! prints begins so, and scripts may rely on it:
//!
//! ```text
//! * connected to ws://… as <short>      * here: x, y        * nobody else is here
//! * joined: x                           * left: x           * trying again in 2 s
//! x: text                               x (private): text   x (private with y, z): text
//! ? unverified (why; claims to be c): text
//! * file of x: path (n bytes)           * file of x (private): path (n bytes)
//! ? unverified file (why; claims to be c): path
//! - <short> <nickname or -> <homes>     (answers to /list)
//! * x is away; the letter waits at the server
//! * in room r                           * the room is about: text
//! * in room r with x, y                  * nobody else is in room r
//! * joined room r: x                    * left room r: x           (where rooms are not all there is)
//! * x is called y now                   * you are called y now
//! x (in r): text                        (said in the room, by the server's word alone)
//! < TIME x: text                        < text             (said before; some servers tell no time)
//! - r (n): topic                        (answers to /rooms)
//! * introduced as listening at a        * introduced no more as listening at a
//! * introduced here: n
//! - a <x or -> [by <home>] [undialable] (answers to /introductions; a is an address)
//! ! whatever went wrong
//! ```
//!
//! `x` is a nickname or the short fingerprint; in SOCP the beginning of the user id, or the whole id, if it
//! begins like somebody else's, and always in the answers to /list. In tPacket it is a nick, behind a tilde if it
//! could be taken for one of these beginnings. **Invariant:** text of others reaches the terminal only
//! through `screen`, which lets no control character pass.

mod args;
mod files;
mod obey;
mod people;
mod rooms;
mod start;
mod talk;
mod told;
mod typed;

pub use args::ChatArgs;
pub use start::run;

#[cfg(test)]
mod tests;

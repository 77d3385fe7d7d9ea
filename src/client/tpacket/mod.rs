//! The guest's side of tPacket, without a socket: packets in, packets and events out.
//!
//! `session` is the one door, `answers` what the server says to what was asked, `hall` who is in the room, `past`
//! what was said before, `hear` how what comes in is read, `say` what we write, and `voice` how a link uses it all.
//!
//! Our own version of the protocol is asked for, and the first servers are understood, too. They break on what
//! others would refuse, so they get nothing that they cannot bear. **Nothing here is proven**: a nick is whoever
//! has it, and the server's word is all there is.

mod answers;
mod hall;
mod hear;
mod past;
mod say;
mod session;
mod voice;

pub use session::{Session, Unsuitable};

#[cfg(test)]
mod tests;

//! A node of a mesh, as a member runs it: it lets a rendezvous introduce it, and talks to everybody over links of its own.
//!
//! Whom to dial and which link counts is decided by `domain/node`. Here `hub` carries that out, `rendezvous` holds the line to
//! the one who introduces, `socket` one link, `direct` is what is said on it, as a value, and `seal` how two nodes prove who they
//! are and seal their words, on a socket and through a relay alike. **Invariant:** nobody whose key is known is ever talked
//! to under another key, or in plain text.

mod dial;
mod direct;
mod event;
#[cfg(any(fuzzing, test))]
pub mod fuzzed;
mod hub;
mod rendezvous;
mod seal;
mod socket;
mod wire;

pub use event::{Event, Manner, Reached, Who};
pub use hub::{Hub, Setup};
pub use seal::{Broken, Them};
pub use socket::Over;
pub use wire::{Refusal, TEXT_BYTES, Text};

#[cfg(test)]
mod tests;

//! The directory of the rendezvous: who listens where, in the order in which they dial each other.
//!
//! `board` is the server as a pure state machine: sockets come and go, registrations and the outcome of tests come
//! in, and orders (`order`) go out. `rules` says who may register what, `guest` is one socket with its pace, `published`
//! what members registered without a socket of their own, `listed` an entry as others are told of it. docs/rendezvous.md
//! tells what all of it means on the wire.

pub mod board;
mod guest;
#[cfg(test)]
mod half_closed_tests;
#[cfg(test)]
mod laws;
pub mod listed;
pub mod order;
pub mod published;
pub mod rules;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod visitor_tests;

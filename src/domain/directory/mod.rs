//! The directory of the rendezvous: who listens where, in the order in which they dial each other.

pub mod listed;

//! The protocols as values, tested without a socket: recorded frames of other people's programs, one
//! built frame for every way of signing that was not recorded, and laws that hold for any input.

mod forms;
mod laws;
mod neighbours;
mod recordings;
mod rooms;
mod socp;
mod succession;
mod terms;
mod vectors;

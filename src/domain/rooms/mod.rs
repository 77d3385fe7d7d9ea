//! Rooms: who is in them, and what was said there.
//!
//! A room is made by whoever enters it first and stays when everybody has left. Its guests are on all homes of
//! the mesh, its history is kept by each home that hears of it. A member wishes something (`wish`), hears the
//! answer, and all guests hear what happened (`event`). **Invariants:** a home speaks only for its own guests
//! and its own lines; lines have one order, which is the same everywhere; a line is in a history once.

mod archive;
mod asking;
mod carrying;
mod clock;
mod counts;
mod event;
mod guest;
mod heard;
mod house;
mod line;
mod log;
mod name;
mod neighbours;
mod numbers;
mod opening;
mod ordering;
mod outcome;
mod room;
mod seating;
mod shunned;
mod visitors;
mod wish;

pub use self::{
    carrying::Carried,
    event::{Event, Lines, RoomNews},
    guest::{Guest, Seat},
    house::Rooms,
    line::{Deed, Line, LineId, Speaker, Stamp},
    name::RoomName,
    opening::Opener,
    outcome::{Asker, Kept, KeptRoom, Order, Outcome, Record, RoomView},
    seating::Standing,
    shunned::Shunned,
    wish::{Answer, Objection, Page, RoomCard, Scene, Ticket, Wish},
};

#[cfg(test)]
mod hearing_tests;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

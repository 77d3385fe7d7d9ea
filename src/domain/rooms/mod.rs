//! Rooms: who is in them, and what was said there.
//!
//! A room is made by whoever enters it first and stays when everybody has left. Its guests are on all homes of
//! the mesh, its history is kept by each home that hears of it. A member wishes something (`wish`), hears the
//! answer, and all guests hear what happened (`event`). **Invariants:** a home speaks only for its own guests
//! and its own lines; lines have one order, which is the same everywhere; a line is in a history once.

mod event;
mod guest;
mod line;
mod name;
mod wish;

pub use self::{
    event::{Event, RoomNews},
    guest::{Guest, Seat},
    line::{Deed, Line, LineId, Speaker, Stamp},
    name::RoomName,
    wish::{Answer, Objection, Page, RoomCard, Scene, Ticket, Wish},
};

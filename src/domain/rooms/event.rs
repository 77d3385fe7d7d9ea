//! What happens in rooms: for the guests of this home, and for neighbours.

use std::sync::Arc;

use bytestring::ByteString;

use super::{Guest, Line, LineId, RoomName, Seat, Stamp};

/// What the guests of a room hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody has come.
    Came(Arc<Guest>),
    /// Somebody has gone.
    Went(Arc<Guest>),
    /// Somebody is called otherwise: as before, and as from now on, under the same number.
    Renamed(Arc<Guest>, Arc<Guest>),
    /// Somebody has said something. Whoever says something is a guest that was announced before.
    Said(Arc<Guest>, Arc<Line>),
    /// The room has another topic.
    Topic(Option<ByteString>),
    /// A line is no longer in the history.
    Withdrawn(LineId),
    /// An operator has closed the room: everybody is out.
    Closed,
    /// An operator has put this guest out.
    Expelled(Arc<Guest>),
}

/// What Kith neighbours tell each other about rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomNews {
    /// These are all guests of the sender's home, in the order in which they came.
    Seats(Vec<(RoomName, Seat)>),
    /// A guest of the sender's home has entered a room.
    Came(RoomName, Seat),
    /// One has left it.
    Went(RoomName, u32),
    /// One is called otherwise.
    Renamed(u32, Arc<str>),
    /// Lines of the sender's home, in their order.
    Lines(Vec<Line>),
    /// All lines of the reader's home behind this stamp are wanted, and from then on each new one. Before this is said,
    /// no line is told: so nobody has a gap who knows only the last stamp.
    WantLines(Stamp),
}

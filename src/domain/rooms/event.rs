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
    /// Something was said earlier, at a home that we could not hear then, by somebody who is not in the room.
    Recalled(Arc<Line>),
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
    /// These guests of the sender's home have entered these rooms, in this order. All of them are said, in bounded
    /// parts, when a link comes up; then each newcomer.
    Seats(Vec<(RoomName, Seat)>),
    /// The guest of this number has left a room.
    Went(RoomName, u32),
    /// The guest of this number is somebody else from now on, in all rooms.
    Renamed(Seat),
    /// Lines of the reader's home are wanted that are behind this stamp. Before this is said, no line is told: so
    /// nobody has a gap who knows only the last stamp.
    WantLines(Stamp),
    /// Lines of the sender's home.
    Lines(Lines),
    /// The sender does not know this stamp, which the reader has asked with: it has lost lines in a crash. All that it
    /// has follows from the beginning, and whatever else the reader holds of it is no more.
    Lost(Stamp),
}

/// All lines of one home between two stamps that it still keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// Behind this stamp: what the reader has asked with, or the end of what it was told last.
    pub after: Stamp,
    /// Up to and including this one.
    pub through: Stamp,
    /// Whether there are more, which the reader has to ask for.
    pub more: bool,
    /// The lines in their order.
    pub lines: Vec<Arc<Line>>,
}

impl RoomNews {
    /// About how much memory it takes while it waits.
    #[must_use]
    pub fn cost(&self) -> usize {
        const EACH: usize = 192;
        EACH + match self {
            Self::Seats(seats) => {
                seats.iter().map(|(room, seat)| EACH + room.as_str().len() + seat.name.len()).sum()
            }
            Self::Lines(lines) => lines.lines.iter().map(|line| EACH + line.bytes()).sum(),
            Self::Went(room, _) => room.as_str().len(),
            Self::Renamed(seat) => seat.name.len(),
            Self::WantLines(_) | Self::Lost(_) => 0,
        }
    }
}

//! What neighbours tell each other about rooms, as messages of the Kith link.

use crate::domain::{letter::Frame, rooms::RoomNews};

/// What is told, in messages of bounded size.
#[must_use]
pub fn news(_news: &RoomNews) -> Vec<Frame> {
    Vec::new()
}

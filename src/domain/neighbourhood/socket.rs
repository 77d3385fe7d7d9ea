//! The sockets between us and one neighbour: who opens them, and how many there are.

use std::time::Duration;

use crate::domain::{Moment, id::ConnectionId};

/// A socket that has shown nothing for so much longer than another one is no longer spoken on: two of the
/// heartbeats of the one protocol that likes several.
const STALE: Duration = Duration::from_secs(30);

/// Who opened a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// We dialled.
    Out,
    /// We were dialled.
    In,
}

/// How many sockets a neighbour wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sockets {
    /// One, which carries both directions.
    #[default]
    One,
    /// One in each direction. We speak on the one that we dialled, if there is one.
    Two,
    /// As many as either side opens; each of them carries everything.
    Any,
    /// The same, but one of them must be ours: the other side may only listen on those that it opens.
    Ours,
}

/// An open socket whose other end has said who it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Socket {
    pub(super) id: ConnectionId,
    pub(super) direction: Direction,
    pub(super) since: Moment,
    /// When its other end last showed the neighbour's key.
    pub(super) shown: Option<Moment>,
}

impl Socket {
    /// Whether this is worth leaving another one for. Each change costs the neighbour our whole list, so two
    /// that live do not take turns.
    fn is_better_than(&self, spoken: &Self) -> bool {
        match (self.shown, spoken.shown) {
            (Some(shown), Some(before)) => shown.saturating_sub(before) >= STALE,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => self.direction == Direction::Out && spoken.direction == Direction::In,
        }
    }
}

/// Which of several sockets is spoken on, if it was this one so far: one that has shown the neighbour's key
/// rather than one that is silent, and of those that have not, the one that we dialled.
pub(super) fn choose(sockets: &[Socket], so_far: Option<ConnectionId>) -> Option<ConnectionId> {
    let worth = |socket: &&Socket| (socket.shown, socket.direction == Direction::Out);
    // Of equal ones the first.
    let best = sockets.iter().rev().max_by_key(worth)?;
    let spoken = sockets.iter().find(|socket| Some(socket.id) == so_far);
    Some(spoken.filter(|spoken| !best.is_better_than(spoken)).unwrap_or(best).id)
}

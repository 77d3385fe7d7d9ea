//! The sockets between us and one neighbour: who opens them, and how many there are.

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
}

//! How a neighbour is doing, in one word.

/// How a neighbour is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// We are opening a socket.
    Dialling,
    /// A socket is open; both sides say who they are.
    Greeting,
    /// The link is up.
    Up,
    /// The link is up, and silent for longer than it should be.
    Suspect,
    /// There is no link.
    Down,
    /// There is no link, because one of the two sides does not want one.
    Refused,
    /// There is no link, because a ban keeps it out. It is not dialled either.
    Banned,
}

impl State {
    /// Every state, for metrics.
    pub const ALL: [Self; 7] =
        [Self::Dialling, Self::Greeting, Self::Up, Self::Suspect, Self::Down, Self::Refused, Self::Banned];

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dialling => "dialling",
            Self::Greeting => "greeting",
            Self::Up => "up",
            Self::Suspect => "suspect",
            Self::Down => "down",
            Self::Refused => "refused",
            Self::Banned => "banned",
        }
    }

    /// Whether letters pass.
    #[must_use]
    pub const fn is_linked(self) -> bool {
        matches!(self, Self::Up | Self::Suspect)
    }
}

//! What a room is called.

use std::{fmt, sync::Arc};

/// The name of a room: 1 to 64 bytes without control characters, told apart byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomName(Arc<str>);

impl RoomName {
    /// The longest name, in bytes.
    pub const LONGEST: usize = 64;
    /// The room that is the public conversation of every dialect, where the bridge is on.
    pub const PUBLIC: &'static str = "public";

    /// Reads a name.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let fits = (1..=Self::LONGEST).contains(&name.len()) && !name.chars().any(char::is_control);
        fits.then(|| Self(name.into()))
    }

    /// The room that is the public conversation.
    #[must_use]
    pub fn public() -> Self {
        Self(Self::PUBLIC.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the public conversation.
    #[must_use]
    pub fn is_public(&self) -> bool {
        &*self.0 == Self::PUBLIC
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

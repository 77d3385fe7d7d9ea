//! What a server's information document says about rooms.

use serde::Deserialize;

use crate::{
    dialect::rooms::{KEY, VERSION},
    domain::{dialect::Dialect, rooms::RoomName},
};

/// Rooms for clients whose protocol has none.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Offer {
    version: u32,
    key: String,
    dialects: Vec<String>,
    /// How long a line may be.
    pub(super) line_bytes: usize,
    /// Whether what is said in the room `public` is said by the protocol's own words, and heard so.
    #[serde(default)]
    bridged: bool,
}

impl Offer {
    /// Whether it is one for clients of this dialect, and one that is understood here.
    pub(super) fn suits(&self, dialect: Dialect) -> bool {
        let is_meant = self.dialects.iter().any(|name| name == dialect.name());
        self.version == VERSION && self.key == KEY && is_meant
    }

    /// Whether everybody is in this room anyway.
    pub(super) fn is_everybodys(&self, room: &str) -> bool {
        self.bridged && room == RoomName::PUBLIC
    }
}

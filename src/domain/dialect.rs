//! The closed list of wire protocols by name.
//!
//! Only the names live here, so that the core can say which protocol a member speaks without knowing
//! how it is spoken. What each one means is in the floor `dialect`, where the compiler asks for every
//! name of this list.

use std::fmt;

/// A wire protocol that a connection may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// OLAF / Neighbourhood v1.1 to v1.2: RSA-signed JSON over WebSocket.
    Olaf,
    /// SOCP v1.3: signed envelopes of JSON over WebSocket, members with names of their own.
    Socp,
    /// The tPacket sub-protocol: 24-byte packets over WebSocket, nicks and rooms.
    Tpacket,
}

impl Dialect {
    /// Every dialect, for whatever must be tried or shown for all of them.
    pub const ALL: [Self; 3] = [Self::Olaf, Self::Socp, Self::Tpacket];

    /// The name used in settings, paths, the store and the admin API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Olaf => "olaf",
            Self::Socp => "socp",
            Self::Tpacket => "tpacket",
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Olaf => "OLAF",
            Self::Socp => "SOCP",
            Self::Tpacket => "tPacket",
        }
    }

    /// Whether authors are sent their own public letters, as everybody else is.
    #[must_use]
    pub const fn echoes(self) -> bool {
        match self {
            Self::Olaf => true,
            Self::Socp => false,
            // Its public letters are the lines of a room, and everybody there hears those.
            Self::Tpacket => true,
        }
    }

    /// The dialect of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

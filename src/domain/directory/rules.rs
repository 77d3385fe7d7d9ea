//! Who may register what, and why something is refused.

use core::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::domain::endpoint::Endpoint;

/// What the operator has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What happens when the last place is taken.
    pub on_full: OnFull,
    /// Sockets that have registered at most, and as many again that members and operators have registered.
    pub max_clients: u32,
    /// Networks whose addresses anybody may register, whatever it comes from.
    pub allow: Vec<IpNet>,
    /// Whose registered address is dialled before it is listed.
    pub dial_back: DialBack,
    /// Registrations from one address.
    pub per_address: u32,
    /// Addresses that one member may register beside nodes.
    pub per_member: u32,
    /// Entries that one neighbour may tell of.
    pub per_neighbour: u32,
    /// Bytes a second that one node may have relayed.
    pub relay_bytes_per_second: u32,
    /// How long a socket may stay silent about where it listens.
    pub hello_timeout_s: u32,
}

/// What happens when the last place is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// Newcomers are told so and closed, everybody else stays.
    Reject,
    /// The last member is listed, everybody is told that it ends, and it ends.
    Teardown,
}

/// Whose registered address is dialled before it is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialBack {
    /// Nobody's.
    Off,
    /// That of newer programs and of members: what the first clients do with a link that closes at once is unknown.
    Nodes,
    /// Everybody's.
    All,
}

/// A closed set of reasons, each with its word on the wire.
macro_rules! reasons {
    ($(#[$doc:meta])* $type:ident { $($(#[$note:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type { $($(#[$note])* $variant),+ }

        impl $type {
            /// Every one, for lists and tests.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The reason that this word names.
            #[must_use]
            pub fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }
    };
}

reasons!(
    /// Why something was not relayed.
    Unrelayed {
        /// Nobody of this address is here who hears such lines.
        Absent = "absent",
        /// One of the two can be dialled, so a direct link is the way.
        Dialable = "dialable",
        /// More than the sender may have relayed, or more than the recipient takes.
        Busy = "busy",
    }
);

reasons!(
    /// Why a registration does not count.
    Refused {
        /// It is not the address that the client comes from, and not one that it may register.
        Foreign = "foreign",
        /// Nobody can be dialled there: unspecified, multicast, or the like.
        Unusable = "unusable",
        /// Somebody else has registered it.
        Taken = "taken",
        /// As many as may be are registered by this member or from this address.
        TooMany = "too-many",
    }
);

impl Rules {
    /// Whether somebody who comes from there may register this address.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, at: Endpoint, from: IpAddr) -> Result<(), Refused> {
        if !is_usable(at.ip()) {
            Err(Refused::Unusable)
        } else if at.ip() == from.to_canonical() || self.allows(at.ip()) {
            Ok(())
        } else {
            // Everybody would dial a victim of the registrant's choice.
            Err(Refused::Foreign)
        }
    }

    /// Whether an address means the same on another home: what only this machine or this cable knows does not,
    /// unless the operator says so.
    #[must_use]
    pub fn may_travel(&self, at: Endpoint) -> bool {
        is_usable(at.ip()) && (!is_local(at.ip()) || self.allows(at.ip()))
    }

    fn allows(&self, ip: IpAddr) -> bool {
        self.allow.iter().any(|network| network.contains(&ip))
    }
}

/// Whether an address can be somebody's at all.
#[must_use]
pub fn is_usable(ip: IpAddr) -> bool {
    !ip.is_unspecified() && !ip.is_multicast() && ip != IpAddr::V4(Ipv4Addr::BROADCAST)
}

fn is_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unicast_link_local(),
    }
}

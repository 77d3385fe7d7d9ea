//! What a node tells its member.

use std::net::IpAddr;

use super::{
    seal::Broken,
    wire::{Refusal, Text},
};
use crate::{
    dialect::rendezvous::line::Refused,
    domain::{endpoint::Endpoint, id::KeyId, node::Way},
};

/// How somebody is talked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Sealed, with somebody who has proven this key.
    Sealed(KeyId),
    /// In plain text, with nobody knows whom.
    Plain,
}

/// Somebody there is a link to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    /// Where it listens; only where it comes from, if it does not say.
    pub at: Result<Endpoint, IpAddr>,
    /// How it is talked to.
    pub manner: Manner,
    /// Which way the link goes.
    pub way: Way,
}

/// How many heard a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// Sealed.
    pub sealed: usize,
    /// In plain text.
    pub plain: usize,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The rendezvous knows where we listen.
    Registered,
    /// It is of the newer kind.
    Modern,
    /// It cannot be reached, or no more.
    Lost(String),
    /// It does not take our registration.
    Refused(Refused),
    /// It has no room.
    Full,
    /// It has ended the mesh, and us with it.
    Teardown,
    /// The first list since the last registration: who else is in it.
    Listed(Vec<Endpoint>),
    /// Others can dial us, or cannot.
    Dialable(bool),
    /// There is a link.
    Joined {
        /// To whom.
        who: Who,
        /// Whether this key was not known before.
        is_new: bool,
    },
    /// It goes another way from now on.
    Moved(Who),
    /// There is none any more.
    Left(Who),
    /// Somebody in the list cannot be reached.
    Unreached(Endpoint),
    /// Somebody says this.
    Text(Who, Text),
    /// Somebody came with another key than before, and is not talked to.
    WrongKey {
        /// Where.
        at: Endpoint,
        /// The one that is known.
        known: KeyId,
        /// The one that came.
        offered: KeyId,
    },
    /// Somebody whose key is known proves none now, and is not talked to.
    Downgraded(Endpoint),
    /// Somebody in the list knows no sealing, and nobody is talked to in plain text here.
    Unsealed(Endpoint),
    /// The other side of a link refuses us.
    RefusedBy(Endpoint, Refusal),
    /// A link came to nothing by what was said on it.
    Broken(Endpoint, Broken),
    /// Somebody takes our words no more; the link is given up.
    NotTaken(Who),
    /// The keys cannot be written down.
    NotKept(String),
}

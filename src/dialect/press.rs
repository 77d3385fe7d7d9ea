//! One letter or list, printed once per way of hearing it.
//!
//! A listener of the author's own dialect gets the author's own bytes, because signatures cover them.
//! Only a listener that is known to understand nothing else gets another shape.

use std::sync::Arc;

use super::{Ear, event::Check, kith, olaf};
use crate::domain::{
    dialect::Dialect,
    id::KeyId,
    letter::{Frame, Letter},
    member::Member,
    news::Digest,
};

/// The letter as this ear hears it, or nothing if it cannot be said there.
#[must_use]
pub fn letter(letter: &Letter, ear: Ear) -> Option<Frame> {
    match (letter.dialect, ear) {
        (Dialect::Olaf, Ear::Olaf(ear)) => Some(olaf::relay::letter(&letter.original, ear.letters)),
        (Dialect::Olaf, Ear::OlafPeer(accent)) => Some(olaf::peer::letter(&letter.original, accent)),
        (_, Ear::Kith) => kith::wire::letter(letter),
    }
}

/// One home in the client list.
#[derive(Debug)]
pub struct Home<'a> {
    /// Its number.
    pub number: u32,
    /// Its address, as it spells it.
    pub address: &'a str,
    /// Its members.
    pub members: Vec<&'a Member>,
}

/// The client list of the whole neighbourhood as this ear hears it.
#[must_use]
pub fn list(homes: &[Home<'_>], ear: Ear) -> Option<Frame> {
    match ear {
        Ear::Olaf(ear) => Some(Frame::Text(olaf::relay::client_list(homes, ear.lists).into())),
        // Servers are told about our own members only.
        Ear::OlafPeer(_) | Ear::Kith => None,
    }
}

/// All members of this home, for neighbours that must be told all of them each time.
#[must_use]
pub fn whole<'a>(members: impl Iterator<Item = &'a Member>, address: &str, ear: Ear) -> Option<Frame> {
    match ear {
        Ear::OlafPeer(accent) => Some(olaf::peer::client_update(members, address, accent)),
        Ear::Olaf(_) | Ear::Kith => None,
    }
}

/// Somebody came to this home or went, for neighbours that keep count.
#[must_use]
pub fn change(sequence: u64, member: &Member, came: bool, ear: Ear) -> Option<Frame> {
    (ear == Ear::Kith).then(|| kith::wire::change(sequence, member, came))
}

/// Part of the members of this home, for neighbours that keep count.
#[must_use]
pub fn part(after: Option<KeyId>, members: &[Arc<Member>], is_last: bool, sequence: u64) -> Frame {
    kith::wire::part(after, members, is_last, sequence)
}

/// Where the list of this home stands, for neighbours that keep count.
#[must_use]
pub fn standing(sequence: u64, digest: Digest, ear: Ear) -> Option<Frame> {
    (ear == Ear::Kith).then(|| kith::wire::standing(sequence, digest))
}

/// The neighbour's whole list is wanted.
#[must_use]
pub fn want_list(ear: Ear) -> Option<Frame> {
    match ear {
        Ear::Kith => Some(kith::wire::want_list()),
        Ear::OlafPeer(_) => Some(olaf::peer::update_request()),
        Ear::Olaf(_) => None,
    }
}

/// What must be checked before a letter may count as this member's; nothing, if it cannot be.
#[must_use]
pub fn question(letter: &Letter, member: &Member) -> Option<Check> {
    match letter.dialect {
        Dialect::Olaf => olaf::peer::question(&letter.original, member),
    }
}

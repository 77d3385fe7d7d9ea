//! One letter or list, printed once per way of hearing it.
//!
//! A listener of the author's own dialect gets the author's own bytes, because signatures cover them.
//! Only a listener that is known to understand nothing else gets another shape.

use super::{Ear, olaf};
use crate::domain::{
    dialect::Dialect,
    letter::{Frame, Letter},
    member::Member,
};

/// The letter as this ear hears it, or nothing if it cannot be said there.
#[must_use]
pub fn letter(letter: &Letter, ear: Ear) -> Option<Frame> {
    match (letter.dialect, ear) {
        (Dialect::Olaf, Ear::Olaf(ear)) => Some(olaf::relay::letter(&letter.original, ear)),
    }
}

/// The client list of this home as this ear hears it.
#[must_use]
pub fn list<'a>(address: &str, members: impl Iterator<Item = &'a Member>, ear: Ear) -> Frame {
    match ear {
        Ear::Olaf(ear) => Frame::Text(olaf::relay::client_list(address, members, ear).into()),
    }
}

//! Who is banned here, as far as rooms can tell: by whom a line is, under which name, and of which home.
//!
//! What the banned have said is kept, or homes would no longer keep the same, and is read again when the ban is over.

use std::collections::HashSet;

use super::{Guest, Line};
use crate::domain::{dialect::Dialect, id::KeyId, nick::Folded};

/// Whoever is not shown here, though her home lets her speak.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shunned {
    /// These members.
    pub members: HashSet<KeyId>,
    /// Members with these names.
    pub names: HashSet<Folded>,
    /// Everybody at the homes with these keys.
    pub homes: HashSet<KeyId>,
}

impl Shunned {
    fn hides(&self, member: KeyId, name: &str, dialect: Option<Dialect>) -> bool {
        // There a name is only the beginning of a key.
        let is_named = || dialect != Some(Dialect::Olaf) && self.names.contains(&Folded::new(name));
        self.members.contains(&member) || (!self.names.is_empty() && is_named())
    }

    /// Whether this guest is not shown.
    pub(super) fn is(&self, guest: &Guest) -> bool {
        self.hides(guest.member, &guest.name, guest.dialect)
    }

    /// Whether this line is not shown.
    pub(super) fn has_said(&self, line: &Line) -> bool {
        let is_hidden = || line.by.as_ref().is_some_and(|by| self.hides(by.member, &by.name, by.dialect));
        self.homes.contains(&line.id.home) || is_hidden()
    }
}

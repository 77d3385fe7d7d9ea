//! Who somebody is: the name by which a dialect knows a person, as it is compared, stored and shown.
//!
//! In OLAF a person is a key, and the name its digest in hexadecimal digits. In SOCP it is the user id,
//! which its owner chose: usually a UUID, in some implementations a word. In tPacket it is a nick, which belongs
//! to whoever has it now.

use std::{fmt, sync::Arc};

use crate::{
    dialect::{socp, tpacket},
    domain::id::KeyId,
};

/// Digits of a digest that people are shown.
const SHORT_DIGEST: usize = 12;
/// Digits of a UUID that people are shown: those before the first dash.
const SHORT_UUID: usize = 8;
/// Letters of any other name that people are shown.
const SHORT_WORD: usize = 24;

/// A person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId {
    name: Arc<str>,
    is_nick: bool,
}

impl PersonId {
    /// Whoever has this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), is_nick: false }
    }

    /// Whoever is called so at the moment, in a dialect in which people have nothing but nicks.
    #[must_use]
    pub fn nick(nick: &str) -> Self {
        Self { name: nick.into(), is_nick: true }
    }

    /// Whether there is nothing but a nick.
    #[must_use]
    pub const fn is_nick(&self) -> bool {
        self.is_nick
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The key that this person is, in a dialect in which people are keys.
    #[must_use]
    pub fn key(&self) -> Option<KeyId> {
        if self.is_nick { None } else { KeyId::from_hex(&self.name) }
    }

    /// Whether this is the member whom servers know by this id, whatever the dialect.
    #[must_use]
    pub fn is_member(&self, id: KeyId) -> bool {
        match self.key() {
            _ if self.is_nick => tpacket::id_of(&self.name) == id,
            Some(key) => key == id,
            None => socp::id_of(&self.name) == id,
        }
    }

    /// Enough for a person, never enough for a decision. A name that its owner made up is marked, so that
    /// it is not taken for one that we gave.
    #[must_use]
    pub fn short(&self) -> String {
        let first = |letters| self.name.chars().take(letters).collect::<String>();
        if self.is_nick {
            return if is_plain(&self.name) { self.name.to_string() } else { format!("~{}", self.name) };
        }
        if self.key().is_some() {
            first(SHORT_DIGEST)
        } else if uuid::Uuid::try_parse(&self.name).is_ok() {
            first(SHORT_UUID)
        } else {
            format!("~{}", first(SHORT_WORD))
        }
    }
}

impl PersonId {
    /// What a list shows: a digest is not worth all its digits, a user id is.
    #[must_use]
    pub fn listed(&self) -> String {
        if self.is_nick || self.key().is_some() { self.short() } else { self.name.to_string() }
    }
}

impl From<KeyId> for PersonId {
    fn from(key: KeyId) -> Self {
        Self::new(&key.hex())
    }
}

/// Whether a nick cannot be taken for a line of ours, or for somebody's words. There all nicks are made up, so
/// that only those which could are marked.
fn is_plain(nick: &str) -> bool {
    nick.starts_with(char::is_alphanumeric) && !nick.contains([':', '('])
}

impl fmt::Display for PersonId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)
    }
}

impl fmt::Debug for PersonId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PersonId({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_say_what_kind_of_name_it_is() {
        let key = KeyId([0xab; 32]);
        assert_eq!(PersonId::from(key).short(), "abababababab");
        assert_eq!(PersonId::from(key).key(), Some(key));
        let user = PersonId::new("3f2a9c1e-77aa-4b0c-9d2e-000000000001");
        assert_eq!((user.short().as_str(), user.key()), ("3f2a9c1e", None));
        assert_eq!(PersonId::new("anna").short(), "~anna");
        for (nick, shown) in [
            ("anna", "anna"),
            ("3f2a9c1e-77aa-4b0c-9d2e-000000000001", "3f2a9c1e-77aa-4b0c-9d2e-000000000001"),
            ("* left", "~* left"),
            ("anna (private)", "~anna (private)"),
            ("anna: hi", "~anna: hi"),
        ] {
            assert_eq!(PersonId::nick(nick).short(), shown);
        }
        assert_eq!(PersonId::new(&"ä".repeat(60)).short().chars().count(), SHORT_WORD + 1);
    }
}

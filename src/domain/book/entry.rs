//! What is known about one neighbour.

use crate::domain::{
    address::Address,
    id::{KeyId, PeerId},
    peer::{LinkDialect, Source},
};

/// One neighbour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is called in the API and the store.
    pub id: PeerId,
    /// Where it is dialled.
    pub url: Option<String>,
    /// Where else it is dialled, as it said: its home has several doors.
    pub doors: Vec<String>,
    /// The address under which it lists its members.
    pub address: Option<String>,
    /// Whether an operator has said so, and not it itself.
    pub address_is_set: bool,
    /// What it or the operator calls it.
    pub name: Option<String>,
    /// The key to which an operator holds it, as that was written.
    pub key_text: Option<String>,
    /// The fingerprint of that key.
    pub pinned: Option<KeyId>,
    /// The key that it showed at first contact.
    pub seen: Option<KeyId>,
    /// Another key that it showed since.
    pub presented: Option<KeyId>,
    /// The protocol of the link, if that is settled.
    pub dialect: Option<LinkDialect>,
    /// How it deviates, as an operator wrote it.
    pub accent: Option<String>,
    /// Who named it.
    pub source: Source,
    /// Whether an operator removed it.
    pub removed: bool,
    /// When it became known, in Unix milliseconds.
    pub added_at: i64,
    /// When it was linked last.
    pub linked_at: Option<i64>,
}

impl Entry {
    /// The key that it must prove, if we know one.
    #[must_use]
    pub fn expected(&self) -> Option<KeyId> {
        self.pinned.or(self.seen)
    }

    /// Whether only the Kith link can show that it is who it is: its key was proven there, or all we have
    /// is the fingerprint of a key, which OLAF servers never send.
    pub(super) fn must_speak_kith(&self) -> bool {
        let is_fingerprint = |text: &str| KeyId::from_hex(text).is_some();
        self.seen.is_some() || self.key_text.as_deref().is_some_and(is_fingerprint)
    }

    /// The address that people are shown: as it spells it itself, or as its URL does.
    #[must_use]
    pub fn shown_address(&self) -> Option<String> {
        self.address.clone().or_else(|| self.names().first().map(|name| name.as_str().to_owned()))
    }

    /// Every name by which it may be meant.
    #[must_use]
    pub fn names(&self) -> Vec<Address> {
        let mut names: Vec<_> =
            self.address.iter().chain(&self.url).map(|spelling| Address::new(spelling)).collect();
        names.dedup();
        names
    }
}

impl Entry {
    /// A server about which nothing is known.
    #[must_use]
    pub const fn stranger(id: PeerId, added_at: i64) -> Self {
        Self {
            id,
            url: None,
            doors: Vec::new(),
            address: None,
            address_is_set: false,
            name: None,
            key_text: None,
            pinned: None,
            seen: None,
            presented: None,
            dialect: None,
            accent: None,
            source: Source::Inbound,
            removed: false,
            added_at,
            linked_at: None,
        }
    }
}

//! Who our neighbours are, and what they must prove.
//!
//! Every server that we dial, or that ever came to us, has an entry. **Invariants:** a server whose key
//! we know is never let in with another one, nor without proving it; a removed one not at all; a server
//! that cannot prove who it is comes in only where that is allowed, and never under a name whose owner
//! can.

use std::collections::BTreeMap;

use super::{
    address::Address,
    id::{HomeId, KeyId, PeerId},
    peer::{LinkDialect, Source, Trust},
    refusal::Refusal,
};

/// What the operator allows.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Servers may come that nobody has named, if they prove a key.
    pub anyone: bool,
    /// Servers may come that cannot prove who they are.
    pub legacy: bool,
    /// So many neighbours at most.
    pub most: usize,
}

/// One neighbour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is called in the API and the store.
    pub id: PeerId,
    /// Where it is dialled.
    pub url: Option<String>,
    /// The address under which it lists its members.
    pub address: Option<String>,
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

    /// Whether an operator named the fingerprint of its key only. Nobody proves that in OLAF.
    fn is_pinned_to_digits(&self) -> bool {
        self.key_text.as_deref().is_some_and(|text| KeyId::from_hex(text).is_some())
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

/// What a server says about itself.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The protocol it speaks.
    pub dialect: LinkDialect,
    /// Its key, if its protocol shows one.
    pub key: Option<KeyId>,
    /// Its address, as it spells it.
    pub address: &'a str,
    /// Its name.
    pub name: Option<&'a str>,
    /// The neighbour that we meant to dial.
    pub dialled: Option<HomeId>,
}

/// Why a claim does not stand, and about whom that says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turned {
    /// The neighbour whose name was used.
    pub home: Option<HomeId>,
    /// Why.
    pub refusal: Refusal,
}

/// A server that was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Which neighbour it is.
    pub home: HomeId,
    /// Whether it is a new one.
    pub is_new: bool,
    /// How far it is trusted.
    pub trust: Trust,
    /// Another entry that turned out to be the same server, and is gone.
    pub double: Option<HomeId>,
}

/// All of them.
#[derive(Debug)]
pub struct Book {
    entries: BTreeMap<HomeId, Entry>,
    own_key: KeyId,
    own_names: Vec<Address>,
    policy: Policy,
    last: HomeId,
}

impl Book {
    /// An empty book of a server with this key and these names.
    #[must_use]
    pub fn new(own_key: KeyId, own_names: Vec<Address>, policy: Policy) -> Self {
        Self { entries: BTreeMap::new(), own_key, own_names, policy, last: HomeId::OWN }
    }

    /// Our own key.
    #[must_use]
    pub const fn own_key(&self) -> KeyId {
        self.own_key
    }

    /// Whether servers may come that cannot prove who they are.
    #[must_use]
    pub const fn allows_unproven(&self) -> bool {
        self.policy.legacy
    }

    /// All entries, removed ones included.
    pub fn entries(&self) -> impl Iterator<Item = (HomeId, &Entry)> {
        self.entries.iter().map(|(home, entry)| (*home, entry))
    }

    /// One of them.
    #[must_use]
    pub fn entry(&self, home: HomeId) -> Option<&Entry> {
        self.entries.get(&home)
    }

    /// One of them, to be changed.
    pub fn entry_mut(&mut self, home: HomeId) -> Option<&mut Entry> {
        self.entries.get_mut(&home)
    }

    /// Which neighbour has this id.
    #[must_use]
    pub fn by_id(&self, id: PeerId) -> Option<HomeId> {
        self.entries().find(|(_, entry)| entry.id == id).map(|(home, _)| home)
    }

    /// Which neighbour goes by this address.
    #[must_use]
    pub fn by_address(&self, address: &Address) -> Option<HomeId> {
        let named = |entry: &Entry| entry.names().contains(address);
        let mut found = self.entries().filter(|(_, entry)| named(entry));
        // One that was removed must not hide one that is there.
        let first = found.next();
        match first {
            Some((_, entry)) if entry.removed => found.next().or(first),
            _ => first,
        }
        .map(|(home, _)| home)
    }

    fn by_key(&self, key: KeyId) -> Option<HomeId> {
        self.entries().find(|(_, entry)| entry.expected() == Some(key)).map(|(home, _)| home)
    }

    fn is_full(&self) -> bool {
        self.entries.values().filter(|entry| !entry.removed).count() >= self.policy.most
    }

    /// Adds a neighbour. One that was removed comes back with what is known now.
    ///
    /// # Errors
    /// It is us, it is known already, or there are too many.
    pub fn add(&mut self, entry: Entry) -> Result<HomeId, Turned> {
        let turned = |home, refusal| Turned { home, refusal };
        if entry.names().iter().any(|name| self.own_names.contains(name))
            || entry.pinned == Some(self.own_key)
        {
            return Err(turned(None, Refusal::Ourselves));
        }
        let by_key = entry.expected().and_then(|key| self.by_key(key));
        let known = self
            .by_id(entry.id)
            .or(by_key)
            .or_else(|| entry.names().iter().find_map(|name| self.by_address(name)));
        match known {
            Some(home) if self.entry(home).is_some_and(|known| !known.removed) => {
                Err(turned(Some(home), Refusal::KnownPeer))
            }
            _ if self.is_full() => Err(turned(None, Refusal::TooManyPeers)),
            Some(home) => {
                self.entries.insert(home, entry);
                Ok(home)
            }
            None => Ok(self.insert(entry)),
        }
    }

    /// Puts back what was remembered, unless it is known already.
    pub fn restore(&mut self, entry: Entry) {
        let same = |known: &Entry| {
            known.id == entry.id || (entry.expected().is_some() && known.expected() == entry.expected())
        };
        if !self.entries.values().any(same) {
            self.insert(entry);
        }
    }

    fn insert(&mut self, entry: Entry) -> HomeId {
        self.last = HomeId(self.last.0.wrapping_add(1));
        self.entries.insert(self.last, entry);
        self.last
    }

    /// Which neighbour makes this claim, if it may: `None` for a new one.
    ///
    /// # Errors
    /// It may not.
    pub fn stand(&self, claim: &Claim<'_>) -> Result<Option<HomeId>, Turned> {
        let address = Address::new(claim.address);
        if claim.key == Some(self.own_key) || (claim.dialled.is_none() && self.own_names.contains(&address)) {
            return Err(Turned { home: claim.dialled, refusal: Refusal::Ourselves });
        }
        let by_key = claim.key.and_then(|key| self.by_key(key));
        let Some(home) = claim.dialled.or(by_key).or_else(|| self.by_address(&address)) else {
            return self.stranger(claim).map(|()| None).map_err(|refusal| Turned { home: None, refusal });
        };
        if let Some(owner) = self.owner(&address, claim.key).filter(|owner| *owner != home) {
            return Err(Turned { home: Some(owner), refusal: Refusal::WrongKey });
        }
        let refusal = self.entries.get(&home).map_or(Ok(()), |entry| self.known(entry, claim));
        refusal.map(|()| Some(home)).map_err(|refusal| Turned { home: Some(home), refusal })
    }

    /// Who holds this name, and can prove it with another key than this one.
    fn owner(&self, name: &Address, key: Option<KeyId>) -> Option<HomeId> {
        let holds = |entry: &Entry| !entry.removed && entry.expected().is_some_and(|held| Some(held) != key);
        let mut entries = self.entries().filter(|(_, entry)| entry.names().contains(name));
        entries.find(|(_, entry)| holds(entry)).map(|(home, _)| home)
    }

    fn stranger(&self, claim: &Claim<'_>) -> Result<(), Refusal> {
        let welcome = match claim.dialect {
            LinkDialect::Kith => self.policy.anyone,
            LinkDialect::Olaf => self.policy.anyone && self.policy.legacy,
        };
        match welcome {
            false => Err(Refusal::UnknownPeer),
            true if self.is_full() => Err(Refusal::TooManyPeers),
            true => Ok(()),
        }
    }

    fn known(&self, entry: &Entry, claim: &Claim<'_>) -> Result<(), Refusal> {
        if entry.removed {
            return Err(Refusal::RemovedPeer);
        }
        match (claim.dialect, entry.expected()) {
            (LinkDialect::Kith, Some(expected)) if claim.key != Some(expected) => Err(Refusal::WrongKey),
            // Somebody comes under the name of a server that we have never reached. Only our own dial shows
            // who is there, unless anyone is welcome.
            (LinkDialect::Kith, None) if claim.dialled.is_none() && !self.policy.anyone => {
                Err(Refusal::Crossed)
            }
            (LinkDialect::Kith, _) => Ok(()),
            // A server that can prove its key shall not be impersonated by one that cannot.
            (LinkDialect::Olaf, _) if entry.seen.is_some() || entry.is_pinned_to_digits() => {
                Err(Refusal::WrongKey)
            }
            (LinkDialect::Olaf, Some(_)) => Ok(()),
            (LinkDialect::Olaf, None) if self.policy.legacy => Ok(()),
            (LinkDialect::Olaf, None) => Err(Refusal::Unproven),
        }
    }

    /// Lets a server in that has proven its claim, or cannot and need not. `id` is for a new one.
    ///
    /// # Errors
    /// What was allowed at the claim no longer is.
    pub fn admit(
        &mut self,
        claim: &Claim<'_>,
        proven: bool,
        id: PeerId,
        now_ms: i64,
    ) -> Result<Admitted, Turned> {
        let known = self.stand(claim)?;
        let (home, is_new) = match known {
            Some(home) => (home, false),
            None => (self.insert(Entry::stranger(id, now_ms)), true),
        };
        // We dialled a server that had come to us by itself before, under another name.
        let double = claim.key.and_then(|key| {
            let found = self.entries().find(|(other, entry)| *other != home && entry.expected() == Some(key));
            found.map(|(other, _)| other)
        });
        if let Some(double) = double {
            self.entries.remove(&double);
        }
        let Some(entry) = self.entries.get_mut(&home) else {
            return Err(Turned { home: None, refusal: Refusal::UnknownPeer });
        };
        if claim.dialect == LinkDialect::Kith {
            entry.seen = entry.seen.or(claim.key);
        }
        entry.presented = None;
        entry.dialect = Some(claim.dialect);
        if claim.dialect == LinkDialect::Kith || entry.address.is_none() {
            entry.address = Some(claim.address.to_owned());
        }
        if let Some(name) = claim.name {
            entry.name = Some(name.to_owned());
        }
        entry.linked_at = Some(now_ms);
        let trust = match (claim.dialect, proven, entry.pinned) {
            (_, true, Some(_)) => Trust::Pinned,
            (LinkDialect::Kith, true, None) => Trust::Tofu,
            _ => Trust::Legacy,
        };
        Ok(Admitted { home, is_new, trust, double })
    }

    /// A server showed another key than it should, or one that is not wanted.
    pub fn presented(&mut self, home: HomeId, key: Option<KeyId>) {
        if let Some(entry) = self.entries.get_mut(&home) {
            entry.presented = key.filter(|key| entry.expected() != Some(*key));
        }
    }

    /// An operator removes a neighbour. It stays out until it is added again.
    pub fn remove(&mut self, home: HomeId) -> bool {
        match self.entries.get_mut(&home) {
            Some(entry) if !entry.removed => {
                entry.removed = true;
                true
            }
            _ => false,
        }
    }
}

impl Entry {
    /// A server about which nothing is known.
    #[must_use]
    pub const fn stranger(id: PeerId, added_at: i64) -> Self {
        Self {
            id,
            url: None,
            address: None,
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

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;

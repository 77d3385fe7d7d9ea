//! Who our neighbours are, and what they must prove.
//!
//! Every server that we dial, or that ever came to us, has an entry. **Invariants:** a server whose key
//! we know is never let in with another one, nor without proving it; a removed one not at all; a server
//! that cannot prove who it is comes in only where that is allowed, and never under a name whose owner
//! can.

mod doors;
mod entry;
mod meant;

use std::collections::BTreeMap;

pub use self::entry::Entry;

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
    pub double: Option<(HomeId, PeerId)>,
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
            || entry.expected() == Some(self.own_key)
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
        if let Some(home) = self.named_like(claim) {
            return Err(Turned { home: Some(home), refusal: Refusal::WrongKey });
        }
        let Some(home) = claim.dialled.or(by_key).or_else(|| self.by_address(&address)) else {
            return self.stranger(claim).map(|()| None).map_err(|refusal| Turned { home: None, refusal });
        };
        if self.is_taken(&address, home, claim) {
            return Err(Turned { home: Some(home), refusal: Refusal::TakenAddress });
        }
        let refusal = self.entries.get(&home).map_or(Ok(()), |entry| self.known(entry, claim));
        refusal.map(|()| Some(home)).map_err(|refusal| Turned { home: Some(home), refusal })
    }

    /// Whether an address is ours or belongs to another neighbour. One that has this very key is the same
    /// server, under a name that we did not connect with it.
    fn is_taken(&self, address: &Address, home: HomeId, claim: &Claim<'_>) -> bool {
        let is_another = |(other, entry): (HomeId, &Entry)| {
            let is_another = match claim.dialect {
                LinkDialect::Kith | LinkDialect::Socp => {
                    entry.expected().is_none() || entry.expected() != claim.key
                }
                // What proves nothing only has to keep away from those who can.
                LinkDialect::Olaf => entry.expected().is_some(),
            };
            other != home && !entry.removed && is_another && entry.names().contains(address)
        };
        let is_ours = claim.dialect != LinkDialect::Olaf && self.own_names.contains(address);
        is_ours || self.entries().any(is_another)
    }

    /// SOCP's servers are called by ids that they choose: each belongs to the key that came with it first.
    fn named_like(&self, claim: &Claim<'_>) -> Option<HomeId> {
        let name = claim.name.filter(|_| claim.dialect == LinkDialect::Socp)?;
        let named = self.entries().find(|(_, entry)| {
            let is_other_key =
                entry.expected().is_some_and(|key| claim.key.is_some_and(|shown| shown != key));
            let is_socp = entry.dialect == Some(LinkDialect::Socp);
            is_socp && is_other_key && !entry.removed && entry.name.as_deref() == Some(name)
        });
        named.map(|(home, _)| home)
    }

    fn stranger(&self, claim: &Claim<'_>) -> Result<(), Refusal> {
        let welcome = match claim.dialect {
            LinkDialect::Kith | LinkDialect::Socp => self.policy.anyone,
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
            (LinkDialect::Kith, _) => Ok(()),
            // SOCP's proof can be played back. Whoever has a better one shall use it.
            (LinkDialect::Socp, _) if entry.dialect == Some(LinkDialect::Kith) => Err(Refusal::Unproven),
            // Whom we dial shows its key after we have shown ours.
            (LinkDialect::Socp, _) if claim.key.is_none() && claim.dialled.is_some() => Ok(()),
            (LinkDialect::Socp, Some(expected)) if claim.key.is_some_and(|key| key != expected) => {
                Err(Refusal::WrongKey)
            }
            (LinkDialect::Socp, _) => Ok(()),
            // A server that can prove its key shall not be impersonated by one that cannot.
            (LinkDialect::Olaf, _) if entry.must_speak_kith() => Err(Refusal::WrongKey),
            (LinkDialect::Olaf, Some(_)) => Ok(()),
            (LinkDialect::Olaf, None) if self.policy.legacy => Ok(()),
            (LinkDialect::Olaf, None) => Err(Refusal::Unproven),
        }
    }

    /// Somebody comes under the name of a server that we have never reached. Only our own dial shows who is
    /// there, unless anyone is welcome. It is turned away only after we have proven ourselves, because
    /// otherwise two servers that do not know each other's keys would turn each other away for ever.
    fn called_back(&self, claim: &Claim<'_>, known: Option<HomeId>) -> Result<(), Turned> {
        let is_unknown =
            known.and_then(|home| self.entry(home)).is_some_and(|entry| entry.expected().is_none());
        // In SOCP nobody proves itself before it lets others in, so there it would be for ever.
        let comes_by_itself = claim.dialect == LinkDialect::Kith && claim.dialled.is_none();
        if is_unknown && comes_by_itself && !self.policy.anyone {
            return Err(Turned { home: known, refusal: Refusal::Crossed });
        }
        Ok(())
    }

    /// A server that we dialled has proven this key. Says whether that is news.
    pub fn proven(&mut self, home: HomeId, key: KeyId) -> bool {
        match self.entries.get_mut(&home) {
            Some(entry) if entry.expected().is_none() => {
                entry.seen = Some(key);
                true
            }
            _ => false,
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
        self.called_back(claim, known)?;
        // Leaving the signature out is no way round a key. At the door that we dialled there is only one.
        let held = known.and_then(|home| self.entry(home)).and_then(Entry::expected);
        let must_prove = !self.policy.legacy || (held.is_some() && claim.dialled.is_none());
        if claim.dialect == LinkDialect::Socp && !proven && must_prove {
            return Err(Turned { home: known, refusal: Refusal::Unproven });
        }
        let (home, is_new) = match known {
            Some(home) => (home, false),
            None => (self.insert(Entry::stranger(id, now_ms)), true),
        };
        // We dialled a server that had come to us by itself before, under another name.
        let double = claim.key.and_then(|key| {
            let found = self.entries().find(|(other, entry)| *other != home && entry.expected() == Some(key));
            found.map(|(other, entry)| (other, entry.id))
        });
        if let Some((double, _)) = double {
            // SOCP's proof can be played back: it takes nothing away from what an operator has said.
            let is_safe = claim.dialect != LinkDialect::Socp
                || self.entry(double).is_some_and(|entry| {
                    entry.pinned.is_none() && matches!(entry.source, Source::Inbound | Source::Introduced)
                });
            if !is_safe {
                return Err(Turned { home: Some(double), refusal: Refusal::TakenAddress });
            }
            self.entries.remove(&double);
        }
        let Some(entry) = self.entries.get_mut(&home) else {
            return Err(Turned { home: None, refusal: Refusal::UnknownPeer });
        };
        if claim.dialect == LinkDialect::Kith || (claim.dialect == LinkDialect::Socp && proven) {
            entry.seen = entry.seen.or(claim.key);
        }
        entry.presented = None;
        entry.dialect = Some(claim.dialect);
        if (claim.dialect == LinkDialect::Kith && !entry.address_is_set) || entry.address.is_none() {
            entry.address = Some(claim.address.to_owned());
        }
        if claim.dialect == LinkDialect::Socp && entry.url.is_none() {
            // Servers that join may leave it to us to keep the link.
            entry.url = Some(format!("ws://{}", claim.address));
        }
        if let Some(name) = claim.name {
            // In SOCP the name is not signed, so the first one stays.
            if claim.dialect != LinkDialect::Socp || entry.name.is_none() {
                entry.name = Some(name.to_owned());
            }
        }
        entry.linked_at = Some(now_ms);
        let trust = match (claim.dialect, proven, entry.pinned) {
            (_, true, Some(_)) => Trust::Pinned,
            (LinkDialect::Kith | LinkDialect::Socp, true, None) => Trust::Tofu,
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

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;

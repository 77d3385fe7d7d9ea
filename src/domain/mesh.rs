//! Who is present on other homes, as far as they told us.
//!
//! Each linked neighbour has a replica here: the list of its own members, kept up to date by numbered
//! changes and compared by a digest. **Invariants:** a home speaks only for its own members; whoever is
//! listed is on a home that is linked; a member whom several homes claim is listed once: here, if it is
//! here, or else at the home that claimed it first and still does. So nobody can take a member away from
//! its home by claiming it, too.

mod hidden;
mod home;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

pub use self::home::Home;
use self::home::Stage;
use super::{
    address::Address,
    id::{HomeId, KeyId},
    member::Member,
    news::{Change, Digest, Effect, Listed, News},
};

/// All neighbours that are linked.
#[derive(Debug)]
pub struct Mesh {
    homes: BTreeMap<HomeId, Home>,
    names: HashMap<Address, HomeId>,
    /// Every key that is present anywhere: the homes that claim it, this one first, then in order.
    whereabouts: HashMap<KeyId, Vec<HomeId>>,
    /// Keys by the digest of their spelling, and how many homes spell them like that.
    spellings: HashMap<KeyId, (KeyId, u32)>,
    /// Members whom this house does not show, though their home lists them.
    hidden: HashSet<(HomeId, KeyId)>,
    most_members: usize,
    last_number: u32,
    version: u64,
}

/// The numbers of members start here: implementations that use numbers do the same.
const FIRST_NUMBER: u32 = 1001;

impl Mesh {
    /// No neighbours, each of whom may list so many members.
    #[must_use]
    pub fn new(most_members: u32) -> Self {
        Self {
            homes: BTreeMap::new(),
            names: HashMap::new(),
            whereabouts: HashMap::new(),
            spellings: HashMap::new(),
            hidden: HashSet::new(),
            most_members: usize::try_from(most_members).unwrap_or(usize::MAX),
            last_number: FIRST_NUMBER - 1,
            version: 0,
        }
    }

    /// Grows whenever what is listed changes, here or elsewhere.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// A number that no member had before.
    pub const fn next_number(&mut self) -> u32 {
        self.last_number = self.last_number.wrapping_add(1);
        self.last_number
    }

    /// The linked neighbours.
    pub fn homes(&self) -> impl Iterator<Item = (HomeId, &Home)> {
        self.homes.iter().map(|(id, home)| (*id, home))
    }

    /// One of them.
    #[must_use]
    pub fn home(&self, id: HomeId) -> Option<&Home> {
        self.homes.get(&id)
    }

    /// The members who are listed at a neighbour.
    pub fn listed(&self, home: HomeId) -> impl Iterator<Item = &Arc<Member>> {
        let members = self.homes.get(&home).into_iter().flat_map(|home| home.members.values());
        members.filter(move |member| {
            self.whereabouts(member.key) == Some(home) && !self.is_hidden(home, member.key)
        })
    }

    /// Where a member is, if anywhere.
    #[must_use]
    pub fn whereabouts(&self, key: KeyId) -> Option<HomeId> {
        self.whereabouts.get(&key)?.first().copied()
    }

    /// Whether this home claims that member, even if another one does, too.
    #[must_use]
    pub fn claims(&self, home: HomeId, key: KeyId) -> bool {
        self.homes.get(&home).is_some_and(|home| home.members.contains_key(&key))
    }

    /// A member as this home describes it.
    #[must_use]
    pub fn member(&self, home: HomeId, key: KeyId) -> Option<&Arc<Member>> {
        self.homes.get(&home)?.members.get(&key)
    }

    /// The member whose key has this digest in one of the two usual spellings.
    #[must_use]
    pub fn known_as(&self, digest: KeyId) -> Option<KeyId> {
        if self.whereabouts.contains_key(&digest) {
            return Some(digest);
        }
        self.spellings.get(&digest).map(|(key, _)| *key)
    }

    /// The linked neighbour of that name.
    #[must_use]
    pub fn named(&self, name: &Address) -> Option<HomeId> {
        self.names.get(name).copied()
    }

    /// A neighbour is linked, under an address and other names. If it was linked before, its members stay
    /// until it has told its list again.
    pub fn link(&mut self, id: HomeId, address: Arc<str>, names: Vec<Address>) {
        if let Some(home) = self.homes.get_mut(&id)
            && home.address == address
            && home.names == names
        {
            home.stage = Stage::Blank;
            return;
        }
        self.unlink(id);
        for name in &names {
            // Whoever has a name keeps it: a second one that claims it is not reachable by it.
            self.names.entry(name.clone()).or_insert(id);
        }
        let (members, unknown) = (BTreeMap::new(), BTreeMap::new());
        let (digest, sequence, stage) = (Digest::default(), 0, Stage::Blank);
        self.homes.insert(id, Home { address, names, members, unknown, digest, sequence, stage });
        self.version += 1;
    }

    /// A neighbour is gone, and takes its members with it. Says whether it was there.
    pub fn unlink(&mut self, id: HomeId) -> bool {
        let Some(home) = self.homes.remove(&id) else { return false };
        for name in &home.names {
            if self.names.get(name) == Some(&id) {
                self.names.remove(name);
                // Somebody else may have waited for it.
                let heir = self.homes.iter().find(|(_, other)| other.names.contains(name));
                if let Some((heir, _)) = heir {
                    self.names.insert(name.clone(), *heir);
                }
            }
        }
        for member in home.members.values() {
            self.went(id, member.key, member.spelled);
        }
        self.hidden.retain(|(home, _)| *home != id);
        self.version += 1;
        true
    }

    /// A member of this very home, or one of a neighbour's, came.
    pub fn came(&mut self, home: HomeId, key: KeyId, spelled: KeyId) {
        let homes = self.whereabouts.entry(key).or_default();
        if homes.contains(&home) {
            return;
        }
        let place = if home == HomeId::OWN { 0 } else { homes.len() };
        homes.insert(place, home);
        if spelled != key {
            self.spellings.entry(spelled).or_insert((key, 0)).1 += 1;
        }
        self.version += 1;
    }

    /// A member went from a home.
    pub fn went(&mut self, home: HomeId, key: KeyId, spelled: KeyId) {
        let Some(homes) = self.whereabouts.get_mut(&key) else { return };
        let Some(place) = homes.iter().position(|other| *other == home) else { return };
        homes.remove(place);
        if homes.is_empty() {
            self.whereabouts.remove(&key);
        }
        if let Some((_, homes)) = self.spellings.get_mut(&spelled) {
            *homes -= 1;
            if *homes == 0 {
                self.spellings.remove(&spelled);
            }
        }
        self.version += 1;
    }

    /// A neighbour has news of its members.
    pub fn hear(&mut self, id: HomeId, news: News) -> Effect {
        let before = self.version;
        let mut effect = match news {
            News::Whole(members) => {
                self.replace(id, None, None, members.into_iter().map(Listed::Known).collect())
            }
            News::Single(change) => Effect { excess: !self.apply(id, change), ..Effect::default() },
            News::Part { after, through, sequence, members } => {
                self.hear_part(id, after, through, sequence, members)
            }
            News::Changes { first, changes } => self.hear_changes(id, first, changes),
            News::Standing { sequence, digest } => self.hear_standing(id, sequence, digest),
        };
        effect.changed = self.version != before;
        effect
    }

    fn hear_part(
        &mut self,
        id: HomeId,
        after: Option<KeyId>,
        through: Option<KeyId>,
        sequence: u64,
        members: Vec<Listed>,
    ) -> Effect {
        let Some(home) = self.homes.get_mut(&id) else { return Effect::default() };
        match (after, home.stage) {
            (None, _) => home.sequence = sequence,
            (Some(after), Stage::Filling(so_far)) if after == so_far && home.sequence == sequence => {}
            _ => {
                home.stage = Stage::Blank;
                return Effect { lost: true, ..Effect::default() };
            }
        }
        home.stage = through.map_or(Stage::Whole, Stage::Filling);
        self.replace(id, after, through, members)
    }

    fn hear_changes(&mut self, id: HomeId, first: u64, changes: Vec<Change>) -> Effect {
        let Some(home) = self.homes.get_mut(&id) else { return Effect::default() };
        if home.stage == Stage::Blank {
            // The list is on its way, and will have these in it.
            return Effect::default();
        }
        if first != home.sequence.wrapping_add(1) {
            home.stage = Stage::Blank;
            return Effect { lost: true, ..Effect::default() };
        }
        home.sequence = home.sequence.wrapping_add(u64::try_from(changes.len()).unwrap_or(u64::MAX));
        let mut effect = Effect::default();
        for change in changes {
            effect.excess |= !self.apply(id, change);
        }
        effect
    }

    /// Says whether there was room.
    fn apply(&mut self, id: HomeId, change: Change) -> bool {
        match change {
            Change::Came(listed) => return self.enter(id, listed),
            Change::Went(key) => self.exit(id, key),
        }
        true
    }

    fn hear_standing(&mut self, id: HomeId, sequence: u64, digest: Digest) -> Effect {
        let Some(home) = self.homes.get_mut(&id) else { return Effect::default() };
        // It is said only to whom everything was told: whoever still waits for a part has missed it.
        let agrees = home.stage == Stage::Whole && home.sequence == sequence && home.digest == digest;
        if !agrees {
            home.stage = Stage::Blank;
        }
        Effect { lost: !agrees, ..Effect::default() }
    }

    /// These and no others are between two keys.
    fn replace(
        &mut self,
        id: HomeId,
        after: Option<KeyId>,
        through: Option<KeyId>,
        members: Vec<Listed>,
    ) -> Effect {
        let Some(home) = self.homes.get_mut(&id) else { return Effect::default() };
        if after.is_none() && through.is_none() {
            home.stage = Stage::Whole;
        }
        let within = |key: &KeyId| {
            after.is_none_or(|after| *key > after) && through.is_none_or(|through| *key <= through)
        };
        let wanted: BTreeMap<KeyId, Listed> = members
            .into_iter()
            .filter(|listed| within(&listed.key()))
            .map(|listed| (listed.key(), listed))
            .collect();
        let known = home.members.values().filter(|member| {
            wanted.get(&member.key).and_then(Listed::known).is_none_or(|spelled| spelled != member.spelled)
        });
        let unknown = home.unknown.iter().filter(|(key, spelled)| {
            wanted.get(key).and_then(Listed::unknown).is_none_or(|wanted| wanted != **spelled)
        });
        let gone = known.map(|member| member.key).chain(unknown.map(|(key, _)| *key));
        let stale: Vec<KeyId> = gone.filter(within).collect();
        for key in stale {
            self.exit(id, key);
        }
        let mut effect = Effect::default();
        for listed in wanted.into_values() {
            effect.excess |= !self.enter(id, listed);
        }
        effect
    }

    /// Says whether there was room.
    fn enter(&mut self, id: HomeId, listed: Listed) -> bool {
        let Some(home) = self.homes.get_mut(&id) else { return true };
        if home.members.contains_key(&listed.key()) || home.unknown.contains_key(&listed.key()) {
            return true;
        }
        if home.members.len() + home.unknown.len() >= self.most_members {
            return false;
        }
        let resident = match listed {
            Listed::Known(resident) => resident,
            Listed::Unknown { key, spelled } => {
                home.digest.toggle(spelled);
                home.unknown.insert(key, spelled);
                return true;
            }
        };
        let number = self.last_number.wrapping_add(1);
        self.last_number = number;
        let (key, spelled) = (resident.key, resident.spelled);
        home.digest.toggle(spelled);
        home.members.insert(key, Arc::new(resident.numbered(number)));
        self.came(id, key, spelled);
        true
    }

    fn exit(&mut self, id: HomeId, key: KeyId) {
        let Some(home) = self.homes.get_mut(&id) else { return };
        if let Some(spelled) = home.unknown.remove(&key) {
            home.digest.toggle(spelled);
        }
        if let Some(member) = home.members.remove(&key) {
            self.hidden.remove(&(id, key));
            home.digest.toggle(member.spelled);
            self.went(id, key, member.spelled);
        }
    }
}

#[cfg(test)]
#[path = "mesh_tests.rs"]
mod tests;

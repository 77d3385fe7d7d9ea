//! Who is present, who was, and with which key.
//!
//! The list of a server is a claim about who is there, never about who somebody is: a member *is* its
//! key. Who left is remembered for a while, because its last letters may still be under way.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use crate::{
    client::event::Present,
    crypto::{
        fingerprint,
        keys::PublicKey,
        signature::{Salt, Verifier},
    },
    dialect::olaf::accent::Form,
    domain::id::KeyId,
};

/// Members that are believed to be present at once; the rest of a longer list is not read.
const MOST_PRESENT: usize = 50_000;
/// How many of those who left are remembered.
const MOST_GONE: usize = 1_024;
/// Claims whose owner is remembered.
const MOST_CLAIMS: usize = 4_096;

/// Everybody we know.
#[derive(Debug, Default)]
pub(super) struct Directory {
    members: BTreeMap<KeyId, Known>,
    gone: VecDeque<KeyId>,
    /// Whose key a text is: parsing is the most expensive part of a list.
    texts: HashMap<Arc<str>, KeyId>,
    claims: HashMap<String, KeyId>,
}

/// One key, and how its owner signs.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) key: PublicKey,
    received: Arc<str>,
    /// Empty for somebody who left.
    pub(super) homes: Vec<String>,
    /// Made when it is first needed: most members of a large house never write to us.
    verifier: Option<Verifier>,
    pub(super) form: Option<Form>,
    pub(super) salt: Option<Salt>,
    pub(super) counter: Option<u64>,
}

/// What a new list changed.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) joined: Vec<KeyId>,
    pub(super) left: Vec<KeyId>,
}

impl Directory {
    /// Takes in a whole list: each home with the keys of its members, as they were written.
    pub(super) fn update<'a>(&mut self, list: impl Iterator<Item = (&'a str, &'a str)>) -> Change {
        let mut present: BTreeMap<KeyId, Vec<String>> = BTreeMap::new();
        for (home, text) in list.take(MOST_PRESENT) {
            let Some(id) = self.read(text) else { continue };
            let homes = present.entry(id).or_default();
            if !homes.iter().any(|known| known == home) {
                homes.push(home.to_owned());
            }
        }
        let mut change = Change::default();
        for (id, known) in &mut self.members {
            let homes = present.remove(id).unwrap_or_default();
            match (known.homes.is_empty(), homes.is_empty()) {
                (true, false) => change.joined.push(*id),
                (false, true) => {
                    change.left.push(*id);
                    // Whoever comes again counts from the beginning.
                    known.counter = None;
                }
                _ => {}
            }
            known.homes = homes;
        }
        self.forget(&change);
        change
    }

    /// The key a text spells, known from now on.
    fn read(&mut self, text: &str) -> Option<KeyId> {
        if let Some(id) = self.texts.get(text) {
            return Some(*id);
        }
        let key = PublicKey::read(text).ok()?;
        let id = key.id();
        let received: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&received), id);
        self.members.entry(id).or_insert_with(|| Known {
            key,
            received,
            homes: Vec::new(),
            verifier: None,
            form: None,
            salt: None,
            counter: None,
        });
        Some(id)
    }

    fn forget(&mut self, change: &Change) {
        self.gone.retain(|id| !change.joined.contains(id));
        self.gone.extend(&change.left);
        while self.gone.len() > MOST_GONE {
            if let Some(id) = self.gone.pop_front() {
                self.members.remove(&id);
            }
        }
        let members = &self.members;
        self.texts.retain(|_, id| members.contains_key(id));
        self.claims.clear();
    }

    /// Counters begin again with every connection of ours.
    pub(super) fn forget_counters(&mut self) {
        for known in self.members.values_mut() {
            known.counter = None;
        }
    }

    pub(super) fn present(&self) -> Arc<[Present]> {
        let is_here = |(_, known): &(&KeyId, &Known)| !known.homes.is_empty();
        self.members
            .iter()
            .filter(is_here)
            .map(|(id, known)| Present { id: (*id).into(), homes: known.homes.clone(), label: None })
            .collect()
    }

    pub(super) fn get(&self, id: KeyId) -> Option<&Known> {
        self.members.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: KeyId) -> Option<&mut Known> {
        self.members.get_mut(&id)
    }

    /// Whose fingerprint this is, in whatever form.
    pub(super) fn recognise(&mut self, claim: &str) -> Option<KeyId> {
        if let Some(id) = self.claims.get(claim) {
            return Some(*id);
        }
        let owner =
            |known: &Known| fingerprint::recognise(claim, &known.key, &known.received, None).is_some();
        let id = self.members.iter().find(|(_, known)| owner(known)).map(|(id, _)| *id)?;
        if self.claims.len() < MOST_CLAIMS {
            self.claims.insert(claim.to_owned(), id);
        }
        Some(id)
    }
}

impl Known {
    /// Whether one of these texts was signed with this key; remembers how.
    pub(super) fn has_signed(&mut self, candidates: Vec<(Form, Vec<u8>)>, signature: &[u8]) -> bool {
        if self.verifier.is_none() {
            self.verifier = Verifier::new(&self.key).ok();
        }
        let Some(verifier) = &self.verifier else { return false };
        let (forms, texts): (Vec<_>, Vec<_>) = candidates.into_iter().unzip();
        let question =
            crate::crypto::signature::Question { texts, signature: signature.to_vec(), salt: self.salt };
        let Some((at, salt)) = verifier.judge(&question) else { return false };
        self.form = forms.get(at).copied();
        self.salt = Some(salt);
        true
    }
}

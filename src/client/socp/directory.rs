//! Who is here, and with which key they first came.
//!
//! A server says who is here and with which key; the first key counts, whoever brought it. **Invariant:** a
//! key that is known is never replaced by anything but the member's own word.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    client::{event::Present, person::PersonId},
    crypto::{
        fingerprint,
        keys::PublicKey,
        signature::{Question, Salt, Verifier},
    },
    dialect::socp::key::{self, Spelling},
};

/// People that are remembered at once; the rest of a longer list is not read.
const MOST_KNOWN: usize = 65_536;
/// Letters of a name that somebody gave themselves.
const LONGEST_LABEL: usize = 40;

/// Everybody we know.
#[derive(Debug, Default)]
pub(super) struct Directory {
    people: BTreeMap<PersonId, Known>,
}

#[derive(Debug, Default)]
struct Known {
    place: Place,
    label: Option<String>,
    key: Option<Key>,
    /// Another key that they have come with.
    offered: Option<PublicKey>,
}

/// Where somebody is.
#[derive(Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Away,
    /// On a list; whoever is not on the next one is gone.
    Listed,
    /// At this server, until it is said that they have left it.
    At(String),
}

/// A key, and how its owner signs.
#[derive(Debug)]
struct Key {
    public: PublicKey,
    /// Made when it is first needed.
    verifier: Option<Verifier>,
    salt: Option<Salt>,
}

/// What a key meant that somebody came with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// It is none.
    Bad,
    /// It is the known one.
    Known,
    /// It is the first one; this is how it is written down.
    First(String),
    /// It is another one than the known one, and has not come before.
    Changed {
        /// The fingerprint of the known one.
        known: String,
        /// That of the other.
        offered: String,
    },
    /// It is another one, which has come before.
    StillChanged,
}

impl Directory {
    /// A directory of people whose keys were met before.
    pub(super) fn new(keys: &BTreeMap<PersonId, String>) -> Self {
        let mut directory = Self::default();
        for (person, text) in keys {
            directory.offer(person, text);
        }
        directory
    }

    fn known(&mut self, person: &PersonId) -> Option<&mut Known> {
        if !self.people.contains_key(person) && self.people.len() >= MOST_KNOWN {
            return None;
        }
        Some(self.people.entry(person.clone()).or_default())
    }

    /// Somebody is at a server.
    pub(super) fn arrive(&mut self, person: &PersonId, server: &str, label: Option<&str>) {
        let Some(known) = self.known(person) else { return };
        known.place = Place::At(server.to_owned());
        known.label = label
            .map(|label| label.trim().chars().filter(|letter| !letter.is_control()).take(LONGEST_LABEL))
            .map(String::from_iter)
            .filter(|label| !label.is_empty());
    }

    /// Somebody has left a server, if they were there.
    pub(super) fn leave(&mut self, person: &PersonId, server: &str) {
        let Some(known) = self.people.get_mut(person) else { return };
        let is_elsewhere = matches!(&known.place, Place::At(at) if at != server && !server.is_empty());
        if !is_elsewhere {
            known.place = Place::Away;
        }
    }

    /// Takes in a whole list.
    pub(super) fn list<'a>(&mut self, people: impl Iterator<Item = &'a PersonId>) {
        for known in self.people.values_mut().filter(|known| known.place == Place::Listed) {
            known.place = Place::Away;
        }
        for person in people {
            if let Some(known) = self.known(person)
                && known.place == Place::Away
            {
                known.place = Place::Listed;
            }
        }
    }

    /// Nobody is known to be here any more.
    pub(super) fn clear(&mut self) {
        self.people.values_mut().for_each(|known| known.place = Place::Away);
    }

    pub(super) fn is_here(&self, person: &PersonId) -> bool {
        self.people.get(person).is_some_and(|known| known.place != Place::Away)
    }

    /// Everybody who is here, in the order of their names.
    pub(super) fn present(&self) -> Arc<[Present]> {
        let here = self.people.iter().filter(|(_, known)| known.place != Place::Away);
        here.map(|(id, known)| {
            let homes = match &known.place {
                Place::At(server) if !server.is_empty() => vec![server.clone()],
                _ => Vec::new(),
            };
            Present { id: id.clone(), homes, label: known.label.clone() }
        })
        .collect()
    }

    /// Those who are here and whose keys are not known.
    pub(super) fn without_key(&self) -> impl Iterator<Item = &PersonId> {
        let wanted = |known: &Known| known.place != Place::Away && known.key.is_none();
        self.people.iter().filter(move |(_, known)| wanted(known)).map(|(person, _)| person)
    }

    /// The key to seal with, if it is known and undisputed.
    pub(super) fn key(&self, person: &PersonId) -> Option<&PublicKey> {
        self.people.get(person)?.key.as_ref().map(|key| &key.public)
    }

    /// Whether somebody has come with another key than the known one.
    pub(super) fn is_disputed(&self, person: &PersonId) -> bool {
        self.people.get(person).is_some_and(|known| known.offered.is_some())
    }

    /// Somebody comes with a key, or is said to have it.
    pub(super) fn offer(&mut self, person: &PersonId, text: &str) -> Offer {
        let Ok((public, _)) = key::read(text) else { return Offer::Bad };
        let Some(known) = self.known(person) else { return Offer::Bad };
        let Some(first) = &known.key else {
            let text = key::write(&public, Spelling::default());
            known.key = Some(Key { public, verifier: None, salt: None });
            return Offer::First(text);
        };
        if first.public == public {
            known.offered = None;
            return Offer::Known;
        }
        if known.offered.as_ref() == Some(&public) {
            return Offer::StillChanged;
        }
        let (known_print, offered) = (print(&first.public), print(&public));
        known.offered = Some(public);
        Offer::Changed { known: known_print, offered }
    }

    /// The member believes the other key; says how it is written down.
    pub(super) fn trust(&mut self, person: &PersonId) -> Option<String> {
        let known = self.people.get_mut(person)?;
        let public = known.offered.take()?;
        let text = key::write(&public, Spelling::default());
        known.key = Some(Key { public, verifier: None, salt: None });
        Some(text)
    }

    /// Which of these texts was signed with the known key of this person.
    pub(super) fn verify(
        &mut self,
        person: &PersonId,
        texts: Vec<Vec<u8>>,
        signature: Vec<u8>,
    ) -> Option<usize> {
        let key = self.people.get_mut(person)?.key.as_mut()?;
        if key.verifier.is_none() {
            key.verifier = Verifier::new(&key.public).ok();
        }
        let question = Question { texts, signature, salt: key.salt };
        let (at, salt) = key.verifier.as_ref()?.judge(&question)?;
        key.salt = Some(salt);
        Some(at)
    }
}

/// What people can compare.
pub(super) fn print(key: &PublicKey) -> String {
    fingerprint::OFFICIAL.of(key, &key.canonical_pem())
}

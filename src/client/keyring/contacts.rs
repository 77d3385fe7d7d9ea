//! The address book: who was met, what they are called here, and which keys they had.
//!
//! In a dialect in which a person is a key there is nothing to remember but names. Where people have ids of
//! their own choice, the first key that somebody came with is kept, and stays until the member says otherwise.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    KeyringError, VERSION,
    file::{read, unreadable, write_beside},
};
use crate::client::person::PersonId;

/// People worth remembering. Beyond it newcomers are not written down; names always are.
const MOST_MET: usize = 10_000;
/// The fewest letters of a fingerprint or user id by which somebody can be meant.
pub const SHORTEST_PREFIX: usize = 4;
/// The longest nickname, in letters.
const LONGEST_NAME: usize = 32;
/// Where a UUID has its dashes.
const DASHES: [usize; 4] = [8, 13, 18, 23];

/// Why somebody cannot be called that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, too long, or with letters that would confuse the commands.
    #[error("a nickname has 1 to 32 letters, digits, dots, dashes or underscores")]
    Unsuitable,
    /// It could be meant as the beginning of a fingerprint or of a user id.
    #[error("that nickname looks like the beginning of a fingerprint or of a user id")]
    LooksLikeKey,
    /// It has a meaning of its own.
    #[error("that word has a meaning of its own here")]
    Reserved,
    /// Somebody else has it.
    #[error("somebody else has that nickname already")]
    Taken,
}

/// Words that commands understand as something else than a person.
const RESERVED: [&str; 4] = ["all", "everyone", "public", "you"];

/// The people that a member knows.
#[derive(Debug)]
pub struct Contacts {
    /// The file; none, if nobody here can be known again.
    path: Option<PathBuf>,
    /// Everybody who was met, with the nickname that was given.
    members: BTreeMap<PersonId, Option<String>>,
    keys: BTreeMap<PersonId, String>,
}

#[derive(Serialize, Deserialize)]
struct ContactsFile {
    version: u32,
    /// Everybody who was met, with the nickname that was given.
    members: BTreeMap<String, Option<String>>,
    /// The keys of those who are not keys themselves.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    keys: BTreeMap<String, String>,
}

impl Contacts {
    pub(super) fn open(path: PathBuf) -> Result<Self, KeyringError> {
        let mut contacts = Self { path: Some(path), ..Self::unwritten() };
        contacts.reload()?;
        Ok(contacts)
    }

    /// An address book that is never written down.
    #[must_use]
    pub const fn unwritten() -> Self {
        Self { path: None, members: BTreeMap::new(), keys: BTreeMap::new() }
    }

    /// The nickname of somebody.
    #[must_use]
    pub fn name(&self, person: &PersonId) -> Option<&str> {
        self.members.get(person)?.as_deref()
    }

    /// Who has a nickname, in whatever case it is written.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&PersonId> {
        let same = |known: &String| known.to_lowercase() == name.to_lowercase();
        let mut all = self.members.iter();
        all.find(|(_, known)| known.as_ref().is_some_and(same)).map(|(person, _)| person)
    }

    pub(super) fn knows(&self, person: &PersonId) -> bool {
        self.members.contains_key(person)
    }

    /// Whether at most one of those who were met has a name that begins so.
    #[must_use]
    pub fn is_unique(&self, prefix: &str) -> bool {
        let from = self.members.range(PersonId::new(prefix)..);
        from.take_while(|(person, _)| person.as_str().starts_with(prefix)).take(2).count() < 2
    }

    pub(super) const fn keys(&self) -> &BTreeMap<PersonId, String> {
        &self.keys
    }

    /// Gives somebody a nickname. A person has one, and a nickname means one person.
    ///
    /// # Errors
    /// The nickname is unsuitable or taken (the inner result), or the file cannot be written.
    pub fn rename(&mut self, person: &PersonId, name: &str) -> Result<Result<(), NameError>, KeyringError> {
        if let Err(error) = suitable(name) {
            return Ok(Err(error));
        }
        self.reload()?;
        if self.named(name).is_some_and(|other| other != person) {
            return Ok(Err(NameError::Taken));
        }
        self.members.insert(person.clone(), Some(name.to_owned()));
        self.write().map(Ok)
    }

    /// Remembers people that were met; says which of them are new.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn meet(&mut self, people: &[PersonId]) -> Result<Vec<PersonId>, KeyringError> {
        let new: Vec<_> = people.iter().filter(|person| !self.knows(person)).cloned().collect();
        if new.is_empty() {
            return Ok(new);
        }
        self.reload()?;
        for person in &new {
            self.note(person);
        }
        self.write()?;
        Ok(new)
    }

    /// Remembers keys, in the place of those that were known.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep(&mut self, keys: &[(PersonId, String)]) -> Result<(), KeyringError> {
        self.reload()?;
        for (person, key) in keys {
            self.note(person);
            if self.knows(person) {
                self.keys.insert(person.clone(), key.clone());
            }
        }
        self.write()
    }

    /// The key that somebody was first met with.
    #[must_use]
    pub fn key(&self, person: &PersonId) -> Option<&str> {
        self.keys.get(person).map(String::as_str)
    }

    /// Forgets the key of somebody. Says whether there was one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn forget(&mut self, person: &PersonId) -> Result<bool, KeyringError> {
        self.reload()?;
        let was_known = self.keys.remove(person).is_some();
        if was_known {
            self.write()?;
        }
        Ok(was_known)
    }

    fn note(&mut self, person: &PersonId) {
        if self.members.len() < MOST_MET {
            self.members.entry(person.clone()).or_default();
        }
    }

    /// Takes in what is in the file: another window may have written in the meantime.
    fn reload(&mut self) -> Result<(), KeyringError> {
        let Some(path) = &self.path else { return Ok(()) };
        let Some(text) = read(path, None)? else { return Ok(()) };
        let file: ContactsFile = serde_json::from_str(&text).map_err(|error| unreadable(path, &error))?;
        self.members.extend(file.members.into_iter().map(|(id, name)| (PersonId::new(&id), name)));
        self.keys.extend(file.keys.into_iter().map(|(id, key)| (PersonId::new(&id), key)));
        Ok(())
    }

    fn write(&self) -> Result<(), KeyringError> {
        let Some(path) = &self.path else { return Ok(()) };
        let text = |person: &PersonId| person.as_str().to_owned();
        let members = self.members.iter().map(|(person, name)| (text(person), name.clone())).collect();
        let keys = self.keys.iter().map(|(person, key)| (text(person), key.clone())).collect();
        let file = ContactsFile { version: VERSION, members, keys };
        let text = serde_json::to_vec_pretty(&file).map_err(|error| unreadable(path, &error))?;
        replace(path, &text)
    }
}

fn replace(path: &Path, text: &[u8]) -> Result<(), KeyringError> {
    let temporary = write_beside(path, text)?;
    fs::rename(&temporary, path).map_err(|error| {
        let _ = fs::remove_file(&temporary);
        KeyringError::File { path: path.to_owned(), error }
    })
}

/// Whether this can be meant as the beginning of a fingerprint or of a UUID.
#[must_use]
pub fn is_prefix(name: &str) -> bool {
    let is_dash = |at: usize, byte: u8| byte == b'-' && DASHES.contains(&at);
    let mut bytes = name.bytes().enumerate();
    name.len() >= SHORTEST_PREFIX && bytes.all(|(at, byte)| byte.is_ascii_hexdigit() || is_dash(at, byte))
}

fn suitable(name: &str) -> Result<(), NameError> {
    let fits = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
    if name.is_empty() || name.chars().count() > LONGEST_NAME || !name.chars().all(fits) {
        return Err(NameError::Unsuitable);
    }
    if is_prefix(name) {
        return Err(NameError::LooksLikeKey);
    }
    if RESERVED.contains(&name.to_lowercase().as_str()) { Err(NameError::Reserved) } else { Ok(()) }
}

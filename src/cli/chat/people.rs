//! Who is meant: from what people type to persons, and from persons to what people read.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    client::{
        event::{Author, Present},
        keyring::{Contacts, is_prefix},
        person::PersonId,
    },
    domain::id::KeyId,
};

/// Who is here, and what they are called.
#[derive(Debug)]
pub(super) struct People {
    pub(super) me: PersonId,
    my_name: String,
    pub(super) present: Arc<[Present]>,
    /// Who else is in the member's room, where that is not the same as who is here.
    pub(super) guests: Option<BTreeSet<PersonId>>,
}

impl People {
    pub(super) fn new(me: PersonId, my_name: String) -> Self {
        Self { me, my_name, present: Arc::new([]), guests: None }
    }

    /// What to call somebody on the screen. Whoever could be taken for somebody else is called in full.
    pub(super) fn name(&self, contacts: &Contacts, person: &PersonId) -> String {
        if *person == self.me {
            return self.my_name.clone();
        }
        if let Some(name) = contacts.name(person) {
            return name.to_owned();
        }
        let short = person.short();
        if person.is_nick() {
            return short;
        }
        if contacts.is_unique(&short) { short } else { person.listed() }
    }

    /// What to call whoever has this id among all members of all dialects.
    pub(super) fn member(&self, contacts: &Contacts, id: KeyId) -> String {
        let guests = self.guests.iter().flatten();
        let known = self.present.iter().map(|present| &present.id).chain(guests).chain([&self.me]);
        let person = known.into_iter().find(|person| person.is_member(id));
        person.map_or_else(|| self.name(contacts, &id.into()), |person| self.name(contacts, person))
    }

    pub(super) fn names(&self, contacts: &Contacts, people: &[PersonId]) -> String {
        people.iter().map(|person| self.name(contacts, person)).collect::<Vec<_>>().join(", ")
    }

    /// What to call somebody a letter names. A claim that fits nobody is shown as the claim it is.
    pub(super) fn author(&self, contacts: &Contacts, author: &Author) -> String {
        match author {
            Author::Known(id) => self.name(contacts, id),
            Author::Unknown(claim) => format!("{}?", claim.chars().take(12).collect::<String>()),
        }
    }

    fn is_here(&self, person: &PersonId) -> bool {
        self.present.iter().any(|present| present.id == *person)
    }

    pub(super) fn others(&self) -> impl Iterator<Item = &PersonId> {
        self.present.iter().map(|present| &present.id).filter(|id| **id != self.me)
    }

    /// The people that are meant by names with commas between them, who are here unless they may be away.
    pub(super) fn find_all(
        &self,
        contacts: &Contacts,
        who: &str,
        may_be_away: bool,
    ) -> Result<Vec<PersonId>, String> {
        let mut found = Vec::new();
        for name in who.split(',').filter(|name| !name.is_empty()) {
            let id = self.find(contacts, name)?;
            if id == self.me {
                return Err(format!("{name} is you"));
            }
            if !may_be_away && !self.is_here(&id) {
                return Err(format!("{name} is not here"));
            }
            if !found.contains(&id) {
                found.push(id);
            }
        }
        if found.is_empty() { Err("say who is meant".to_owned()) } else { Ok(found) }
    }

    /// The person that is meant: by nickname, by id, by the beginning of one, or by the name that they gave
    /// themselves. Whoever has a nickname need not be here.
    pub(super) fn find(&self, contacts: &Contacts, name: &str) -> Result<PersonId, String> {
        if let Some(person) = contacts.named(name) {
            return Ok(person.clone());
        }
        let own = name.strip_prefix('~').unwrap_or(name);
        if let Some(exact) = self.present.iter().find(|present| present.id.as_str() == own) {
            return Ok(exact.id.clone());
        }
        if self.me.is_nick() {
            return Err(format!("nobody here is called {name}"));
        }
        let wanted = name.to_ascii_lowercase();
        let is_meant = |present: &&Present| match &present.label {
            _ if is_prefix(name) => present.id.as_str().to_ascii_lowercase().starts_with(&wanted),
            Some(label) => label.to_lowercase() == own.to_lowercase(),
            None => false,
        };
        let meant: Vec<_> = self.present.iter().filter(is_meant).map(|present| &present.id).collect();
        match meant.as_slice() {
            [] if is_prefix(name) => {
                Err(format!("nobody here has {} that begins with {name}", self.id_word()))
            }
            [] => Err(format!("nobody is known as {name}")),
            [id] => Ok((*id).clone()),
            several => {
                let names: Vec<_> = several.iter().map(|id| id.listed()).collect();
                Err(format!("{name} could be any of {}", names.join(", ")))
            }
        }
    }

    fn id_word(&self) -> &'static str {
        if self.me.key().is_some() { "a fingerprint" } else { "a user id" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::KeyId;

    #[test]
    fn people_are_found_by_name_and_by_the_beginning_of_their_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keyring.json");
        let mut contacts = crate::client::keyring::Keyring::open(&path).expect("a keyring").into_contacts();
        let mut near = [0xab; 32];
        near[3] = 0;
        let [me, anna, twin, away] =
            [[1; 32], [0xab; 32], near, [3; 32]].map(|bytes| PersonId::from(KeyId(bytes)));
        let mut people = People::new(me.clone(), "you".into());
        let present = |id: &PersonId| Present { id: id.clone(), homes: vec!["home".into()], label: None };
        people.present = [&me, &anna, &twin].map(present).into();
        let _ = contacts.rename(&anna, "Anna").expect("written");
        let _ = contacts.rename(&away, "Ben").expect("written");

        assert_eq!(people.find_all(&contacts, "anna,ABABABAB,anna", false), Ok(vec![anna.clone()]));
        assert_eq!(people.find_all(&contacts, "ababab00,anna", false), Ok(vec![twin.clone(), anna.clone()]));
        for (who, words) in [
            ("ababab", "ababab could be any of abababababab, ababab00abab"),
            ("ben", "ben is not here"),
            ("aba", "nobody is known as aba"),
            ("ffff", "nobody here has a fingerprint that begins with ffff"),
            ("0101", "0101 is you"),
            (",", "say who is meant"),
        ] {
            assert_eq!(people.find_all(&contacts, who, false), Err(words.to_owned()), "{who}");
        }
        assert_eq!(people.find_all(&contacts, "ben", true), Ok(vec![away]));
        assert_eq!(people.names(&contacts, &[me, anna, twin]), "you, Anna, ababab00abab");
    }
}

//! Who is meant: from what people type to keys, and from keys to what people read.

use std::sync::Arc;

use crate::{
    client::{
        keyring::{Keyring, SHORTEST_PREFIX},
        olaf::{Author, Present},
    },
    domain::id::KeyId,
};

/// Who is here, and what they are called.
#[derive(Debug)]
pub(super) struct People {
    pub(super) me: KeyId,
    my_name: String,
    pub(super) present: Arc<[Present]>,
}

impl People {
    pub(super) fn new(me: KeyId, my_name: String) -> Self {
        Self { me, my_name, present: Arc::new([]) }
    }

    /// What to call a key on the screen.
    pub(super) fn name(&self, keyring: &Keyring, id: KeyId) -> String {
        if id == self.me {
            return self.my_name.clone();
        }
        keyring.name(id).map_or_else(|| id.short(), ToOwned::to_owned)
    }

    pub(super) fn names(&self, keyring: &Keyring, ids: &[KeyId]) -> String {
        ids.iter().map(|id| self.name(keyring, *id)).collect::<Vec<_>>().join(", ")
    }

    /// What to call somebody a letter names. A claim that fits nobody is shown as the claim it is.
    pub(super) fn author(&self, keyring: &Keyring, author: &Author) -> String {
        match author {
            Author::Known(id) => self.name(keyring, *id),
            Author::Unknown(claim) => format!("{}?", claim.chars().take(12).collect::<String>()),
        }
    }

    fn is_here(&self, id: KeyId) -> bool {
        self.present.iter().any(|present| present.id == id)
    }

    pub(super) fn others(&self) -> impl Iterator<Item = KeyId> {
        self.present.iter().map(|present| present.id).filter(|id| *id != self.me)
    }

    /// The people that are meant by names with commas between them.
    pub(super) fn find_all(&self, keyring: &Keyring, who: &str) -> Result<Vec<KeyId>, String> {
        let mut found = Vec::new();
        for name in who.split(',').filter(|name| !name.is_empty()) {
            let id = self.find(keyring, name)?;
            if id == self.me {
                return Err(format!("{name} is you"));
            }
            if !self.is_here(id) {
                return Err(format!("{name} is not here"));
            }
            if !found.contains(&id) {
                found.push(id);
            }
        }
        if found.is_empty() { Err("say who is meant".to_owned()) } else { Ok(found) }
    }

    /// The person that is meant. Whoever has a nickname need not be here.
    pub(super) fn find(&self, keyring: &Keyring, name: &str) -> Result<KeyId, String> {
        if let Some(id) = keyring.named(name) {
            return Ok(id);
        }
        let prefix = name.to_ascii_lowercase();
        let is_prefix =
            prefix.len() >= SHORTEST_PREFIX && prefix.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !is_prefix {
            return Err(format!("nobody is known as {name}"));
        }
        let ids = self.present.iter().map(|present| present.id);
        let meant: Vec<_> = ids.filter(|id| id.hex().starts_with(&prefix)).collect();
        match meant.as_slice() {
            [] => Err(format!("nobody here has a fingerprint that begins with {name}")),
            [id] => Ok(*id),
            several => {
                let shorts: Vec<_> = several.iter().map(|id| id.short()).collect();
                Err(format!("{name} could be any of {}", shorts.join(", ")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_found_by_name_and_by_the_beginning_of_their_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut keyring = Keyring::open(&folder.path().join("keyring.json")).expect("a keyring");
        let mut near = [0xab; 32];
        near[3] = 0;
        let [me, anna, twin, away] = [KeyId([1; 32]), KeyId([0xab; 32]), KeyId(near), KeyId([3; 32])];
        let mut people = People::new(me, "you".into());
        let present = |id| Present { id, homes: vec!["home".into()] };
        people.present = [me, anna, twin].map(present).into();
        let _ = keyring.rename(anna, "Anna").expect("written");
        let _ = keyring.rename(away, "Ben").expect("written");

        assert_eq!(people.find_all(&keyring, "anna,ABABABAB,anna"), Ok(vec![anna]));
        assert_eq!(people.find_all(&keyring, "ababab00,anna"), Ok(vec![twin, anna]));
        for (who, words) in [
            ("ababab", "ababab could be any of abababababab, ababab00abab"),
            ("ben", "ben is not here"),
            ("aba", "nobody is known as aba"),
            ("ffff", "nobody here has a fingerprint that begins with ffff"),
            ("0101", "0101 is you"),
            (",", "say who is meant"),
        ] {
            assert_eq!(people.find_all(&keyring, who), Err(words.to_owned()), "{who}");
        }
        assert_eq!(people.names(&keyring, &[me, anna, twin]), "you, Anna, ababab00abab");
    }
}

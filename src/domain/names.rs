//! Whose name it is: the key that came with a name first is the one that may use it.
//!
//! Names are chosen by their bearers, so the first key is believed and every other one refused, here and from
//! neighbours alike. **Invariants:** a name never changes its key by itself; once its key has signed for it,
//! nobody comes in under it without a signature; memory is bounded, and a full book forgets nobody.

use std::collections::{HashMap, HashSet};

use super::{id::KeyId, refusal::Refusal};

/// What is known about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The fingerprint of the key that came with it first.
    pub key: KeyId,
    /// Whether that key has ever signed for it.
    pub proven: bool,
}

/// What becomes of a name in a neighbour's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// It was not known, and is from now on.
    New,
    /// Nothing new.
    Known,
    /// It is another key's.
    Refused,
}

/// All names that are known, by their digests.
#[derive(Debug)]
pub struct Names {
    bearers: HashMap<KeyId, Bearer>,
    most: usize,
}

impl Names {
    /// Room for so many names.
    #[must_use]
    pub fn new(most: u32) -> Self {
        Self { bearers: HashMap::new(), most: usize::try_from(most).unwrap_or(usize::MAX) }
    }

    /// Puts back what was remembered.
    pub fn restore(&mut self, names: impl IntoIterator<Item = (KeyId, Bearer)>) {
        let room = self.most.saturating_sub(self.bearers.len());
        self.bearers.extend(names.into_iter().take(room));
    }

    /// Somebody comes under a name with a key, and has signed for it or not.
    ///
    /// # Errors
    /// The name is another key's, or its key was proven before and is not now.
    pub fn bear(&mut self, name: KeyId, bearer: Bearer) -> Result<(), Refusal> {
        match self.bearers.get_mut(&name) {
            Some(known) if known.key != bearer.key => Err(Refusal::WrongKey),
            Some(known) if known.proven && !bearer.proven => Err(Refusal::Unproven),
            Some(known) => {
                known.proven = bearer.proven;
                Ok(())
            }
            None => {
                if self.bearers.len() < self.most {
                    self.bearers.insert(name, bearer);
                }
                Ok(())
            }
        }
    }

    /// A neighbour lists somebody under a name with a key: it answers for its members, but not for the keys
    /// of names that we know.
    pub fn list(&mut self, name: KeyId, key: KeyId) -> Claimed {
        match self.bearers.get(&name) {
            Some(known) if known.key == key => Claimed::Known,
            Some(_) => Claimed::Refused,
            // What neighbours tell fills half of the book; the rest is for those who come here.
            None if self.bearers.len() < self.most / 2 => {
                self.bearers.insert(name, Bearer { key, proven: false });
                Claimed::New
            }
            None => Claimed::Known,
        }
    }

    /// The names that are held by one of these keys.
    pub fn borne_by(&self, keys: &HashSet<KeyId>) -> impl Iterator<Item = KeyId> {
        self.bearers.iter().filter(|(_, bearer)| keys.contains(&bearer.key)).map(|(name, _)| *name)
    }

    /// What is known about a name.
    #[must_use]
    pub fn bearer(&self, name: KeyId) -> Option<Bearer> {
        self.bearers.get(&name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: KeyId = KeyId([1; 32]);

    const fn bearer(key: u8, proven: bool) -> Bearer {
        Bearer { key: KeyId([key; 32]), proven }
    }

    #[test]
    fn the_first_key_keeps_the_name_and_must_sign_once_it_has_signed() {
        let mut names = Names::new(8);
        assert_eq!(names.bear(NAME, bearer(1, false)), Ok(()));
        assert_eq!(names.bear(NAME, bearer(2, true)), Err(Refusal::WrongKey), "signed or not");
        assert_eq!(names.list(NAME, KeyId([2; 32])), Claimed::Refused, "nor from a neighbour");
        assert_eq!(names.bear(NAME, bearer(1, true)), Ok(()));
        assert_eq!(names.bear(NAME, bearer(1, false)), Err(Refusal::Unproven));
        assert_eq!(names.list(NAME, KeyId([1; 32])), Claimed::Known);
        assert_eq!(names.list(KeyId([9; 32]), KeyId([2; 32])), Claimed::New);
        assert_eq!(names.list(KeyId([9; 32]), KeyId([3; 32])), Claimed::Refused);
    }

    #[test]
    fn a_full_book_forgets_nobody_and_grows_no_more() {
        let mut names = Names::new(1);
        assert_eq!(names.bear(NAME, bearer(1, true)), Ok(()));
        for other in 2..10 {
            assert_eq!(names.bear(KeyId([other; 32]), bearer(other, true)), Ok(()));
        }
        assert_eq!(names.bearer(NAME), Some(bearer(1, true)));
        assert_eq!(names.bearers.len(), 1);
    }
}

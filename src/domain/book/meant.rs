//! Which neighbour an operator means by a word in the settings.

use super::{Book, Entry};
use crate::domain::{
    address::Address,
    id::{HomeId, KeyId},
    peer::Source,
};

impl Book {
    /// The neighbour that a fingerprint, an address or a name means. Addresses and names count for neighbours
    /// alone that an operator has chosen, because anybody else could call itself so, and a word that means
    /// two of them means none.
    #[must_use]
    pub fn meant(&self, word: &str) -> Option<HomeId> {
        let key = KeyId::from_hex(word);
        let is_meant = |entry: &Entry| match key {
            Some(key) => entry.expected() == Some(key),
            None => entry.was_chosen() && entry.is_called(word),
        };
        let mut found = self.entries().filter(|(_, entry)| !entry.removed && is_meant(entry));
        match (found.next(), found.next()) {
            (Some((home, _)), None) => Some(home),
            _ => None,
        }
    }
}

impl Entry {
    fn was_chosen(&self) -> bool {
        matches!(self.source, Source::Settings | Source::Api)
    }

    fn is_called(&self, word: &str) -> bool {
        let own = self.address.as_ref().filter(|_| self.address_is_set);
        let address = Address::new(word);
        let is_address = own.into_iter().chain(&self.url).any(|spelling| Address::new(spelling) == address);
        is_address || self.name.as_deref() == Some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{book::Policy, id::PeerId};

    #[test]
    fn a_word_means_one_neighbour_that_was_chosen_or_none() {
        let policy = Policy { anyone: true, legacy: false, most: 8 };
        let mut book = Book::new(KeyId([0; 32]), Vec::new(), policy);
        let mut add = |number: u8, name: &str, source| {
            let entry = Entry {
                url: Some(format!("ws://10.0.0.{number}:80")),
                name: Some(name.to_owned()),
                seen: Some(KeyId([number; 32])),
                source,
                ..Entry::stranger(PeerId([number; 6]), 0)
            };
            book.add(entry).expect("a new neighbour")
        };
        let north = add(1, "north", Source::Settings);
        let stranger = add(2, "south", Source::Inbound);
        let (east, other) = (add(3, "east", Source::Api), add(4, "east", Source::Api));
        let key = |number: u8| KeyId([number; 32]).hex();
        for (word, meant) in [
            ("north", Some(north)),
            ("10.0.0.1:80", Some(north)),
            ("ws://10.0.0.3/", Some(east)),
            ("south", None),
            ("10.0.0.2:80", None),
            ("east", None),
            (key(2).as_str(), Some(stranger)),
            (key(4).as_str(), Some(other)),
            (key(5).as_str(), None),
        ] {
            assert_eq!(book.meant(word), meant, "{word}");
        }
    }
}

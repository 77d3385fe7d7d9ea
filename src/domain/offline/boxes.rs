//! Letters that name their recipient: a box for each.
//!
//! Its author was told that a letter is kept, so nothing is ever pushed out: who finds no room hears so at
//! once. One author has a share of a box and a share of the house, so that nobody is kept from writing by
//! somebody who writes much.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::{Kept, Rules, SHARE};
use crate::domain::id::KeyId;

/// There is no room for a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

#[derive(Debug, Default)]
struct Pile {
    letters: VecDeque<Kept>,
    bytes: u64,
}

/// All boxes.
#[derive(Debug)]
pub struct Boxes {
    rules: Rules,
    piles: BTreeMap<KeyId, Pile>,
    /// Bytes that wait, by their author.
    written: HashMap<KeyId, u64>,
    bytes: u64,
}

impl Boxes {
    /// No letters.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules, piles: BTreeMap::new(), written: HashMap::new(), bytes: 0 }
    }

    /// Bytes of all letters together.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether anything waits for a member.
    #[must_use]
    pub fn waits(&self, recipient: KeyId) -> bool {
        self.piles.contains_key(&recipient)
    }

    /// For whom something waits.
    pub fn recipients(&self) -> impl Iterator<Item = KeyId> {
        self.piles.keys().copied()
    }

    /// Keeps a letter behind all others of its recipient.
    ///
    /// # Errors
    /// There is no room for it; nothing has changed.
    pub fn put(&mut self, kept: Kept) -> Result<(), Full> {
        let recipient = kept.recipient.ok_or(Full)?;
        let (cost, rules) = (kept.cost(), self.rules);
        let pile = self.piles.get(&recipient);
        let waiting = pile.map_or(0, |pile| pile.letters.len());
        let bytes = pile.map_or(0, |pile| pile.bytes);
        let own = || pile.into_iter().flat_map(|pile| &pile.letters).filter(|own| own.author == kept.author);
        let share = usize::try_from(SHARE).map_or(0, |share| rules.letters / share).max(1);
        let own_bytes: u64 = own().map(Kept::cost).sum();
        let written = self.written.get(&kept.author).copied().unwrap_or_default();
        let fits = waiting < rules.letters
            && own().count() < share
            && bytes.saturating_add(cost) <= rules.bytes
            && own_bytes.saturating_add(cost) <= rules.bytes / SHARE
            && written.saturating_add(cost) <= rules.bytes
            && self.bytes.saturating_add(cost) <= rules.total;
        if !fits {
            return Err(Full);
        }
        *self.written.entry(kept.author).or_default() += cost;
        self.bytes += cost;
        let pile = self.piles.entry(recipient).or_default();
        pile.bytes += cost;
        pile.letters.push_back(kept);
        Ok(())
    }

    /// The letter that is to be handed over next.
    #[must_use]
    pub fn first(&self, recipient: KeyId) -> Option<&Kept> {
        self.piles.get(&recipient)?.letters.front()
    }

    /// Takes one letter out, wherever it lies.
    pub fn take(&mut self, recipient: KeyId, number: u64) -> Option<Kept> {
        let pile = self.piles.get_mut(&recipient)?;
        // The first one, most often.
        let place = pile.letters.iter().position(|kept| kept.number == number)?;
        let kept = pile.letters.remove(place)?;
        let cost = kept.cost();
        pile.bytes -= cost;
        self.bytes -= cost;
        if pile.letters.is_empty() {
            self.piles.remove(&recipient);
        }
        if let Some(written) = self.written.get_mut(&kept.author) {
            *written -= cost;
            if *written == 0 {
                self.written.remove(&kept.author);
            }
        }
        Some(kept)
    }

    /// Whether a letter still waits.
    #[must_use]
    pub fn holds(&self, recipient: KeyId, number: u64) -> bool {
        let pile = self.piles.get(&recipient);
        pile.is_some_and(|pile| pile.letters.iter().any(|kept| kept.number == number))
    }

    /// Takes out everything that waits for one member, and says what that was.
    pub fn clear(&mut self, recipient: KeyId) -> Vec<u64> {
        std::iter::from_fn(|| {
            let number = self.first(recipient)?.number;
            self.take(recipient, number)
        })
        .map(|kept| kept.number)
        .collect()
    }

    /// Takes out what was kept for long enough, and says what that was.
    pub fn expire(&mut self, now_ms: i64) -> Vec<u64> {
        let rules = self.rules;
        let recipients: Vec<KeyId> = self.recipients().collect();
        let mut gone = Vec::new();
        for recipient in recipients {
            // All of them: a clock that was set back may have put a later time in front of an earlier one.
            let letters = self.piles.get(&recipient).into_iter().flat_map(|pile| &pile.letters);
            let over = letters.filter(|kept| rules.is_over(kept.at_ms, now_ms));
            let over: Vec<u64> = over.map(|kept| kept.number).collect();
            gone.extend(over.into_iter().filter_map(|number| self.take(recipient, number)));
        }
        gone.into_iter().map(|kept| kept.number).collect()
    }
}

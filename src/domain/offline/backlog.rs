//! Letters that name a home: one log for all its members, and for each of them a mark up to where it has heard.
//!
//! Nobody is told whether such a letter is kept, and only its recipients can find out that it is theirs. So a
//! full log lets go of old letters, always of those of the author who fills most of it: a flood pushes out
//! nothing but itself. A member who is here hears what comes by itself, and what everybody has heard is not kept.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::{Kept, Rules};
use crate::domain::id::KeyId;

/// Up to where a member has heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Everything: it is here.
    All,
    /// Everything up to this letter, when it left, or when it could take no more.
    Through {
        /// The letter's number.
        number: u64,
        /// When it left, in Unix milliseconds.
        left_ms: i64,
    },
}

/// Letters of one author.
#[derive(Debug, Default)]
struct Share {
    numbers: VecDeque<u64>,
    bytes: u64,
}

/// The log and the marks.
#[derive(Debug)]
pub struct Backlog {
    rules: Rules,
    letters: BTreeMap<u64, Kept>,
    shares: HashMap<KeyId, Share>,
    /// Authors by the bytes that they fill.
    by_bytes: BTreeSet<(u64, KeyId)>,
    bytes: u64,
    marks: HashMap<KeyId, Heard>,
    away: usize,
}

impl Backlog {
    /// No letters, and nobody known.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            letters: BTreeMap::new(),
            shares: HashMap::new(),
            by_bytes: BTreeSet::new(),
            bytes: 0,
            marks: HashMap::new(),
            away: 0,
        }
    }

    /// Bytes of all letters together.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether somebody is away who will want to hear what comes now.
    #[must_use]
    pub const fn has_listeners(&self) -> bool {
        self.away > 0
    }

    /// The mark of a member.
    #[must_use]
    pub fn heard(&self, member: KeyId) -> Option<Heard> {
        self.marks.get(&member).copied()
    }

    /// Puts back a mark. Nobody is here any more: whoever was has heard all that was kept until then.
    pub fn restore_mark(&mut self, member: KeyId, heard: Heard, last: u64, now_ms: i64) {
        let away = Heard::Through { number: last, left_ms: now_ms };
        let heard = if heard == Heard::All { away } else { heard };
        if self.marks.len() < self.rules.members && self.marks.insert(member, heard).is_none() {
            self.away += 1;
        }
    }

    /// Keeps a letter, and says which others had to go.
    pub fn put(&mut self, kept: Kept) -> Vec<u64> {
        let (number, author, cost) = (kept.number, kept.author, kept.cost());
        if self.letters.insert(number, kept).is_none() {
            self.bytes += cost;
            self.weigh(author, |share| {
                share.bytes += cost;
                share.numbers.push_back(number);
            });
        }
        let mut gone = Vec::new();
        while self.bytes > self.rules.total
            && let Some((_, author)) = self.by_bytes.last().copied()
            && let Some(oldest) = self.shares.get(&author).and_then(|share| share.numbers.front().copied())
            && self.take(oldest).is_some()
        {
            gone.push(oldest);
        }
        gone
    }

    fn weigh(&mut self, author: KeyId, change: impl FnOnce(&mut Share)) {
        let share = self.shares.entry(author).or_default();
        self.by_bytes.remove(&(share.bytes, author));
        change(share);
        if share.numbers.is_empty() {
            self.shares.remove(&author);
        } else {
            self.by_bytes.insert((share.bytes, author));
        }
    }

    fn take(&mut self, number: u64) -> Option<Kept> {
        let kept = self.letters.remove(&number)?;
        let cost = kept.cost();
        self.bytes -= cost;
        self.weigh(kept.author, |share| {
            share.bytes -= cost;
            // They are in order, and nearly always the oldest goes first.
            if let Ok(at) = share.numbers.binary_search(&number) {
                share.numbers.remove(at);
            }
        });
        Some(kept)
    }

    /// Somebody is here again: what it has missed, the newest as far as the bounds allow, in order. Whoever is
    /// not known has missed nothing.
    ///
    /// The last value says who had to be forgotten to remember this one.
    pub fn came(&mut self, member: KeyId, now_ms: i64) -> (Vec<Kept>, Option<KeyId>) {
        match self.marks.get_mut(&member) {
            Some(heard @ Heard::Through { .. }) => {
                let Heard::Through { number, .. } = std::mem::replace(heard, Heard::All) else {
                    return (Vec::new(), None);
                };
                self.away -= 1;
                (self.missed(number, now_ms), None)
            }
            Some(Heard::All) => (Vec::new(), None),
            None => (Vec::new(), self.meet(member, now_ms)),
        }
    }

    fn missed(&self, number: u64, now_ms: i64) -> Vec<Kept> {
        let (mut missed, mut bytes) = (Vec::new(), 0_u64);
        for kept in self.letters.range(number.saturating_add(1)..).rev().map(|(_, kept)| kept) {
            bytes = bytes.saturating_add(kept.cost());
            if missed.len() >= self.rules.letters || bytes > self.rules.bytes {
                break;
            }
            if !self.rules.is_over(kept.at_ms, now_ms) {
                missed.push(kept.clone());
            }
        }
        missed.reverse();
        missed
    }

    /// Makes a mark for somebody new. In a full book only those give way who were away for longer than any
    /// letter is kept, so that no crowd of new keys makes the house forget its people.
    fn meet(&mut self, member: KeyId, now_ms: i64) -> Option<KeyId> {
        let mut forgotten = None;
        if self.marks.len() >= self.rules.members {
            let stale = |heard: &Heard| match heard {
                Heard::Through { left_ms, .. } if self.rules.is_over(*left_ms, now_ms) => Some(*left_ms),
                _ => None,
            };
            let left = self.marks.iter().filter_map(|(key, heard)| Some((stale(heard)?, *key)));
            let (_, longest) = left.min()?;
            self.marks.remove(&longest);
            self.away -= 1;
            forgotten = Some(longest);
        }
        self.marks.insert(member, Heard::All);
        forgotten
    }

    /// Somebody who is here could not take this letter: from it on, everything is missed until the next visit.
    pub fn stopped(&mut self, member: KeyId, number: u64, now_ms: i64) {
        if let Some(mark @ Heard::All) = self.marks.get_mut(&member) {
            *mark = Heard::Through { number: number.saturating_sub(1), left_ms: now_ms };
            self.away += 1;
        }
    }

    /// Somebody has left, having heard everything up to the last number, if nothing stopped it. Says the mark, if one
    /// is kept.
    pub fn went(&mut self, member: KeyId, last: u64, now_ms: i64) -> Option<Heard> {
        let mark = self.marks.get_mut(&member)?;
        match mark {
            Heard::All => {
                *mark = Heard::Through { number: last, left_ms: now_ms };
                self.away += 1;
            }
            Heard::Through { left_ms, .. } => *left_ms = now_ms,
        }
        Some(*mark)
    }

    /// A member who is away shall hear nothing of what waits. Says how many letters that were.
    pub fn skip(&mut self, member: KeyId, last: u64) -> usize {
        let Some(Heard::Through { number, .. }) = self.marks.get_mut(&member) else { return 0 };
        let from = std::mem::replace(number, last);
        self.letters.range(from.saturating_add(1)..).count()
    }

    /// Takes out what was kept for long enough, and what nobody who is away has still to hear.
    pub fn expire(&mut self, now_ms: i64) -> Vec<u64> {
        let heard = self.marks.values().filter_map(|heard| match heard {
            Heard::Through { number, .. } => Some(*number),
            Heard::All => None,
        });
        let by_all = heard.min().unwrap_or(u64::MAX);
        let is_over = |kept: &Kept| kept.number <= by_all || self.rules.is_over(kept.at_ms, now_ms);
        let over = self.letters.values().filter(|kept| is_over(kept));
        let over: Vec<u64> = over.map(|kept| kept.number).collect();
        over.into_iter().filter(|number| self.take(*number).is_some()).collect()
    }
}

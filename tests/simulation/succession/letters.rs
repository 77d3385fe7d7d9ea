//! What leaders write down, and the letters in it: each is accepted by whoever serves, waits for its recipient, and is
//! handed over when that one comes.
//!
//! All that was ever written is kept here, by the epochs in which it was written, so a copy is no more than a
//! position. What a leader accepted goes with it to the next one, or is *dropped*: because it was not on disk when the
//! process died, or because whoever was elected after a crash has no copy of it. A planned hand-over drops nothing,
//! so a letter of which nothing was dropped arrives exactly once.

use std::collections::BTreeMap;

use kith::domain::succession::{Epoch, Position};

use crate::{
    broken::{Broken, must},
    invariants::Tally,
};

/// Those for whom letters are left.
pub(super) const RECIPIENTS: usize = 4;

/// One change of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// An epoch has begun.
    Began,
    /// This letter waits for its recipient.
    Kept(usize),
    /// It was handed over.
    Taken(usize),
}

/// What was written in one epoch.
#[derive(Debug)]
struct Term {
    /// What its leader had before.
    base: Position,
    changes: Vec<Change>,
    /// How many of them are on its disk.
    written: usize,
    /// What waits for whom, as far as this leader knows.
    waiting: [Vec<usize>; RECIPIENTS],
}

impl Term {
    fn at(&self, epoch: Epoch, changes: usize) -> Position {
        Position { epoch, index: self.base.index + u64::try_from(changes).expect("few") }
    }
}

/// What happened to a letter.
#[derive(Clone, Copy, Debug, Default)]
struct Letter {
    arrived: u32,
    /// How often it was noted that it had arrived, where that note was dropped later.
    forgotten: u32,
    /// Whether any note of it was ever dropped.
    is_excused: bool,
}

/// All that was ever written.
#[derive(Debug, Default)]
pub(crate) struct Letters {
    terms: BTreeMap<Epoch, Term>,
    letters: Vec<Letter>,
}

impl Letters {
    /// How many were accepted.
    pub(super) fn accepted(&self) -> u64 {
        u64::try_from(self.letters.len()).expect("few")
    }

    /// Somebody leads, and goes on from its copy. The first change says that its epoch has begun.
    pub(super) fn begin(&mut self, epoch: Epoch, base: Position) -> Position {
        let mut waiting: [Vec<usize>; RECIPIENTS] = Default::default();
        for change in self.all_up_to(base) {
            match change {
                Change::Began => {}
                Change::Kept(letter) => waiting[letter % RECIPIENTS].push(letter),
                Change::Taken(letter) => waiting[letter % RECIPIENTS].retain(|other| *other != letter),
            }
        }
        let term = Term { base, changes: vec![Change::Began], written: 1, waiting };
        let start = term.at(epoch, 1);
        self.terms.insert(epoch, term);
        start
    }

    /// A letter is accepted; it is not on disk yet.
    pub(super) fn accept(&mut self, epoch: Epoch) {
        let letter = self.letters.len();
        self.letters.push(Letter::default());
        let term = self.term(epoch);
        term.changes.push(Change::Kept(letter));
        term.waiting[letter % RECIPIENTS].push(letter);
    }

    /// A recipient comes, and takes all that waits for it.
    pub(super) fn visit(&mut self, epoch: Epoch, recipient: usize) {
        let term = self.term(epoch);
        let taken = std::mem::take(&mut term.waiting[recipient]);
        term.changes.extend(taken.iter().copied().map(Change::Taken));
        for letter in taken {
            self.letters[letter].arrived += 1;
        }
    }

    /// All that was accepted is on disk from now on.
    pub(super) fn flush(&mut self, epoch: Epoch) -> Position {
        let term = self.term(epoch);
        term.written = term.changes.len();
        term.at(epoch, term.written)
    }

    /// How far this leader's disk goes.
    pub(super) fn end(&self, epoch: Epoch) -> Position {
        let term = &self.terms[&epoch];
        term.at(epoch, term.written)
    }

    /// A leader is one no more: what is not on its disk is gone. Says how many changes.
    pub(super) fn close(&mut self, epoch: Epoch) -> usize {
        let term = self.term(epoch);
        let lost = term.changes.split_off(term.written);
        lost.iter().for_each(|change| self.dropped(*change));
        lost.len()
    }

    /// A copy takes part of what a leader has on disk: so many thousandths of what it misses, and one at least.
    pub(super) fn copied(&self, copy: Position, epoch: Epoch, end: u64, part: u64) -> Position {
        let shared = self.shared(copy, epoch);
        let missing = end.saturating_sub(shared);
        if missing == 0 {
            return copy;
        }
        self.place(epoch, shared + (missing * part / 1000).max(1))
    }

    /// At the end somebody leads whom nothing disturbs: everybody comes for what waits, and each letter has arrived
    /// once, unless a crash has cost a note of it.
    pub(super) fn check(&mut self, epoch: Epoch, tally: &mut Tally) -> Result<(), Broken> {
        (0..RECIPIENTS).for_each(|recipient| self.visit(epoch, recipient));
        let end = self.flush(epoch);
        let lost = self.dropped_for_good(end);
        lost.into_iter().for_each(|change| self.dropped(change));
        let mut kept = vec![(0, 0); self.letters.len()];
        for change in self.all_up_to(end) {
            match change {
                Change::Began => {}
                Change::Kept(letter) => kept[letter].0 += 1,
                Change::Taken(letter) => kept[letter].1 += 1,
            }
        }
        for (number, (letter, (kept, taken))) in self.letters.iter().zip(kept).enumerate() {
            let what = if !letter.is_excused {
                must!(
                    (kept, taken, letter.arrived) == (1, 1, 1),
                    "letter {number}: {letter:?}, {kept}, {taken}"
                );
                "letters once"
            } else if kept == 0 {
                "letters lost in a crash"
            } else {
                must!(kept == 1 && taken == 1, "letter {number} is noted {kept} and {taken} times");
                must!(letter.arrived == 1 + letter.forgotten, "letter {number}: {letter:?}");
                "letters again after a crash"
            };
            *tally.entry(what).or_default() += 1;
        }
        Ok(())
    }

    fn term(&mut self, epoch: Epoch) -> &mut Term {
        self.terms.get_mut(&epoch).expect("somebody led then")
    }

    fn dropped(&mut self, change: Change) {
        match change {
            Change::Began => {}
            Change::Kept(letter) => self.letters[letter].is_excused = true,
            Change::Taken(letter) => {
                self.letters[letter].is_excused = true;
                self.letters[letter].forgotten += 1;
            }
        }
    }

    /// In which epoch the last of so many changes was made, on the way to this epoch.
    fn place(&self, mut epoch: Epoch, index: u64) -> Position {
        while let Some(term) = self.terms.get(&epoch).filter(|term| index <= term.base.index) {
            epoch = term.base.epoch;
        }
        Position { epoch, index }
    }

    /// How many changes a copy has in common with a leader.
    fn shared(&self, copy: Position, epoch: Epoch) -> u64 {
        let (mut one, mut other) = (copy, self.end(epoch));
        while one.epoch != other.epoch {
            let later = if one.epoch > other.epoch { &mut one } else { &mut other };
            *later = self.terms.get(&later.epoch).map(|term| term.base).unwrap_or_default();
        }
        one.index.min(other.index)
    }

    /// Which part of each epoch leads to this position, the first one first.
    fn way_to(&self, end: Position) -> Vec<(Epoch, usize)> {
        let (mut way, mut end) = (Vec::new(), end);
        while let Some(term) = self.terms.get(&end.epoch) {
            way.push((end.epoch, usize::try_from(end.index - term.base.index).expect("few")));
            end = term.base;
        }
        way.reverse();
        way
    }

    fn all_up_to(&self, end: Position) -> Vec<Change> {
        let way = self.way_to(end).into_iter();
        way.flat_map(|(epoch, count)| &self.terms[&epoch].changes[..count]).copied().collect()
    }

    /// What was on some disk once, and does not lead to this position.
    fn dropped_for_good(&self, end: Position) -> Vec<Change> {
        let way: BTreeMap<_, _> = self.way_to(end).into_iter().collect();
        let rest =
            |(epoch, term): (&Epoch, &Term)| term.changes[way.get(epoch).copied().unwrap_or(0)..].to_vec();
        self.terms.iter().flat_map(rest).collect()
    }
}

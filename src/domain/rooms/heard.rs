//! Up to where each home was heard, by its key. It may be away for long, and come back.

use std::collections::HashMap;

use super::Stamp;
use crate::domain::id::KeyId;

/// Homes that are remembered. Whoever is forgotten is asked for everything again, which brings no line twice: it costs
/// what the first time has cost. So a crowd of new keys wins nothing but that.
pub(super) const MOST: usize = 4096;

/// The end of what each home has told us.
#[derive(Debug, Default)]
pub(super) struct Heard(HashMap<KeyId, Stamp>);

impl Heard {
    /// The end of what this home has told.
    pub(super) fn through(&self, home: KeyId) -> Option<Stamp> {
        self.0.get(&home).copied()
    }

    /// A home was heard up to there.
    pub(super) fn note(&mut self, home: KeyId, stamp: Stamp) {
        self.0.insert(home, stamp);
    }

    /// Of those that are not here, the ones that were heard the longest ago are forgotten if there are too many.
    pub(super) fn bound(&mut self, is_here: impl Fn(KeyId) -> bool) {
        let excess = self.0.len().saturating_sub(MOST);
        if excess == 0 {
            return;
        }
        let away = self.0.iter().filter(|(home, _)| !is_here(**home));
        let mut away: Vec<(Stamp, KeyId)> = away.map(|(home, stamp)| (*stamp, *home)).collect();
        away.sort_unstable();
        for (_, home) in away.into_iter().take(excess) {
            self.0.remove(&home);
        }
    }

    /// How many are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

//! One thing to say to many, printed once for each way of hearing it.

use crate::dialect::Ear;

/// Ways of hearing of which what was said is kept. Beyond that it is printed each time.
const MOST_EARS: usize = 16;

/// What was printed so far. Few ears are ever in one house, so a short list beats a map.
#[derive(Debug)]
pub(super) struct Pressed<T>(Vec<(Ear, T)>);

impl<T> Default for Pressed<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone> Pressed<T> {
    /// What is said to an ear.
    pub(super) fn hear(&mut self, ear: Ear, print: impl FnOnce() -> T) -> T {
        if let Some((_, said)) = self.0.iter().find(|(known, _)| *known == ear) {
            return said.clone();
        }
        let said = print();
        if self.0.len() < MOST_EARS {
            self.0.push((ear, said.clone()));
        }
        said
    }
}

//! A letter counts once: a bounded memory of what was accepted before.
//!
//! Two generations of traces. When the young one is full it becomes the old one and the old one is
//! forgotten, so at least half of the window is always remembered and memory never grows.

use std::collections::HashSet;

/// What makes accepted bytes recognisable: the beginning of a digest over key and signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Trace(pub [u8; 16]);

/// The memory.
#[derive(Debug)]
pub struct Window {
    generation: usize,
    young: HashSet<Trace>,
    old: HashSet<Trace>,
}

impl Window {
    /// A window that remembers at least half of `capacity` traces and never more than all of it.
    #[must_use]
    pub fn new(capacity: u32) -> Self {
        let generation = usize::try_from(capacity / 2).unwrap_or(usize::MAX).max(1);
        Self { generation, young: HashSet::new(), old: HashSet::new() }
    }

    /// Remembers `trace`, and says whether it is new.
    pub fn admit(&mut self, trace: Trace) -> bool {
        if self.old.contains(&trace) || !self.young.insert(trace) {
            return false;
        }
        if self.young.len() >= self.generation {
            self.old = std::mem::take(&mut self.young);
        }
        true
    }

    /// Whether `trace` is remembered.
    #[must_use]
    pub fn knows(&self, trace: Trace) -> bool {
        self.young.contains(&trace) || self.old.contains(&trace)
    }

    /// How many traces are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether nothing was admitted yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(number: u32) -> Trace {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        Trace(bytes)
    }

    #[test]
    fn a_trace_is_admitted_once_and_memory_stays_bounded() {
        let mut window = Window::new(100);
        for number in 0..1000 {
            assert!(window.admit(trace(number)), "{number}");
            assert!(!window.admit(trace(number)), "{number} again");
            assert!(!window.admit(trace(number.saturating_sub(49))), "49 before {number}");
            assert!(window.len() <= 100);
        }
    }
}

//! The house holds still: nothing new is accepted, and nobody is sent away.
//!
//! Whoever gives its place to another node must be able to say what it has accepted. What a connection has not
//! read yet was never accepted; it stays in the socket, and goes with it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

/// Whether the house holds still, and what is still on its way to being accepted.
#[derive(Clone, Debug, Default)]
pub struct Stillness(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    is_on: AtomicBool,
    under_way: AtomicUsize,
}

impl Stillness {
    /// From now on nothing is read.
    pub fn begin(&self) {
        self.0.is_on.store(true, Ordering::SeqCst);
    }

    /// Everybody goes on.
    pub fn end(&self) {
        self.0.is_on.store(false, Ordering::SeqCst);
    }

    /// Whether the house holds still.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_on.load(Ordering::SeqCst)
    }

    /// A message that was read is looked at until this is dropped.
    #[must_use]
    pub fn look(&self) -> UnderWay {
        self.0.under_way.fetch_add(1, Ordering::SeqCst);
        UnderWay(self.clone())
    }

    /// Whether any message is looked at.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.0.under_way.load(Ordering::SeqCst) > 0
    }
}

/// A message that is being looked at.
#[derive(Debug)]
pub struct UnderWay(Stillness);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

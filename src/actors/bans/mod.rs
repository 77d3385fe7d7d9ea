//! Who may not come: one set for the whole house, and the one who changes it.
//!
//! [`Banned`] is what everybody asks, behind a lock that is held for as long as a question takes; the
//! [`Warden`] alone writes. **Invariants:** a ban is on disk before anybody is told that it was made; the set
//! is changed before the map and the neighbourhood are told to look, so whoever comes in meanwhile is asked
//! about or found.

mod list;
mod message;
mod warden;

use std::{
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use actix::Message;

pub use self::{
    list::ISSUE,
    message::{Forget, Hear, Lift, LiftError, ListError, Make, MakeError},
    warden::{Parts, Warden},
};
use super::clock::unix_ms;
use crate::domain::{bans::Bans, letter::Frame};

/// Bans have changed: whoever is kept out now has to go, and whoever no longer is may come.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Enforce;

/// What Kith neighbours are told of our own bans from now on.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Publish(pub Frame);

/// The bans in force, for whoever asks. Copies are the same set.
#[derive(Clone, Debug, Default)]
pub struct Banned {
    set: Arc<RwLock<Bans>>,
}

impl Banned {
    /// A set that begins with these.
    #[must_use]
    pub fn new(bans: Bans) -> Self {
        Self { set: Arc::new(RwLock::new(bans)) }
    }

    /// The set, to be read. It is plain data: even a panic elsewhere leaves it usable.
    pub fn read(&self) -> RwLockReadGuard<'_, Bans> {
        self.set.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Bans> {
        self.set.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an address is kept out.
    #[must_use]
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.read().address(address, unix_ms()).is_some()
    }
}

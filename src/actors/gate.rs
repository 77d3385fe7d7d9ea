//! The door-keeper: the book of `domain::admission` behind a lock that is held for nanoseconds.
//!
//! Places are values: who drops one has left, whatever way it died.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::clock::Clock;
use crate::domain::{
    admission::{Admission, Origin},
    limits::Limits,
    refusal::Refusal,
};

/// Shared by all workers.
#[derive(Clone, Debug)]
pub struct Gate {
    book: Arc<Mutex<Admission>>,
    clock: Clock,
}

impl Gate {
    /// A gate with an empty book.
    #[must_use]
    pub fn new(limits: Limits, clock: Clock) -> Self {
        Self { book: Arc::new(Mutex::new(Admission::new(limits))), clock }
    }

    /// The book is plain arithmetic: even a panic elsewhere leaves it usable.
    fn book(&self) -> MutexGuard<'_, Admission> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A socket from this address opens.
    ///
    /// # Errors
    /// The house or the address is full.
    pub fn enter(&self, address: IpAddr) -> Result<Place, Refusal> {
        let origin = Origin::from(address);
        self.book().enter(origin, self.clock.now())?;
        Ok(Place { gate: self.clone(), origin })
    }

    /// Somebody at this address says hello.
    ///
    /// # Errors
    /// It happens too often.
    pub fn hello(&self, address: IpAddr) -> Result<(), Refusal> {
        self.book().hello(address.into(), self.clock.now())
    }

    /// Somebody at this address leaves a file.
    ///
    /// # Errors
    /// It happens too often.
    pub fn upload(&self, address: IpAddr) -> Result<(), Refusal> {
        self.book().upload(address.into(), self.clock.now())
    }

    /// Somebody at this address has left so many bytes.
    pub fn uploaded(&self, address: IpAddr, bytes: u64) {
        self.book().uploaded(address.into(), bytes, self.clock.now());
    }

    /// A signature from this address is to be checked.
    ///
    /// # Errors
    /// Too many wait already.
    pub fn check(&self, address: IpAddr) -> Result<CheckPlace, Refusal> {
        let origin = Origin::from(address);
        self.book().check(origin, self.clock.now())?;
        Ok(CheckPlace { gate: self.clone(), origin })
    }

    /// Sockets at the moment.
    #[must_use]
    pub fn connections(&self) -> u32 {
        self.book().connections()
    }
}

/// The right to hold one socket.
#[derive(Debug)]
pub struct Place {
    gate: Gate,
    origin: Origin,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.book().leave(self.origin);
    }
}

/// The right to have one signature checked.
#[derive(Debug)]
pub struct CheckPlace {
    gate: Gate,
    origin: Origin,
}

impl Drop for CheckPlace {
    fn drop(&mut self) {
        self.gate.book().check_done(self.origin);
    }
}

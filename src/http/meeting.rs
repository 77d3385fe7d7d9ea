//! How the door of the rendezvous is. A home is served without it while it cannot be bound, so operators have to see
//! that.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// The door.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Meeting {
    /// The settings want none.
    #[default]
    Unwanted,
    /// It is open there.
    Open(SocketAddr),
    /// It could not be bound yet.
    Shut {
        /// Where it should be.
        wanted: SocketAddr,
        /// What the system says.
        why: Arc<str>,
    },
}

/// What is known of the door, for whoever asks.
#[derive(Clone, Debug, Default)]
pub struct MeetingPlace(Arc<Mutex<Meeting>>);

impl MeetingPlace {
    /// How it is from now on.
    pub fn set(&self, meeting: Meeting) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = meeting;
    }

    /// How it is.
    #[must_use]
    pub fn get(&self) -> Meeting {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

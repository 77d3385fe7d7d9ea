//! The only clock of the house: moments for decisions, wall time for people.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::domain::Moment;

/// Counts from the start of the process. Copies tell the same time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Time since the start; never goes backwards.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.start.elapsed()
    }
}

/// Milliseconds since 1970, for the store and for people.
#[must_use]
pub fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

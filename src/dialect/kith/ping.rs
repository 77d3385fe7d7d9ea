//! Are you there, and how far away?

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Are you there? And the answer, which repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// The asker's clock, in microseconds. Means nothing to the other side.
    pub sent: u64,
}

impl Ping {
    /// A question asked at this moment.
    #[must_use]
    pub fn at(now: Duration) -> Self {
        Self { sent: u64::try_from(now.as_micros()).unwrap_or(u64::MAX) }
    }

    /// How long ago it was asked.
    #[must_use]
    pub fn age(self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_micros(self.sent))
    }
}

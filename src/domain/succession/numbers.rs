//! The numbers of succession: how often, how long, how much.
//!
//! The defaults are those of the document that the protocol comes from, where it names any. They are settings;
//! [`Numbers::check`] refuses those with which two nodes could serve at once.

use std::time::Duration;

/// The numbers in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// How often a node reports to whoever leads.
    pub report: Duration,
    /// How often whoever leads asks all nodes whether they still follow.
    pub pulse: Duration,
    /// How long an answer is waited for, and the pause between two attempts.
    pub retry: Duration,
    /// Attempts after the first one until a leader counts as unreachable.
    pub retries: u32,
    /// Silence after which a host is suspect: shown, but not chosen for anything.
    pub suspect: Duration,
    /// Silence after which it is disconnected.
    pub disconnected: Duration,
    /// Silence after which it is forgotten.
    pub forget: Duration,
    /// How long the answers of a majority allow a leader to serve, counted from its question.
    pub lease: Duration,
    /// How long a node helps nobody else to lead once it has heard a leader. Longer than `lease` by more than
    /// clocks can differ in that time.
    pub takeover: Duration,
    /// How long a leader stays before the ranking may ask for another one.
    pub tenure: Duration,
    /// By how many per cent another host must be better than the leader.
    pub lead_percent: u32,
    /// In how many pulses in a row.
    pub lead_pulses: u32,
    /// How long a leader that has handed over is not chosen again.
    pub hold_down: Duration,
    /// By how many changes a copy may be behind when a hand-over to it begins.
    pub lag: u64,
    /// The shortest and the longest pause of a node that has never heard of a leader.
    pub first_wait: (Duration, Duration),
    /// By how much later each successor stands than the one before it.
    pub stagger: Duration,
    /// Whether the ranking may move the leadership by itself.
    pub by_ranking: bool,
    /// Hosts in the table at most.
    pub hosts: u32,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            report: Duration::from_secs(1),
            pulse: Duration::from_secs(3),
            retry: Duration::from_millis(1500),
            retries: 3,
            suspect: Duration::from_secs(3),
            disconnected: Duration::from_secs(20),
            forget: Duration::from_secs(600),
            lease: Duration::from_secs(9),
            takeover: Duration::from_secs(12),
            tenure: Duration::from_secs(60),
            lead_percent: 15,
            lead_pulses: 5,
            hold_down: Duration::from_secs(60),
            lag: 1000,
            first_wait: (Duration::from_secs(1), Duration::from_secs(3)),
            stagger: Duration::from_millis(500),
            by_ranking: true,
            hosts: 256,
        }
    }
}

/// Numbers with which the home would not be safe, or would never come to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// Another node could start while the old leader still serves.
    #[error("takeover must be longer than the lease by at least a tenth of it")]
    Takeover,
    /// The lease would run out between two answers.
    #[error("the lease must be longer than two pulses")]
    Lease,
    /// A leader would be given up before it was tried as often as it should be.
    #[error("takeover must leave time for all attempts")]
    Attempts,
    /// Something must take some time.
    #[error("report, pulse and retry must be longer than nothing")]
    Nothing,
    /// The table would never show what it should.
    #[error("suspect, disconnected and forget must grow in this order")]
    Silence,
    /// The shortest wait is the longer one.
    #[error("the first wait must not end before it begins")]
    FirstWait,
}

impl Numbers {
    /// Whether two nodes can never serve at once with these numbers, if their clocks run alike but for a
    /// twentieth, and whether all of them can have their effect.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), Unsound> {
        if self.report.is_zero() || self.pulse.is_zero() || self.retry.is_zero() {
            return Err(Unsound::Nothing);
        }
        if self.takeover < self.lease + self.lease / 10 {
            return Err(Unsound::Takeover);
        }
        if self.lease <= self.pulse * 2 {
            return Err(Unsound::Lease);
        }
        if self.takeover < self.retry * self.retries.saturating_add(1) {
            return Err(Unsound::Attempts);
        }
        if self.suspect > self.disconnected || self.disconnected > self.forget {
            return Err(Unsound::Silence);
        }
        if self.first_wait.0 > self.first_wait.1 {
            return Err(Unsound::FirstWait);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_which_two_could_serve_at_once_are_refused() {
        let sound = Numbers::default();
        assert_eq!(sound.check(), Ok(()));
        let second = Duration::from_secs;
        for (numbers, why) in [
            (Numbers { takeover: second(9), ..sound.clone() }, Unsound::Takeover),
            (Numbers { lease: second(11), ..sound.clone() }, Unsound::Takeover),
            (Numbers { pulse: second(5), ..sound.clone() }, Unsound::Lease),
            (Numbers { retries: 8, ..sound.clone() }, Unsound::Attempts),
            (Numbers { retry: Duration::ZERO, ..sound.clone() }, Unsound::Nothing),
            (Numbers { disconnected: second(2), ..sound.clone() }, Unsound::Silence),
            (Numbers { first_wait: (second(3), second(1)), ..sound }, Unsound::FirstWait),
        ] {
            assert_eq!(numbers.check(), Err(why), "{numbers:?}");
        }
    }
}

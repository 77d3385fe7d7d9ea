//! The numbers of succession: how often, how long, how much.
//!
//! The defaults are those of the document that the protocol comes from, where it names any. They are settings;
//! [`Numbers::check`] refuses those with which two nodes could serve at once, or a new leader would be late.

use std::time::Duration;

use super::home::MOST_OTHERS;

/// The numbers in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// How often a node reports to all others.
    pub report: Duration,
    /// How often whoever leads asks all nodes whether they still follow.
    pub pulse: Duration,
    /// How long an answer is waited for, and the pause between two attempts.
    pub retry: Duration,
    /// Attempts after the first one until a node counts as silent.
    pub retries: u32,
    /// Silence after which a host is suspect: shown, but not chosen for anything.
    pub suspect: Duration,
    /// Silence after which it is disconnected.
    pub disconnected: Duration,
    /// Silence after which it is forgotten.
    pub forget: Duration,
    /// How long the answers of a majority allow a leader to serve, counted from its question.
    pub lease: Duration,
    /// When the next leader serves, counted from the moment at which the last one fell silent.
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
    /// By how much later each successor that lives stands than the one before it; about half as long is waited
    /// before the others are asked again.
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

/// Numbers with which the home would not be safe, would never come to rest, or would not do what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// Something must take some time.
    #[error("it must be longer than nothing")]
    Nothing(&'static str),
    /// Another node could start while the old leader still serves, or there would be no time for an election.
    #[error(
        "takeover_ms, less a twentieth of it and three times stagger_ms, must be at least lease_ms and a tenth \
         of that: or else two nodes could serve at once"
    )]
    Takeover,
    /// The lease would run out between two answers.
    #[error("it must be longer than two pulses (pulse_ms)")]
    Lease,
    /// A leader would be given up before it was tried as often as it should be.
    #[error(
        "1 + retries attempts, retry_ms each, and one report_ms must fit into takeover_ms, less a twentieth of it \
         and three times stagger_ms"
    )]
    Attempts,
    /// Everybody would be suspect between two reports.
    #[error("it must be at least two reports (report_ms)")]
    Suspect,
    /// The table would never show what it should.
    #[error("suspect_ms, disconnected_ms and forget_ms must grow in this order")]
    Silence,
    /// The shortest wait is the longer one.
    #[error("it must not be longer than first_wait_max_ms")]
    FirstWait,
    /// Nobody would ever be better, or somebody without having been it.
    #[error("it must be at least 1")]
    LeadPulses,
    /// More than any host can ever be better.
    #[error("it must be at most 1000")]
    LeadPercent,
    /// There must be room for a whole home.
    #[error("it must be at least 15, as many as a home may have nodes")]
    Hosts,
}

impl Unsound {
    /// Which setting is to blame.
    #[must_use]
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Nothing(setting) => setting,
            Self::Takeover => "succession.takeover_ms",
            Self::Lease => "succession.lease_ms",
            Self::Attempts => "succession.retries",
            Self::Suspect => "succession.suspect_ms",
            Self::Silence => "succession.disconnected_ms",
            Self::FirstWait => "succession.first_wait_min_ms",
            Self::LeadPulses => "succession.lead_pulses",
            Self::LeadPercent => "succession.lead_percent",
            Self::Hosts => "succession.hosts",
        }
    }
}

/// What one node needs to know of another one's numbers, so that both are never wrong about who may serve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    /// How long it serves after it has asked what enough nodes answered.
    pub lease: Duration,
    /// How long it helps nobody else once it has heard a leader.
    pub promise: Duration,
}

impl Spans {
    /// Whether of two nodes with these numbers each keeps its promise for longer than the other one serves, even if
    /// its clock is faster by a tenth.
    #[must_use]
    pub fn are_safe_with(&self, other: &Self) -> bool {
        self.outlasts(other) && other.outlasts(self)
    }

    fn outlasts(&self, leader: &Self) -> bool {
        self.promise >= leader.lease.saturating_add(leader.lease / 10)
    }
}

impl Numbers {
    /// How long a node that has heard a leader, or voted, helps nobody else.
    ///
    /// It is what `takeover` leaves when the clock that tells it is slow by a twentieth, and when those who are left
    /// need a turn, and another one if two stood at once, and some time for messages and disks. In whole milliseconds,
    /// so that it is the same to those who are told of it.
    #[must_use]
    pub fn promise(&self) -> Duration {
        let left = self.takeover.saturating_sub(self.takeover / 20 + self.stagger * 3);
        Duration::from_millis(u64::try_from(left.as_millis()).unwrap_or(u64::MAX))
    }

    /// What other nodes are told of them.
    #[must_use]
    pub fn spans(&self) -> Spans {
        Spans { lease: self.lease, promise: self.promise() }
    }

    /// Whether two nodes can never serve at once with these numbers, as long as no clock runs faster than another
    /// one by more than a tenth, and whether all of them can have their effect.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), Unsound> {
        let spans = [
            (self.report, "succession.report_ms"),
            (self.pulse, "succession.pulse_ms"),
            (self.retry, "succession.retry_ms"),
            (self.stagger, "succession.stagger_ms"),
        ];
        if let Some((_, setting)) = spans.iter().find(|(span, _)| span.is_zero()) {
            return Err(Unsound::Nothing(setting));
        }
        let sound = [
            (self.lease > self.pulse * 2, Unsound::Lease),
            (self.spans().are_safe_with(&self.spans()), Unsound::Takeover),
            (self.promise() >= self.report + self.retry * self.retries.saturating_add(1), Unsound::Attempts),
            (self.suspect >= self.report * 2, Unsound::Suspect),
            (self.suspect <= self.disconnected && self.disconnected <= self.forget, Unsound::Silence),
            (self.first_wait.0 <= self.first_wait.1, Unsound::FirstWait),
            (self.lead_pulses > 0, Unsound::LeadPulses),
            (self.lead_percent <= 1000, Unsound::LeadPercent),
            (usize::try_from(self.hosts).is_ok_and(|hosts| hosts > MOST_OTHERS), Unsound::Hosts),
        ];
        sound.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, why)| Err(*why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_promise_outlasts_the_lease_by_what_clocks_may_differ() {
        let numbers = Numbers::default();
        assert_eq!(numbers.promise(), Duration::from_millis(9_900));
        assert!(numbers.promise() * 10 >= numbers.lease * 11);
    }

    #[test]
    fn two_nodes_are_safe_together_if_each_promise_outlasts_the_other_lease() {
        let spans = |lease, promise| {
            let (lease, promise) = (Duration::from_millis(lease), Duration::from_millis(promise));
            Spans { lease, promise }
        };
        let usual = Numbers::default().spans();
        assert_eq!(usual, spans(9_000, 9_900));
        for (other, safe) in [
            (usual, true),
            (spans(9_000, 27_000), true),
            (spans(5_000, 9_900), true),
            (spans(9_001, 27_000), false),
            (spans(5_000, 9_899), false),
            (spans(20_000, 27_000), false),
            (spans(u64::MAX, u64::MAX), false),
        ] {
            assert_eq!((usual.are_safe_with(&other), other.are_safe_with(&usual)), (safe, safe), "{other:?}");
        }
        let odd = Numbers { takeover: Duration::from_millis(12_001), ..Numbers::default() };
        assert_eq!(odd.promise(), Duration::from_millis(9_900), "what is told is what is kept");
    }

    #[test]
    fn numbers_with_which_two_could_serve_at_once_are_refused() {
        let sound = Numbers::default();
        assert_eq!(sound.check(), Ok(()));
        let (second, most) = (Duration::from_secs, Duration::from_millis(u32::MAX.into()));
        for (numbers, why) in [
            (Numbers { takeover: second(11), ..sound.clone() }, Unsound::Takeover),
            (Numbers { takeover: Duration::ZERO, ..sound.clone() }, Unsound::Takeover),
            (Numbers { lease: second(10), ..sound.clone() }, Unsound::Takeover),
            (Numbers { stagger: second(1), ..sound.clone() }, Unsound::Takeover),
            (Numbers { stagger: most, ..sound.clone() }, Unsound::Takeover),
            (Numbers { pulse: second(5), ..sound.clone() }, Unsound::Lease),
            (Numbers { retries: 6, ..sound.clone() }, Unsound::Attempts),
            (Numbers { retries: u32::MAX, retry: most, ..sound.clone() }, Unsound::Attempts),
            (Numbers { retry: Duration::ZERO, ..sound.clone() }, Unsound::Nothing("succession.retry_ms")),
            (Numbers { stagger: Duration::ZERO, ..sound.clone() }, Unsound::Nothing("succession.stagger_ms")),
            (Numbers { report: second(2), ..sound.clone() }, Unsound::Suspect),
            (Numbers { disconnected: second(2), ..sound.clone() }, Unsound::Silence),
            (Numbers { first_wait: (second(3), second(1)), ..sound.clone() }, Unsound::FirstWait),
            (Numbers { lead_pulses: 0, ..sound.clone() }, Unsound::LeadPulses),
            (Numbers { lead_percent: 1001, ..sound.clone() }, Unsound::LeadPercent),
            (Numbers { hosts: 14, ..sound }, Unsound::Hosts),
        ] {
            assert_eq!(numbers.check(), Err(why), "{numbers:?}");
        }
    }
}

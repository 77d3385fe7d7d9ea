//! How long to wait before dialling again: twice as long each time, and never all at the same moment.

use std::time::Duration;

/// The waiting times between two attempts.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    least: Duration,
    most: Duration,
    next: Duration,
    was_good: bool,
}

impl Backoff {
    /// Waits from the shortest to the longest one.
    #[must_use]
    pub fn new(least: Duration, most: Duration) -> Self {
        Self { least, most: most.max(least), next: least, was_good: false }
    }

    /// The next waiting time, between half and all of the span, by a random number.
    pub fn wait(&mut self, random: u16) -> Duration {
        let span = self.next;
        self.next = (span * 2).min(self.most);
        // After a restart of the server everybody waits; the jitter keeps them from coming together.
        (span / 2 + span / 2 * u32::from(random) / u32::from(u16::MAX)).max(self.least)
    }

    /// The connection is good.
    pub const fn reset(&mut self) {
        self.next = self.least;
        self.was_good = true;
    }

    /// Whether a connection was good since this was asked last.
    pub const fn was_good(&mut self) -> bool {
        std::mem::replace(&mut self.was_good, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_start_again() {
        let seconds = |times: &[f64]| times.iter().copied().map(Duration::from_secs_f64).collect::<Vec<_>>();
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
        let longest: Vec<_> = (0..8).map(|_| backoff.wait(u16::MAX)).collect();
        assert_eq!(longest, seconds(&[0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]));
        backoff.reset();
        let shortest: Vec<_> = (0..8).map(|_| backoff.wait(0)).collect();
        assert_eq!(shortest, seconds(&[0.5, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]));
    }
}

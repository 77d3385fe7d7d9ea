//! The clock by which lines are stamped: the wall's, but never behind anything that was said before.
//!
//! **Invariants:** no stamp is given twice, and none below one that was heard; a neighbour whose clock is wrong
//! pushes ours no further than `AHEAD_MS` from the wall's.

use super::Stamp;

/// How far ahead of our clock a neighbour's may be. What is stamped later than that waits until its time has come:
/// otherwise one wrong clock would stay at the end of every history, and drag along everybody who answers.
const AHEAD_MS: i64 = 10 * 60 * 1000;

/// How far behind a healthy store may be, with a margin. After a crash the clock goes on this much later than what was
/// stored: what was said and lost may be known elsewhere, and its stamps are not given again.
const LAG_MS: i64 = 10 * 1000;

/// The clock.
#[derive(Debug, Default)]
pub(super) struct Clock {
    last: Stamp,
}

impl Clock {
    /// The stamp of what is said now.
    pub(super) fn next(&mut self, now_ms: i64) -> Stamp {
        self.last = Stamp(self.last.0.saturating_add(1)).max(Stamp::at(now_ms));
        self.last
    }

    /// Somebody has given this stamp.
    pub(super) fn hear(&mut self, stamp: Stamp, now_ms: i64) {
        self.last = self.last.max(stamp.min(Self::horizon(now_ms)));
    }

    /// These were given before the start, which is now: the last one of all, and the last one of ours, if there is one.
    pub(super) fn restore(&mut self, of_all: Stamp, of_ours: Option<Stamp>, now_ms: i64) {
        let resumed = of_ours.map_or(Stamp::ZERO, |stamp| Stamp::at(stamp.unix_ms().saturating_add(LAG_MS)));
        self.last = self.last.max(of_all).max(resumed).max(Stamp::at(now_ms));
    }

    /// The last stamp that nobody need wait for.
    pub(super) fn horizon(now_ms: i64) -> Stamp {
        Stamp::at(now_ms.saturating_add(AHEAD_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_goes_back_and_gives_no_stamp_twice() {
        let mut clock = Clock::default();
        let stamps: Vec<_> =
            [5000, 5000, 4000, i64::MIN, 5001, i64::MAX].iter().map(|now| clock.next(*now)).collect();
        assert!(stamps.is_sorted_by(|one, next| one < next), "{stamps:?}");
        assert_eq!((stamps[0], stamps[4]), (Stamp::at(5000), Stamp::at(5001)));
    }

    #[test]
    fn what_was_heard_is_before_what_is_said() {
        let mut clock = Clock::default();
        let theirs = Stamp(Stamp::at(60_000).0 + 7);
        clock.hear(theirs, 1000);
        assert_eq!(clock.next(1000), Stamp(theirs.0 + 1));
        clock.hear(Stamp::at(1), 1000);
        assert_eq!(clock.next(1000), Stamp(theirs.0 + 2), "whatever is heard of the past");
    }

    #[test]
    fn a_wrong_clock_elsewhere_is_not_followed() {
        let mut clock = Clock::default();
        clock.hear(Stamp(u64::MAX), 1000);
        assert_eq!(clock.next(1000).unix_ms(), 1000 + AHEAD_MS);
        // And saying it again pushes no further.
        (0..100).for_each(|_| clock.hear(Stamp(u64::MAX), 1000));
        assert_eq!(clock.next(1000).unix_ms(), 1000 + AHEAD_MS);
    }

    #[test]
    fn after_a_crash_it_goes_on_behind_what_may_be_lost() {
        let mut clock = Clock::default();
        clock.restore(Stamp::at(90_000), Some(Stamp::at(85_000)), 50_000);
        assert_eq!(clock.next(50_000), Stamp(Stamp::at(95_000).0 + 1));
        let mut clock = Clock::default();
        clock.restore(Stamp::at(90_000), None, 100_000);
        assert_eq!(clock.next(90_000), Stamp(Stamp::at(100_000).0 + 1), "even if all of it is lost");
    }
}

//! How often something may happen: a bucket that leaks at a steady rate.
//!
//! It keeps one moment instead of a count (the generic cell rate algorithm), takes `now` as a value,
//! and never overflows: rates are limits, not measurements.

use std::time::Duration;

use super::Moment;

/// A budget of so many units in a period, with a burst on top.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    rate: u32,
    period: Duration,
    burst: Duration,
    /// When everything taken so far will have leaked away.
    empty_at: Moment,
}

impl Bucket {
    /// A bucket that admits `burst` units at once and `per_second` units a second in the long run.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self::over(Duration::from_secs(1), per_second, burst)
    }

    /// A bucket for `per_minute` units a minute, all of which may come at once.
    #[must_use]
    pub fn per_minute(per_minute: u32) -> Self {
        Self::over(Duration::from_secs(60), per_minute, per_minute.max(1))
    }

    fn over(period: Duration, rate: u32, burst: u32) -> Self {
        let bucket = Self { rate: rate.max(1), period, burst: Duration::ZERO, empty_at: Moment::ZERO };
        Self { burst: bucket.cost(burst), ..bucket }
    }

    /// How long so many units take to leak away.
    fn cost(&self, units: u32) -> Duration {
        let nanoseconds = self.period.as_nanos().saturating_mul(u128::from(units)) / u128::from(self.rate);
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    /// Takes `units` if they fit, or says how long to wait until they do.
    ///
    /// # Errors
    /// The time after which the same wish will be granted.
    pub fn take(&mut self, units: u32, now: Moment) -> Result<(), Duration> {
        let filled = self.empty_at.max(now).saturating_add(self.cost(units));
        let limit = now.saturating_add(self.burst);
        if filled > limit {
            return Err(filled.saturating_sub(limit));
        }
        self.empty_at = filled;
        Ok(())
    }

    /// Takes `units` and goes into debt for them if need be, unless the bucket is full already.
    ///
    /// For units that come in lumps larger than the burst: the lump passes, what follows waits.
    ///
    /// # Errors
    /// The time after which the bucket is no longer full.
    pub fn take_on_credit(&mut self, units: u32, now: Moment) -> Result<(), Duration> {
        let limit = now.saturating_add(self.burst);
        let base = self.empty_at.max(now);
        if base >= limit {
            return Err(base.saturating_sub(limit).max(Duration::from_millis(1)));
        }
        self.empty_at = base.saturating_add(self.cost(units));
        Ok(())
    }

    /// Takes `units` in any case, and says how long to pause until the rate is kept again.
    pub fn charge(&mut self, units: u32, now: Moment) -> Duration {
        self.empty_at = self.empty_at.max(now).saturating_add(self.cost(units));
        self.empty_at.saturating_sub(now.saturating_add(self.burst))
    }

    /// Whether everything has leaked away, so that forgetting the bucket changes nothing.
    #[must_use]
    pub fn is_idle(&self, now: Moment) -> bool {
        self.empty_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(milliseconds: u64) -> Moment {
        Moment::from_millis(milliseconds)
    }

    #[test]
    fn a_burst_passes_then_the_rate_rules() {
        let mut bucket = Bucket::new(10, 3);
        for _ in 0..3 {
            assert_eq!(bucket.take(1, at(0)), Ok(()));
        }
        assert_eq!(bucket.take(1, at(0)), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(1, at(99)), Err(Duration::from_millis(1)));
        assert_eq!(bucket.take(1, at(100)), Ok(()));
        assert!(bucket.is_idle(at(1000)));
    }

    #[test]
    fn a_lump_larger_than_the_burst_passes_once() {
        let mut bucket = Bucket::new(1000, 1000);
        assert_eq!(bucket.take_on_credit(10_000, at(0)), Ok(()));
        assert!(bucket.take_on_credit(1, at(0)).is_err());
        assert!(bucket.take_on_credit(1, at(8_999)).is_err());
        assert_eq!(bucket.take_on_credit(1, at(9_001)), Ok(()));
    }

    #[test]
    fn what_was_taken_already_is_paid_by_a_pause() {
        let mut bucket = Bucket::new(10, 2);
        assert_eq!(bucket.charge(2, at(0)), Duration::ZERO);
        assert_eq!(bucket.charge(1, at(0)), Duration::from_millis(100));
        assert_eq!(bucket.charge(1, at(100)), Duration::from_millis(100));
    }

    #[test]
    fn per_minute_means_a_minute() {
        let mut bucket = Bucket::per_minute(60);
        let granted = (0..100).filter(|_| bucket.take(1, at(0)).is_ok()).count();
        assert_eq!(granted, 60);
        assert!(bucket.take(1, at(1_001)).is_ok());
    }
}

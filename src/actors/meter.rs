//! What passes through one socket to a neighbour, counted where it passes and read by whoever asks.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::domain::Moment;

/// Shared by the socket and whoever shows it.
#[derive(Debug, Default)]
pub struct Meter {
    frames_in: AtomicU64,
    frames_out: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    violations: AtomicU64,
    overheard: AtomicU64,
    /// Milliseconds since the start of the process.
    heard: AtomicU64,
    /// Microseconds; nothing was measured yet if it is zero.
    round_trip: AtomicU64,
}

/// The sums at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Messages that came in.
    pub frames_in: u64,
    /// Messages that went out.
    pub frames_out: u64,
    /// Their payload.
    pub bytes_in: u64,
    /// Their payload.
    pub bytes_out: u64,
    /// How often the neighbour did what its protocol forbids, or what this house refuses.
    pub violations: u64,
    /// How often it told of members of others, which they tell themselves.
    pub overheard: u64,
}

impl Meter {
    /// Something came in.
    pub fn came_in(&self, bytes: usize, now: Moment) {
        self.frames_in.fetch_add(1, Relaxed);
        self.bytes_in.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Relaxed);
        self.heard.store(u64::try_from(now.as_millis()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Something went out.
    pub fn went_out(&self, bytes: usize) {
        self.frames_out.fetch_add(1, Relaxed);
        self.bytes_out.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Relaxed);
    }

    /// Something came in that must not.
    pub fn violated(&self) {
        self.violations.fetch_add(1, Relaxed);
    }

    /// Something came in that is not for the neighbour to tell.
    pub fn overheard(&self) {
        self.overheard.fetch_add(1, Relaxed);
    }

    /// A question was answered after so long.
    pub fn took(&self, span: Duration) {
        self.round_trip.store(u64::try_from(span.as_micros()).unwrap_or(u64::MAX).max(1), Relaxed);
    }

    /// When something came in last.
    #[must_use]
    pub fn heard(&self) -> Moment {
        Moment::from_millis(self.heard.load(Relaxed))
    }

    /// The last round trip.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        let micros = self.round_trip.load(Relaxed);
        (micros > 0).then(|| Duration::from_micros(micros))
    }

    /// The sums.
    #[must_use]
    pub fn read(&self) -> Reading {
        Reading {
            frames_in: self.frames_in.load(Relaxed),
            frames_out: self.frames_out.load(Relaxed),
            bytes_in: self.bytes_in.load(Relaxed),
            bytes_out: self.bytes_out.load(Relaxed),
            violations: self.violations.load(Relaxed),
            overheard: self.overheard.load(Relaxed),
        }
    }
}

impl std::ops::Add for Reading {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            frames_in: self.frames_in + other.frames_in,
            frames_out: self.frames_out + other.frames_out,
            bytes_in: self.bytes_in + other.bytes_in,
            bytes_out: self.bytes_out + other.bytes_out,
            violations: self.violations + other.violations,
            overheard: self.overheard + other.overheard,
        }
    }
}

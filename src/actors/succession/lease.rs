//! The last word about serving: a thread that waits for nothing and nobody.
//!
//! The election fences itself, but it is a task among others, and a machine that was asleep runs its tasks in any
//! order when it wakes. The time here is that of the kernel's clock that goes on during sleep.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

use crate::domain::Moment;

/// The time since the machine was started, its sleep included.
#[must_use]
pub(super) fn now() -> Moment {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

/// How often the lease is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Until when this node may serve. None: it does not.
#[derive(Clone, Debug, Default)]
pub(super) struct Lease(Arc<Mutex<Option<Moment>>>);

impl Lease {
    /// The node may serve until then, and no longer.
    pub(super) fn set(&self, until: Option<Moment>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// What is left of it, if there is one.
    fn left(&self) -> Option<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).map(|until| until.saturating_sub(now()))
    }

    fn is_over(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// Watches it from now on.
    pub(super) fn watch(&self, fence: Box<dyn Fn() + Send>) {
        let lease = self.clone();
        thread::spawn(move || {
            loop {
                // No look may come late: the others count on the end of the lease to the millisecond.
                thread::sleep(lease.left().unwrap_or(LOOK).min(LOOK));
                // The lease must not be held while what ends this process is under way.
                if lease.is_over() {
                    fence();
                    lease.set(None);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_lease_that_is_not_renewed_ends_and_one_that_is_does_not() {
        let (fenced, told) = channel();
        let lease = Lease::default();
        lease.set(Some(now() + Duration::from_secs(3600)));
        lease.watch(Box::new(move || fenced.send(()).expect("somebody listens")));
        assert!(!lease.is_over());
        lease.set(Some(now()));
        told.recv_timeout(Duration::from_secs(20)).expect("it is fenced");
    }
}

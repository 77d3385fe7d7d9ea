//! Who is sent the client list, and when: telling everybody everything, within a budget.
//!
//! OLAF obliges a server to send whole lists, which costs the square of the number of members. So
//! every connection that is behind stands in a queue, each is sent the newest list when its turn
//! comes, and a byte budget decides how fast the queue moves. A quiet house answers every change at
//! once; a busy one merges changes by itself, because a connection waits only once.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use super::{Moment, id::ConnectionId, rate::Bucket};

/// The queue of connections that have not seen the newest list.
#[derive(Debug)]
pub struct Presence {
    budget: Bucket,
    behind: VecDeque<ConnectionId>,
    waiting: HashSet<ConnectionId>,
}

impl Presence {
    /// A queue that moves at `bytes_per_second`, a quarter of a second of which may go out at once.
    #[must_use]
    pub fn new(bytes_per_second: u32) -> Self {
        Self {
            budget: Bucket::new(bytes_per_second, bytes_per_second / 4),
            behind: VecDeque::new(),
            waiting: HashSet::new(),
        }
    }

    /// Somebody who just arrived and has seen nothing yet: served first.
    pub fn arrived(&mut self, connection: ConnectionId) {
        if self.waiting.insert(connection) {
            self.behind.push_front(connection);
        }
    }

    /// Somebody asks to be told: served in turn, and only once however often it asks.
    pub fn asked(&mut self, connection: ConnectionId) {
        if self.waiting.insert(connection) {
            self.behind.push_back(connection);
        }
    }

    /// The list changed: all of these, so many, are behind now.
    pub fn changed(&mut self, count: usize, everyone: impl Iterator<Item = ConnectionId>) {
        // Under churn everybody waits already; then a change costs nothing.
        if self.waiting.len() >= count {
            return;
        }
        for connection in everyone {
            self.asked(connection);
        }
    }

    /// A connection is gone.
    pub fn gone(&mut self, connection: ConnectionId) {
        self.waiting.remove(&connection);
        self.forget_the_gone();
    }

    /// Whoever left the house left a place in the queue, which must not stay for ever.
    fn forget_the_gone(&mut self) {
        if self.waiting.is_empty() {
            self.behind.clear();
        }
    }

    /// Whether anybody waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next connection to be sent a list of that many bytes.
    ///
    /// # Errors
    /// The budget is used up; the time after which it is worth asking again.
    pub fn next(&mut self, bytes: u32, now: Moment) -> Result<Option<ConnectionId>, Duration> {
        while let Some(connection) = self.behind.front().copied() {
            if !self.waiting.contains(&connection) {
                self.behind.pop_front();
                continue;
            }
            self.budget.take_on_credit(bytes, now)?;
            self.behind.pop_front();
            self.waiting.remove(&connection);
            self.forget_the_gone();
            return Ok(Some(connection));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(range: std::ops::Range<u64>) -> std::vec::IntoIter<ConnectionId> {
        range.map(ConnectionId).collect::<Vec<_>>().into_iter()
    }

    fn drain(queue: &mut Presence, bytes: u32, now: Moment) -> Vec<u64> {
        std::iter::from_fn(|| queue.next(bytes, now).ok().flatten()).map(|id| id.0).collect()
    }

    #[test]
    fn a_quiet_house_tells_everybody_at_once_and_newcomers_first() {
        let mut queue = Presence::new(1_000_000);
        queue.changed(3, ids(0..3));
        queue.arrived(ConnectionId(9));
        queue.asked(ConnectionId(1));
        queue.gone(ConnectionId(2));
        assert_eq!(drain(&mut queue, 100, Moment::ZERO), [9, 0, 1]);
        assert!(queue.is_idle());
    }

    #[test]
    fn who_comes_and_goes_while_the_budget_is_used_up_leaves_nothing_behind() {
        let mut queue = Presence::new(1000);
        queue.arrived(ConnectionId(0));
        assert_eq!(drain(&mut queue, 1_000_000, Moment::ZERO), [0]);
        for id in 1..1000 {
            queue.arrived(ConnectionId(id));
            assert!(queue.next(100, Moment::ZERO).is_err());
            queue.gone(ConnectionId(id));
        }
        assert_eq!(queue.behind.len(), 0);
    }

    #[test]
    fn churn_costs_a_bounded_share_however_many_changes_there_are() {
        let mut queue = Presence::new(1_000_000);
        let mut sent = 0_u64;
        for millisecond in 0..10_000 {
            queue.changed(1000, ids(0..1000));
            let now = Moment::from_millis(millisecond);
            sent += u64::try_from(drain(&mut queue, 10_000, now).len()).unwrap_or(u64::MAX) * 10_000;
        }
        assert!((9_900_000..10_500_000).contains(&sent), "{sent} bytes in ten seconds at 1 MB/s");
    }
}

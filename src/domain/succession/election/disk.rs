//! What must be on disk before it is said: wishes to write, and what waits for them.

use std::collections::VecDeque;

use super::{Asked, Cause, Election, Output, State};
use crate::domain::{
    Moment,
    succession::{Epoch, ballot::Serial, message::Answer},
};

/// What happens once the ballot is on disk.
#[derive(Clone, Debug)]
pub(super) enum Deferred {
    /// A question is answered.
    Reply(Asked, Answer),
    /// The others are asked for their votes.
    AskVotes(Epoch),
}

/// Answers that wait at most. Whoever asks more than this at once asks again.
const MOST: usize = 64;

/// What was asked to be written, and what is.
#[derive(Debug, Default)]
pub(super) struct Disk {
    latest: Serial,
    durable: Serial,
    /// The last attempt did not succeed.
    pub(super) failed: bool,
    /// When it is tried again.
    pub(super) again: Moment,
    waiting: VecDeque<(Serial, Deferred)>,
}

impl Disk {
    /// Whether anything was ever written in this run: before that the node has no number for what it says.
    pub(super) fn is_awake(&self) -> bool {
        self.durable > Serial::default()
    }

    /// Whether everything is on disk.
    pub(super) fn is_settled(&self) -> bool {
        self.durable == self.latest
    }
}

impl Election {
    pub(super) fn persist(&mut self, out: &mut Vec<Output>) {
        self.disk.latest = Serial(self.disk.latest.0.saturating_add(1));
        out.push(Output::Persist(self.disk.latest, self.ballot));
    }

    /// Says or does something once all that was decided up to now is on disk.
    pub(super) fn once_on_disk(&mut self, what: Deferred, now: Moment, out: &mut Vec<Output>) {
        if self.disk.is_settled() {
            self.carry_out(what, now, out);
        } else if self.disk.waiting.len() < MOST {
            self.disk.waiting.push_back((self.disk.latest, what));
        }
    }

    pub(super) fn persisted(&mut self, serial: Serial, now: Moment, out: &mut Vec<Output>) {
        if serial > self.disk.latest {
            return;
        }
        self.disk.durable = self.disk.durable.max(serial);
        if self.disk.is_settled() {
            self.disk.failed = false;
        }
        while self.disk.waiting.front().is_some_and(|(needed, _)| *needed <= self.disk.durable) {
            if let Some((_, what)) = self.disk.waiting.pop_front() {
                self.carry_out(what, now, out);
            }
        }
    }

    fn carry_out(&mut self, what: Deferred, now: Moment, out: &mut Vec<Output>) {
        match what {
            Deferred::Reply(asked, answer) => self.reply(asked, answer, out),
            Deferred::AskVotes(epoch) => self.ask_votes(epoch, now, out),
        }
    }

    /// A node that cannot write has neither a vote nor a voice; a leader, who needs neither, goes on.
    pub(super) fn not_persisted(&mut self, serial: Serial, now: Moment, out: &mut Vec<Output>) {
        if serial <= self.disk.durable {
            return;
        }
        self.disk.failed = true;
        self.disk.again = now + self.numbers.retry;
        self.disk.waiting.clear();
        if matches!(self.state, State::Candidate(_)) {
            self.retire(Cause::DiskFailed, now, out);
        }
    }

    pub(super) fn persist_again(&mut self, now: Moment, out: &mut Vec<Output>) {
        if self.disk.failed && now >= self.disk.again {
            self.disk.again = now + self.numbers.retry;
            self.persist(out);
        }
    }
}

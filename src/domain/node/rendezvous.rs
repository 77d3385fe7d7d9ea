//! A node's end of its line to the rendezvous: dialled, given up, dialled again, and never missed.

use std::time::Duration;

use crate::domain::{Moment, backoff::Backoff};

/// A rendezvous that repeats its directory every 15 s is believed to be gone after three of these.
const LONGEST_SILENCE: Duration = Duration::from_secs(45);

/// When a rendezvous comes back everybody has lost it in the same moment, and the first ones fall over if two clients come in
/// the same instant: what is added to each wait at the most.
const SPREAD: Duration = Duration::from_secs(1);

/// How far the line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is none; the next one is dialled then.
    Away { next: Moment },
    /// It is being dialled.
    Dialling,
    /// We are registered, and something was heard then.
    Registered { heard: Moment },
}

/// The line to the rendezvous.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rendezvous {
    state: State,
    backoff: Backoff,
    /// It says something every now and then. The first servers do so only when somebody comes, and each time they
    /// are dialled anew they may fall over, so that their silence must mean nothing.
    repeats: bool,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Dial,
    HangUp,
    Nothing,
}

impl Rendezvous {
    pub(super) fn new(backoff: Backoff, now: Moment) -> Self {
        Self { state: State::Away { next: now }, backoff, repeats: false }
    }

    pub(super) fn due(&mut self, now: Moment, chance: u16) -> Due {
        match self.state {
            State::Away { next } if now >= next => {
                self.state = State::Dialling;
                Due::Dial
            }
            State::Registered { heard } if self.repeats && now >= heard + LONGEST_SILENCE => {
                self.lost(now, chance);
                Due::HangUp
            }
            _ => Due::Nothing,
        }
    }

    pub(super) fn wakes_at(&self) -> Option<Moment> {
        match self.state {
            State::Away { next } => Some(next),
            State::Registered { heard } if self.repeats => Some(heard + LONGEST_SILENCE),
            State::Dialling | State::Registered { .. } => None,
        }
    }

    pub(super) const fn registered(&mut self, now: Moment) {
        self.state = State::Registered { heard: now };
        self.repeats = false;
    }

    pub(super) const fn is_registered(&self) -> bool {
        matches!(self.state, State::Registered { .. })
    }

    pub(super) const fn repeats(&mut self) {
        self.repeats = true;
    }

    pub(super) const fn heard(&mut self, now: Moment) {
        if let State::Registered { heard } = &mut self.state {
            *heard = now;
        }
    }

    /// It has told who is there, so it was worth the wait.
    pub(super) const fn listed(&mut self, now: Moment) {
        self.heard(now);
        self.backoff.reset();
    }

    pub(super) fn lost(&mut self, now: Moment, chance: u16) {
        if !matches!(self.state, State::Away { .. }) {
            let wait = self.backoff.wait(chance) + SPREAD * u32::from(chance) / u32::from(u16::MAX);
            self.state = State::Away { next: now + wait };
        }
    }
}

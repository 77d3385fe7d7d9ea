//! All rooms of this home.

use std::sync::Arc;

use super::outcome::Asker;
use super::{Kept, Line, LineId, Objection, Order, Outcome, RoomName, RoomNews, RoomView, Wish};
use crate::domain::{
    id::{ConnectionId, HomeId, KeyId},
    limits::Limits,
    member::Member,
    refusal::Violation,
};

/// All rooms of this home.
#[derive(Debug)]
pub struct Rooms {
    own: KeyId,
}

impl Rooms {
    /// No rooms yet, at the home with this key.
    #[must_use]
    pub fn new(own: KeyId, _limits: &Limits) -> Self {
        Self { own }
    }

    /// What was written down is there again. Only at the start. What follows is what no longer fits.
    pub fn restore(&mut self, _kept: Kept, _now_ms: i64) -> Outcome {
        Outcome::default()
    }

    /// The number of a member of this home, by which others tell her apart. Kept until her last connection that was
    /// welcomed or has asked something is gone.
    pub fn welcome(&mut self, _connection: ConnectionId, _member: &Arc<Member>) -> u32 {
        0
    }

    /// A member wishes something. To be called otherwise she may only wish after everybody else has agreed.
    pub fn ask(&mut self, _asker: &Asker<'_>, _wish: Wish, _now_ms: i64) -> Outcome {
        Outcome::default()
    }

    /// A connection is over, whether it ever asked anything or not.
    pub fn gone(&mut self, _connection: ConnectionId) -> Outcome {
        Outcome::default()
    }

    /// A Kith neighbour is linked, and has proven this key. If it was linked before, it starts afresh.
    pub fn link(&mut self, _home: HomeId, _key: KeyId) -> Outcome {
        Outcome::default()
    }

    /// A neighbour is gone, and takes its guests with it. No matter whether it was ever linked here.
    pub fn unlink(&mut self, _home: HomeId) -> Outcome {
        Outcome::default()
    }

    /// A neighbour says something. What comes from somebody who is not linked is nothing.
    ///
    /// # Errors
    /// It may not say that; the link should end.
    pub fn hear(&mut self, _home: HomeId, _news: RoomNews, _now_ms: i64) -> Result<Outcome, Violation> {
        Ok(Outcome::default())
    }

    /// The operator wants something.
    ///
    /// # Errors
    /// It cannot be.
    pub fn order(&mut self, _order: Order, _now_ms: i64) -> Result<Outcome, Objection> {
        Ok(Outcome::default())
    }

    /// What is too old goes; what came too early is asked for again. Once a minute is often enough.
    pub fn tidy(&mut self, _now_ms: i64) -> Outcome {
        Outcome::default()
    }

    /// The rooms in the order of their names.
    pub fn rooms(&self) -> impl Iterator<Item = RoomView> {
        let _ = self.own;
        std::iter::empty()
    }

    /// One of them.
    #[must_use]
    pub fn room(&self, _name: &RoomName) -> Option<RoomView> {
        None
    }

    /// At most so many lines of a room, the newest or those right before this one, oldest first, and whether there
    /// are older ones. Nothing is hidden from operators but what was withdrawn.
    #[must_use]
    pub fn history(
        &self,
        _room: &RoomName,
        _before: Option<LineId>,
        _most: usize,
    ) -> Option<(Vec<Arc<Line>>, bool)> {
        None
    }

    /// Who may say nothing.
    pub fn muted(&self) -> impl Iterator<Item = KeyId> {
        std::iter::empty()
    }
}

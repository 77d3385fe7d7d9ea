//! tPacket as a link uses it. There are no keys, so there is nothing to compare and nobody to trust.

use super::Session;
use crate::{
    client::{
        event::{Output, SayError},
        person::PersonId,
        voice::{FilePost, Say, Voice},
    },
    domain::letter::Frame,
};

impl Voice for Session {
    fn me(&self) -> PersonId {
        Self::me(self).clone()
    }

    fn fingerprint(&self) -> Option<String> {
        None
    }

    /// A first server breaks on whoever comes to its door for anything but a chat.
    fn files(&self) -> FilePost {
        FilePost::None
    }

    fn greet(&mut self, _: i64) -> Result<Vec<Frame>, SayError> {
        Ok(Self::greet(self).into())
    }

    fn say(&mut self, say: &Say, _: i64) -> Result<Vec<Frame>, SayError> {
        Self::say(self, say)
    }

    /// Everybody who comes or goes is told by itself.
    fn ask_for_list(&mut self, _: i64) -> Option<Frame> {
        None
    }

    fn receive(&mut self, frame: &Frame, now_ms: i64, out: &mut Vec<Output>) {
        Self::receive(self, frame, now_ms, out);
    }

    fn wakes_at(&self) -> Option<i64> {
        Self::wakes_at(self)
    }

    fn wake(&mut self, now_ms: i64, out: &mut Vec<Output>) {
        if Self::wakes_at(self).is_some_and(|at_ms| at_ms <= now_ms) {
            Self::wake(self, out);
        }
    }
}

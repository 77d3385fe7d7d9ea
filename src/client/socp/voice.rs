//! SOCP as a link uses it.

use super::{Session, seal::ROOM};
use crate::{
    client::{
        event::{Output, SayError},
        person::PersonId,
        rooms::Offer,
        voice::{Chunks, FilePost, Say, Voice},
    },
    domain::letter::Frame,
};

/// A part of a public file: large enough to be quick, small enough for every implementation's frames.
const PUBLIC_CHUNK: usize = 32 << 10;
/// All that is ever said at the end.
const GOODBYE: &str = r#"{"type":"CTRL_CLOSE"}"#;

impl Voice for Session {
    fn me(&self) -> PersonId {
        Self::me(self).clone()
    }

    fn fingerprint(&self) -> Option<String> {
        Some(Self::fingerprint(self))
    }

    fn files(&self) -> FilePost {
        FilePost::InLetters(Chunks { private: ROOM, public: PUBLIC_CHUNK })
    }

    fn reaches_absent(&self) -> bool {
        true
    }

    fn greet(&mut self, now_ms: i64) -> Result<Vec<Frame>, SayError> {
        Self::greet(self, now_ms).map(|frames| frames.map(Frame::from).into())
    }

    fn say(&mut self, say: &Say, now_ms: i64) -> Result<Vec<Frame>, SayError> {
        Ok(Self::say(self, say, now_ms)?.into_iter().map(Frame::from).collect())
    }

    fn wonders(&self, say: Option<&Say>) -> bool {
        self.rooms.wonders(say)
    }

    fn offered(&mut self, offer: Option<Offer>, out: &mut Vec<Output>) {
        self.rooms.offered(offer, out);
    }

    fn ask_for_list(&mut self, now_ms: i64) -> Option<Frame> {
        Self::ask_for_list(self, now_ms).ok().map(Frame::from)
    }

    fn receive(&mut self, frame: &Frame, now_ms: i64, out: &mut Vec<Output>) {
        if let Some(text) = frame.text() {
            Self::receive(self, text, now_ms, out);
        }
    }

    fn trust(&mut self, person: &PersonId, out: &mut Vec<Output>) {
        Self::trust(self, person, out);
    }

    fn tick(&mut self, now_ms: i64, out: &mut Vec<Output>) {
        Self::tick(self, now_ms, out);
    }

    fn goodbye(&self) -> Option<Frame> {
        Some(Frame::from(GOODBYE.to_owned()))
    }
}

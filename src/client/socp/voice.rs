//! SOCP as a link uses it.

use super::{Session, seal::ROOM};
use crate::client::{
    event::{Output, SayError},
    person::PersonId,
    voice::{Chunks, Say, Voice},
};

/// A part of a public file: large enough to be quick, small enough for every implementation's frames.
const PUBLIC_CHUNK: usize = 32 << 10;
/// All that is ever said at the end.
const GOODBYE: &str = r#"{"type":"CTRL_CLOSE"}"#;

impl Voice for Session {
    fn me(&self) -> PersonId {
        Self::me(self).clone()
    }

    fn fingerprint(&self) -> String {
        Self::fingerprint(self)
    }

    fn chunks(&self) -> Option<Chunks> {
        Some(Chunks { private: ROOM, public: PUBLIC_CHUNK })
    }

    fn greet(&mut self, now_ms: i64) -> Result<Vec<String>, SayError> {
        Self::greet(self, now_ms).map(Vec::from)
    }

    fn say(&mut self, say: &Say, now_ms: i64) -> Result<Vec<String>, SayError> {
        Self::say(self, say, now_ms)
    }

    fn ask_for_list(&mut self, now_ms: i64) -> Option<String> {
        Self::ask_for_list(self, now_ms).ok()
    }

    fn receive(&mut self, frame: &str, now_ms: i64, out: &mut Vec<Output>) {
        Self::receive(self, frame, now_ms, out);
    }

    fn trust(&mut self, person: &PersonId, out: &mut Vec<Output>) {
        Self::trust(self, person, out);
    }

    fn tick(&mut self, now_ms: i64, out: &mut Vec<Output>) {
        Self::tick(self, now_ms, out);
    }

    fn goodbye(&self) -> Option<String> {
        Some(GOODBYE.to_owned())
    }
}

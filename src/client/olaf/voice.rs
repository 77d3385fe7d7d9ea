//! OLAF as a link uses it. The protocol has counters instead of times, and no words for a goodbye.

use super::Session;
use crate::client::{
    event::{Output, SayError},
    person::PersonId,
    voice::{Say, Voice},
};

impl Voice for Session {
    fn me(&self) -> PersonId {
        self.id()
    }

    fn fingerprint(&self) -> String {
        Self::fingerprint(self).to_owned()
    }

    fn greet(&mut self, _: i64) -> Result<Vec<String>, SayError> {
        Self::greet(self).map(Vec::from)
    }

    fn say(&mut self, say: &Say, _: i64) -> Result<Vec<String>, SayError> {
        let frame = match say {
            Say::Public(text) => self.public(text),
            Say::Private(to, text) => self.private(to, text),
            Say::Part(..) => Err(SayError::NoFiles),
        };
        frame.map(|frame| vec![frame])
    }

    fn ask_for_list(&mut self, _: i64) -> Option<String> {
        Some(Self::ask_for_list(self))
    }

    fn receive(&mut self, frame: &str, _: i64, out: &mut Vec<Output>) {
        Self::receive(self, frame, out);
    }
}

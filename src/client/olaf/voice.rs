//! OLAF as a link uses it. The protocol has counters instead of times, and no words for a goodbye.

use super::Session;
use crate::{
    client::{
        event::{Output, SayError},
        person::PersonId,
        rooms::{Offer, Spoken},
        voice::{Say, Voice},
    },
    domain::letter::Frame,
};

impl Voice for Session {
    fn me(&self) -> PersonId {
        self.id()
    }

    fn fingerprint(&self) -> Option<String> {
        Some(Self::fingerprint(self).to_owned())
    }

    fn greet(&mut self, _: i64) -> Result<Vec<Frame>, SayError> {
        Self::greet(self).map(|frames| frames.map(Frame::from).into())
    }

    fn say(&mut self, say: &Say, _: i64) -> Result<Vec<Frame>, SayError> {
        let frame = match say {
            Say::Public(text) => self.public(text),
            Say::Here(text) => match self.rooms.speak(text)? {
                Spoken::Everybody => self.public(text),
                Spoken::Room(frame) => Ok(frame),
            },
            Say::Private(to, text) => self.private(to, text),
            Say::Part(..) => Err(SayError::NoFiles),
            Say::Wish(wish) => self.rooms.wish(wish),
        };
        frame.map(|frame| vec![frame.into()])
    }

    fn wonders(&self, say: Option<&Say>) -> bool {
        self.rooms.wonders(say)
    }

    fn offered(&mut self, offer: Option<Offer>, out: &mut Vec<Output>) {
        self.rooms.offered(offer, out);
    }

    fn ask_for_list(&mut self, _: i64) -> Option<Frame> {
        Some(Self::ask_for_list(self).into())
    }

    fn receive(&mut self, frame: &Frame, _: i64, out: &mut Vec<Output>) {
        if let Some(text) = frame.text() {
            Self::receive(self, text, out);
        }
    }
}

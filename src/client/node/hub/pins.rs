//! Which key was met at which address: the first one is kept, until the member says otherwise.

use super::Hub;
use crate::{
    client::{
        node::event::{Event, Manner, Who},
        person::PersonId,
    },
    domain::{endpoint::Endpoint, id::KeyId},
};

impl Hub {
    /// The key that was met there first.
    pub(super) fn pinned(&self, at: Endpoint) -> Option<KeyId> {
        self.pins.key(&person(at)).and_then(KeyId::from_hex)
    }

    /// Keeps the key of somebody who has proven it. Says whether none was known there.
    pub(super) fn keep(&mut self, who: Who) -> bool {
        let (Ok(at), Manner::Sealed(key)) = (who.at, who.manner) else { return false };
        if self.pinned(at).is_some() {
            return false;
        }
        // Anybody may say that it listens at any port of its machine; what is written down must stand in a list.
        if !self.node.list().nodes.iter().any(|node| node.at == at) {
            return true;
        }
        if let Err(error) = self.pins.keep(&[(person(at), key.hex())]) {
            self.events.push_back(Event::NotKept(error.to_string()));
        }
        true
    }

    /// Forgets the key that was met there, so that the next one is kept in its place. Says whether there was one.
    pub fn forget(&mut self, at: Endpoint) -> bool {
        self.told.retain(|(told, _)| *told != at);
        self.node.retry(at, self.clock.now());
        match self.pins.forget(&person(at)) {
            Ok(was_known) => was_known,
            Err(error) => {
                self.events.push_back(Event::NotKept(error.to_string()));
                true
            }
        }
    }
}

fn person(at: Endpoint) -> PersonId {
    PersonId::new(&at.to_string())
}

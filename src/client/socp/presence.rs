//! Who comes and goes, and with which keys.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Session, directory::Offer};
use crate::{
    client::{
        event::{Event, Output},
        person::PersonId,
    },
    dialect::socp::{
        envelope::Envelope,
        kind::Kind,
        payload::{Presence, is_user_name},
        request::{KeyAnswer, Names},
    },
};

/// Keys that are asked for at once.
const MOST_ASKED: usize = 32;

impl Session {
    pub(super) fn on_came(&mut self, envelope: &Envelope<'_>, now_ms: i64, out: &mut Vec<Output>) {
        let Ok(presence) = Presence::read(envelope.payload()) else { return };
        if !is_user_name(&presence.user_id) {
            return;
        }
        let person = PersonId::new(&presence.user_id);
        let server = presence.server_id.as_deref().unwrap_or_default();
        self.directory.arrive(&person, server, presence.display_name().as_deref());
        if let Some(key) = presence.pubkey() {
            self.offered(&person, &key, out);
        }
        if self.is_listed {
            self.ask_for_keys(now_ms, out);
            self.tell_if_settled(out);
        }
    }

    pub(super) fn on_went(&mut self, envelope: &Envelope<'_>, out: &mut Vec<Output>) {
        let Ok(presence) = Presence::read(envelope.payload()) else { return };
        let person = PersonId::new(&presence.user_id);
        self.directory.leave(&person, presence.server_id.as_deref().unwrap_or_default());
        self.asked.remove(&person);
        self.tell_if_settled(out);
    }

    pub(super) fn on_list(&mut self, envelope: &Envelope<'_>, now_ms: i64, out: &mut Vec<Output>) {
        let Ok(names) = Names::read(envelope.payload()) else { return };
        let names = names.users().iter().filter_map(|entry| entry.id().map(|id| (id, &entry.pubkey)));
        let mut people = Vec::new();
        for (name, key) in names.filter(|(name, _)| is_user_name(name)) {
            let person = PersonId::new(name);
            if let Some(key) = key {
                self.offered(&person, key, out);
            }
            people.push(person);
        }
        self.directory.list(people.iter());
        self.is_told_who_is_here(now_ms, out);
    }

    pub(super) fn is_told_who_is_here(&mut self, now_ms: i64, out: &mut Vec<Output>) {
        self.list_is_asked_for = false;
        self.is_listed = true;
        self.ask_for_keys(now_ms, out);
        self.tell_if_settled(out);
    }

    /// Asks for the keys of those who came without.
    fn ask_for_keys(&mut self, now_ms: i64, out: &mut Vec<Output>) {
        let is_wanted = |person: &&PersonId| **person != self.me && !self.asked.contains(*person);
        let room = MOST_ASKED.saturating_sub(self.asked.len());
        let wanted: Vec<_> = self.directory.without_key().filter(is_wanted).take(room).cloned().collect();
        let server = self.server();
        for person in wanted {
            let payload = json!({"recipient_uuid": person.as_str(), "user_id": person.as_str()});
            if let Ok(frame) = self.pen(now_ms).frame(Kind::PubkeyRequest, &server, &payload) {
                out.push(Output::Send(frame.into()));
                self.asked.insert(person);
            }
        }
    }

    pub(super) fn on_key(&mut self, envelope: &Envelope<'_>, out: &mut Vec<Output>) {
        let Ok(answer) = KeyAnswer::read(envelope.payload()) else { return };
        let Some(person) = answer.user().filter(|name| is_user_name(name)).map(PersonId::new) else { return };
        if let Some(key) = answer.pubkey() {
            self.offered(&person, key, out);
        }
        self.asked.remove(&person);
        self.tell_if_settled(out);
    }

    /// Somebody comes with a key.
    pub(super) fn offered(&mut self, person: &PersonId, key: &str, out: &mut Vec<Output>) {
        if *person == self.me {
            return;
        }
        match self.directory.offer(person, key) {
            Offer::First(text) => {
                self.asked.remove(person);
                self.learnt.push((person.clone(), text));
            }
            Offer::Changed { known, offered } => {
                out.push(Output::Event(Event::KeyChanged { who: person.clone(), known, offered }));
            }
            Offer::Bad | Offer::Known | Offer::StillChanged => {}
        }
    }

    /// Tells who is here, once nothing is missing.
    pub(super) fn tell_if_settled(&mut self, out: &mut Vec<Output>) {
        if self.is_listed && self.asked.is_empty() {
            self.tell(out);
        }
    }

    pub(super) fn tell(&mut self, out: &mut Vec<Output>) {
        self.write_down(out);
        let members = self.directory.present();
        let now: BTreeSet<_> = members.iter().map(|present| present.id.clone()).collect();
        let others = |people: Vec<&PersonId>| -> Vec<PersonId> {
            people.into_iter().filter(|person| **person != self.me).cloned().collect()
        };
        let joined = others(now.difference(&self.told).collect());
        let left = others(self.told.difference(&now).collect());
        self.told = now;
        out.push(Output::Event(Event::Listed { members, joined, left }));
    }

    pub(super) fn write_down(&mut self, out: &mut Vec<Output>) {
        let learnt = std::mem::take(&mut self.learnt);
        if !learnt.is_empty() {
            out.push(Output::Event(Event::Keys(learnt)));
        }
    }
}

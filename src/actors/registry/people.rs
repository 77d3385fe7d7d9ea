//! Members who have names: found for whoever asks, and told one by one to clients that hear of each other
//! like that.

use std::{collections::BTreeMap, sync::Arc};

use actix::{Context, Handler, MessageResult};

use super::{People, Registry, pressed::Pressed};
use crate::{
    actors::{
        event::Kind,
        lane::{Class, Lane},
    },
    dialect::{Ear, press},
    domain::{
        dialect::Dialect,
        id::{HomeId, KeyId},
        letter::{Frame, Letter, Origin},
        member::{Member, Named, Whom},
        refusal::Refusal,
    },
};

/// Who was told to all clients that hear of members one by one.
pub(super) type Told = BTreeMap<KeyId, Arc<Member>>;

impl Registry {
    /// Everybody who has a name, here and at neighbours.
    fn people(&self) -> impl Iterator<Item = &Arc<Member>> {
        let mesh = self.switchboard.mesh();
        let elsewhere = mesh.homes().flat_map(|(home, _)| mesh.listed(home));
        self.switchboard.roster().members().chain(elsewhere).filter(|member| is_person(member))
    }

    fn person(&self, key: KeyId) -> Option<&Arc<Member>> {
        let mesh = self.switchboard.mesh();
        let elsewhere = || mesh.member(mesh.whereabouts(key)?, key);
        self.switchboard.roster().find(key).or_else(elsewhere).filter(|member| is_person(member))
    }

    fn listeners(&self) -> impl Iterator<Item = (Ear, &Lane)> {
        let hears = |ear| matches!(ear, Ear::Socp(_));
        self.entries.values().filter(move |entry| hears(entry.ear)).map(|entry| (entry.ear, &entry.lane))
    }

    /// Tells a client that it is in, and who else is there.
    pub(super) fn welcome(&self, member: &Member, ear: Ear, lane: &Lane) {
        let Some(welcome) = press::welcome(member, ear, &self.terms.myself.key) else { return };
        let _ = lane.offer(welcome, Class::Letter);
        for other in self.told.values() {
            // Whoever has no room for all of them can still ask for the list.
            if let Some(frame) = press::came(other, ear)
                && !lane.offer(frame, Class::List)
            {
                break;
            }
        }
    }

    /// Tells who came and who went since the last time.
    pub(super) fn tell_people(&mut self) {
        if self.listeners().next().is_none() {
            self.told.clear();
            return;
        }
        let now: Told = self.people().map(|member| (member.key, Arc::clone(member))).collect();
        let before = std::mem::take(&mut self.told);
        let is_same = |people: &Told, member: &Member| {
            people.get(&member.key).is_some_and(|other| other.spelled == member.spelled)
        };
        for member in before.values().filter(|member| !is_same(&now, member)) {
            self.tell_each(|ear| press::went(member, ear));
        }
        for member in now.values().filter(|member| !is_same(&before, member)) {
            self.tell_each(|ear| press::came(member, ear));
        }
        self.told = now;
    }

    /// What is missed here is not said again, so whoever has no room for it is given up.
    fn tell_each(&self, frame: impl Fn(Ear) -> Option<Frame>) {
        let mut pressed = Pressed::default();
        for (ear, lane) in self.listeners() {
            if let Some(frame) = pressed.hear(ear, || frame(ear)) {
                let _ = lane.offer(frame, Class::Letter);
            }
        }
    }

    /// A neighbour lists somebody under a name that is another key's; nobody else is told so.
    pub(super) fn impostor(&self, home: HomeId, member: Named) {
        let address = self.switchboard.mesh().home(home).map(|home| home.address().to_owned());
        let address = address.unwrap_or_default();
        tracing::warn!(address, "a neighbour lists a member under the name of another key; it is left out");
        self.refuse(Origin::Home(home), Refusal::WrongKey);
        self.bulletin.publish(Kind::NameRefused { address, member });
    }

    /// A letter is for somebody who is nowhere.
    pub(super) fn not_found(&self, letter: &Letter) {
        self.tally.unreachable.inc();
        let author = match letter.from {
            Origin::Here(connection) => self.entries.get(&connection).map(|entry| (entry.ear, &entry.lane)),
            Origin::Home(home) => {
                self.neighbours.get(&home).map(|neighbour| (neighbour.ear, &neighbour.lane))
            }
        };
        if let Some((ear, lane)) = author
            && let Some(frame) = press::not_found(letter, ear)
        {
            let _ = lane.offer(frame, Class::Letter);
        }
    }
}

/// Whether somebody is told to others by name. Nicks are told by the rooms they are in.
fn is_person(member: &Member) -> bool {
    member.name.is_some() && member.dialect == Dialect::Socp
}

impl Handler<People> for Registry {
    type Result = MessageResult<People>;

    fn handle(&mut self, People(whom): People, _: &mut Context<Self>) -> Self::Result {
        let mut found: Vec<Arc<Member>> = match whom {
            Whom::One(key) => self.person(key).cloned().into_iter().collect(),
            Whom::Ours => {
                self.switchboard.roster().members().filter(|member| is_person(member)).cloned().collect()
            }
            Whom::Everybody => self.people().cloned().collect(),
        };
        found.sort_by(|one, other| one.name.cmp(&other.name));
        MessageResult(found)
    }
}

#[cfg(test)]
#[path = "people_tests.rs"]
mod tests;

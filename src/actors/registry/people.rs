//! Members who have names: found for whoever asks, and told one by one to clients that hear of each other
//! like that.

use std::{collections::BTreeSet, sync::Arc};

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

impl Registry {
    fn person(&self, key: KeyId) -> Option<&Arc<Member>> {
        let mesh = self.switchboard.mesh();
        let home = mesh.whereabouts(key).filter(|home| !mesh.is_hidden(*home, key));
        let elsewhere = || mesh.member(home?, key);
        self.switchboard.roster().find(key).or_else(elsewhere).filter(|member| is_person(member))
    }

    fn listeners(&self) -> impl Iterator<Item = (Ear, &Lane)> {
        let hears = |ear| matches!(ear, Ear::Socp(_));
        self.entries.values().filter(move |entry| hears(entry.ear)).map(|entry| (entry.ear, &entry.lane))
    }

    /// Tells a client that it is in, and who else is there.
    pub(super) fn welcome(&mut self, member: &Member, ear: Ear, lane: &Lane) {
        let Some(welcome) = press::welcome(member, ear, &self.terms.myself.key) else { return };
        let _ = lane.offer(welcome, Class::Letter);
        self.hand_keys(member.key, ear, lane);
        // Whoever has no room for all of them can still ask for the list.
        let announce = |other: &Member| press::came(other, ear);
        self.known.announce(ear, announce, |frame| lane.offer(frame, Class::List));
    }

    /// Takes notice of who came and who went, and tells it, unless that is of no use.
    pub(super) fn follow_people(&mut self, moved: &BTreeSet<KeyId>, tells: bool) {
        let (mut gone, mut new) = (Vec::new(), Vec::new());
        for key in moved {
            let now = self.person(*key).cloned();
            let before = self.known.put(*key, now.as_ref());
            let spelled = |member: &Option<Arc<Member>>| member.as_ref().map(|member| member.spelled);
            if spelled(&before) != spelled(&now) {
                gone.extend(before);
                new.extend(now);
            }
        }
        if tells && self.listeners().next().is_some() {
            for member in &gone {
                self.tell_each(|ear| press::went(member, ear));
            }
            for member in &new {
                self.tell_each(|ear| press::came(member, ear));
            }
        }
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
pub(super) fn is_person(member: &Member) -> bool {
    member.name.is_some() && member.dialect == Dialect::Socp
}

impl Handler<People> for Registry {
    type Result = MessageResult<People>;

    fn handle(&mut self, People(whom): People, _: &mut Context<Self>) -> Self::Result {
        let roster = self.switchboard.roster();
        MessageResult(match whom {
            Whom::One(key) => self.person(key).cloned().into_iter().collect(),
            Whom::Ours => self.known.ours(roster.sequence(), roster.members()),
            Whom::Everybody => self.known.list(),
        })
    }
}

#[cfg(test)]
#[path = "people_tests.rs"]
mod tests;

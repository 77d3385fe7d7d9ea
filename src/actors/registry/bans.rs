//! Who may not be here: asked when somebody comes, and looked at again whenever bans change.
//!
//! Names and keys are looked at here and not in the dialects, so that a new dialect need not know of it.

use std::net::IpAddr;

use actix::{Context, Handler};

use super::{Barred, Registry};
use crate::{
    actors::{bans::Enforce, clock::unix_ms},
    domain::{
        bans::{Server, Target},
        id::{HomeId, KeyId},
        letter::{Author, Letter, Origin},
        member::Newcomer,
        refusal::{Ending, Refusal},
        rooms::Shunned,
    },
};

impl Registry {
    /// Whether a ban keeps somebody out who is proven and wants to come in.
    pub(super) fn keeps_out(&self, newcomer: &Newcomer, address: IpAddr) -> bool {
        let (bans, now) = (self.bans.read(), unix_ms());
        let name = newcomer.named.as_ref().map(|named| &*named.name);
        bans.person(newcomer.fingerprint(), name, now).or_else(|| bans.address(address, now)).is_some()
    }

    /// A neighbour has told of these members: whoever is banned is not shown here, and whoever is not has seats in
    /// rooms that were said before she was listed.
    pub(super) fn hide_new(&mut self, home: HomeId, arrivals: &[KeyId]) {
        let (bans, now) = (self.bans.read(), unix_ms());
        if !bans.is_empty() {
            self.switchboard.hide_new(home, arrivals, |member| bans.member(member, now).is_some());
        }
        drop(bans);
        let mesh = self.switchboard.mesh();
        self.rooms.shun_also(arrivals.iter().copied().filter(|key| mesh.is_hidden(home, *key)));
        let outcome = self.rooms.look_at(arrivals, |home, key| mesh.standing(home, key));
        self.follow(outcome);
    }

    /// What bans say of those who speak in rooms. Members who have names are told by them there, and banned by their
    /// keys, too.
    fn shunned(&self) -> Shunned {
        let (bans, now) = (self.bans.read(), unix_ms());
        let mut shunned = Shunned { homes: self.barred.clone(), ..Shunned::default() };
        for ban in bans.iter().filter(|ban| ban.said.is_on(now)) {
            match &ban.said.target {
                Target::Key(key) => drop(shunned.members.insert(*key)),
                Target::Name(name) => drop(shunned.names.insert(name.clone())),
                Target::Server(Server::Key(key)) => drop(shunned.homes.insert(*key)),
                // The neighbourhood knows whose address it is; and who comes from one has to go.
                Target::Server(Server::Address(_)) | Target::Address(_) => {}
            }
        }
        if !shunned.members.is_empty() {
            let named: Vec<_> = self.switchboard.named_by(&shunned.members).collect();
            shunned.members.extend(named);
        }
        shunned
    }

    /// Bans have changed, or those whom they mean: rooms show whom they may.
    pub(super) fn shun(&mut self) {
        let (shunned, mesh) = (self.shunned(), self.switchboard.mesh());
        let outcome = self.rooms.shun(shunned, |home, key| mesh.standing(home, key));
        self.follow(outcome);
    }

    /// Whether a neighbour brings a letter of a banned key. Where its author is listed under another name,
    /// the switchboard knows.
    pub(super) fn is_from_banned(&self, letter: &Letter) -> bool {
        let author = match letter.author {
            _ if matches!(letter.from, Origin::Here(_)) => None,
            Author::Proven(author) | Author::Vouched { author, .. } => Some(author),
            Author::Claimed(named) => named,
        };
        author.is_some_and(|author| self.bans.read().person(Some(author), None, unix_ms()).is_some())
    }
}

impl Handler<Enforce> for Registry {
    type Result = ();

    fn handle(&mut self, _: Enforce, ctx: &mut Context<Self>) {
        let set = self.bans.clone();
        let (bans, now) = (set.read(), unix_ms());
        for entry in self.entries.values() {
            let ban = bans.member(&entry.member, now).or_else(|| bans.address(entry.address, now));
            if ban.is_some() {
                entry.lane.end(Ending::Refused(Refusal::Banned));
            }
        }
        let changes = self.switchboard.hide(|member| bans.member(member, now).is_some());
        drop(bans);
        if changes {
            self.changed(ctx);
        }
        self.shun();
    }
}

impl Handler<Barred> for Registry {
    type Result = ();

    fn handle(&mut self, Barred(homes): Barred, _: &mut Context<Self>) {
        if homes != self.barred {
            self.barred = homes;
            self.shun();
        }
    }
}

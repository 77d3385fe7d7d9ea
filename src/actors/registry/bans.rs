//! Who may not be here: asked when somebody comes, and looked at again whenever bans change.
//!
//! Names and keys are looked at here and not in the dialects, so that a new dialect need not know of it.

use std::net::IpAddr;

use actix::{Context, Handler};

use super::Registry;
use crate::{
    actors::{bans::Enforce, clock::unix_ms},
    domain::{
        id::{HomeId, KeyId},
        letter::{Author, Letter, Origin},
        member::Newcomer,
        refusal::{Ending, Refusal},
    },
};

impl Registry {
    /// Whether a ban keeps somebody out who is proven and wants to come in.
    pub(super) fn keeps_out(&self, newcomer: &Newcomer, address: IpAddr) -> bool {
        let (bans, now) = (self.bans.read(), unix_ms());
        let name = newcomer.named.as_ref().map(|named| &*named.name);
        bans.person(newcomer.fingerprint(), name, now).or_else(|| bans.address(address, now)).is_some()
    }

    /// A neighbour has told of these members: whoever is banned is not shown here.
    pub(super) fn hide_new(&mut self, home: HomeId, arrivals: &[KeyId]) {
        let (bans, now) = (self.bans.read(), unix_ms());
        if !bans.is_empty() {
            self.switchboard.hide_new(home, arrivals, |member| bans.member(member, now).is_some());
        }
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
    }
}

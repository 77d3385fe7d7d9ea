//! Servers that are banned, and what neighbours tell each other about bans.

use actix::{ActorFutureExt as _, AsyncContext as _, Context, Handler, WrapFuture as _};

use super::{Neighbourhood, Shared, members};
use crate::{
    actors::{
        bans::{Enforce, Forget, Hear, ListError},
        clock::unix_ms,
        peer_link::Bar,
        registry::Barred,
    },
    dialect::{event::Claim, home_without_rooms, kith::bans::Signed},
    domain::{
        address::Address,
        id::{HomeId, KeyId},
        refusal::{Refusal, Violation},
    },
};

impl Neighbourhood {
    /// Why a neighbour is kept out, if it is: the reason of the ban.
    pub(super) fn bar(&self, home: HomeId) -> Option<String> {
        let entry = self.parts.book.entry(home)?;
        let bans = self.house.as_ref()?.bans.read();
        bans.server(entry.expected(), &entry.names(), unix_ms()).map(|ban| ban.said.reason.clone())
    }

    /// Whether a ban keeps a server out that says who it is: by what it says, or by what we know of it.
    pub(super) fn bars(&self, home: Option<HomeId>, claim: &Claim) -> bool {
        let Some(house) = &self.house else { return false };
        let address = [Address::new(&claim.address)];
        let by_claim = house.bans.read().server(claim.key, &address, unix_ms()).is_some();
        by_claim || home.is_some_and(|home| self.bar(home).is_some())
    }

    /// Has a list looked at, one at a time for each neighbour. Of those that come meanwhile the last one
    /// counts.
    fn hear_bans(&mut self, home: HomeId, signed: Signed, ctx: &mut Context<Self>) {
        let Some((house, known)) = self.house.clone().zip(self.known.get_mut(&home)) else { return };
        if known.is_heard {
            known.unheard = Some(signed);
            return;
        }
        let Some(key) = known.proven.clone() else { return };
        known.is_heard = true;
        let heard = house.warden.send(Hear { key, signed }).into_actor(self);
        ctx.spawn(heard.map(move |heard, neighbourhood, ctx| {
            if let Ok(Err(error)) = heard {
                neighbourhood.refuse_bans(home, &error);
            }
            if let Some(known) = neighbourhood.known.get_mut(&home) {
                known.is_heard = false;
                if let Some(next) = known.unheard.take() {
                    neighbourhood.hear_bans(home, next, ctx);
                }
            }
        }));
    }

    fn refuse_bans(&self, home: HomeId, error: &ListError) {
        let Some((house, known)) = self.house.as_ref().zip(self.known.get(&home)) else { return };
        let peer = self.parts.book.entry(home).map(|entry| entry.id.hex());
        tracing::warn!(peer, ?error, "the list of bans of a neighbour is refused; the one before stays");
        match error {
            ListError::BadSignature => house.tally.violation(Violation::BadSignature),
            ListError::Malformed => house.tally.violation(Violation::Malformed),
            ListError::Old => house.tally.refusal(Refusal::Replayed),
            // Our own fault.
            ListError::Failed => return,
        }
        if let Some(socket) = known.status.as_ref().and_then(|status| status.sockets.first()) {
            socket.meter.violated();
        }
    }

    /// Tells the registry whose lines rooms do not show. An address alone says nothing to it.
    pub(super) fn tell_barred(&self) {
        let Some(house) = &self.house else { return };
        let barred = self.parts.book.entries().filter(|(home, _)| self.bar(*home).is_some());
        let keys = barred.flat_map(|(_, entry)| {
            let spelled = entry.address.iter().cloned().chain(entry.shown_address());
            let names = entry.names();
            let named = names.iter().map(|name| name.as_str().to_owned());
            let without: Vec<_> = spelled.chain(named).map(|name| home_without_rooms(&name)).collect();
            without.into_iter().chain(entry.expected())
        });
        house.registry.do_send(Barred(keys.collect()));
    }

    fn is_subscribed(&self, home: HomeId) -> bool {
        self.parts.subscribe.iter().any(|word| self.parts.book.meant(word) == Some(home))
    }

    /// A key is no longer that of a neighbour: what it has signed does not count any more.
    pub(super) fn forget_bans(&self, key: Option<KeyId>) {
        if let Some((house, key)) = self.house.as_ref().zip(key) {
            house.warden.do_send(Forget(key));
        }
    }
}

impl Handler<Enforce> for Neighbourhood {
    type Result = ();

    fn handle(&mut self, _: Enforce, _: &mut Context<Self>) {
        for (home, known) in &self.known {
            known.link.do_send(Bar(self.bar(*home)));
        }
        self.tell_barred();
    }
}

impl Handler<Shared> for Neighbourhood {
    type Result = ();

    fn handle(&mut self, Shared { home, signed }: Shared, ctx: &mut Context<Self>) {
        if self.is_subscribed(home) {
            self.hear_bans(home, signed, ctx);
        } else {
            let peer = self.parts.book.entry(home).map(members::naming);
            tracing::debug!(?peer, "a neighbour tells its bans, and nobody here has subscribed to them");
        }
    }
}

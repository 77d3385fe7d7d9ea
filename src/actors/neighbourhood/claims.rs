//! Servers that say who they are: who may come in, under which number, and on which socket.

use std::net::IpAddr;

use actix::{ActorFutureExt as _, AtomicResponse, Context, Handler, WrapFuture as _};

use super::{Claimed, Closed, Found, Greeted, Neighbourhood, members};
use crate::{
    actors::{
        clock::unix_ms,
        event::Kind,
        peer_link::{Adopt, Doubt, Remove},
    },
    dialect::event::{Greeting, ServerCard, Standing},
    domain::{
        book,
        id::HomeId,
        neighbourhood::State,
        peer::{LinkDialect, Trust},
        refusal::{Ending, Refusal},
    },
};

fn facts<'a>(claim: &'a crate::dialect::event::Claim, dialled: Option<HomeId>) -> book::Claim<'a> {
    book::Claim {
        dialect: claim.dialect,
        key: claim.key,
        address: &claim.address,
        name: claim.name.as_deref(),
        dialled,
    }
}

impl Neighbourhood {
    /// A claim does not stand: whoever looks at the neighbour whose name was used should see that. What comes
    /// of our own dial is the state of the link, and shown and announced as that.
    fn turned(
        &mut self,
        turned: book::Turned,
        claim: &crate::dialect::event::Claim,
        dialled: Option<HomeId>,
    ) -> Refusal {
        let book::Turned { home, refusal } = turned;
        let Some(home) = home else { return refusal };
        if refusal == Refusal::WrongKey {
            self.wrong_key(home, claim, dialled.is_some());
        }
        if dialled.is_some() {
            return refusal;
        }
        let Some((known, entry)) = self.known.get(&home).zip(self.parts.book.entry(home)) else {
            return refusal;
        };
        known.link.do_send(Doubt { ending: Ending::Refused(refusal), steps: Vec::new() });
        // That two servers dial each other is nobody's fault.
        if refusal != Refusal::Crossed {
            let state = known.status.as_ref().map_or(State::Down, |status| status.state);
            let (peer, code) = (members::naming(entry), Some(refusal.code()));
            self.parts.bulletin.publish(Kind::LinkRefused { peer, state, code });
        }
        refusal
    }

    /// The servers that somebody who joins through us should be linked with, too: those with whom we are
    /// linked and who have proven their keys. Under TLS no SOCP server could dial them.
    fn servers_for(&self, claim: &crate::dialect::event::Claim, dialled: Option<HomeId>) -> Vec<ServerCard> {
        if claim.dialect != LinkDialect::Socp || dialled.is_some() {
            return Vec::new();
        }
        let is_plain = |home: HomeId, card: &ServerCard| {
            let url = self.parts.book.entry(home).and_then(|entry| entry.url.as_deref());
            let mut spellings = url.into_iter().chain([card.address.as_str()]);
            !spellings.any(|spelling| spelling.starts_with("wss://"))
        };
        let linked = self.known.iter().filter_map(|(home, known)| {
            let status = known.status.as_ref().filter(|status| status.state.is_linked())?;
            let is_trusted = matches!(status.trust, Some(Trust::Pinned | Trust::Tofu));
            known.card.as_ref().filter(|card| is_trusted && card.key != claim.key && is_plain(*home, card))
        });
        linked.cloned().collect()
    }

    /// Somebody came under the name of a neighbour and broke the protocol before it was let in: with a signature, say,
    /// that fits no key. What the claim itself has led to was told then.
    pub(super) fn doubt(&self, closed: Closed) {
        let Closed { ending, steps, claim, .. } = closed;
        let Some(claim) = claim.filter(|_| matches!(ending, Ending::Violated(_))) else { return };
        let stands = self.parts.book.stand(&facts(&claim, None));
        let Some(home) = stands.unwrap_or_else(|turned| turned.home) else { return };
        let Some((known, entry)) = self.known.get(&home).zip(self.parts.book.entry(home)) else { return };
        let state = known.status.as_ref().map_or(State::Down, |status| status.state);
        let (peer, code) = (members::naming(entry), Some(ending.code()));
        known.link.do_send(Doubt { ending, steps });
        self.parts.bulletin.publish(Kind::LinkRefused { peer, state, code });
    }

    fn wrong_key(&mut self, home: HomeId, claim: &crate::dialect::event::Claim, we_dialled: bool) {
        tracing::warn!(
            address = claim.address,
            key = claim.key.map(|key| key.hex()),
            "a server shows another key than the one we hold it to; it is refused"
        );
        let Some(entry) = self.parts.book.entry(home) else { return };
        // Anybody may come under its name with any key; at its own door there is only one.
        if we_dialled || entry.url.is_none() {
            self.parts.book.presented(home, claim.key);
        }
    }

    /// A proof counts once: OLAF's names neither a moment nor whom it is meant for.
    fn is_new(&mut self, greeting: &Greeting, dialled: Option<HomeId>) -> Result<(), Refusal> {
        if greeting.trace.is_none_or(|trace| self.proofs.admit(trace)) {
            return Ok(());
        }
        let home = self.parts.book.stand(&facts(&greeting.claim, dialled)).ok().flatten();
        tracing::warn!(
            address = greeting.claim.address,
            "the hello of a server is played back; it is refused"
        );
        Err(self.turned(book::Turned { home, refusal: Refusal::Replayed }, &greeting.claim, dialled))
    }
}

impl Neighbourhood {
    /// A proof counts once, and what was banned since the claim does not come in.
    fn may_come(
        &mut self,
        greeting: &Greeting,
        dialled: Option<HomeId>,
        from: IpAddr,
    ) -> Result<(), Refusal> {
        let claim = &greeting.claim;
        let home = self.parts.book.stand(&facts(claim, dialled)).ok().flatten();
        let is_banned_address = || self.house.as_ref().is_some_and(|house| house.bans.has_address(from));
        if self.bars(home, claim) || (dialled.is_none() && is_banned_address()) {
            return Err(self.turned(book::Turned { home, refusal: Refusal::Banned }, claim, dialled));
        }
        self.is_new(greeting, dialled)
    }
}

impl Handler<Claimed> for Neighbourhood {
    type Result = Result<Standing, Refusal>;

    fn handle(&mut self, claimed: Claimed, _: &mut Context<Self>) -> Self::Result {
        let Claimed { dialled, claim } = claimed;
        let stands = self.parts.book.stand(&facts(&claim, dialled));
        let meant = stands.as_ref().map_or_else(|turned| turned.home, |home| *home);
        if self.bars(meant, &claim) {
            return Err(self.turned(book::Turned { home: meant, refusal: Refusal::Banned }, &claim, dialled));
        }
        let home = stands.map_err(|turned| self.turned(turned, &claim, dialled))?;
        let known = home.and_then(|home| self.known.get(&home));
        Ok(Standing {
            key: known.and_then(|known| known.key.clone()),
            accent: known.and_then(|known| known.accent),
            unproven: self.parts.book.allows_unproven(),
            servers: self.servers_for(&claim, dialled),
        })
    }
}

impl Handler<Found> for Neighbourhood {
    type Result = ();

    fn handle(&mut self, Found { home, key }: Found, _: &mut Context<Self>) {
        if self.parts.book.proven(home, key) {
            self.save(home);
        }
    }
}

impl Handler<Greeted> for Neighbourhood {
    type Result = AtomicResponse<Self, Result<HomeId, Refusal>>;

    /// One at a time: two connections of one server must not both find it unknown.
    fn handle(&mut self, greeted: Greeted, ctx: &mut Context<Self>) -> Self::Result {
        let Greeted { connection, dialled, address: from, direction, greeting, lane, meter, steps } = greeted;
        let claim = &greeting.claim;
        if let Err(refusal) = self.may_come(&greeting, dialled, from) {
            return AtomicResponse::new(Box::pin(async move { Err(refusal) }.into_actor(self)));
        }
        let id = members::id_of_stranger(claim);
        let admitted = match self.parts.book.admit(&facts(claim, dialled), greeting.proven, id, unix_ms()) {
            Ok(admitted) => admitted,
            Err(turned) => {
                let refusal = self.turned(turned, claim, dialled);
                return AtomicResponse::new(Box::pin(async move { Err(refusal) }.into_actor(self)));
            }
        };
        let home = admitted.home;
        if let Some((double, id)) = admitted.double {
            if let Some(known) = self.known.remove(&double) {
                known.link.do_send(Remove);
            }
            self.forget(double);
            self.scribe.erase(id);
        }
        if admitted.is_new {
            self.start_link(home, true, ctx);
            self.announce_added(home);
        }
        self.save(home);
        let entry = self.parts.book.entry(home);
        let names = entry.map(book::Entry::names).unwrap_or_default();
        let address = if claim.dialect == LinkDialect::Kith { Some(claim.address.as_str()) } else { None };
        let address = address.or_else(|| entry.and_then(|entry| entry.address.as_deref()));
        let adopt = Adopt {
            connection,
            direction,
            we_are_smaller: claim.key.is_some_and(|key| self.parts.book.own_key() < key),
            key: claim.key.filter(|_| greeting.proven),
            ear: greeting.ear,
            sockets: greeting.sockets,
            trust: admitted.trust,
            address: address.unwrap_or(&claim.address).into(),
            names,
            from,
            lane,
            meter,
            steps,
        };
        if let Some(known) = self.known.get_mut(&home) {
            known.proven = greeting.key;
        }
        self.sockets.insert(connection, home);
        if let Some(known) = self.known.get_mut(&home)
            && greeting.card.is_some()
        {
            known.card.clone_from(&greeting.card);
        }
        let adopted = self.known.get(&home).map(|known| known.link.send(adopt));
        AtomicResponse::new(Box::pin(
            async move {
                match adopted {
                    Some(adopted) => adopted.await.unwrap_or(Err(Refusal::Crossed)).map(|()| home),
                    None => Err(Refusal::UnknownPeer),
                }
            }
            .into_actor(self)
            .map(|answer, _, _| answer),
        ))
    }
}

//! Entries without a socket here: what members have registered, and what neighbours tell of theirs.

use core::net::IpAddr;

use super::{Board, TEST, count};
use crate::domain::{
    Moment,
    directory::{
        guest::Reach,
        listed::Listed,
        order::{Holder, Order, Publication},
        published::Published,
        rules::{DialBack, Refused, is_usable},
    },
    endpoint::Endpoint,
    id::{ConnectionId, KeyId},
    limits::seconds,
};

impl Board {
    /// A member registers an address, from there; the operator may register any for her.
    ///
    /// # Errors
    /// It may not be registered.
    pub fn publish(
        &mut self,
        wanted: Publication,
        from: Option<IpAddr>,
        (now, unix_ms): (Moment, u64),
        out: &mut Vec<Order>,
    ) -> Result<(), Refused> {
        let Publication { member, at, holder, seconds: span } = wanted;
        match from {
            Some(from) => self.rules.check(at, from)?,
            None if !is_usable(at.ip()) => return Err(Refused::Unusable),
            None => {}
        }
        let until = span.map(|span| now.saturating_add(seconds(span)));
        if let Some(published) = self.published.get_mut(&at) {
            if published.member != member {
                return Err(Refused::Taken);
            }
            (published.holder, published.until) = (holder, until);
            return Ok(());
        }
        let of_member = self.published.values().filter(|one| one.member == member).count();
        let is_full = self.published.len() >= count(self.rules.max_clients);
        if is_full || of_member >= count(self.rules.per_member) {
            return Err(Refused::TooMany);
        }
        let reach = if self.rules.dial_back == DialBack::Off {
            Reach::Dialable
        } else {
            out.push(Order::Test(at));
            Reach::Testing(now + TEST)
        };
        let seq = self.next_seq(unix_ms);
        self.published.insert(at, Published { member, holder, seq, reach, until });
        self.changed(now, out);
        Ok(())
    }

    /// What a member has registered there counts no more. `false`: nothing was.
    pub fn withdraw(&mut self, member: KeyId, at: Endpoint, now: Moment, out: &mut Vec<Order>) -> bool {
        let is_hers = self.published.get(&at).is_some_and(|published| published.member == member);
        if is_hers {
            self.published.remove(&at);
            self.changed(now, out);
        }
        is_hers
    }

    /// A connection of a member is gone, and with it what it has registered.
    pub fn released(&mut self, connection: ConnectionId, now: Moment, out: &mut Vec<Order>) {
        let before = self.published.len();
        self.published.retain(|_, published| published.holder != Holder::Connection(connection));
        if self.published.len() != before {
            self.changed(now, out);
        }
    }

    /// Whoever is on this connection is called otherwise, in a protocol in which a name is all that a member is.
    pub fn renamed(&mut self, connection: ConnectionId, member: KeyId, now: Moment, out: &mut Vec<Order>) {
        let entries = self.published.values_mut();
        entries
            .filter(|published| published.holder == Holder::Connection(connection))
            .for_each(|published| published.member = member);
        self.changed(now, out);
    }

    /// Whether something was registered for no longer than until now.
    pub(super) fn expire(&mut self, now: Moment) -> bool {
        let before = self.published.len();
        self.published.retain(|_, published| published.until.is_none_or(|until| until > now));
        self.published.len() != before
    }

    /// A neighbour says who is registered there: all of them, and nobody if it is not linked any more.
    pub fn told(&mut self, home: KeyId, entries: Vec<Listed>, now: Moment, out: &mut Vec<Order>) {
        let most = count(self.rules.per_neighbour);
        let entries = entries.into_iter().filter(|listed| self.rules.may_travel(listed.at)).take(most);
        let entries: Vec<_> =
            entries.map(|listed| Listed { home: Some(home), relayed: false, ..listed }).collect();
        if entries.is_empty() {
            self.neighbours.remove(&home);
        } else {
            self.neighbours.insert(home, entries);
        }
        self.changed(now, out);
    }

    /// What neighbours are told now.
    #[must_use]
    pub fn shared(&self) -> std::sync::Arc<[Listed]> {
        std::sync::Arc::clone(&self.view.shared)
    }

    /// Where somebody listens, if that is listed.
    #[must_use]
    pub fn find(&self, at: Endpoint) -> Option<Listed> {
        self.view.plain.members.iter().find(|listed| listed.at == at).copied()
    }
}

//! Entries without a socket here: what members have registered, and what neighbours tell of theirs.

use core::net::IpAddr;

use super::{Board, TEST, count};
use crate::domain::{
    Moment,
    directory::{
        guest::Reach,
        listed::Listed,
        order::Order,
        published::{Introduction, Publication, Published, Withdrawn},
        rules::{DialBack, Refused, is_usable},
    },
    endpoint::Endpoint,
    id::{ConnectionId, KeyId},
    limits::seconds,
};

impl Board {
    /// A member registers an address, from there.
    ///
    /// # Errors
    /// It may not be registered.
    pub fn publish(
        &mut self,
        wanted: Publication,
        from: IpAddr,
        times: (Moment, u64),
        out: &mut Vec<Order>,
    ) -> Result<(), Refused> {
        let Publication { member, at, connection } = wanted;
        self.rules.check(at, from)?;
        self.put(member, at, times, out)?.connection = Some(connection);
        self.changed(times.0, out);
        Ok(())
    }

    /// The operator registers any address for a member, for so many seconds. What is to be written down.
    ///
    /// # Errors
    /// It may not be registered.
    pub fn introduce(
        &mut self,
        member: KeyId,
        at: Endpoint,
        span: u32,
        (now, unix_ms): (Moment, u64),
        out: &mut Vec<Order>,
    ) -> Result<Introduction, Refused> {
        if !is_usable(at.ip()) {
            return Err(Refused::Unusable);
        }
        let published = self.put(member, at, (now, unix_ms), out)?;
        published.until = Some(now.saturating_add(seconds(span)));
        let seq = published.seq;
        self.changed(now, out);
        let until = unix_ms.saturating_add(u64::from(span).saturating_mul(1000));
        Ok(Introduction { at, member, seq, until_ms: i64::try_from(until).unwrap_or(i64::MAX) })
    }

    /// Until when the operator's word on this member at this address counts, if there is one.
    #[must_use]
    pub fn introduced_until(&self, member: KeyId, at: Endpoint) -> Option<Moment> {
        self.published.get(&at).filter(|published| published.member == member)?.until
    }

    /// The operator's last word could not be written down: the one before it counts again, if there was one, and what the
    /// member has registered herself counts as before.
    pub fn unwritten(
        &mut self,
        member: KeyId,
        at: Endpoint,
        before: Option<Moment>,
        now: Moment,
        out: &mut Vec<Order>,
    ) {
        let hers = self.published.get_mut(&at).filter(|published| published.member == member);
        // Meanwhile she may have taken it out.
        let Some(until) = hers.and_then(|published| published.until.as_mut()) else { return };
        *until = before.unwrap_or(now);
        self.expire(now);
        self.changed(now, out);
    }

    /// What operators had registered in an earlier life of the server, as far as it still counts.
    pub fn restored(&mut self, kept: Vec<Introduction>, (now, unix_ms): (Moment, u64), out: &mut Vec<Order>) {
        let now_ms = i64::try_from(unix_ms).unwrap_or(i64::MAX);
        for Introduction { at, member, seq, until_ms } in kept {
            let left = u64::try_from(until_ms.saturating_sub(now_ms)).unwrap_or_default();
            let is_full = self.published.len() >= count(self.rules.max_clients);
            if left == 0 || is_full || self.published.contains_key(&at) {
                continue;
            }
            self.last_seq = self.last_seq.max(seq);
            let (reach, until) = (self.first_reach(at, now, out), Some(now + Moment::from_millis(left)));
            self.published.insert(at, Published { member, seq, reach, connection: None, until });
        }
        self.changed(now, out);
    }

    /// The entry of this member at this address; a new one, if there is none.
    fn put(
        &mut self,
        member: KeyId,
        at: Endpoint,
        (now, unix_ms): (Moment, u64),
        out: &mut Vec<Order>,
    ) -> Result<&mut Published, Refused> {
        if !self.published.contains_key(&at) {
            let of_member = self.published.values().filter(|one| one.member == member).count();
            let is_full = self.published.len() >= count(self.rules.max_clients);
            if is_full || of_member >= count(self.rules.per_member) {
                return Err(Refused::TooMany);
            }
            let (reach, seq) = (self.first_reach(at, now, out), self.next_seq(unix_ms));
            self.published.insert(at, Published { member, seq, reach, connection: None, until: None });
        }
        self.published.get_mut(&at).filter(|published| published.member == member).ok_or(Refused::Taken)
    }

    fn first_reach(&self, at: Endpoint, now: Moment, out: &mut Vec<Order>) -> Reach {
        if self.rules.dial_back == DialBack::Off {
            return Reach::Dialable;
        }
        out.push(Order::Test(at));
        Reach::Testing(now + TEST)
    }

    /// What is registered for a member there counts no more, whoever has registered it. Nothing: nothing was.
    pub fn withdraw(
        &mut self,
        member: KeyId,
        at: Endpoint,
        now: Moment,
        out: &mut Vec<Order>,
    ) -> Option<Withdrawn> {
        let hers = self.published.get(&at).filter(|published| published.member == member)?;
        let withdrawn = if hers.until.is_some() { Withdrawn::WrittenDown } else { Withdrawn::Hers };
        self.published.remove(&at);
        self.changed(now, out);
        Some(withdrawn)
    }

    /// A connection of a member is gone, and with it what it has registered.
    pub fn released(&mut self, connection: ConnectionId, now: Moment, out: &mut Vec<Order>) {
        let before = self.published.len();
        self.published.retain(|_, published| {
            published.connection.take_if(|holder| *holder == connection);
            published.counts()
        });
        if self.published.len() != before {
            self.changed(now, out);
        }
    }

    /// Whoever is on this connection is called otherwise, in a protocol in which a name is all that a member is.
    pub fn renamed(&mut self, connection: ConnectionId, member: KeyId, now: Moment, out: &mut Vec<Order>) {
        for published in self.published.values_mut() {
            match published.until {
                _ if published.connection != Some(connection) => {}
                None => published.member = member,
                // The operator has said it of the one that she was.
                Some(_) => published.connection = None,
            }
        }
        self.changed(now, out);
    }

    /// Whether something was registered for no longer than until now.
    pub(super) fn expire(&mut self, now: Moment) -> bool {
        let before = self.published.len();
        self.published.retain(|_, published| {
            published.until.take_if(|until| *until <= now);
            published.counts()
        });
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

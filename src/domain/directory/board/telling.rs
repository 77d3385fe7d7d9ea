//! Who is told what: the directory put in order, and lists cut for those who cannot read long ones.

use std::{collections::HashSet, sync::Arc};

use super::{Board, DELIVERY, View};
use crate::domain::{
    Moment,
    directory::{
        guest::{Entry, Hearing, Reach, Turn},
        listed::{Directory, Listed},
        order::Order,
    },
    endpoint::Endpoint,
    id::ConnectionId,
};

/// Entries that fit into what the first clients read at once, however long their addresses are.
const MOST_LISTED: usize = 11;

impl Board {
    /// Something is different: the directory is made anew, and whoever it concerns is told.
    pub(super) fn changed(&mut self, now: Moment, out: &mut Vec<Order>) {
        let (plain, relayed) = self.listing();
        if plain != self.view.plain.members || relayed != self.view.relayed.members {
            self.version = self.version.saturating_add(1);
            self.announce(&plain, out);
            let directory =
                |members| Arc::new(Directory { epoch: self.epoch, version: self.version, members });
            let shared = std::mem::take(&mut self.view.shared);
            self.view = View { plain: directory(plain), relayed: directory(relayed), shared };
            let order: Vec<_> = self.view.plain.members.iter().map(|listed| listed.at).collect();
            for guest in self.guests.values_mut() {
                let Some(entry) = guest.entry.filter(|entry| entry.reach.is_listed()) else { continue };
                let before = order.iter().position(|at| *at == entry.at).unwrap_or_default();
                guest.pace.owe(guest.hearing, order.len().saturating_sub(before + 1));
            }
            self.share(out);
        }
        let is_settled =
            self.guests.values().filter_map(|guest| guest.entry).all(|entry| entry.reach.is_listed());
        if self.closing.is_none() && is_settled && self.is_full() {
            self.closing = Some(now + DELIVERY);
        }
        self.tell(now, out);
    }

    /// Sends whatever is due.
    pub(super) fn tell(&mut self, now: Moment, out: &mut Vec<Order>) {
        let View { plain, relayed, .. } = &self.view;
        for (socket, guest) in &mut self.guests {
            let Some(entry) = guest.entry.filter(|entry| entry.reach.is_listed()) else { continue };
            if guest.pace.due() > now {
                continue;
            }
            let turn = guest.pace.sent(guest.hearing, now);
            if guest.hearing != Hearing::Node {
                out.push(Order::List(*socket, cut(&plain.members, entry.at, turn)));
                continue;
            }
            let view = if entry.reach == Reach::Undialable { relayed } else { plain };
            out.push(Order::Directory(*socket, Arc::clone(view)));
            out.push(Order::Ping(*socket));
        }
    }

    /// The entries in order: as those see them who can be dialled, and as those see them who cannot.
    fn listing(&self) -> (Vec<Listed>, Vec<Listed>) {
        let mut seen = HashSet::new();
        let mut entries: Vec<(Listed, bool)> = Vec::new();
        for guest in self.guests.values() {
            let Some(Entry { seq, at, reach }) = guest.entry.filter(|entry| entry.reach.is_listed()) else {
                continue;
            };
            seen.insert(at);
            let member = self.published.get(&at).map(|published| published.member);
            let undialable = reach == Reach::Undialable;
            let listed = Listed { seq, at, undialable, relayed: false, home: None, member };
            entries.push((listed, undialable && guest.hearing == Hearing::Node));
        }
        for (at, published) in self.published.iter().filter(|(_, one)| one.reach.is_listed()) {
            if seen.insert(*at) {
                let undialable = published.reach == Reach::Undialable;
                let (seq, member) = (published.seq, Some(published.member));
                entries
                    .push((Listed { seq, at: *at, undialable, relayed: false, home: None, member }, false));
            }
        }
        let mut others: Vec<_> = self.neighbours.values().flatten().copied().collect();
        // Of two homes that name the same address, the one where it joined first.
        others.sort_by_key(|listed| (listed.seq, listed.home));
        entries
            .extend(others.into_iter().filter(|listed| seen.insert(listed.at)).map(|listed| (listed, false)));
        entries.sort_by_key(|(listed, _)| listed.order());
        // One alone has nobody to speak with.
        let is_relaying = entries.iter().filter(|(_, relayed)| *relayed).count() > 1;
        let marked =
            |(listed, relayed): &(Listed, bool)| Listed { relayed: *relayed && is_relaying, ..*listed };
        let relayed = entries.iter().map(marked).collect();
        (entries.into_iter().map(|(listed, _)| listed).collect(), relayed)
    }

    /// Says who of this home came and went.
    fn announce(&self, members: &[Listed], out: &mut Vec<Order>) {
        let own = |members: &[Listed]| -> Vec<Listed> {
            members.iter().filter(|listed| listed.home.is_none()).copied().collect()
        };
        let (before, after) = (own(&self.view.plain.members), own(members));
        let places =
            |all: &[Listed]| all.iter().map(|listed| (listed.seq, listed.at)).collect::<HashSet<_>>();
        let (old, new) = (places(&before), places(&after));
        let is_in =
            |places: &HashSet<(u64, Endpoint)>, listed: &Listed| places.contains(&(listed.seq, listed.at));
        out.extend(before.into_iter().filter(|listed| !is_in(&new, listed)).map(Order::Left));
        out.extend(after.into_iter().filter(|listed| !is_in(&old, listed)).map(Order::Joined));
    }

    /// Neighbours are told what may be told of this home's entries, if that is different.
    fn share(&mut self, out: &mut Vec<Order>) {
        let own = self.view.plain.members.iter().filter(|listed| listed.home.is_none());
        let shared: Arc<[Listed]> = own.filter(|listed| self.rules.may_travel(listed.at)).copied().collect();
        if shared != self.view.shared {
            self.view.shared = Arc::clone(&shared);
            out.push(Order::Share(shared));
        }
    }

    /// Whether somebody listens there who hears the new form and cannot be dialled.
    pub(super) fn undialable_node(&self, at: Endpoint) -> Option<(ConnectionId, bool)> {
        self.guests.iter().find_map(|(socket, guest)| {
            let entry = guest.entry.filter(|entry| entry.at == at && guest.hearing == Hearing::Node)?;
            Some((*socket, entry.reach == Reach::Undialable))
        })
    }
}

/// The list for one of the first clients: all of it, if that can be read at once; else itself and, in turns, those whom it
/// dials, which are all that such a client looks at.
///
/// It dials the first of them that it is not linked with, dead or not. Whether somebody stands before or behind the
/// reader, and so who dials whom, is the same in all turns.
fn cut(members: &[Listed], own: Endpoint, turn: Turn) -> Vec<Endpoint> {
    let place = members.iter().position(|listed| listed.at == own);
    let mut list = Vec::new();
    let mut before = 0_usize;
    for (at, listed) in members.iter().enumerate().filter(|(_, listed)| listed.at.is_v4()) {
        // It would only wait for those who cannot be dialled, and hide everybody behind them.
        if listed.undialable && place.is_some_and(|place| at > place) {
            continue;
        }
        before += usize::from(place.is_some_and(|place| at < place));
        list.push(listed.at);
    }
    let itself = usize::from(own.is_v4());
    let after = list.split_off((before + itself).min(list.len()));
    let room = MOST_LISTED - itself;
    let turns = after.len().div_ceil(room).max(1);
    let first = ((turn.part % turns) * room).wrapping_add(turn.shift);
    let mut chosen: Vec<_> = after.into_iter().enumerate().collect();
    let first = first.checked_rem(chosen.len()).unwrap_or_default();
    chosen.rotate_left(first);
    chosen.truncate(room);
    if turn.is_in_order {
        chosen.sort_unstable_by_key(|(place, _)| *place);
    }
    // Who stands last dials nobody, and is shown who is there.
    let kept = MOST_LISTED.saturating_sub(chosen.len());
    let mut list = list.split_off(list.len().saturating_sub(kept));
    list.extend(chosen.into_iter().map(|(_, at)| at));
    list
}

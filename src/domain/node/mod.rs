//! A node of a mesh: whom it dials, which of two links to the same node stays, and how it does without its
//! rendezvous.
//!
//! Pure decisions over what happened and when. The shell carries out what it is told and says what came of it.
//! **Invariants:** one link per pair, whatever both ends have dialled; the rendezvous only introduces, so neither its
//! death nor a name that vanishes from its list ends a link that works; an entry that is dead keeps nobody from those
//! behind it.

mod introduction;
mod peer;
mod rendezvous;

pub use self::{
    introduction::Introduction,
    peer::{Rank, Way},
};

use core::net::IpAddr;
use std::{collections::BTreeMap, time::Duration};

use self::{
    introduction::Duty,
    peer::{Loss, Match, Peer},
    rendezvous::{Due, Rendezvous},
};
pub use super::directory::listed::Listed;
use super::{Moment, backoff::Backoff, endpoint::Endpoint, id::ConnectionId};

/// The waits between two attempts, of the rendezvous and of each node.
const LEAST_WAIT: Duration = Duration::from_secs(1);
const MOST_WAIT: Duration = Duration::from_secs(60);
/// Nodes that are dialled at once. The rest follows as these succeed or fail.
const MOST_DIALS: usize = 16;

/// What the shell should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Dial the rendezvous, and register the moment it is there: [`Node::registered`] or [`Node::lost`].
    Register,
    /// The line to the rendezvous is dead; close it.
    HangUp,
    /// Dial this node: [`Node::dialled`] or [`Node::dial_failed`].
    Dial(Endpoint),
    /// Begin a link with this node through the rendezvous: the same two answers.
    Relay(Endpoint),
    /// This link is not needed; let it end in peace.
    Close(ConnectionId),
}

/// What somebody may want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// There is a link, this one.
    Joined(Endpoint, ConnectionId),
    /// From now on this link is the one that counts.
    Moved(Endpoint, ConnectionId),
    /// There is none any more.
    Left(Endpoint),
    /// A node that is in the list could not be reached. Told once until it can be.
    Unreached(Endpoint),
}

/// Why a hello is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// It names ourselves. The first programs say the address that they have dialled.
    #[error("it names our own address")]
    OurOwn,
    /// It names an address of somebody else's machine.
    #[error("it names an address from which it does not come")]
    FromElsewhere,
    /// It names an address of which the rendezvous says nothing.
    #[error("it names an address that is not in the list")]
    Unlisted,
}

/// The other end of a link has said who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// On which link.
    pub id: ConnectionId,
    /// Where it listens.
    pub address: Endpoint,
    /// Of whoever has dialled.
    pub rank: Rank,
    /// How the link goes.
    pub way: Way,
}

/// Orders and news, in their order.
#[derive(Debug, Default)]
pub struct Wishes {
    /// What to do.
    pub orders: Vec<Order>,
    /// What to tell.
    pub news: Vec<News>,
}

/// A node.
#[derive(Debug)]
pub struct Node {
    me: Endpoint,
    rendezvous: Rendezvous,
    list: Introduction,
    peers: BTreeMap<Endpoint, Peer>,
    /// Whether the rendezvous passes sealed lines on.
    relays: bool,
}

impl Node {
    /// A node that others reach at this address.
    #[must_use]
    pub fn new(me: Endpoint, now: Moment) -> Self {
        Self {
            me,
            rendezvous: Rendezvous::new(waits(), now),
            list: Introduction::default(),
            peers: BTreeMap::new(),
            relays: false,
        }
    }

    /// Where others reach it.
    #[must_use]
    pub const fn me(&self) -> Endpoint {
        self.me
    }

    /// The rank of what it dials now.
    #[must_use]
    pub fn rank(&self) -> Rank {
        self.rank_of(self.me)
    }

    /// The rank of what somebody dials, as the list has it.
    #[must_use]
    pub fn rank_of(&self, address: Endpoint) -> Rank {
        Rank { seq: self.list.find(address).map_or(u64::MAX, |node| node.seq), address }
    }

    /// The list in force.
    #[must_use]
    pub const fn list(&self) -> &Introduction {
        &self.list
    }

    /// The link to a node, and how it goes.
    #[must_use]
    pub fn link(&self, address: Endpoint) -> Option<(ConnectionId, Way)> {
        self.peers.get(&address)?.link().map(|held| (held.id, held.way))
    }

    /// All nodes that there is a link to.
    pub fn links(&self) -> impl Iterator<Item = (Endpoint, ConnectionId, Way)> {
        self.peers.iter().filter_map(|(address, peer)| peer.link().map(|held| (*address, held.id, held.way)))
    }

    /// Whether a hello in plain text may be believed that came from this address of a machine.
    ///
    /// # Errors
    /// It may not.
    pub fn believes(&self, said: Endpoint, seen: IpAddr) -> Result<(), Doubt> {
        if said == self.me {
            return Err(Doubt::OurOwn);
        }
        match self.list.find(said) {
            // Before there is a list, others may know of us already.
            None if !self.list.nodes.is_empty() => Err(Doubt::Unlisted),
            _ if said.ip() == seen.to_canonical() => Ok(()),
            _ => Err(Doubt::FromElsewhere),
        }
    }

    /// The same of a hello with a key that is proven. What the rendezvous could not dial may come through somebody else's
    /// address, and is known by its key alone; without one its place would be anybody's.
    ///
    /// # Errors
    /// It may not.
    pub fn believes_key(&self, said: Endpoint, seen: IpAddr) -> Result<(), Doubt> {
        match self.believes(said, seen) {
            Err(Doubt::FromElsewhere) if self.list.find(said).is_some_and(|node| node.undialable) => Ok(()),
            verdict => verdict,
        }
    }

    /// Whether somebody in the list, or nobody yet, is on this machine. Who says no address of its own is at least not just
    /// anybody who has found our port.
    #[must_use]
    pub fn knows_host(&self, seen: IpAddr) -> bool {
        let nodes = &self.list.nodes;
        nodes.is_empty() || nodes.iter().any(|node| node.at.ip() == seen.to_canonical())
    }

    /// When it wants to be asked again although nothing has happened.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Moment> {
        let peers = self.wanted().map(|(at, _)| at);
        // Whoever has to wait for a free dial is asked about when one ends.
        let peers = if self.free_dials() == 0 { None } else { peers.min() };
        peers.into_iter().chain(self.rendezvous.wakes_at()).min()
    }

    /// What is due by now. `chance` spreads attempts of many nodes over time.
    pub fn due(&mut self, now: Moment, chance: u16, out: &mut Wishes) {
        match self.rendezvous.due(now, chance) {
            Due::Dial => out.orders.push(Order::Register),
            Due::HangUp => out.orders.push(Order::HangUp),
            Due::Nothing => {}
        }
        let due: Vec<_> = self.wanted().filter(|(at, _)| *at <= now).map(|(_, order)| order).collect();
        for order in due.into_iter().take(self.free_dials()) {
            if let Order::Dial(address) | Order::Relay(address) = order {
                self.peer(address, now).attempt();
                out.orders.push(order);
            }
        }
    }

    /// What the list asks of us, and when each is to be tried next.
    fn wanted(&self) -> impl Iterator<Item = (Moment, Order)> {
        let duties = self.list.duties(self.me).into_iter();
        duties.filter_map(|(address, duty)| {
            let (way, order) = match duty {
                Duty::Dial => (Way::Direct, Order::Dial(address)),
                Duty::Relay if self.relays && self.rendezvous.is_registered() => {
                    (Way::Relayed, Order::Relay(address))
                }
                Duty::Relay | Duty::Wait => return None,
            };
            let at = self.peers.get(&address).map_or(Some(Moment::ZERO), |peer| peer.wants(way))?;
            Some((at, order))
        })
    }

    fn free_dials(&self) -> usize {
        MOST_DIALS.saturating_sub(self.peers.values().filter(|peer| peer.is_tried()).count())
    }

    fn peer(&mut self, address: Endpoint, now: Moment) -> &mut Peer {
        self.peers.entry(address).or_insert_with(|| Peer::new(waits(), now))
    }

    /// The rendezvous is there, and our registration is on its way.
    pub const fn registered(&mut self, now: Moment) {
        self.rendezvous.registered(now);
        self.relays = false;
        // Another life of it may count from another beginning, and what comes on a new line cannot be old.
        self.list.edition = None;
    }

    /// Anything at all came from the rendezvous.
    pub const fn heard(&mut self, now: Moment) {
        self.rendezvous.heard(now);
    }

    /// The rendezvous is of the kind that repeats its lists and passes sealed lines on.
    pub const fn is_modern(&mut self) {
        self.rendezvous.repeats();
        self.relays = true;
    }

    /// The rendezvous is gone, or was never reached. Links stay.
    pub fn lost(&mut self, now: Moment, chance: u16) {
        self.rendezvous.lost(now, chance);
        self.relays = false;
    }

    /// The rendezvous tells who is there. Says whether that was news.
    pub fn listed(&mut self, list: Introduction, now: Moment, out: &mut Wishes) -> bool {
        self.rendezvous.listed(now);
        if list.is_older_than(&self.list) {
            return false;
        }
        let list = list.tidied(self.me);
        let changed = list.nodes != self.list.nodes;
        self.list = list;
        // Who is not in the list any more cannot be reached through the one who made it.
        let known = &self.list;
        let is_cut_off = |(address, _, way): &(Endpoint, ConnectionId, Way)| {
            *way == Way::Relayed && known.find(*address).is_none()
        };
        out.orders.extend(self.links().filter(is_cut_off).map(|(_, id, _)| Order::Close(id)));
        self.peers.retain(|address, peer| !peer.is_idle() || known.find(*address).is_some());
        changed
    }

    /// What was ordered is open, as this link. It may not be needed any more.
    pub fn dialled(&mut self, address: Endpoint, id: ConnectionId, way: Way, out: &mut Wishes) {
        let rank = self.rank();
        let is_needed = self.peers.get_mut(&address).is_some_and(|peer| peer.dialled(id, rank, way));
        if !is_needed {
            out.orders.push(Order::Close(id));
        }
    }

    /// What was ordered could not be opened.
    pub fn dial_failed(&mut self, address: Endpoint, now: Moment, chance: u16, out: &mut Wishes) {
        if let Some(peer) = self.peers.get_mut(&address) {
            let loss = peer.failed(now, chance);
            self.after(loss, address, out);
        }
    }

    /// The other end of a link has said who it is, and may be believed.
    pub fn greeted(&mut self, greeting: Greeting, now: Moment, out: &mut Wishes) {
        let Greeting { id, address, rank, way } = greeting;
        match self.peer(address, now).greeted(id, rank, way, now) {
            Match::First => out.news.push(News::Joined(address, id)),
            Match::Instead(old) => {
                out.news.push(News::Moved(address, id));
                out.orders.push(Order::Close(old));
            }
            Match::Surplus => out.orders.push(Order::Close(id)),
        }
    }

    /// A link is over, whether it was greeted or not, and whoever ended it.
    pub fn closed(&mut self, id: ConnectionId, now: Moment, chance: u16, out: &mut Wishes) {
        let mut losses = Vec::new();
        for (address, peer) in &mut self.peers {
            match peer.closed(id, now, chance) {
                Loss::None => {}
                loss => losses.push((*address, loss)),
            }
        }
        for (address, loss) in losses {
            self.after(loss, address, out);
        }
    }

    fn after(&mut self, loss: Loss, address: Endpoint, out: &mut Wishes) {
        match loss {
            Loss::Away => out.news.push(News::Left(address)),
            Loss::Failed(1) if self.link(address).is_none() => out.news.push(News::Unreached(address)),
            Loss::None | Loss::Failed(_) => {}
        }
        if self.list.find(address).is_none() && self.peers.get(&address).is_some_and(Peer::is_idle) {
            self.peers.remove(&address);
        }
    }

    /// Somebody asks to try a node again at once.
    pub fn retry(&mut self, address: Endpoint, now: Moment) {
        if let Some(peer) = self.peers.get_mut(&address) {
            peer.retry(now);
        }
    }
}

fn waits() -> Backoff {
    Backoff::new(LEAST_WAIT, MOST_WAIT)
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

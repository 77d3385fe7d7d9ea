//! What can be said to the registry.

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix::Message;

use crate::{
    actors::{lane::Lane, meter::Meter},
    dialect::Ear,
    domain::{
        address::Address,
        channel::Wraps,
        dialect::Dialect,
        id::{ConnectionId, HomeId, KeyId},
        letter::Letter,
        member::{Member, Newcomer, Whom},
        news::News,
        refusal::{Ending, Refusal},
    },
};

/// Somebody is proven and wants to come in. Whoever does not wait for the answer is told by its lane.
#[derive(Message, Debug)]
#[rtype(result = "Result<Arc<Member>, Refusal>")]
pub struct Join {
    /// The connection.
    pub connection: ConnectionId,
    /// Who it is.
    pub newcomer: Newcomer,
    /// How it wants to be written to.
    pub ear: Ear,
    /// The way to it.
    pub lane: Lane,
    /// Where it is.
    pub address: IpAddr,
}

/// Asks as whom the bridge has spoken so far.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Vec<Arc<Member>>")]
pub struct Bridges;

/// A connection is gone.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Leave {
    /// Which one.
    pub connection: ConnectionId,
    /// Why.
    pub ending: Ending,
}

/// A letter whose author is proven.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Route(pub Letter);

/// A connection wants the client list.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct WantList(pub ConnectionId);

/// Members who have names are looked for. The answer is in the order of their names.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Arc<[Arc<Member>]>")]
pub struct People(pub Whom);

/// A neighbour is linked, or speaks on another socket than before.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Link {
    /// Which one.
    pub home: HomeId,
    /// Its address as it spells it.
    pub address: Arc<str>,
    /// Every name by which letters may mean it.
    pub names: Vec<Address>,
    /// The fingerprint of the key that it has proven, if it has.
    pub key: Option<KeyId>,
    /// How it is written to.
    pub ear: Ear,
    /// The way to it.
    pub lane: Lane,
    /// What is counted of it.
    pub meter: Arc<Meter>,
}

/// A neighbour is no longer linked.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Unlink(pub HomeId);

/// A neighbour has news of its members.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Tell {
    /// Which one.
    pub home: HomeId,
    /// What it says.
    pub news: News,
}

/// A neighbour has handed out a key of the public channel.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Wrapped {
    /// Which one.
    pub home: HomeId,
    /// The key, wrapped.
    pub wraps: Wraps,
}

/// A neighbour wants to be told all members of this home.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct WantedBy(pub HomeId);

/// Asks who is where, this home first, at most so many members of each.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Vec<HomeView>")]
pub struct Homes(pub usize);

/// One home as people see it.
#[derive(Clone, Debug)]
pub struct HomeView {
    /// Which one.
    pub home: HomeId,
    /// Its address as it spells it.
    pub address: String,
    /// How many members it has told us about.
    pub count: usize,
    /// Whether it has told us about all of them.
    pub is_whole: bool,
    /// The first ones of them.
    pub members: Vec<Arc<Member>>,
}

/// Ends a connection, and says whether there was one.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "bool")]
pub struct Kick(pub ConnectionId);

/// Makes a connection's handler fail. Only sent when `debug.faults` is on.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "bool")]
pub struct Fault(pub ConnectionId);

/// Makes the registry itself fail. Only sent when `debug.faults` is on.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Collapse;

/// Asks for a page of clients, in order of their connection numbers.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Vec<Client>")]
pub struct Clients {
    /// Only of this dialect.
    pub dialect: Option<Dialect>,
    /// Only behind this connection.
    pub after: Option<ConnectionId>,
    /// At most so many.
    pub limit: usize,
}

/// Asks for one client.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Option<Client>")]
pub struct Find(pub ConnectionId);

/// Closes every connection, spread over a span, and lets nobody in any more.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Drain(pub Duration);

/// Asks how many connections are on the map.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "usize")]
pub struct Count;

/// One connection as people see it.
#[derive(Clone, Debug)]
pub struct Client {
    /// The connection.
    pub connection: ConnectionId,
    /// Whose it is.
    pub member: Arc<Member>,
    /// How it is written to.
    pub ear: Ear,
    /// Where it is.
    pub address: IpAddr,
    /// Since when, in Unix milliseconds.
    pub since_ms: i64,
    /// Bytes that wait for it.
    pub waiting_bytes: usize,
}

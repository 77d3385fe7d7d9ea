//! What can be said to the registry.

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix::Message;

use crate::{
    actors::lane::Lane,
    dialect::Ear,
    domain::{
        dialect::Dialect,
        id::ConnectionId,
        letter::Letter,
        member::{Member, Newcomer},
        refusal::Ending,
    },
};

/// Somebody is proven and wants to come in.
#[derive(Message, Debug)]
#[rtype(result = "()")]
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

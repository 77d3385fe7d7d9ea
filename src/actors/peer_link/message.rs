//! What can be said to a link.

use std::{net::IpAddr, sync::Arc};

use actix::Message;

use crate::{
    actors::{lane::Lane, meter::Meter, neighbourhood::Step},
    dialect::Ear,
    domain::{
        address::Address,
        id::{ConnectionId, KeyId},
        neighbourhood::{Direction, Sockets},
        peer::Trust,
        refusal::{Ending, Refusal},
    },
};

/// Where else the neighbour may be dialled.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Ways(pub Vec<String>);

/// A socket whose other end is the neighbour, as proven as it gets.
#[derive(Message, Debug)]
#[rtype(result = "Result<(), Refusal>")]
pub struct Adopt {
    /// The connection.
    pub connection: ConnectionId,
    /// Who opened it.
    pub direction: Direction,
    /// Whether our key is smaller than its key, which counts if both sides dialled at once.
    pub we_are_smaller: bool,
    /// The fingerprint of the key that it has proven, if it has.
    pub key: Option<KeyId>,
    /// How the neighbour is written to.
    pub ear: Ear,
    /// How many sockets it wants.
    pub sockets: Sockets,
    /// How far it is trusted.
    pub trust: Trust,
    /// Its address as it spells it.
    pub address: Arc<str>,
    /// Every name by which letters may mean it.
    pub names: Vec<Address>,
    /// From where it came, if it did.
    pub from: IpAddr,
    /// The way to it.
    pub lane: Lane,
    /// What passes through.
    pub meter: Arc<Meter>,
    /// The steps of the handshake.
    pub steps: Vec<Step>,
}

/// Somebody came under the name of the neighbour, proved nothing, and was turned away.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Doubt {
    /// Why.
    pub ending: Ending,
    /// The steps of its attempt, as far as they are known.
    pub steps: Vec<Step>,
}

/// Bans have changed: the neighbour is kept out for this reason, or it is not.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Bar(pub Option<String>);

/// Try again at once.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Retry;

/// Let go of everything.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Remove;

/// Fail in the handler, to prove that the house survives it. Only sent when `debug.faults` is on.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Fail;

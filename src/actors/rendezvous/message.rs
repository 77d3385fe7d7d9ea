//! What the rendezvous is asked and told.

use std::{net::IpAddr, sync::Arc};

use actix::{Message, dev::MessageResponse};

use super::pipe::Pipe;
use crate::{
    dialect::rendezvous::client::Said,
    domain::{
        directory::{
            listed::{Directory, Listed},
            published::{Introduction, Publication},
            rules::Refused,
        },
        endpoint::Endpoint,
        id::{ConnectionId, KeyId},
    },
    store::StoreError,
};

/// A socket opened.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub(super) struct Connected {
    pub(super) socket: ConnectionId,
    pub(super) from: std::net::SocketAddr,
    pub(super) pipe: Pipe,
}

/// A socket says something.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub(super) struct Spoken(pub(super) ConnectionId, pub(super) Said);

/// A socket has closed its own side, and may still listen.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub(super) struct ListensOnly(pub(super) ConnectionId);

/// A socket is gone.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub(super) struct Gone(pub(super) ConnectionId);

/// Nobody is taken any more; whoever is here is let go in order.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Close;

/// What the directory holds is wanted.
#[derive(Message, Debug)]
#[rtype(result = "Shown")]
pub struct Show;

/// What the directory holds.
#[derive(Debug, MessageResponse)]
pub struct Shown {
    /// The entries, in order, with marks at those who speak through the server.
    pub directory: Arc<Directory>,
}

/// A member registers an address.
#[derive(Message, Debug)]
#[rtype(result = "Result<(), Refused>")]
pub struct Publish {
    /// What.
    pub publication: Publication,
    /// Where it comes from.
    pub from: IpAddr,
}

/// The operator registers an address for a member. It is written down when this is answered.
#[derive(Message, Debug)]
#[rtype(result = "Result<(), NotIntroduced>")]
pub struct Introduce {
    /// Which member.
    pub member: KeyId,
    /// Where it listens.
    pub at: Endpoint,
    /// For how many seconds.
    pub span: u32,
}

/// Why an operator's registration does not count.
#[derive(Debug)]
pub enum NotIntroduced {
    /// It may not be registered.
    Refused(Refused),
    /// It cannot be written down.
    Unwritten(StoreError),
}

/// What operators have registered in an earlier life of the server.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Restore(pub Vec<Introduction>);

/// A member wants to be listed there no more, whoever has registered it. The answer: whether she was. It fails if it was
/// written down and cannot be taken out there; it counts no more all the same, until the next start.
#[derive(Message, Debug)]
#[rtype(result = "Result<bool, StoreError>")]
pub struct Withdraw {
    /// Whose it is.
    pub member: KeyId,
    /// What.
    pub at: Endpoint,
}

/// The operator takes out what is registered for a member, whoever has registered it. The answer: whether anything was. It
/// fails, and nothing has changed, if what is written down cannot be taken out there.
#[derive(Message, Debug)]
#[rtype(result = "Result<bool, StoreError>")]
pub struct Dismiss {
    /// Whose it is.
    pub member: KeyId,
    /// What.
    pub at: Endpoint,
}

/// A connection is gone, and what it has registered with it.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Release(pub ConnectionId);

/// Whoever is on this connection is another member from now on, and so is whoever has registered from there.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Rename(pub ConnectionId, pub KeyId);

/// A neighbour says who is registered there; nobody, if it is not linked any more.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Told {
    /// Its key.
    pub home: KeyId,
    /// All of its entries.
    pub entries: Vec<Listed>,
}

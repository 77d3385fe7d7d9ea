//! What a client wants of the directory of the rendezvous, and what it is told, in whatever protocol it has asked.

use std::sync::Arc;

use crate::domain::{
    directory::{listed::Directory, rules::Refused},
    endpoint::Endpoint,
};

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// To be listed there, for as long as this connection lasts.
    Register(Endpoint),
    /// Not to be listed there any more.
    Unregister(Endpoint),
    /// To read it.
    Read,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is listed, or will be once it was tried.
    Registered(Endpoint),
    /// It is listed no more.
    Unregistered(Endpoint),
    /// What the directory holds.
    Directory(Arc<Directory>),
    /// It is not done.
    Refused(Why),
}

/// Why something is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The address may not be registered.
    Rule(Refused),
    /// It is asked too often.
    TooOften,
    /// Nothing of this member is registered there.
    NotRegistered,
}

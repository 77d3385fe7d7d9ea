//! Where the member is listed in the directory of clients that mesh by themselves, and who else is, in every dialect.
//!
//! A registration lives as long as its connection. What the member has asked for outlives it, and is asked for again.

use super::event::SayError;
use crate::domain::{endpoint::Endpoint, id::KeyId};

/// Somebody in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where somebody listens.
    pub at: Endpoint,
    /// Nobody could dial it, so it dials the others.
    pub undialable: bool,
    /// The home that introduces it, if it is another one.
    pub home: Option<KeyId>,
    /// The member who registered it, if it was one.
    pub member: Option<KeyId>,
}

/// Where the member is listed, or about to be again.
#[derive(Debug, Default)]
pub(super) struct Introduction(Option<Endpoint>);

impl Introduction {
    /// What a new connection has to ask for.
    pub(super) const fn wanted(&self) -> Option<Endpoint> {
        self.0
    }

    /// The member is listed there. Where she was before, she is to be listed no more.
    pub(super) fn done(&mut self, at: Endpoint) -> Option<Endpoint> {
        self.0.replace(at).filter(|before| *before != at)
    }

    /// She is not, although she was.
    pub(super) fn lost(&mut self, at: Endpoint) {
        self.0.take_if(|listed| *listed == at);
    }

    /// She does not want to be any more.
    pub(super) fn end(&mut self) -> Result<Endpoint, SayError> {
        self.0.take().ok_or(SayError::NotListed)
    }
}

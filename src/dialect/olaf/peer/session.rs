//! One socket to or from a server that speaks OLAF.

use std::sync::Arc;

use crate::{
    dialect::{
        Terms,
        event::{Input, Output},
    },
    domain::Moment,
};

use super::Accent;

/// One socket.
#[derive(Debug)]
pub struct Session {
    _terms: Arc<Terms>,
}

impl Session {
    /// A socket that a server opened to us.
    #[must_use]
    pub fn answering(terms: Arc<Terms>) -> Self {
        Self { _terms: terms }
    }

    /// A socket that we opened to a server.
    #[must_use]
    pub fn dialling(terms: Arc<Terms>, _accent: Option<Accent>, _dialled: &str) -> Self {
        Self { _terms: terms }
    }

    /// Something happened.
    pub fn handle(&mut self, _input: Input, _now: Moment, _out: &mut Vec<Output>) {}
}

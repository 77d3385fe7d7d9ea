//! How a neighbour is spoken to when we dial it: in its protocol, and with the accent that is set or learnt.

use std::sync::Arc;

use super::PeerLink;
use crate::{
    crypto::{channel::Ephemeral, keys::KeyError},
    dialect::{Accent, Session, kith, olaf, socp},
    domain::peer::LinkDialect,
};

impl PeerLink {
    /// How it speaks: as an operator said, or as it spoke last.
    fn accent(&self) -> Option<Accent> {
        let learnt = self.card.as_ref().and_then(|card| card.ear.accent());
        self.parts.accent.or(learnt)
    }

    pub(super) fn session(&self, dialect: LinkDialect) -> Result<Session, KeyError> {
        let terms = Arc::clone(&self.parts.house.terms);
        let dialled = self.parts.url.as_deref().unwrap_or_default();
        let dialled = dialled.split_once("://").map_or(dialled, |(_, rest)| rest).trim_end_matches('/');
        Ok(match dialect {
            LinkDialect::Kith => {
                let ephemeral = Ephemeral::generate()?;
                Session::Kith(Box::new(kith::session::Session::dialling(terms, ephemeral, dialled)))
            }
            LinkDialect::Olaf => {
                let accent = match self.accent() {
                    Some(Accent::Olaf(accent)) => Some(accent),
                    _ => None,
                };
                Session::OlafPeer(Box::new(olaf::peer::Session::dialling(terms, accent, dialled)))
            }
            LinkDialect::Socp => {
                let accent = match self.accent() {
                    Some(Accent::Socp(accent)) if self.card.is_some() && self.parts.accent.is_none() => {
                        Some(accent.tried(self.peer.failures()))
                    }
                    Some(Accent::Socp(accent)) => Some(accent),
                    _ => None,
                };
                Session::SocpPeer(Box::new(socp::peer::Session::dialling(terms, accent, dialled)))
            }
        })
    }
}

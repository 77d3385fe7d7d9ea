//! Hosts that know only the first form of the protocol: what they are told.
//!
//! They are ranked and shown, and told where to go. They have no vote, and none of them is told to lead while
//! another node of this home lives. Everything here goes by the id that a host was given, never by its address,
//! because several hosts may share one.

use std::sync::Arc;

use super::{NodeId, report::Figures};

/// What such a host says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The id that it was given, if it was.
    pub id: Option<NodeId>,
    /// The address that it calls from, without port.
    pub address: Arc<str>,
    /// How busy it is.
    pub figures: Figures,
}

/// What it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whether we know it, or it should take the id below and come back.
    pub is_known: bool,
    /// Whether it should lead.
    pub lead: bool,
    /// Who leads instead, as address without port.
    pub new_server: Option<Arc<str>>,
    /// Where to go when we are gone, as address without port.
    pub fallback: Option<Arc<str>>,
    /// The id to use.
    pub id: NodeId,
    /// Its own address.
    pub address: Arc<str>,
}

/// What a server of the first form answers to one of its hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostAnswer {
    /// Whether all is well, or the id below should be used from now on.
    pub is_known: bool,
    /// Whether we should lead.
    pub lead: bool,
    /// Who leads instead, as address without port.
    pub new_server: Option<String>,
    /// Where to go when that server is gone.
    pub fallback: Option<String>,
    /// The id to use.
    pub id: NodeId,
    /// Our own address as that server sees it; only at the first contact.
    pub address: Option<String>,
}

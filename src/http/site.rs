//! What the handlers of both doors share.

use std::{net::IpAddr, sync::Arc};

use actix::Addr;
use actix_web::http::header::HeaderMap;
use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;

use super::{filing::Filing, home::Nodes, meeting::MeetingPlace};
use crate::{
    actors::{archivist::Archivist, event::Kind, gate::Place, house::House, keeper::Keeper},
    domain::{
        dialect::Dialect,
        refusal::{Ending, Refusal},
    },
    identity::{Identity, TokenHash},
    settings::Settings,
    store::Store,
};

/// One house, as its web side sees it.
#[derive(Debug)]
pub struct Site {
    /// Connections, limits, metrics, events.
    pub house: Arc<House>,
    /// What is remembered.
    pub store: Store,
    /// Who writes members down; knows whether the store takes writes.
    pub archivist: Addr<Archivist>,
    /// Who writes down which letters wait, if any are kept.
    pub keeper: Option<Addr<Keeper>>,
    /// Uploaded files.
    pub filing: Filing,
    /// The settings in force.
    pub settings: Settings,
    /// Who we are.
    pub about: About,
    /// The nodes of this home.
    pub nodes: Nodes,
    /// How the door of the rendezvous is.
    pub meeting: MeetingPlace,
    /// What bearer tokens are compared with.
    pub token: TokenHash,
    /// Asks the process to drain and end.
    pub stop: UnboundedSender<()>,
}

/// Facts about this server that do not change while it runs.
#[derive(Clone, Debug)]
pub struct About {
    /// Made at first start.
    pub id: Uuid,
    /// What the operator calls it.
    pub name: String,
    /// The address that client lists name.
    pub address: String,
    /// The addresses of the doors for one dialect each.
    pub own_doors: Vec<(Dialect, String)>,
    /// Base of the links to uploaded files, without a slash at the end.
    pub url: String,
    /// When this process started, in Unix milliseconds.
    pub started_ms: i64,
    /// The canonical PEM of the OLAF key.
    pub olaf_key: String,
    /// The fingerprint of the OLAF key, as v1.2 writes it.
    pub olaf_fingerprint: String,
    /// The canonical PEM of the server key.
    pub server_key: String,
    /// The digest that names the server key.
    pub server_key_id: String,
}

impl About {
    /// The facts, from what startup knows.
    #[must_use]
    pub fn new(identity: &Identity, id: Uuid, name: String, address: String, url: String) -> Self {
        let (olaf, server) = (identity.olaf.public(), identity.server.public());
        let olaf_pem = olaf.canonical_pem();
        Self {
            id,
            name,
            address,
            own_doors: Vec::new(),
            url,
            started_ms: crate::actors::clock::unix_ms(),
            olaf_fingerprint: crate::crypto::fingerprint::OFFICIAL.of(olaf, &olaf_pem),
            olaf_key: olaf_pem,
            server_key: server.canonical_pem(),
            server_key_id: server.id().hex(),
        }
    }

    /// The address of the door for this dialect alone, if there is one.
    #[must_use]
    pub fn own_door(&self, dialect: Dialect) -> Option<&str> {
        self.own_doors.iter().find(|(only, _)| *only == dialect).map(|(_, address)| address.as_str())
    }
}

impl Site {
    /// Whether the word of this peer about its clients is believed.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        // A listener for both families sees IPv4 peers in IPv6 clothes.
        self.settings.listen.trusted_proxies.contains(&peer.to_canonical())
    }

    /// Whether a browser may speak to us for a page of this origin: one of ours, one that the operator lists, or one
    /// of another door of this home, whose page goes on here when we serve.
    #[must_use]
    pub fn admits_origin(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        self.settings.listen.admits_origin(origin, host)
            || origin.is_some_and(|origin| self.nodes.has_page_at(origin))
    }

    /// The address of whoever sent a request: behind a trusted proxy, the last address in
    /// `X-Forwarded-For` that is not itself a trusted proxy. Some proxies add a line of their own instead
    /// of adding to the client's, so all lines count, in their order.
    #[must_use]
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            return peer.to_canonical();
        }
        let lines: Vec<_> =
            headers.get_all("x-forwarded-for").filter_map(|line| line.to_str().ok()).collect();
        let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
        let mut hops = hops.map_while(|hop| hop.trim().parse::<IpAddr>().ok()).map(|hop| hop.to_canonical());
        hops.find(|hop| !self.trusts(*hop)).unwrap_or(peer)
    }

    /// Whether an address may ask anything at this door; a refusal is counted and announced.
    ///
    /// # Errors
    /// It is banned.
    pub fn admit(&self, address: IpAddr) -> Result<(), Refusal> {
        if self.house.bans.has_address(address) {
            Err(self.refused(address, Refusal::Banned))
        } else {
            Ok(())
        }
    }

    /// Takes a place for a socket of this address; a refusal is counted and announced.
    ///
    /// # Errors
    /// The house or the address is full.
    pub fn enter(&self, address: IpAddr) -> Result<Place, Refusal> {
        self.house.gate.enter(address).map_err(|refusal| self.refused(address, refusal))
    }

    fn refused(&self, address: IpAddr, refusal: Refusal) -> Refusal {
        self.house.tally.refusal(refusal);
        self.house.bulletin.publish(Kind::Refused {
            address,
            ending: Ending::Refused(refusal),
            server: None,
        });
        refusal
    }
}

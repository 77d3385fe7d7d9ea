//! The whole graph as seen from here: our own links, and what linked neighbours report about theirs.

use std::collections::HashMap;

use actix_web::{
    get,
    web::{Data, Json},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    peer::{address, members, milliseconds},
    stamp::rfc3339,
};
use crate::{
    actors::{
        clock::unix_ms,
        neighbourhood::{PeerView, Peers},
    },
    dialect::kith::wire,
    domain::{
        address::Address,
        id::{HomeId, KeyId},
        neighbourhood::State,
    },
    http::{problem::Problem, site::Site},
};

/// The graph.
#[derive(Debug, Default, PartialEq, Serialize, ToSchema)]
pub(super) struct Mesh {
    /// The fingerprint of our own key.
    #[serde(rename = "self")]
    own: String,
    /// Every server that is known here or to a linked neighbour, this one first.
    nodes: Vec<Node>,
    /// Links, each as one of its two ends sees it.
    links: Vec<Link>,
}

/// A server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
struct Node {
    /// The fingerprint of its key, if that is known.
    key: Option<String>,
    /// What it calls itself.
    name: Option<String>,
    /// By which links name it.
    address: String,
    /// Members present there, as far as known.
    members: usize,
    /// Whether it is this one.
    own: bool,
    /// Whether it is linked with this one.
    linked: bool,
}

/// A link, as one of its ends sees it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
struct Link {
    /// The address of the server that sees it so.
    from: String,
    /// The address of the other one.
    to: String,
    /// `dialling`, `greeting`, `up`, `suspect`, `down` or `refused`; `unknown` if a neighbour uses
    /// another word.
    state: &'static str,
    /// The last round trip, in milliseconds.
    round_trip_ms: Option<f64>,
    /// The address of the server that says so.
    reported_by: String,
    /// Whether it is a link of this server.
    own: bool,
    /// When that was so.
    as_of: String,
}

/// The graph of all links, our own and those that linked neighbours report.
#[utoipa::path(
    tag = "neighbourhood",
    operation_id = "show_mesh",
    responses(
        (status = 200, description = "The graph", body = Mesh),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/mesh")]
pub(super) async fn show(site: Data<Site>) -> Result<Json<Mesh>, Problem> {
    let peers = site.house.neighbourhood.send(Peers).await?;
    let counts = members(&site).await?;
    let us = Node {
        key: Some(site.about.server_key_id.clone()),
        name: Some(site.about.name.clone()),
        address: site.about.address.clone(),
        members: counts.get(&HomeId::OWN).copied().unwrap_or(0),
        own: true,
        linked: true,
    };
    Ok(Json(draw(us, &peers, &counts, unix_ms())))
}

/// Nodes under every name that means them: a server is one node, whoever spells it how.
#[derive(Default)]
struct Nodes {
    all: Vec<Node>,
    by_key: HashMap<String, usize>,
    by_address: HashMap<Address, usize>,
}

impl Nodes {
    /// The place of a node, found by its key or else by an address; made if it is new.
    fn place(&mut self, node: Node, names: Vec<Address>) -> usize {
        let by_key = node.key.as_ref().and_then(|key| self.by_key.get(key));
        let found = by_key.or_else(|| names.iter().find_map(|name| self.by_address.get(name)));
        let place = found.copied().unwrap_or(self.all.len());
        if let Some(key) = &node.key {
            self.by_key.entry(key.clone()).or_insert(place);
        }
        for name in names {
            self.by_address.entry(name).or_insert(place);
        }
        match self.all.get_mut(place) {
            None => self.all.push(node),
            Some(known) => {
                known.key = known.key.take().or(node.key);
                known.name = known.name.take().or(node.name);
                // Whoever is not linked with us is counted by those with whom it is.
                if !known.linked {
                    known.members = known.members.max(node.members);
                }
            }
        }
        place
    }

    fn address(&self, place: usize) -> String {
        self.all.get(place).map(|node| node.address.clone()).unwrap_or_default()
    }
}

fn draw(us: Node, peers: &[PeerView], counts: &HashMap<HomeId, usize>, now: i64) -> Mesh {
    let own = us.key.clone().unwrap_or_default();
    let (mut nodes, mut links) = (Nodes::default(), Vec::new());
    let names = vec![Address::new(&us.address)];
    let us = nodes.place(us, names);
    let mut neighbours = Vec::new();
    for peer in peers {
        let node = neighbour(peer, counts.get(&peer.home).copied().unwrap_or(0));
        let place = nodes.place(node, peer.entry.names());
        let seen = Seen { from: us, to: place, state: peer.status.state.name(), at_ms: now };
        links.extend(seen.link(&nodes, peer.round_trip_us, true));
        neighbours.push((place, peer));
    }
    // What a server said before its link broke may have changed since.
    for (from, peer) in neighbours.iter().filter(|(_, peer)| peer.status.state.is_linked()) {
        for link in &peer.links {
            let to = nodes.place(reported(link), vec![Address::new(&link.address)]);
            let state = State::ALL.map(State::name).into_iter().find(|name| *name == link.state);
            let seen = Seen { from: *from, to, state: state.unwrap_or("unknown"), at_ms: peer.links_ms };
            links.extend(seen.link(&nodes, link.round_trip, false));
        }
    }
    let mut nodes = nodes.all;
    nodes.sort_by(|one, other| {
        other.own.cmp(&one.own).then_with(|| (&one.address, &one.key).cmp(&(&other.address, &other.key)))
    });
    // The sort is stable: of two reports about the same pair the first one stays.
    let ends = |link: &Link| (!link.own, link.from.clone(), link.to.clone());
    links.sort_by_cached_key(ends);
    links.dedup_by(|one, other| ends(one) == ends(other));
    Mesh { own, nodes, links }
}

fn neighbour(peer: &PeerView, members: usize) -> Node {
    Node {
        key: peer.entry.expected().map(|key| key.hex()),
        name: peer.entry.name.clone(),
        address: address(&peer.entry).unwrap_or_else(|| peer.entry.id.hex()),
        members,
        own: false,
        linked: peer.status.state.is_linked(),
    }
}

fn reported(link: &wire::Link) -> Node {
    Node {
        key: link.key.map(|key| KeyId(key).hex()),
        name: Some(link.name.clone()).filter(|name| !name.is_empty()),
        address: link.address.clone(),
        members: usize::try_from(link.members).unwrap_or(usize::MAX),
        own: false,
        linked: false,
    }
}

/// How one end sees a link.
struct Seen {
    from: usize,
    to: usize,
    state: &'static str,
    at_ms: i64,
}

impl Seen {
    /// Nothing if somebody believes to be linked with itself.
    fn link(&self, nodes: &Nodes, round_trip_us: Option<u64>, own: bool) -> Option<Link> {
        (self.from != self.to).then(|| Link {
            from: nodes.address(self.from),
            to: nodes.address(self.to),
            state: self.state,
            round_trip_ms: round_trip_us.map(milliseconds),
            reported_by: nodes.address(self.from),
            own,
            as_of: rfc3339(self.at_ms),
        })
    }
}

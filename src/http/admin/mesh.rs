//! The whole graph as seen from here: our own links, and what linked neighbours report about theirs.

use std::collections::HashMap;

use actix_web::{
    get,
    web::{Data, Json},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    peer::{members, milliseconds},
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
        for link in peer.links.iter() {
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
        address: peer.entry.shown_address().unwrap_or_else(|| peer.entry.id.hex()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        actors::{meter::Reading, neighbourhood::Status},
        domain::{book::Entry, id::PeerId},
    };

    fn view(number: u8, name: &str, state: State, links: Vec<wire::Link>) -> PeerView {
        let entry = Entry {
            url: Some(format!("ws://{name}:1")),
            name: Some(name.to_owned()),
            seen: Some(KeyId([number; 32])),
            ..Entry::stranger(PeerId([number; 6]), 0)
        };
        let home = HomeId(u32::from(number));
        let status = Status { state, since_ms: 0, ..Status::unborn(home) };
        PeerView {
            entry,
            home,
            status,
            round_trip_us: Some(1500),
            reading: Reading::default(),
            waiting_bytes: 0,
            heard_ms: None,
            links: links.into(),
            links_ms: 0,
        }
    }

    fn link(number: Option<u8>, address: &str, state: &str) -> wire::Link {
        wire::Link {
            address: address.to_owned(),
            name: String::new(),
            url: None,
            key: number.map(|number| [number; 32]),
            state: state.to_owned(),
            round_trip: None,
            members: 7,
            trusted: true,
        }
    }

    fn us() -> Node {
        let key = Some(KeyId([1; 32]).hex());
        Node { key, address: "here:1".to_owned(), own: true, linked: true, ..Node::default() }
    }

    fn ends(mesh: &Mesh) -> Vec<(&str, &str, &str, bool)> {
        mesh.links.iter().map(|link| (&*link.from, &*link.to, link.state, link.own)).collect()
    }

    #[test]
    fn whoever_is_reported_under_several_names_is_one_server() {
        let reports = vec![
            link(Some(1), "10.0.0.1:1", "up"),
            link(Some(3), "elsewhere:9", "suspect"),
            link(None, "ws://SOUTH:1/", "down"),
            link(Some(4), "west:1", "dreaming"),
            link(Some(2), "east:1", "up"),
        ];
        let peers = [view(2, "east", State::Up, reports), view(3, "south", State::Down, vec![])];
        let mesh = draw(us(), &peers, &HashMap::from([(HomeId(2), 5)]), 0);
        let nodes: Vec<_> =
            mesh.nodes.iter().map(|node| (&*node.address, node.members, node.linked)).collect();
        assert_eq!(
            nodes,
            [("here:1", 0, true), ("east:1", 5, true), ("south:1", 7, false), ("west:1", 7, false)]
        );
        assert_eq!(
            ends(&mesh),
            [
                ("here:1", "east:1", "up", true),
                ("here:1", "south:1", "down", true),
                ("east:1", "here:1", "up", false),
                ("east:1", "south:1", "suspect", false),
                ("east:1", "west:1", "unknown", false),
            ]
        );
        assert_eq!(mesh.links[0].round_trip_ms, Some(1.5));
    }

    #[test]
    fn nobody_who_is_not_linked_is_believed_any_more() {
        let peers = [view(2, "east", State::Down, vec![link(Some(3), "south:1", "up")])];
        let mesh = draw(us(), &peers, &HashMap::new(), 0);
        assert_eq!(ends(&mesh), [("here:1", "east:1", "down", true)]);
        assert_eq!(mesh.nodes.len(), 2);
    }
}

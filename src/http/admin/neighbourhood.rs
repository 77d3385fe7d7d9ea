//! Every server of the neighbourhood with its clients, as far as known here.

use std::collections::HashMap;

use actix_web::{
    get,
    web::{Data, Json, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{stamp::rfc3339, who::Who};
use crate::{
    actors::{
        clock::unix_ms,
        neighbourhood::{PeerView, Peers},
        registry::{HomeView, Homes},
    },
    domain::{id::HomeId, member::Member, neighbourhood::State},
    http::{problem::Problem, site::Site},
};

/// Clients of one server that are named.
const DEFAULT: usize = 500;
const MOST: usize = 5000;

/// How much is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct NeighbourhoodQuery {
    /// At most so many clients of each server; more than 5,000 are never given. `members` counts all.
    #[param(default = 500, minimum = 0, maximum = 5000)]
    limit: Option<usize>,
}

/// The servers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Neighbourhood {
    /// This one first.
    servers: Vec<Server>,
}

/// A server with its clients.
#[derive(Debug, Serialize, ToSchema)]
struct Server {
    /// `self`, or the id of the neighbour.
    id: String,
    /// What it calls itself.
    name: Option<String>,
    /// The name under which lists and letters know it.
    address: Option<String>,
    /// Whether it is this one.
    own: bool,
    /// How the link is doing.
    #[schema(example = "up")]
    state: &'static str,
    /// When something was heard of it last; null if nothing ever was.
    as_of: Option<String>,
    /// How long ago that is, in milliseconds.
    age_ms: Option<u64>,
    /// Members present there, all of them.
    members: usize,
    /// The first ones of them. Nobody is listed whose server is not linked.
    clients: Vec<Present>,
}

/// Somebody present.
#[derive(Debug, Serialize, ToSchema)]
struct Present {
    #[serde(flatten)]
    who: Who,
    /// What it speaks at its server.
    #[schema(example = "olaf")]
    dialect: &'static str,
}

impl From<&Member> for Present {
    fn from(member: &Member) -> Self {
        Self { who: member.into(), dialect: member.dialect.name() }
    }
}

/// Every server of the neighbourhood with its clients, as far as known, and how old that knowledge is.
#[utoipa::path(
    tag = "neighbourhood",
    operation_id = "show_neighbourhood",
    params(NeighbourhoodQuery),
    responses(
        (status = 200, description = "The servers", body = Neighbourhood),
        (status = 400, description = "A bad limit", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/neighbourhood")]
pub(super) async fn show(
    site: Data<Site>,
    query: Query<NeighbourhoodQuery>,
) -> Result<Json<Neighbourhood>, Problem> {
    let limit = query.limit.unwrap_or(DEFAULT).min(MOST);
    let peers = site.house.neighbourhood.send(Peers).await?;
    let homes = site.house.registry.send(Homes(limit)).await?;
    let homes: HashMap<HomeId, HomeView> = homes.into_iter().map(|home| (home.home, home)).collect();
    let now = unix_ms();
    let us = us(&site, homes.get(&HomeId::OWN), now);
    let others = peers.iter().map(|peer| other(peer, homes.get(&peer.home), now));
    Ok(Json(Neighbourhood { servers: std::iter::once(us).chain(others).collect() }))
}

fn us(site: &Site, home: Option<&HomeView>, now: i64) -> Server {
    Server {
        id: "self".to_owned(),
        name: Some(site.about.name.clone()),
        address: Some(site.about.address.clone()),
        own: true,
        state: State::Up.name(),
        as_of: Some(rfc3339(now)),
        age_ms: Some(0),
        members: home.map_or(0, |home| home.count),
        clients: clients(home),
    }
}

fn other(peer: &PeerView, home: Option<&HomeView>, now: i64) -> Server {
    let heard = peer.heard_ms.max(peer.entry.linked_at);
    Server {
        id: peer.entry.id.hex(),
        name: peer.entry.name.clone(),
        address: peer.entry.shown_address(),
        own: false,
        state: peer.status.state.name(),
        as_of: heard.map(rfc3339),
        // A clock that was set back makes nothing younger than now.
        age_ms: heard.map(|heard| u64::try_from(now.saturating_sub(heard)).unwrap_or(0)),
        members: home.map_or(0, |home| home.count),
        clients: clients(home),
    }
}

fn clients(home: Option<&HomeView>) -> Vec<Present> {
    home.map(|home| home.members.iter().map(|member| Present::from(&**member)).collect()).unwrap_or_default()
}

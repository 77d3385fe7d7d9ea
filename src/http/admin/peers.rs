//! Neighbours: how each link is doing, and what can be done about it.

use actix_web::{
    HttpRequest, HttpResponse, delete, get,
    http::{StatusCode, header},
    post,
    web::{Data, Json, Path, Payload, Query},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    body,
    paging::{self, Listing, PageQuery},
    peer::{Peer, members},
};
use crate::{
    actors::neighbourhood::{
        AddError, AddPeer, FindPeer, PeerView, Peers, PinError, PinPeer, RemovePeer, RetryPeer, Written,
    },
    domain::{
        book::Turned,
        id::{HomeId, PeerId},
        peer::{LinkDialect, PeerLine, PeerLineError},
        refusal::Refusal,
    },
    http::{problem::Problem, site::Site},
};

/// The name of this list in cursors.
const LIST: &str = "peers";

/// A neighbour to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPeer {
    /// Where it is dialled.
    #[schema(example = "ws://north.example.org:8080")]
    url: String,
    /// The key it must prove: a fingerprint in 64 hexadecimal digits, or a public key in base64.
    key: Option<String>,
    /// `kith` or `olaf`; found out if it is left out.
    dialect: Option<String>,
    /// How it deviates from OLAF; found out where possible if it is left out.
    accent: Option<String>,
    /// What it calls itself in lists and letters, if not as the URL does.
    address: Option<String>,
    /// What people call it.
    name: Option<String>,
}

impl TryFrom<NewPeer> for PeerLine {
    type Error = PeerLineError;

    fn try_from(new: NewPeer) -> Result<Self, PeerLineError> {
        let NewPeer { url, key, dialect, accent, address, name } = new;
        let read = |name: String| LinkDialect::from_name(&name).ok_or(PeerLineError::Dialect(name));
        let dialect = dialect.map(read).transpose()?;
        Ok(Self { key, dialect, accent, address, name, ..Self::new(&url) })
    }
}

/// To which key a neighbour is held.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pin {
    /// A fingerprint in 64 hexadecimal digits, or a public key in base64. Without it: the key that the
    /// neighbour shows, or showed when it was refused.
    key: Option<String>,
}

/// No such id is no such neighbour, whatever the text looks like.
pub(super) fn named(id: &str) -> Result<PeerId, Problem> {
    PeerId::from_hex(id).ok_or_else(unknown)
}

pub(super) fn unknown() -> Problem {
    Problem::not_found("no such neighbour")
}

fn conflict(code: &str, detail: impl std::fmt::Display) -> Problem {
    Problem::new(StatusCode::CONFLICT, code, "This does not fit what is known already").detail(detail)
}

/// Why a neighbour is not added, in words.
async fn not_added(site: &Site, error: AddError) -> Problem {
    let Turned { home, refusal } = match error {
        AddError::Senseless(what) => return Problem::bad_request(what),
        AddError::Turned(turned) => turned,
    };
    match refusal {
        Refusal::Ourselves => Problem::bad_request("this is the address or the key of this very server"),
        Refusal::KnownPeer => {
            let known = site.house.neighbourhood.send(Peers).await.unwrap_or_default();
            let id = known.iter().find(|view| Some(view.home) == home).map(|view| view.entry.id);
            match id {
                Some(id) => conflict(refusal.code(), format_args!("it is the neighbour {id} already")),
                None => conflict(refusal.code(), "it is a neighbour already"),
            }
        }
        Refusal::TooManyPeers => {
            let most = site.house.limits.peers;
            conflict(refusal.code(), format_args!("there are {most} neighbours already; see limits.peers"))
        }
        other => conflict(other.code(), "the house does not want it"),
    }
}

impl From<PinError> for Problem {
    fn from(error: PinError) -> Self {
        match error {
            PinError::Unknown => unknown(),
            PinError::NoKey => conflict("no_key", "it has not shown a key yet; give one"),
            PinError::BadKey => Self::bad_request(
                "this is no key for it: a fingerprint of 64 hexadecimal digits if it speaks Kith, else its \
                 public key in base64",
            ),
        }
    }
}

/// One neighbour with its members counted.
async fn shown(site: &Site, view: &PeerView) -> Result<Peer, Problem> {
    let counts = members(site).await?;
    Ok(Peer::new(view, counts.get(&view.home).copied().unwrap_or(0)))
}

/// The neighbours, in the order in which they became known.
#[utoipa::path(
    tag = "neighbourhood",
    operation_id = "list_peers",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of neighbours", body = Listing<Peer>),
        (status = 400, description = "A bad limit or cursor", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/peers")]
pub(super) async fn list(site: Data<Site>, query: Query<PageQuery>) -> Result<Json<Listing<Peer>>, Problem> {
    let limit = usize::try_from(paging::limit(query.limit)?).unwrap_or(usize::MAX);
    let after = paging::decode(LIST, query.cursor.as_deref(), |text| text.parse().ok().map(HomeId))?;
    let mut views = site.house.neighbourhood.send(Peers).await?;
    views.retain(|view| after.is_none_or(|after| view.home > after));
    let more = views.len() > limit;
    views.truncate(limit);
    let next = views.last().filter(|_| more).map(|view| paging::encode(LIST, view.home.0));
    let counts = members(&site).await?;
    let count = |view: &PeerView| counts.get(&view.home).copied().unwrap_or(0);
    let items = views.iter().map(|view| Peer::new(view, count(view))).collect();
    Ok(Json(Listing { items, next }))
}

/// One neighbour, with the steps of the last handshake.
#[utoipa::path(
    tag = "neighbourhood",
    operation_id = "show_peer",
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 200, description = "The neighbour", body = Peer),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/peers/{id}")]
pub(super) async fn show(site: Data<Site>, id: Path<String>) -> Result<Json<Peer>, Problem> {
    let view = site.house.neighbourhood.send(FindPeer(named(&id)?)).await?.ok_or_else(unknown)?;
    Ok(Json(shown(&site, &view).await?.with_transcript(&view)))
}

/// Returns when what was ordered is on disk. Whoever is told that it is done must not find it undone after a crash.
async fn written(site: &Site) -> Result<(), Problem> {
    if site.house.neighbourhood.send(Written).await? { Ok(()) } else { Err(Problem::internal()) }
}

/// Adds a neighbour; it is dialled at once, and again after a restart.
#[utoipa::path(
    tag = "neighbourhood",
    operation_id = "add_peer",
    request_body = NewPeer,
    responses(
        (status = 201, description = "It is a neighbour now; the link is being made", body = Peer),
        (status = 400, description = "A bad URL, key or word, or this very server", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is known already, or there are too many", body = Problem,
         content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem,
         content_type = "application/problem+json"),
        (status = 415, description = "The body is no JSON", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[post("/peers")]
pub(super) async fn add(
    site: Data<Site>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let new: NewPeer = body::required(&request, payload).await?;
    let line = PeerLine::try_from(new).map_err(Problem::bad_request)?;
    let view = match site.house.neighbourhood.send(AddPeer(line)).await? {
        Ok(view) => view,
        Err(error) => return Err(not_added(&site, error).await),
    };
    written(&site).await?;
    tracing::info!(peer = %view.entry.id, "a neighbour is added by an administrator");
    let place = format!("{}/{}", request.path(), view.entry.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, place)).json(shown(&site, &view).await?))
}

/// Removes a neighbour: its link is closed, and it is refused until it is added again. One that stands in
/// the settings comes back with the next start.
#[utoipa::path(
    tag = "neighbourhood",
    operation_id = "remove_peer",
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 204, description = "It is no neighbour any more"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[delete("/peers/{id}")]
pub(super) async fn remove(site: Data<Site>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id = named(&id)?;
    if !site.house.neighbourhood.send(RemovePeer(id)).await? {
        return Err(unknown());
    }
    written(&site).await?;
    tracing::info!(peer = %id, "a neighbour is removed by an administrator");
    Ok(HttpResponse::NoContent().finish())
}

/// Dials a neighbour at once instead of when its time has come. One that is linked stays as it is.
#[utoipa::path(
    tag = "neighbourhood",
    operation_id = "retry_peer",
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 202, description = "It is dialled", body = Peer),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[post("/peers/{id}/retry")]
pub(super) async fn retry(site: Data<Site>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let view = site.house.neighbourhood.send(RetryPeer(named(&id)?)).await?.ok_or_else(unknown)?;
    Ok(HttpResponse::Accepted().json(shown(&site, &view).await?))
}

/// Holds a neighbour to a key: the one given, or the one that it shows or showed when it was refused.
#[utoipa::path(
    tag = "neighbourhood",
    operation_id = "pin_peer",
    params(("id" = String, Path, description = "Its id")),
    request_body = Option<Pin>,
    responses(
        (status = 200, description = "It is held to that key from now on", body = Peer),
        (status = 400, description = "This is no key", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It has not shown a key yet", body = Problem,
         content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem,
         content_type = "application/problem+json"),
        (status = 415, description = "The body is no JSON", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[post("/peers/{id}/pin")]
pub(super) async fn pin(
    site: Data<Site>,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<Json<Peer>, Problem> {
    let id = named(&id)?;
    let Pin { key } = body::optional(&request, payload).await?;
    let view = site.house.neighbourhood.send(PinPeer { id, key }).await??;
    written(&site).await?;
    let key = view.entry.expected().map(|key| key.hex());
    tracing::info!(peer = %id, key, "a neighbour is held to a key by an administrator");
    Ok(Json(shown(&site, &view).await?))
}

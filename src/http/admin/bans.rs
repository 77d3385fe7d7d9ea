//! Who may not come: the bans in force, made and lifted.
//!
//! This door is not one that bans close, so nobody can lock themselves out of it.

use std::collections::HashMap;

use actix_web::{
    HttpRequest, HttpResponse, delete, get,
    http::{StatusCode, header},
    post,
    web::{Data, Json, Path, Payload, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    body,
    paging::{self, Listing},
    stamp::rfc3339,
};
use crate::{
    actors::{
        bans::{Lift, LiftError, Make, MakeError},
        clock::unix_ms,
        neighbourhood::{Peers, members::read_key},
    },
    domain::{
        address::Address,
        bans::{Ban, BanId, Draft, LONGEST_REASON, Origin, Server, Target, is_reason},
        id::KeyId,
    },
    http::{problem::Problem, site::Site},
};

/// The name of this list in cursors.
const LIST: &str = "bans";
/// The longest span of a ban that is not for good: a hundred years.
const LONGEST_S: u64 = 100 * 366 * 24 * 3600;

/// A ban.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BanView {
    /// What it is called.
    #[schema(example = "7")]
    id: String,
    /// What it is about: `key`, `name`, `address` or `server`.
    #[schema(example = "name")]
    kind: &'static str,
    /// Which one, in the form in which it is compared.
    #[schema(example = "mallory")]
    value: String,
    /// Why; may be empty.
    reason: String,
    /// When it was made.
    made_at: String,
    /// When it ends; null if it is for good.
    until: Option<String>,
    /// Who says so: `operator`, or `list` for the list of a neighbour.
    origin: &'static str,
    /// The fingerprint of the neighbour whose list it stands in.
    list: Option<String>,
    /// What that neighbour calls itself, if it is one at the moment.
    list_name: Option<String>,
}

impl BanView {
    fn new(ban: &Ban, names: &HashMap<KeyId, Option<String>>) -> Self {
        let Ban { id, said, by } = ban;
        let signer = match by {
            Origin::Operator => None,
            Origin::List(key) => Some(*key),
        };
        Self {
            id: id.to_string(),
            kind: said.target.kind(),
            value: said.target.value(),
            reason: said.reason.clone(),
            made_at: rfc3339(said.made),
            until: said.until.map(rfc3339),
            origin: if signer.is_some() { "list" } else { "operator" },
            list: signer.map(|key| key.hex()),
            list_name: signer.and_then(|key| names.get(&key).cloned().flatten()),
        }
    }
}

/// A ban to be made. One of `key`, `name`, `address` and `server`; without `seconds` and `until` it is for good.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBan {
    /// Members with this key: a fingerprint in 64 hexadecimal digits, or a public key.
    key: Option<String>,
    /// Members of this name, however it is spelled.
    name: Option<String>,
    /// An IP address (IPv6: the /64 around it) or a network.
    #[schema(example = "192.0.2.0/24")]
    address: Option<String>,
    /// A server: its fingerprint, or host:port.
    server: Option<String>,
    /// Why. Subscribed neighbours read it, too.
    reason: Option<String>,
    /// For how long.
    seconds: Option<u64>,
    /// Until when, as RFC 3339 has it.
    #[schema(example = "2030-01-01T00:00:00Z")]
    until: Option<String>,
}

/// Which bans are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct BansQuery {
    /// Only those about this: `key`, `name`, `address` or `server`.
    kind: Option<String>,
    /// Only those of `operator`, or only those of `list`.
    origin: Option<String>,
    /// At most so many items; more than 500 are never given.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl NewBan {
    fn draft(self, site: &Site, now: i64) -> Result<Draft, Problem> {
        let until = self.end(now)?;
        let Self { key, name, address, server, reason, .. } = self;
        // A whole key is taken where its fingerprint would do.
        let short = |text: String| read_key(text.trim()).map_or(text, |key| key.hex());
        let named =
            [("key", key.map(short)), ("name", name), ("address", address), ("server", server.map(short))];
        let mut given = named.into_iter().filter_map(|(kind, value)| Some((kind, value?)));
        let (Some((kind, value)), None) = (given.next(), given.next()) else {
            return Err(Problem::bad_request("give one of key, name, address and server"));
        };
        let target = Target::read(kind, &value).map_err(Problem::bad_request)?;
        let own = Address::new(&site.about.address);
        if matches!(&target, Target::Server(Server::Address(address)) if *address == own)
            || matches!(&target, Target::Server(Server::Key(key)) if *key == site.house.terms.myself.key.id())
        {
            return Err(Problem::bad_request("this is the address or the key of this very server"));
        }
        let reason = reason.unwrap_or_default();
        if !is_reason(&reason) {
            let rule = format!("reason may have {LONGEST_REASON} bytes and no control characters");
            return Err(Problem::bad_request(rule));
        }
        Ok(Draft { target, until, reason, made: now })
    }

    fn end(&self, now: i64) -> Result<Option<i64>, Problem> {
        let until = match (self.seconds, &self.until) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => return Err(Problem::bad_request("give seconds or until, and not both")),
            (Some(seconds), None) => {
                let seconds = i64::try_from(seconds.min(LONGEST_S)).unwrap_or(i64::MAX);
                now.saturating_add(seconds.saturating_mul(1000))
            }
            (None, Some(text)) => {
                let wrong = |_| Problem::bad_request("until must be a moment as in 2030-01-01T00:00:00Z");
                let moment = humantime::parse_rfc3339(text).map_err(wrong)?;
                let since = moment.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }
        };
        if until > now {
            Ok(Some(until))
        } else {
            Err(Problem::bad_request("this ban would be over already"))
        }
    }
}

fn conflict(code: &str, detail: impl std::fmt::Display) -> Problem {
    Problem::new(StatusCode::CONFLICT, code, "This does not fit what is known already").detail(detail)
}

fn not_made(site: &Site, error: MakeError) -> Problem {
    match error {
        MakeError::Known(id) => conflict("already_banned", format_args!("the ban {id} says so already")),
        MakeError::TooMany => {
            let most = site.house.limits.bans;
            conflict("too_many_bans", format_args!("there are {most} bans already; see limits.bans"))
        }
        MakeError::Store(error) => error.into(),
    }
}

/// What neighbours call themselves, by their keys.
async fn names(site: &Site) -> Result<HashMap<KeyId, Option<String>>, Problem> {
    let peers = site.house.neighbourhood.send(Peers).await?;
    let named = peers.into_iter().filter_map(|peer| Some((peer.entry.expected()?, peer.entry.name)));
    Ok(named.collect())
}

/// The bans in force, in the order in which they were made or came.
#[utoipa::path(
    tag = "bans",
    operation_id = "list_bans",
    params(BansQuery),
    responses(
        (status = 200, description = "A page of bans", body = Listing<BanView>),
        (status = 400, description = "A bad limit, cursor, kind or origin", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/bans")]
pub(super) async fn list(
    site: Data<Site>,
    query: Query<BansQuery>,
) -> Result<Json<Listing<BanView>>, Problem> {
    let limit = usize::try_from(paging::limit(query.limit)?).unwrap_or(usize::MAX);
    let after = paging::decode(LIST, query.cursor.as_deref(), |text| text.parse().ok().map(BanId))?;
    let kind = query.kind.as_deref();
    if kind.is_some_and(|kind| !Target::KINDS.contains(&kind)) {
        return Err(Problem::bad_request("kind must be key, name, address or server"));
    }
    let own = match query.origin.as_deref() {
        None => None,
        Some("operator") => Some(true),
        Some("list") => Some(false),
        Some(_) => return Err(Problem::bad_request("origin must be operator or list")),
    };
    let names = names(&site).await?;
    let (bans, now) = (site.house.bans.read(), unix_ms());
    let wanted = bans.iter().filter(|ban| {
        after.is_none_or(|after| ban.id > after)
            && ban.said.is_on(now)
            && kind.is_none_or(|kind| ban.said.target.kind() == kind)
            && own.is_none_or(|own| (ban.by == Origin::Operator) == own)
    });
    let mut page: Vec<&Ban> = wanted.take(limit.saturating_add(1)).collect();
    let more = page.len() > limit;
    page.truncate(limit);
    let next = page.last().filter(|_| more).map(|ban| paging::encode(LIST, ban.id));
    Ok(Json(Listing { items: page.into_iter().map(|ban| BanView::new(ban, &names)).collect(), next }))
}

/// Bans a key, a name, an address or a server. It is written down and in force when this is answered; whoever
/// it hits has to go at once.
#[utoipa::path(
    tag = "bans",
    operation_id = "make_ban",
    request_body = NewBan,
    responses(
        (status = 201, description = "It is in force", body = BanView),
        (status = 400, description = "Nobody is meant, or something in it means nothing", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There is such a ban, or there are too many", body = Problem,
         content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem,
         content_type = "application/problem+json"),
        (status = 415, description = "The body is no JSON", body = Problem,
         content_type = "application/problem+json"),
        (status = 503, description = "It could not be written down, and is not in force", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[post("/bans")]
pub(super) async fn make(
    site: Data<Site>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let new: NewBan = body::required(&request, payload).await?;
    let draft = new.draft(&site, unix_ms())?;
    let made = site.house.warden.send(Make(draft)).await?;
    let ban = made.map_err(|error| not_made(&site, error))?;
    tracing::info!(ban = %ban.id, target = %ban.said.target, "banned by an administrator");
    let place = format!("/api/v1/bans/{}", ban.id);
    let view = BanView::new(&ban, &HashMap::new());
    Ok(HttpResponse::Created().insert_header((header::LOCATION, place)).json(view))
}

/// Lifts a ban of the operator. What stands in the list of a neighbour stays until that changes, or until
/// nobody here is subscribed to it any more.
#[utoipa::path(
    tag = "bans",
    operation_id = "lift_ban",
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 204, description = "It is not in force any more"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It stands in the list of a neighbour", body = Problem,
         content_type = "application/problem+json"),
        (status = 503, description = "That could not be written down, and it stays in force", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[delete("/bans/{id}")]
pub(super) async fn lift(site: Data<Site>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::not_found("no such ban");
    let id = id.parse().map(BanId).map_err(|_| unknown())?;
    let lifted = site.house.warden.send(Lift(id)).await?;
    let ban = lifted.map_err(|error| match error {
        LiftError::Unknown => unknown(),
        LiftError::Listed(key) => conflict(
            "listed",
            format_args!("it stands in the list of the neighbour {key}; see bans.subscribe"),
        ),
        LiftError::Store(error) => error.into(),
    })?;
    tracing::info!(ban = %ban.id, target = %ban.said.target, "a ban is lifted by an administrator");
    Ok(HttpResponse::NoContent().finish())
}

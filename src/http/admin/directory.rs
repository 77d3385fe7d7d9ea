//! The directory of the rendezvous: who listens where. Operators register addresses for members here.

use actix_web::{
    HttpRequest, HttpResponse, delete, get,
    http::{StatusCode, header},
    post,
    web::{Data, Json, Path, Payload, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    body,
    paging::{self, PageQuery},
    stamp::rfc3339,
};
use crate::{
    actors::rendezvous::{Dismiss, Introduce, NotIntroduced, Show},
    domain::{
        directory::{listed::Listed, rules::Refused},
        endpoint::Endpoint,
        id::KeyId,
    },
    http::{problem::Problem, site::Site},
};

/// The name of this list in cursors.
const LIST: &str = "directory";
/// How long an address counts that an operator registers for a member, if nothing is said: two hours.
const SPAN_S: u32 = 2 * 3600;
/// The longest such span: three days.
const LONGEST_S: u32 = 72 * 3600;

/// Where somebody listens.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct EntryView {
    /// The address.
    address: String,
    /// Its place in the order: whoever stands earlier dials whoever stands later.
    seq: u64,
    /// When it joined, by the clock of its home.
    joined_at: String,
    /// It could not be dialled, so it stands first and does the dialling.
    undialable: bool,
    /// It and others that cannot be dialled speak through this server.
    relayed: bool,
    /// The fingerprint of the neighbour that introduces it; null if it is registered here.
    home: Option<String>,
    /// The fingerprint of the member who registered it; null if a node did so for itself.
    member: Option<String>,
}

impl From<&Listed> for EntryView {
    fn from(listed: &Listed) -> Self {
        Self {
            address: listed.at.to_string(),
            seq: listed.seq,
            joined_at: rfc3339(i64::try_from(listed.seq).unwrap_or(i64::MAX)),
            undialable: listed.undialable,
            relayed: listed.relayed,
            home: listed.home.map(|home| home.hex()),
            member: listed.member.map(|member| member.hex()),
        }
    }
}

/// The directory.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct DirectoryListing {
    /// Which life of the server made it.
    epoch: u64,
    /// Grows with every change.
    version: u64,
    /// The entries, in the order in which they dial each other.
    items: Vec<EntryView>,
    /// The cursor of the next page; null at the end of the list.
    next: Option<String>,
}

/// An address for a member.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEntry {
    /// The member's id.
    member: String,
    /// Where it listens: `ip:port` or `[ip]:port`.
    address: String,
    /// For how long it counts; two hours if nothing is said, three days at most.
    seconds: Option<u32>,
}

/// A page of the directory, at either door.
async fn page(site: &Site, query: &PageQuery) -> Result<DirectoryListing, Problem> {
    let limit = usize::try_from(paging::limit(query.limit)?).unwrap_or(usize::MAX);
    let after = paging::decode(LIST, query.cursor.as_deref(), place)?;
    let shown = site.house.rendezvous.send(Show).await?;
    let directory = &shown.directory;
    let wanted = directory.members.iter().filter(|listed| after.is_none_or(|after| listed.order() > after));
    let mut page: Vec<_> = wanted.take(limit.saturating_add(1)).collect();
    let more = page.len() > limit;
    page.truncate(limit);
    let next = page.last().filter(|_| more).map(|last| {
        let (is_dialable, seq, at) = last.order();
        paging::encode(LIST, format_args!("{is_dialable} {seq} {at}"))
    });
    let items = page.into_iter().map(EntryView::from).collect();
    Ok(DirectoryListing { epoch: directory.epoch, version: directory.version, items, next })
}

fn place(text: &str) -> Option<(bool, u64, Endpoint)> {
    let mut words = text.split(' ');
    let place = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_none().then_some(place)
}

/// Who listens where, in the order in which they dial each other.
#[utoipa::path(
    tag = "directory",
    operation_id = "list_directory",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of the directory", body = DirectoryListing),
        (status = 400, description = "A bad limit or cursor", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/directory")]
pub(super) async fn list(
    site: Data<Site>,
    query: Query<PageQuery>,
) -> Result<Json<DirectoryListing>, Problem> {
    page(&site, &query).await.map(Json)
}

/// The same at the main door, for everybody.
pub(in crate::http) async fn public(site: Data<Site>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::<PageQuery>::from_query(request.query_string()).map_err(Problem::bad_request)?;
    let page = page(&site, &query).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .json(page))
}

fn endpoint(text: &str) -> Result<Endpoint, Problem> {
    text.parse().map_err(Problem::bad_request)
}

fn refused(why: Refused) -> Problem {
    let conflict = |detail| {
        let title = "This does not fit what is known already";
        Problem::new(StatusCode::CONFLICT, &why.word().replace('-', "_"), title).detail(detail)
    };
    match why {
        Refused::Unusable | Refused::Foreign => Problem::bad_request("nobody can be dialled at this address"),
        Refused::Taken => conflict("another member has registered this address"),
        Refused::TooMany => conflict("this member, or the directory, has as many as it may have"),
    }
}

/// Registers an address for a member. It is dialled once before it is listed, unless `rendezvous.dial_back` is off, so
/// the list may have it a moment later. The same again renews its span. It is written down, so that it outlives the
/// process, and follows the home to another node.
#[utoipa::path(
    tag = "directory",
    operation_id = "register_address",
    request_body = NewEntry,
    responses(
        (status = 202, description = "It is registered"),
        (status = 400, description = "No member, or no address where anybody could be dialled", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is another member's, or there are too many", body = Problem,
         content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem,
         content_type = "application/problem+json"),
        (status = 415, description = "The body is no JSON", body = Problem,
         content_type = "application/problem+json"),
        (status = 503, description = "The store takes no writes", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[post("/directory")]
pub(super) async fn register(
    site: Data<Site>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let new: NewEntry = body::required(&request, payload).await?;
    let member = KeyId::from_hex(&new.member);
    let member = member.ok_or_else(|| Problem::bad_request("member must be 64 hexadecimal digits"))?;
    let at = endpoint(&new.address)?;
    let span = new.seconds.unwrap_or(SPAN_S);
    if !(1..=LONGEST_S).contains(&span) {
        return Err(Problem::bad_request(format_args!("seconds must be from 1 to {LONGEST_S}")));
    }
    site.house.rendezvous.send(Introduce { member, at, span }).await?.map_err(|why| match why {
        NotIntroduced::Refused(why) => refused(why),
        NotIntroduced::Unwritten(error) => error.into(),
    })?;
    tracing::info!(%at, member = member.short(), "an address is registered by an administrator");
    Ok(HttpResponse::Accepted().finish())
}

/// Takes out what was registered for a member, or by herself. What a node has registered for itself stays for as long
/// as the node does.
#[utoipa::path(
    tag = "directory",
    operation_id = "unregister_address",
    params(
        ("member" = String, Path, description = "The member's id"),
        ("address" = String, Path, description = "The address, as the list shows it")
    ),
    responses(
        (status = 204, description = "It is not registered for this member any more"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "It was not", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store takes no writes", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[delete("/directory/{member}/{address}")]
pub(super) async fn unregister(
    site: Data<Site>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::not_found("no such registration");
    let (member, at) = path.into_inner();
    let member = KeyId::from_hex(&member).ok_or_else(unknown)?;
    let at = at.parse().map_err(|_| unknown())?;
    if !site.house.rendezvous.send(Dismiss { member, at }).await?? {
        return Err(unknown());
    }
    tracing::info!(%at, member = member.short(), "an address is taken out by an administrator");
    Ok(HttpResponse::NoContent().finish())
}

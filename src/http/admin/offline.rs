//! For whom letters wait, and away with what waits for somebody. Never what is in them.

use actix_web::{
    HttpResponse, delete, get,
    web::{Data, Json, Path, Query},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    paging::{self, PageQuery},
    stamp::rfc3339,
};
use crate::{
    actors::registry::Discard,
    domain::id::KeyId,
    http::{problem::Problem, site::Site},
    store::{Cursor, OfflineRecord},
};

/// The name of this list in cursors.
const LIST: &str = "offline";

/// What waits for one member who is away.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OfflineView {
    /// The member's id: the fingerprint of its key, or the digest of its name.
    id: String,
    /// The first digits of it, for people.
    short: String,
    /// The name that it chose; null where members are called by their keys.
    name: Option<String>,
    /// How many letters wait. Where letters name no recipient, those that may be for this member.
    letters: u64,
    /// Their bytes.
    bytes: u64,
    /// When the oldest of them came.
    oldest: String,
}

impl From<OfflineRecord> for OfflineView {
    fn from(record: OfflineRecord) -> Self {
        Self {
            id: record.member.hex(),
            short: record.member.short(),
            name: record.name,
            letters: record.letters,
            bytes: record.bytes,
            oldest: rfc3339(record.oldest),
        }
    }
}

/// Members for whom letters wait.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OfflineListing {
    /// Whether letters are kept at all.
    keeps: bool,
    /// The members, in the order of their ids.
    items: Vec<OfflineView>,
    /// The cursor of the next page; null at the end of the list.
    next: Option<String>,
}

/// The members for whom letters wait, in the order of their ids.
#[utoipa::path(
    tag = "offline",
    operation_id = "list_offline",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of members", body = OfflineListing),
        (status = 400, description = "A bad limit or cursor", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/offline")]
pub(super) async fn list(site: Data<Site>, query: Query<PageQuery>) -> Result<Json<OfflineListing>, Problem> {
    let limit = paging::limit(query.limit)?;
    let after = paging::decode(LIST, query.cursor.as_deref(), KeyId::from_hex)?;
    let page = site.store.offline_members(after, limit).await?;
    let next = page.next.as_ref().map(Cursor::id).map(|id| paging::encode(LIST, id));
    let items = page.items.into_iter().map(OfflineView::from).collect();
    Ok(Json(OfflineListing { keeps: site.settings.offline.keep, items, next }))
}

/// Forgets what waits for a member.
#[utoipa::path(
    tag = "offline",
    operation_id = "discard_offline",
    params(("id" = String, Path, description = "The member's id, as the list shows it")),
    responses(
        (status = 204, description = "Nothing waits for it any more"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nothing waits for it", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[delete("/offline/{id}")]
pub(super) async fn discard(site: Data<Site>, member: Path<String>) -> Result<HttpResponse, Problem> {
    let nothing = || Problem::not_found("nothing waits for such a member");
    let member = KeyId::from_hex(&member).ok_or_else(nothing)?;
    match site.house.registry.send(Discard(member)).await? {
        0 => Err(nothing()),
        _ => Ok(HttpResponse::NoContent().finish()),
    }
}

//! Everybody who was ever here, those seen last in front.

use std::collections::HashSet;

use actix_web::{
    get,
    web::{Data, Json, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    paging::{self, Listing},
    stamp::rfc3339,
    who::Who,
};
use crate::{
    actors::registry::Clients,
    domain::id::KeyId,
    http::{problem::Problem, site::Site},
    store::Cursor,
};

/// The name of this list in cursors.
const LIST: &str = "members";
/// Clients that the registry is asked for at once, so that letters need not wait long behind it.
const PAGE: usize = 500;

/// A member who was seen at some time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberView {
    /// Who.
    member: Who,
    /// What it spoke at the first meeting.
    #[schema(example = "olaf")]
    dialect: String,
    /// The first meeting.
    first_seen: String,
    /// The last one.
    last_seen: String,
    /// Whether it is here now.
    online: bool,
}

/// Which members are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MembersQuery {
    /// Only those who spoke this at the first meeting.
    #[param(example = "olaf")]
    dialect: Option<String>,
    /// At most so many items; more than 500 are never given.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// The members ever seen here, those seen last in front.
#[utoipa::path(
    tag = "members",
    operation_id = "list_members",
    params(MembersQuery),
    responses(
        (status = 200, description = "A page of members", body = Listing<MemberView>),
        (status = 400, description = "A bad limit, cursor or dialect", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/members")]
pub(super) async fn list(
    site: Data<Site>,
    query: Query<MembersQuery>,
) -> Result<Json<Listing<MemberView>>, Problem> {
    let limit = paging::limit(query.limit)?;
    let after = paging::decode(LIST, query.cursor.as_deref(), place)?;
    let dialect = paging::dialect(query.dialect.as_deref())?;
    let page = site.store.members(dialect, after.as_ref(), limit).await?;
    let here = if page.items.is_empty() { HashSet::new() } else { online(&site).await? };
    let items = page.items.into_iter().map(|member| MemberView {
        member: Who::from(&member),
        dialect: member.dialect,
        first_seen: rfc3339(member.first_seen),
        last_seen: rfc3339(member.last_seen),
        online: here.contains(&member.key_id),
    });
    let next = page.next.map(|next| paging::encode(LIST, next));
    Ok(Json(Listing { items: items.collect(), next }))
}

/// The store would take any cursor; this one must name a key.
fn place(text: &str) -> Option<Cursor> {
    let (_, key) = text.split_once('.')?;
    KeyId::from_hex(key)?;
    text.parse().ok()
}

async fn online(site: &Site) -> Result<HashSet<KeyId>, Problem> {
    let (mut here, mut after) = (HashSet::new(), None);
    loop {
        let clients = site.house.registry.send(Clients { dialect: None, after, limit: PAGE }).await?;
        after = clients.last().map(|client| client.connection);
        here.extend(clients.iter().map(|client| client.member.key));
        if clients.len() < PAGE {
            return Ok(here);
        }
    }
}

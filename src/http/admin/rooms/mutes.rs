//! Members whom an operator lets say nothing in rooms, here and as far as they are shown here.

use actix_web::{
    HttpResponse, delete, get, put,
    web::{Data, Json, Path, Query},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::order;
use crate::{
    actors::registry::Mutes,
    domain::{id::KeyId, rooms::Order},
    http::{
        admin::paging::{self, Listing, PageQuery},
        problem::Problem,
        site::Site,
    },
};

/// The name of this list in cursors.
const LIST: &str = "mutes";

/// Somebody who may say nothing.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http::admin) struct MuteView {
    /// Who: the fingerprint of her key, or the digest of her name in dialects in which a name is all there is.
    member: String,
}

fn member(text: &str) -> Result<KeyId, Problem> {
    KeyId::from_hex(text)
        .ok_or_else(|| Problem::not_found("no member has such a fingerprint; it has 64 digits"))
}

/// Who may say nothing in rooms.
#[utoipa::path(
    tag = "rooms",
    operation_id = "list_mutes",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of them", body = Listing<MuteView>),
        (status = 400, description = "A bad limit or cursor", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/mutes")]
pub(in crate::http::admin) async fn list(
    site: Data<Site>,
    query: Query<PageQuery>,
) -> Result<Json<Listing<MuteView>>, Problem> {
    let limit = usize::try_from(paging::limit(query.limit)?).unwrap_or(usize::MAX);
    let after = paging::decode(LIST, query.cursor.as_deref(), KeyId::from_hex)?;
    let mut muted = site.house.registry.send(Mutes).await?;
    muted.retain(|member| after.is_none_or(|after| *member > after));
    let more = muted.len() > limit;
    muted.truncate(limit);
    let next = muted.last().filter(|_| more).map(|member| paging::encode(LIST, member));
    let items = muted.into_iter().map(|member| MuteView { member: member.hex() });
    Ok(Json(Listing { items: items.collect(), next }))
}

/// Lets a member say nothing in rooms, whether she is here or not. Muting twice is muting once.
#[utoipa::path(
    tag = "rooms",
    operation_id = "mute",
    params(("member" = String, Path, description = "The fingerprint, as the roster of a room shows it")),
    responses(
        (status = 204, description = "She is muted"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "This is no fingerprint", body = Problem,
         content_type = "application/problem+json"),
        (status = 503, description = "In force, but not on disk", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[put("/mutes/{member}")]
pub(in crate::http::admin) async fn mute(
    site: Data<Site>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let member = member(&id)?;
    order(&site, Order::Mute(member, true)).await?;
    tracing::info!(%member, "muted by an administrator");
    Ok(HttpResponse::NoContent().finish())
}

/// Lets a member speak again.
#[utoipa::path(
    tag = "rooms",
    operation_id = "unmute",
    params(("member" = String, Path, description = "The fingerprint, as the roster of a room shows it")),
    responses(
        (status = 204, description = "She may speak"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nobody of this fingerprint is muted", body = Problem,
         content_type = "application/problem+json"),
        (status = 503, description = "In force, but not on disk", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[delete("/mutes/{member}")]
pub(in crate::http::admin) async fn unmute(
    site: Data<Site>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let member = member(&id)?;
    let muted = site.house.registry.send(Mutes).await?;
    if muted.binary_search(&member).is_err() {
        return Err(Problem::not_found("nobody of this fingerprint is muted"));
    }
    order(&site, Order::Mute(member, false)).await?;
    tracing::info!(%member, "an administrator lets a member speak again");
    Ok(HttpResponse::NoContent().finish())
}

//! What was said in a room, newest first, and taking one of it back.

use actix_web::{
    HttpResponse, delete, get,
    http::StatusCode,
    web::{Data, Json, Path, Query},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{gone, named, order};
use crate::{
    actors::registry::RoomHistory,
    domain::{
        dialect::Dialect,
        rooms::{Deed, Line, LineId, Order, Speaker},
    },
    http::{
        admin::{
            line_id,
            paging::{self, Listing, PageQuery},
            stamp::rfc3339,
        },
        problem::Problem,
        site::Site,
    },
};

/// The name of this list in cursors.
const LIST: &str = "history";

/// One entry of a history.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http::admin) struct LineView {
    /// Which one, the same on all homes.
    id: String,
    /// When, by the clock of the home where it was.
    at: String,
    /// Whether it is a line of this home, and can be withdrawn everywhere. Others can be here alone.
    own: bool,
    /// By whom; null if an operator did it.
    by: Option<SpeakerView>,
    /// `said`, `topic` or `withdrew`.
    #[schema(example = "said")]
    kind: &'static str,
    /// What was said, or the topic.
    text: Option<String>,
    /// Which line was withdrawn.
    withdrawn: Option<String>,
}

/// Whoever did it, as her home described her then.
#[derive(Debug, Serialize, ToSchema)]
struct SpeakerView {
    /// What she was called.
    name: String,
    /// Who: the fingerprint of her key, or the digest of her name in dialects in which a name is all there is.
    member: String,
    /// What she spoke; null, if only newer programs know that.
    dialect: Option<&'static str>,
}

impl From<&Speaker> for SpeakerView {
    fn from(by: &Speaker) -> Self {
        Self { name: by.name.to_string(), member: by.member.hex(), dialect: by.dialect.map(Dialect::name) }
    }
}

fn view(line: &Line, site: &Site) -> LineView {
    let (kind, text, withdrawn) = match &line.deed {
        Deed::Said(text) => ("said", Some(text.to_string()), None),
        Deed::Topic(text) => ("topic", Some(text.to_string()), None),
        Deed::Withdrew { line, .. } => ("withdrew", None, Some(line.to_string())),
    };
    LineView {
        id: line.id.to_string(),
        at: rfc3339(line.id.stamp.unix_ms()),
        own: line.id.home == site.house.terms.myself.key.id(),
        by: line.by.as_ref().map(SpeakerView::from),
        kind,
        text,
        withdrawn,
    }
}

/// What was said in a room, newest first.
#[utoipa::path(
    tag = "rooms",
    operation_id = "room_history",
    params(("name" = String, Path, description = "The room"), PageQuery),
    responses(
        (status = 200, description = "A page of its history", body = Listing<LineView>),
        (status = 400, description = "A bad limit or cursor", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/rooms/{name}/history")]
pub(in crate::http::admin) async fn list(
    site: Data<Site>,
    name: Path<String>,
    query: Query<PageQuery>,
) -> Result<Json<Listing<LineView>>, Problem> {
    let limit = usize::try_from(paging::limit(query.limit)?).unwrap_or(usize::MAX);
    let before = paging::decode(LIST, query.cursor.as_deref(), LineId::parse)?;
    let page = site.house.registry.send(RoomHistory { room: named(&name)?, before, limit }).await?;
    let (lines, more) = page.ok_or_else(gone)?;
    let next = lines.first().filter(|_| more).map(|line| paging::encode(LIST, line.id.to_string()));
    Ok(Json(Listing { items: lines.iter().rev().map(|line| view(line, &site)).collect(), next }))
}

/// How far a line is withdrawn.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http::admin) struct Withdrawn {
    /// `here`: nobody reads it at this home any more, nor will after a restart. Other homes go on showing it.
    #[schema(example = "here")]
    reach: &'static str,
}

/// Takes a line back: one of this home everywhere, one of another home here.
#[utoipa::path(
    tag = "rooms",
    operation_id = "withdraw_line",
    params(
        ("name" = String, Path, description = "The room"),
        ("id" = String, Path, description = "The line"),
    ),
    responses(
        (status = 200, description = "It is a line of another home, and hidden here alone", body = Withdrawn),
        (status = 204, description = "It is a line of this home, withdrawn everywhere: neighbours are told"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such line", body = Problem,
         content_type = "application/problem+json"),
        (status = 409, description = "It sets the topic, which another topic takes back", body = Problem,
         content_type = "application/problem+json"),
        (status = 503, description = "In force, but not on disk", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[delete("/rooms/{name}/history/{id}")]
pub(in crate::http::admin) async fn withdraw(
    site: Data<Site>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (name, id) = path.into_inner();
    let no_such = || Problem::not_found("no such line");
    let (room, id) = (named(&name)?, LineId::parse(&id).ok_or_else(no_such)?);
    // The line must be one of this very room: whoever mixes them up means something else.
    let behind = line_id::behind(id);
    let found = site.house.registry.send(RoomHistory { room, before: behind, limit: 1 }).await?;
    let (lines, _) = found.ok_or_else(gone)?;
    let line = lines.first().filter(|line| line.id == id).ok_or_else(no_such)?;
    if !matches!(line.deed, Deed::Said(_)) {
        let problem = Problem::new(StatusCode::CONFLICT, "not_said", "Only what was said can be withdrawn");
        return Err(problem.detail("set another topic, or none"));
    }
    order(&site, Order::Withdraw(id)).await?;
    let is_own = id.home == site.house.terms.myself.key.id();
    tracing::info!(room = name, line = %id, everywhere = is_own, "a line is withdrawn by an administrator");
    Ok(if is_own {
        HttpResponse::NoContent().finish()
    } else {
        HttpResponse::Ok().json(Withdrawn { reach: "here" })
    })
}

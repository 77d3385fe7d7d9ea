//! What operators change about a room: its topic, whether it is open, and who is in it.

use actix_web::{
    HttpRequest, HttpResponse, delete, post, put,
    web::{Data, Path, Payload},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{named, order};
use crate::{
    domain::rooms::Order,
    http::{admin::body, problem::Problem, site::Site},
};

/// What a room is to be about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::admin) struct NewTopic {
    /// The topic; null or empty takes it away.
    topic: Option<String>,
}

/// Who is to leave a room.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::admin) struct Leaving {
    /// The number of a guest of this home, as the room shows it.
    #[schema(example = 4096)]
    number: u32,
}

fn done(room: &str, what: &str) -> HttpResponse {
    tracing::info!(room, "{what} by an administrator");
    HttpResponse::NoContent().finish()
}

/// Says what a room is about, everywhere. A room that nobody has entered yet comes to be.
#[utoipa::path(
    tag = "rooms",
    operation_id = "set_topic",
    params(("name" = String, Path, description = "The room")),
    request_body = NewTopic,
    responses(
        (status = 204, description = "It is, and neighbours are told"),
        (status = 400, description = "A bad body, or a topic that is too long", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room", body = Problem,
         content_type = "application/problem+json"),
        (status = 503, description = "In force, but not on disk", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[put("/rooms/{name}/topic")]
pub(in crate::http::admin) async fn topic(
    site: Data<Site>,
    name: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let room = named(&name)?;
    let NewTopic { topic } = body::required(&request, payload).await?;
    order(&site, Order::Topic(room, topic.unwrap_or_default().into())).await?;
    Ok(done(&name, "the topic is set"))
}

/// Closes a room: everybody of this home is out, and nobody gets in until it is opened again. A room that
/// nobody has entered yet comes to be, closed.
#[utoipa::path(
    tag = "rooms",
    operation_id = "close_room",
    params(("name" = String, Path, description = "The room")),
    responses(
        (status = 204, description = "It is closed. Closing twice is closing once"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room", body = Problem,
         content_type = "application/problem+json"),
        (status = 503, description = "In force, but not on disk", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[post("/rooms/{name}/close")]
pub(in crate::http::admin) async fn close(
    site: Data<Site>,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    order(&site, Order::Close(named(&name)?)).await?;
    Ok(done(&name, "the room is closed"))
}

/// Opens a room that was closed.
#[utoipa::path(
    tag = "rooms",
    operation_id = "reopen_room",
    params(("name" = String, Path, description = "The room")),
    responses(
        (status = 204, description = "It is open"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room", body = Problem,
         content_type = "application/problem+json"),
        (status = 503, description = "In force, but not on disk", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[post("/rooms/{name}/reopen")]
pub(in crate::http::admin) async fn reopen(
    site: Data<Site>,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    order(&site, Order::Reopen(named(&name)?)).await?;
    Ok(done(&name, "the room is open again"))
}

/// Empties a room and forgets it here: everybody of this home is out, and nothing that was said comes back. If guests
/// of other homes are in it, it stays, with them and without a history.
#[utoipa::path(
    tag = "rooms",
    operation_id = "forget_room",
    params(("name" = String, Path, description = "The room")),
    responses(
        (status = 204, description = "It is forgotten here. Other homes keep what they have"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room", body = Problem,
         content_type = "application/problem+json"),
        (status = 503, description = "In force, but not on disk", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[delete("/rooms/{name}")]
pub(in crate::http::admin) async fn forget(
    site: Data<Site>,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    order(&site, Order::Forget(named(&name)?)).await?;
    Ok(done(&name, "the room is emptied and forgotten"))
}

/// Puts a guest of this home out of a room. She may come back.
#[utoipa::path(
    tag = "rooms",
    operation_id = "kick_guest",
    params(("name" = String, Path, description = "The room")),
    request_body = Leaving,
    responses(
        (status = 204, description = "She is out"),
        (status = 400, description = "A bad body", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room or guest", body = Problem,
         content_type = "application/problem+json"),
        (status = 409, description = "She is a guest of another home", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[post("/rooms/{name}/kick")]
pub(in crate::http::admin) async fn kick(
    site: Data<Site>,
    name: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let room = named(&name)?;
    let Leaving { number } = body::required(&request, payload).await?;
    order(&site, Order::Kick(room, number)).await?;
    Ok(done(&name, "a guest is put out"))
}

//! Giving the place of the leader to another node, without losing a letter.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    post,
    web::{Data, Payload},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{body, hosts};
use crate::{
    domain::succession::{
        NodeId,
        election::{NotHanded, View},
        home::Member,
    },
    http::{home::Nodes, problem::Problem},
};

/// Who should lead.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// A node, by its id or its name. Without it: whoever is best.
    to: Option<String>,
}

/// A hand-over that has begun.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Begun {
    /// To which node.
    to: String,
    /// What that node calls itself.
    name: String,
}

/// Which node is meant.
fn named(text: &str, view: &View, others: &[Member]) -> Result<NodeId, Problem> {
    if let Some(id) = NodeId::parse(text) {
        return Ok(id);
    }
    let by_settings =
        |address: &str| others.iter().any(|node| *node.address == *address && *node.name == *text);
    let called = view.hosts.iter().filter(|row| *row.figures.name == *text || by_settings(&row.address));
    match called.map(|row| row.id).collect::<Vec<_>>().as_slice() {
        [id] => Ok(*id),
        [] => Err(refused(NotHanded::Unknown, None)),
        _ => Err(Problem::bad_request("several hosts are called so; say which by its id")),
    }
}

fn refused(why: NotHanded, elsewhere: Option<String>) -> Problem {
    let status = if why == NotHanded::Unknown { StatusCode::NOT_FOUND } else { StatusCode::CONFLICT };
    let problem = Problem::new(status, why.code(), "There will be no hand-over");
    match elsewhere.filter(|_| why == NotHanded::NotLeading) {
        Some(door) => problem.detail(format_args!("{why}; ask the node that is found at {door}")),
        None => problem.detail(why),
    }
}

/// Gives the place of the leader to another node. Nothing that was accepted is lost: this node accepts nothing more
/// until the other one has all of it. Answers once the other one has said that it could lead. If it does not keep its
/// word, this node goes on.
#[utoipa::path(
    tag = "succession",
    operation_id = "hand_over",
    request_body = Option<Wish>,
    responses(
        (status = 202, description = "It has begun", body = Begun),
        (status = 400, description = "A bad body, or several hosts of that name", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No succession here, or no such node", body = Problem,
         content_type = "application/problem+json"),
        (status = 409, description = "This node does not lead, or that one could not", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[post("/succession/handover")]
pub(super) async fn begin(
    request: HttpRequest,
    payload: Payload,
    nodes: Data<Nodes>,
) -> Result<HttpResponse, Problem> {
    let wish: Wish = body::optional(&request, payload).await?;
    let helm = hosts::helm(&nodes)?;
    let view = hosts::look(helm).await?;
    let to = wish.to.map(|text| named(&text, &view, &helm.others)).transpose()?;
    let to = helm.hand_over(to).await.map_err(|why| refused(why, nodes.elsewhere()))?;
    tracing::info!(%to, "an administrator has the place handed over");
    let row = view.hosts.iter().find(|row| row.id == to);
    let name = row.map(|row| row.figures.name.to_string()).unwrap_or_default();
    Ok(HttpResponse::Accepted().json(Begun { to: to.to_string(), name }))
}

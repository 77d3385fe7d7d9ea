//! Faults on purpose, for tests. These routes exist only if `debug.faults` is on.

use actix_web::{
    HttpResponse, post,
    web::{Data, Path},
};

use super::{
    clients::{gone, named},
    peers,
};
use crate::{
    actors::{
        neighbourhood::FaultPeer,
        registry::{Collapse, Fault},
    },
    http::{problem::Problem, site::Site},
};

/// Makes the handler of a connection fail, to prove that the house survives it.
#[utoipa::path(
    tag = "clients",
    operation_id = "fault_client",
    params(("id" = String, Path, description = "Its number")),
    responses(
        (status = 204, description = "It will fail"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "It is not here", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[post("/debug/clients/{id}/fault")]
pub(super) async fn fault(site: Data<Site>, id: Path<String>) -> Result<HttpResponse, Problem> {
    if site.house.registry.send(Fault(named(&id)?)).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(gone())
    }
}

/// Makes the handler of a link with a neighbour fail, to prove that the link is made anew.
#[utoipa::path(
    tag = "neighbourhood",
    operation_id = "fault_peer",
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 204, description = "It will fail"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[post("/debug/peers/{id}/fault")]
pub(super) async fn fault_peer(site: Data<Site>, id: Path<String>) -> Result<HttpResponse, Problem> {
    if site.house.neighbourhood.send(FaultPeer(peers::named(&id)?)).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(peers::unknown())
    }
}

/// Makes the connection map fail, to prove that the process ends instead of limping on.
#[utoipa::path(
    tag = "server",
    operation_id = "fault_registry",
    responses(
        (status = 202, description = "The process is about to end"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[post("/debug/registry/fault")]
pub(super) async fn collapse(site: Data<Site>) -> HttpResponse {
    site.house.registry.do_send(Collapse);
    HttpResponse::Accepted().finish()
}

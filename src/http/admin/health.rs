//! Whether the process lives, and whether it wants visitors. Peers never matter here: a server whose
//! neighbours are away is still a good home for its own people.

use actix_web::{HttpResponse, ResponseError as _, get, http::StatusCode, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    actors::archivist::Trouble,
    domain::refusal::Refusal,
    http::{problem::Problem, site::Site},
};

/// In one word.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Status {
    /// The word.
    #[schema(example = "ok")]
    pub(super) status: &'static str,
}

/// Whether the process lives. If this does not answer, start it anew.
#[utoipa::path(tag = "health", responses((status = 200, description = "It lives", body = Status)))]
#[get("/healthz")]
pub(super) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(Status { status: "ok" })
}

/// Whether new clients should be sent here.
#[utoipa::path(
    tag = "health",
    responses(
        (status = 200, description = "They should", body = Status),
        (status = 503, description = "It drains, or its store takes no writes", body = Problem,
         content_type = "application/problem+json"),
    )
)]
#[get("/readyz")]
pub(super) async fn readyz(site: Data<Site>) -> HttpResponse {
    if site.house.is_draining() {
        return Problem::from(Refusal::Draining).detail("the server drains").error_response();
    }
    match site.archivist.send(Trouble).await {
        Ok(None) => HttpResponse::Ok().json(Status { status: "ready" }),
        Ok(Some(trouble)) => store_problem(&trouble).error_response(),
        Err(_) => store_problem("nobody answers for it").error_response(),
    }
}

fn store_problem(trouble: &str) -> Problem {
    let title = "The store takes no writes";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store", title).detail(trouble)
}

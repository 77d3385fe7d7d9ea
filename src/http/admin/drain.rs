//! Asking the server to close: it takes nobody in any more, says goodbye and ends.

use actix_web::{HttpResponse, post, web::Data};

use super::health::Status;
use crate::http::{problem::Problem, site::Site};

/// Begins to close, as the signal TERM does. Asking twice is asking once.
#[utoipa::path(
    tag = "server",
    operation_id = "drain",
    responses(
        (status = 202, description = "It begins", body = Status),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[post("/drain")]
pub(super) async fn begin(site: Data<Site>) -> HttpResponse {
    tracing::info!("an administrator asks the server to drain");
    // If nobody listens any more, the end has begun already.
    let _ = site.stop.send(());
    HttpResponse::Accepted().json(Status { status: "draining" })
}

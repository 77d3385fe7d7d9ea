//! What the log tells about a request: the pattern of its route and the outcome.
//!
//! **Invariant:** no query, no path with an id and no header gets into the log. Ids of files are
//! secrets, and people paste tokens into the strangest places.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
};
use tracing::{Span, field::Empty};
use tracing_actix_web::RootSpanBuilder;

/// Builds the span of a request.
#[derive(Clone, Copy, Debug)]
pub struct Spans;

impl RootSpanBuilder for Spans {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let route = request.match_pattern().unwrap_or_else(|| "none".to_owned());
        let peer = request.peer_addr().map(|peer| peer.ip());
        tracing::info_span!("request", method = %request.method(), route, ?peer, status = Empty)
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("status", status.as_u16());
        span.in_scope(|| {
            if status.is_server_error() {
                tracing::warn!("a request failed");
            } else {
                tracing::debug!("a request was answered");
            }
        });
    }
}

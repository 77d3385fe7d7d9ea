//! One log line per request: the route that matched, never the address of a file or a query.
//!
//! Links to uploaded files are secrets: whoever has one may read the file.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
};
use tracing::Span;
use tracing_actix_web::{RequestId, RootSpanBuilder, TracingLogger};

/// Makes the span of a request.
#[derive(Debug)]
pub struct Discreet;

impl RootSpanBuilder for Discreet {
    fn on_request_start(request: &ServiceRequest) -> Span {
        use actix_web::HttpMessage as _;
        let id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
        let route = request.match_pattern().unwrap_or_else(|| "unknown".to_owned());
        tracing::info_span!(
            "request",
            method = %request.method(),
            %route,
            request_id = %id,
            status = tracing::field::Empty,
        )
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("status", status.as_u16());
        let _inside = span.enter();
        tracing::debug!("answered");
    }
}

/// The middleware of both doors.
#[must_use]
pub fn logger() -> TracingLogger<Discreet> {
    TracingLogger::new()
}

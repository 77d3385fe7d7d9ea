//! Reading a small JSON body, with a problem for everything that may be wrong with it.
//!
//! The extractors of the web library answer in words of their own, and an optional one takes a broken
//! body for a missing one.

use std::time::Duration;

use actix_web::{
    HttpMessage as _, HttpRequest,
    http::StatusCode,
    web::{Bytes, Payload},
};
use serde::de::DeserializeOwned;

use super::BODY;
use crate::http::problem::Problem;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// The body as a value.
pub(super) async fn required<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
) -> Result<T, Problem> {
    let bytes = read(payload).await?;
    parse(request, &bytes)
}

/// The body as a value; without a body, what the value is when nothing is said.
pub(super) async fn optional<T: DeserializeOwned + Default>(
    request: &HttpRequest,
    payload: Payload,
) -> Result<T, Problem> {
    let bytes = read(payload).await?;
    if bytes.is_empty() { Ok(T::default()) } else { parse(request, &bytes) }
}

async fn read(payload: Payload) -> Result<Bytes, Problem> {
    let read = actix_rt::time::timeout(PATIENCE, payload.to_bytes_limited(BODY)).await;
    let read = read.map_err(|_| {
        let title = "The request took too long to arrive";
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", title)
    })?;
    let read = read.map_err(|_| {
        let title = "The body is too large";
        let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", title);
        problem.detail(format_args!("at most {BODY} bytes are read"))
    })?;
    read.map_err(|error| Problem::bad_request(format_args!("the body cannot be read: {error}")))
}

fn parse<T: DeserializeOwned>(request: &HttpRequest, bytes: &[u8]) -> Result<T, Problem> {
    let kind = request.content_type();
    if !kind.eq_ignore_ascii_case("application/json") {
        let title = "The body is of a kind that is not taken here";
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", title);
        return Err(problem.detail("send JSON with Content-Type: application/json"));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| Problem::bad_request(format_args!("the body is not what is taken here: {error}")))
}

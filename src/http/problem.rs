//! Errors as RFC 9457 says: a JSON body that a person can read and a program can compare.

use std::fmt;

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use serde::{Deserialize, Serialize};

use crate::domain::refusal::Refusal;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// The stable code, as a URI reference.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for every problem of this kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// After how many seconds the same request may succeed; told in the header `Retry-After`.
    #[serde(skip)]
    pub retry_after_s: Option<u32>,
}

impl Problem {
    /// A problem with a stable code.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, title: &str) -> Self {
        Self {
            kind: format!("/problems/{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: None,
            retry_after_s: None,
        }
    }

    /// With a sentence about this time.
    #[must_use]
    pub fn detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    /// With a hint when to try again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// No such thing.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such thing here").detail(what)
    }

    /// The request itself is wrong.
    #[must_use]
    pub fn bad_request(detail: impl fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", "The request is wrong").detail(detail)
    }

    /// Nothing is taken any more, because another node has been told already what there is.
    #[must_use]
    pub fn handing_over() -> Self {
        let code = StatusCode::SERVICE_UNAVAILABLE;
        let problem = Self::new(code, "handing_over", "Another node takes over");
        problem.detail("ask again in a moment, there").retry_after(1)
    }

    /// Our own fault, told without its inside.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something failed on our side")
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::Draining | Refusal::ServerFull => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Replayed => StatusCode::CONFLICT,
            Refusal::Banned => StatusCode::FORBIDDEN,
            _ => StatusCode::TOO_MANY_REQUESTS,
        };
        Self::new(status, refusal.code(), "The house refused this")
    }
}

impl From<crate::store::StoreError> for Problem {
    fn from(error: crate::store::StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store", "The store does not answer")
    }
}

impl From<actix::MailboxError> for Problem {
    fn from(_: actix::MailboxError) -> Self {
        Self::from(Refusal::Draining)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.title, self.kind)?;
        self.detail.iter().try_for_each(|detail| write!(out, ": {detail}"))
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response
            .content_type("application/problem+json")
            .insert_header(("Cache-Control", "no-store"))
            .insert_header(("X-Content-Type-Options", "nosniff"));
        if let Some(seconds) = self.retry_after_s {
            response.insert_header(("Retry-After", seconds));
        }
        response.json(self)
    }
}

//! Which web pages may read our answers, and which may make their readers' browsers send us things.
//!
//! The rule is the one for WebSockets: `Site::admits_origin`. A request without `Origin` comes from
//! no browser and passes.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};

use super::{problem::Problem, site::Site};

/// How long a browser may remember the answer to a preflight, in seconds.
const REMEMBER: &str = "600";

fn text<'a>(request: &'a HttpRequest, name: &header::HeaderName) -> Option<&'a str> {
    // What is no text is no origin that anybody listed.
    request.headers().get(name).map(|value| value.to_str().unwrap_or("?"))
}

fn admits(site: &Site, request: &HttpRequest) -> bool {
    let (origin, host) = (text(request, &header::ORIGIN), text(request, &header::HOST));
    site.admits_origin(origin, host)
}

/// Refuses what a strange page sends through the browser of somebody who can reach us.
pub(super) fn demand(site: &Site, request: &HttpRequest) -> Result<(), Problem> {
    if admits(site, request) {
        return Ok(());
    }
    let problem = Problem::new(StatusCode::FORBIDDEN, "origin", "Pages of this origin may not do this here");
    Err(problem.detail("listen.allowed_origins names the origins that may"))
}

/// Lets the page that asked read the answer, if it may.
pub(super) fn reveal(site: &Site, request: &HttpRequest, mut response: HttpResponse) -> HttpResponse {
    let origin = request.headers().get(header::ORIGIN).filter(|_| admits(site, request));
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        let exposed = HeaderValue::from_static("Content-Disposition, Retry-After");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    response
}

/// The answer to a browser that asks before it sends.
pub(super) fn preflight(site: &Site, request: &HttpRequest, methods: &'static str) -> HttpResponse {
    if let Err(problem) = demand(site, request) {
        return reveal(site, request, actix_web::ResponseError::error_response(&problem));
    }
    let response = HttpResponse::NoContent()
        .insert_header((header::ALLOW, methods))
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, methods))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, x-filename"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, REMEMBER))
        .finish();
    reveal(site, request, response)
}

//! Who may come in by the admin door, and what every answer says to browsers.
//!
//! The token is asked for by a wrapper around a scope, not by looking at the path: the router decodes
//! paths before it compares, and whoever compares for himself can be led past the door.

use actix_web::{
    Error, HttpResponse, ResponseError as _,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};

use super::docs;
use crate::{
    http::{problem::Problem, site::Site},
    identity::TokenHash,
};

/// Lets a request through that carries the token.
pub(super) async fn token(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if is_admitted(&request) {
        Ok(next.call(request).await?.map_into_left_body())
    } else {
        Ok(request.into_response(unauthorized()).map_into_right_body())
    }
}

/// Takes no orders while the house holds still, because another node has been told already what there is. What was
/// taken before is waited for.
pub(super) async fn stillness(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    /// These are about the hand-over itself, and change nothing that is copied.
    const ALLOWED: [&str; 2] = ["/api/v1/drain", "/api/v1/succession/handover"];
    let is_order = request.method() != Method::GET && !ALLOWED.contains(&request.path());
    let site = request.app_data::<Data<Site>>().filter(|_| is_order).cloned();
    let Some(site) = site else { return Ok(next.call(request).await?.map_into_left_body()) };
    let _under_way = site.house.stillness.look();
    if site.house.stillness.is_on() {
        return Ok(request.into_response(Problem::handing_over().error_response()).map_into_right_body());
    }
    Ok(next.call(request).await?.map_into_left_body())
}

fn is_admitted(request: &ServiceRequest) -> bool {
    let token = request.headers().get(header::AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let hash = request.app_data::<Data<TokenHash>>();
    token.zip(hash).is_some_and(|(token, hash)| hash.admits(token))
}

fn unauthorized() -> HttpResponse {
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "This needs the admin token");
    let mut response =
        problem.detail("send the header Authorization: Bearer with the token").error_response();
    let challenge = HeaderValue::from_static("Bearer realm=\"kith\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

/// Puts the headers of security on every answer.
pub(super) async fn headers(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let is_page = docs::is_page(request.path());
    let mut response = next.call(request).await?;
    let policy = if is_page { docs::POLICY } else { "default-src 'none'; frame-ancestors 'none'" };
    let cache = if is_page { "no-cache" } else { "no-store" };
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, cache),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

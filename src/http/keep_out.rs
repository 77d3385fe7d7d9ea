//! Whoever is banned by address gets nothing at the main door but the reason.

use actix_web::{
    Error, ResponseError as _,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};

use super::{problem::Problem, site::Site};

/// Lets a request through whose sender is not banned.
pub(super) async fn banned(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let site = request.app_data::<Data<Site>>();
    let admitted = site
        .zip(request.peer_addr())
        .map_or(Ok(()), |(site, peer)| site.admit(site.client_address(peer.ip(), request.headers())));
    match admitted {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(refusal) => {
            Ok(request.into_response(Problem::from(refusal).error_response()).map_into_right_body())
        }
    }
}

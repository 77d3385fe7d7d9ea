//! The admin API of a node that stands by: how it is, who serves, and the few orders that it can carry out.

use actix_web::{
    App, Error, HttpResponse,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::from_fn,
    web::{self, Data},
};

use super::{guard, health::Status};
use crate::http::{logging, standby};

/// Everything that answers at the admin door of such a node.
pub fn app(
    node: Data<standby::Standby>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let drain = web::resource("/drain").route(web::post().to(drain));
    App::new()
        .app_data(Data::new(node.token.clone()))
        .app_data(Data::new(node.nodes.clone()))
        .app_data(node)
        .service(super::health::healthz)
        .service(
            web::scope("/api/v1")
                .wrap(from_fn(guard::token))
                .service(drain)
                .default_service(web::to(elsewhere)),
        )
        // `/readyz` among them: nobody should be sent here.
        .default_service(web::to(elsewhere))
        .wrap(from_fn(guard::headers))
        .wrap(logging::logger())
}

async fn drain(node: Data<standby::Standby>) -> HttpResponse {
    tracing::info!("an administrator asks the node to end");
    // If nobody listens any more, the end has begun already.
    let _ = node.stop.send(());
    HttpResponse::Accepted().json(Status { status: "draining" })
}

async fn elsewhere(node: Data<standby::Standby>) -> HttpResponse {
    standby::elsewhere(&node.nodes)
}

//! The admin API of a node that stands by: how it is, who serves, and the few orders that it can carry out.

use actix_web::{
    App, Error, HttpResponse,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::from_fn,
    web::{self, Data},
};

use prometheus_client::registry::Registry;

use super::{docs, events, guard, handover, health::Status, hosts, metrics::Pages};
use crate::{
    actors::clock::unix_ms,
    http::{logging, problem::Problem, standby},
};

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
    let stream = web::resource("/events").route(web::get().to(watch));
    let (_, description) = super::routes(node.faults);
    let metrics = Data::new(Pages::new(Registry::with_prefix("kith"), unix_ms()));
    App::new()
        .app_data(Data::new(node.token.clone()))
        .app_data(Data::new(node.nodes.clone()))
        .app_data(node)
        .app_data(metrics)
        .service(super::health::healthz)
        .service(web::scope("/metrics").wrap(from_fn(guard::token)).route("", web::get().to(metrics_page)))
        .service(
            web::scope("/api/v1")
                .wrap(from_fn(guard::token))
                .service(hosts::show)
                .service(handover::begin)
                .service(stream)
                .service(drain)
                .default_service(web::to(elsewhere)),
        )
        .configure(|app| docs::configure(app, description))
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

async fn watch(node: Data<standby::Standby>) -> HttpResponse {
    events::stream_of(node.bulletin.watch(), None)
}

async fn metrics_page(node: Data<standby::Standby>, pages: Data<Pages>) -> Result<HttpResponse, Problem> {
    pages.answer(&node.nodes).await
}

async fn elsewhere(node: Data<standby::Standby>) -> HttpResponse {
    standby::elsewhere(&node.nodes)
}

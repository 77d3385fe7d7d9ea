//! The admin API, on a door of its own: who is here, how the house is, and a few things to do about it.
//!
//! One file per resource. The description at `/openapi.json` is collected from the handlers as they are
//! registered, so that a route cannot be there without being described. **Invariant:** everything below
//! `/api/v1` and `/metrics` asks for the token, in one place, before its handler is even looked for.

mod bans;
mod body;
mod clients;
mod debug;
pub(super) mod directory;
mod docs;
mod drain;
mod events;
mod fallback;
mod files;
mod guard;
mod handover;
mod health;
mod hosts;
mod line_id;
mod links;
mod members;
mod mesh;
mod metrics;
mod neighbourhood;
mod offline;
mod paging;
mod peer;
mod peers;
mod rooms;
mod server;
mod standby;
mod succession;
mod who;

#[cfg(test)]
mod tests;

use std::{io, net::TcpListener, sync::Arc};

use actix_web::{
    App, Error, HttpServer,
    body::MessageBody,
    dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse},
    http::KeepAlive,
    middleware::from_fn,
    web::{self, Data, PathConfig, PayloadConfig, QueryConfig},
};
use utoipa::openapi::OpenApi;
use utoipa_actix_web::{AppExt as _, scope, service_config::ServiceConfig};

use self::metrics::Metrics;
pub use self::standby::app as standby;
use super::{logging, problem::Problem, site::Site, unread};
use crate::domain::{limits::seconds, stamp};

/// The largest body: a neighbour with its public key.
const BODY: usize = 4 << 10;
/// Sockets at once: a few dashboards, a scraper, a person.
const SOCKETS: usize = 256;
/// How long a stopping server waits for requests under way, in seconds.
const SHUTDOWN_S: u64 = 2;

/// Starts the admin API on a socket. Whoever has the server ends it.
///
/// # Errors
/// The socket cannot be used.
pub fn serve(listener: TcpListener, site: Arc<Site>) -> io::Result<Server> {
    let metrics = Data::new(Metrics::new(&site));
    let head = seconds(site.settings.limits.request_head_timeout_s);
    let site = Data::from(site);
    let server = HttpServer::new(move || app(site.clone(), metrics.clone()))
        .workers(1)
        .disable_signals()
        .max_connections(SOCKETS)
        .client_request_timeout(head)
        .client_disconnect_timeout(head)
        // The deadline for heads covers the first request only; a second head could be sent for ever.
        .keep_alive(KeepAlive::Disabled)
        .shutdown_timeout(SHUTDOWN_S)
        .listen(listener)?;
    Ok(server.run())
}

/// Everything that answers at this door.
fn app(
    site: Data<Site>,
    metrics: Data<Metrics>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let (app, description) = routes(site.settings.debug.faults);
    let routes = Data::new(fallback::Routes::new(&description));
    app.configure(|app| docs::configure(app, description))
        .app_data(Data::new(site.token.clone()))
        .app_data(Data::new(site.nodes.clone()))
        .app_data(site)
        .app_data(metrics)
        .app_data(routes)
        .app_data(PayloadConfig::new(BODY))
        .app_data(QueryConfig::default().error_handler(|error, _| Problem::bad_request(error).into()))
        .app_data(PathConfig::default().error_handler(|_, _| Problem::not_found("no such thing").into()))
        .default_service(web::to(fallback::answer))
        .wrap(from_fn(guard::headers))
        .wrap(from_fn(unread::hold))
        .wrap(logging::logger())
}

/// All routes, and their description. A node that stands by has the same description, because whoever reads it wants
/// to know what the home can do.
fn routes(
    faults: bool,
) -> (
    App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse,
            Error = Error,
            InitError = (),
        >,
    >,
    OpenApi,
) {
    App::new()
        .into_utoipa_app()
        .openapi(docs::description())
        .service(health::healthz)
        .service(health::readyz)
        .service(scope::scope("/metrics").wrap(from_fn(guard::token)).service(metrics::show))
        .service(
            scope::scope("/api/v1")
                .wrap(from_fn(guard::stillness))
                .wrap(from_fn(guard::token))
                .configure(move |api| resources(api, faults)),
        )
        .split_for_parts()
}

/// Everything that asks for the token and is described.
fn resources(api: &mut ServiceConfig<'_>, faults: bool) {
    api.service(server::show)
        .service(clients::list)
        .service(clients::show)
        .service(clients::kick)
        .service(members::list)
        .service(peers::list)
        .service(peers::add)
        .service(peers::show)
        .service(peers::remove)
        .service(peers::retry)
        .service(peers::pin)
        .service(neighbourhood::show)
        .service(mesh::show)
        .configure(rooms::configure)
        .service(bans::list)
        .service(bans::make)
        .service(bans::lift)
        .service(events::watch)
        .service(files::list)
        .service(files::delete)
        .service(directory::list)
        .service(directory::register)
        .service(directory::unregister)
        .service(offline::list)
        .service(offline::discard)
        .service(hosts::show)
        .service(handover::begin)
        .service(drain::begin);
    if faults {
        api.service(debug::fault).service(debug::fault_peer).service(debug::collapse);
    }
}

//! The doors of a node that does not serve: what it is, who serves, and nothing else.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use actix_http::{HttpService, KeepAlive, Protocol, error::DispatchError};
use actix_server::Server;
use actix_service::{ServiceFactoryExt as _, fn_service, map_config};
use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, ResponseError as _,
    dev::AppConfig,
    http::{Method, StatusCode, header},
    web::{self, Data},
};
use serde::Serialize;
use tokio::{net::TcpStream, sync::mpsc::UnboundedSender, time::timeout};

use super::{
    admin,
    door::Listeners,
    files,
    home::{HomeDoors, Nodes},
    logging,
    page::{self, Page},
    problem::Problem,
    tls::Tls,
};
use crate::{
    actors::{event::Bulletin, socket::Socket},
    identity::TokenHash,
};

/// How long a request may take to arrive, and an answer to leave.
const PATIENCE: Duration = Duration::from_secs(5);
/// Sockets at once.
const SOCKETS: usize = 1024;
/// When whoever wants to talk may ask again, in seconds.
const AGAIN_S: u32 = 1;

/// What a node says while it does not serve.
#[derive(Debug)]
pub struct Standby {
    /// What its operator calls it.
    pub name: String,
    /// The digest that names the key of the home.
    pub key_id: String,
    /// The nodes of the home.
    pub nodes: Nodes,
    /// What bearer tokens are compared with.
    pub token: TokenHash,
    /// Whether the house has the routes that make it fail on purpose.
    pub faults: bool,
    /// Ends the process.
    pub stop: UnboundedSender<()>,
    /// The chat page, if there is one: it goes on to whoever serves.
    pub page: Option<Page>,
    /// What happens here.
    pub bulletin: Bulletin,
}

/// The information document of such a node.
#[derive(Debug, Serialize)]
struct Info<'a> {
    software: Software,
    server: Name<'a>,
    home: Option<HomeDoors>,
}

#[derive(Debug, Serialize)]
struct Software {
    name: &'static str,
    version: &'static str,
}

#[derive(Debug, Serialize)]
struct Name<'a> {
    name: &'a str,
    key_id: &'a str,
}

/// Opens the doors for everybody. They stop when their handle says so.
///
/// # Errors
/// A listener cannot be used.
pub fn serve(listeners: Listeners, standby: &Arc<Standby>, tls: Option<&Tls>) -> io::Result<Server> {
    let mut builder =
        Server::build().workers(1).disable_signals().shutdown_timeout(1).max_concurrent_connections(SOCKETS);
    let own = listeners.own.into_iter().map(|(only, listener)| (only.name(), listener, None));
    for (name, listener, page) in std::iter::once(("main", listeners.main, standby.page.clone())).chain(own) {
        let (standby, tls) = (Arc::clone(standby), tls.cloned());
        builder = builder.listen(name, listener, move || {
            let (data, tls) = (Data::from(Arc::clone(&standby)), tls.clone());
            let app = App::new()
                .app_data(data)
                .wrap(logging::logger())
                .configure(|app| Page::configure(page.as_ref(), app))
                .default_service(web::to(answer));
            let http = HttpService::build()
                .keep_alive(KeepAlive::Disabled)
                .client_request_timeout(PATIENCE)
                .client_disconnect_timeout(PATIENCE)
                .finish(map_config(app, |_| AppConfig::default()));
            fn_service(move |stream| accept(tls.clone(), stream)).and_then(http)
        })?;
    }
    Ok(builder.run())
}

/// Opens the door for operators.
///
/// # Errors
/// The listener cannot be used.
pub fn serve_admin(listener: TcpListener, standby: Arc<Standby>) -> io::Result<actix_web::dev::Server> {
    let standby = Data::from(standby);
    let server = HttpServer::new(move || admin::standby(standby.clone()))
        .workers(1)
        .disable_signals()
        .max_connections(SOCKETS)
        .client_request_timeout(PATIENCE)
        .client_disconnect_timeout(PATIENCE)
        .keep_alive(KeepAlive::Disabled)
        .shutdown_timeout(1)
        .listen(listener)?;
    Ok(server.run())
}

type Accepted = (Socket, Protocol, Option<std::net::SocketAddr>);

async fn accept(tls: Option<Tls>, stream: TcpStream) -> Result<Accepted, DispatchError> {
    let peer = stream.peer_addr().map_err(DispatchError::Io)?;
    let socket = match tls {
        None => Socket::plain(stream, None, PATIENCE),
        Some(tls) => {
            let handshake = timeout(PATIENCE, tls.accept(stream)).await;
            let stream = handshake.map_err(|_| DispatchError::SlowRequestTimeout)?;
            Socket::tls(stream.map_err(DispatchError::Io)?, None, PATIENCE)
        }
    };
    Ok((socket, Protocol::Http1, Some(peer)))
}

/// Who asks what this is gets an answer; whoever wants anything else is told where that is.
async fn answer(request: HttpRequest, standby: Data<Standby>) -> HttpResponse {
    let wants_socket = request.headers().contains_key(header::UPGRADE);
    let is_question = !wants_socket && [Method::GET, Method::HEAD].contains(request.method());
    if is_question && request.path().starts_with(files::PATH) {
        return file(&request, &standby.nodes);
    }
    if !is_question || request.path() != "/" {
        return elsewhere(&standby.nodes);
    }
    if let Some(page) = page::entrance(&request) {
        return page;
    }
    let info = Info {
        software: Software { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        server: Name { name: &standby.name, key_id: &standby.key_id },
        home: standby.nodes.doors().await,
    };
    HttpResponse::Ok()
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .json(info)
}

/// Files are fetched where the home is served, even if they lie here, too: only that node knows whether their time is
/// over, and whom it lets in.
fn file(request: &HttpRequest, nodes: &Nodes) -> HttpResponse {
    match nodes.page_elsewhere(request.path()) {
        Some(url) => HttpResponse::TemporaryRedirect()
            .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .insert_header((header::LOCATION, url))
            .finish(),
        None => elsewhere(nodes),
    }
}

/// The answer of a node that does not serve.
#[must_use]
pub fn elsewhere(nodes: &Nodes) -> HttpResponse {
    let title = "This node stands by; another one serves this home";
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "standby", title).retry_after(AGAIN_S);
    match nodes.elsewhere() {
        Some(door) => problem.detail(format_args!("it is served at {door}")).error_response(),
        None => problem.detail("nobody is known to serve it at the moment").error_response(),
    }
}

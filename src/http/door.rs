//! The main door: a listener for WebSockets of every dialect, uploads and the information document; and, if
//! wanted, further ones for one dialect each.
//!
//! The order on the way in: a place at the gate, TLS, the head of one request within its deadline (only then
//! is a banned address told so: behind a proxy it stands in the head, and an answer to nothing is lost),
//! and then either the web application or the upgrade, which takes the socket away from HTTP.

use std::{io, net::TcpListener, sync::Arc};

use actix_http::{HttpService, KeepAlive, Protocol, error::DispatchError};
use actix_server::Server;
use actix_service::{ServiceFactoryExt as _, fn_service, map_config};
use actix_web::{
    App,
    dev::AppConfig,
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};
use tokio::net::TcpStream;

use super::{admin, files, keep_out, logging, page::Page, site::Site, tls::Tls, unread, upgrade};
use crate::{
    actors::socket::Socket,
    domain::{dialect::Dialect, limits::seconds},
};

/// What people dial.
#[derive(Debug)]
pub struct Listeners {
    /// For everybody.
    pub main: TcpListener,
    /// For one dialect alone.
    pub own: Vec<(Dialect, TcpListener)>,
}

/// Opens the doors. The server stops when its handle says so; it reacts to no signals itself.
///
/// # Errors
/// A listener cannot be used.
pub fn serve(listeners: Listeners, site: &Arc<Site>, tls: Option<&Tls>) -> io::Result<Server> {
    let workers = match site.settings.listen.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => count,
    };
    let mut builder = Server::build().workers(workers).disable_signals().shutdown_timeout(1);
    let own = listeners.own.into_iter().map(|(only, listener)| (only.name(), listener, Some(only)));
    for (name, listener, pinned) in std::iter::once(("main", listeners.main, None)).chain(own) {
        let (site, tls) = (Arc::clone(site), tls.cloned());
        builder = builder.listen(name, listener, move || {
            let (gate_site, web_site, ws_site) = (Arc::clone(&site), Arc::clone(&site), Arc::clone(&site));
            let tls = tls.clone();
            let page = Page::offered(&site.settings, pinned, &site.nodes);
            let limits = Arc::clone(&site.house.limits);
            let app = move || {
                App::new()
                    .app_data(Data::from(Arc::clone(&web_site)))
                    .wrap(from_fn(keep_out::banned))
                    .wrap(from_fn(unread::hold))
                    .wrap(logging::logger())
                    .configure(files::configure)
                    .configure(|app| directory(app, &web_site))
                    .configure(|app| Page::configure(page.as_ref(), app))
            };
            let http = HttpService::build()
                // One request a connection: the deadline for heads covers the first one only, so a second
                // head could be sent for ever.
                .keep_alive(KeepAlive::Disabled)
                .client_request_timeout(seconds(limits.request_head_timeout_s))
                .client_disconnect_timeout(seconds(1))
                .upgrade(fn_service(move |(request, framed)| {
                    upgrade::serve(Arc::clone(&ws_site), pinned, request, framed)
                }))
                .finish(map_config(app(), |_| AppConfig::default()));
            let accept = fn_service(move |stream| accept(Arc::clone(&gate_site), tls.clone(), stream));
            accept.and_then(http)
        })?;
    }
    Ok(builder.run())
}

/// The directory of the rendezvous, where everybody may read it.
fn directory(app: &mut ServiceConfig, site: &Site) {
    if site.settings.rendezvous.public {
        app.service(
            web::resource("/api/v1/directory")
                .route(web::get().to(admin::directory::public))
                .route(web::head().to(admin::directory::public)),
        );
    }
}

type Accepted = (Socket, Protocol, Option<std::net::SocketAddr>);

/// Lets a TCP connection in, or drops it.
async fn accept(site: Arc<Site>, tls: Option<Tls>, stream: TcpStream) -> Result<Accepted, DispatchError> {
    let peer = stream.peer_addr().map_err(DispatchError::Io)?;
    // Small frames must not wait for each other. A socket that cannot do that still works.
    let _ = stream.set_nodelay(true);
    // Everybody behind a proxy has the proxy's address here; they are counted by their own later.
    let place = if site.trusts(peer.ip()) {
        None
    } else {
        let refused = |_| DispatchError::Io(io::ErrorKind::ConnectionRefused.into());
        Some(site.enter(peer.ip()).map_err(refused)?)
    };
    let write_timeout = seconds(site.house.limits.write_timeout_s);
    let socket = match tls {
        None => Socket::plain(stream, place, write_timeout),
        Some(tls) => {
            let deadline = seconds(site.house.limits.request_head_timeout_s);
            let handshake = tokio::time::timeout(deadline, tls.accept(stream)).await;
            let stream = handshake.map_err(|_| DispatchError::SlowRequestTimeout)?;
            Socket::tls(stream.map_err(DispatchError::Io)?, place, write_timeout)
        }
    };
    Ok((socket, Protocol::Http1, Some(peer)))
}

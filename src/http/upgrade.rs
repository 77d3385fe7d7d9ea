//! From HTTP to WebSocket: checks the handshake, answers it, and takes the socket away.
//!
//! Afterwards nothing of the HTTP connection is left: the pump owns the socket, and the answer is the
//! first thing it writes.

use std::{net::IpAddr, sync::Arc};

use actix_codec::{Encoder as _, Framed};
use actix_http::{
    ConnectionType, Request, Response, Version,
    body::BodySize,
    h1, header,
    ws::{HandshakeError, handshake},
};
use actix_web::{ResponseError as _, http::StatusCode};
use bytes::{Bytes, BytesMut};

use super::{problem::Problem, site::Site};
use crate::{
    actors::{
        connection::{Connection, Start, launch},
        socket::Socket,
    },
    crypto::channel::Ephemeral,
    dialect::{Session, kith, olaf::accent::Ear},
    domain::{
        dialect::Dialect,
        limits::seconds,
        neighbourhood::Direction,
        refusal::{DOORS, Refusal},
    },
};

/// What was asked for beside a WebSocket.
#[derive(Clone, Copy)]
enum Wish {
    /// To be a member, or a server of another kind.
    Talk { pinned: Option<Dialect>, ear: Option<Ear> },
    /// Another Kith server asks for a link.
    Link,
    /// To hear its own messages.
    Echo,
}

/// Serves one upgrade request, at a door that may be pinned to a dialect.
///
/// # Errors
/// None; a request that is refused gets its answer.
pub async fn serve(
    site: Arc<Site>,
    door: Option<Dialect>,
    request: Request,
    framed: Framed<Socket, h1::Codec>,
) -> Result<(), actix_http::Error> {
    let parts = framed.into_parts();
    let mut socket = parts.io;
    let (answer, wish) = match admit(&site, door, &request, &mut socket) {
        Ok(wish) => match handshake(request.head()) {
            Ok(mut answer) => {
                if let Wish::Link = wish {
                    answer.insert_header((header::SEC_WEBSOCKET_PROTOCOL, kith::SUBPROTOCOL));
                }
                let doors = site.nodes.all().len();
                if doors > 1 {
                    answer.insert_header((DOORS, doors));
                }
                (encode(parts.codec, answer.finish().set_body(())), Some(wish))
            }
            Err(error) => (refuse(parts.codec, &unacceptable(&error)), None),
        },
        Err(problem) => (refuse(parts.codec, &problem), None),
    };
    let Some(wish) = wish else {
        return say_no(socket, &answer).await;
    };
    let peer = request.peer_addr().map_or_else(|| IpAddr::from([0, 0, 0, 0]), |peer| peer.ip());
    let address = site.client_address(peer, request.head().headers());
    // Copied, because even an empty rest would keep the whole buffer of the HTTP dispatcher alive.
    let held = BytesMut::from(&parts.read_buf[..]);
    let stillness = site.house.stillness.clone();
    let direction = Direction::In;
    let start = Start { socket, held, first: answer, direction, largest_frame: 0, stillness };
    begin(&site, start, address, wish);
    Ok(())
}

fn header_of<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.head().headers().get(name)?.to_str().ok()
}

/// Everything that speaks against a connection before it is one.
fn admit(
    site: &Site,
    door: Option<Dialect>,
    request: &Request,
    socket: &mut Socket,
) -> Result<Wish, Problem> {
    if site.house.is_draining() {
        return Err(Refusal::Draining.into());
    }
    if let Some(peer) = request.peer_addr() {
        site.admit(site.client_address(peer.ip(), request.head().headers()))?;
    }
    // What follows the head of an upgrade are frames, so it cannot have a body as well.
    let has_body = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING].iter();
    if request.version() != Version::HTTP_11
        || has_body.into_iter().any(|name| request.head().headers().contains_key(name))
    {
        return Err(Problem::bad_request("a WebSocket begins with an HTTP/1.1 request without a body"));
    }
    let origin = header_of(request, header::ORIGIN.as_str());
    let host = header_of(request, header::HOST.as_str());
    if !site.admits_origin(origin, host) {
        let title = "Pages of this origin may not connect";
        return Err(Problem::new(StatusCode::FORBIDDEN, "origin", title));
    }
    let peer = request.peer_addr().map(|peer| peer.ip());
    if let Some(peer) = peer.filter(|peer| site.trusts(*peer)) {
        socket.occupy(site.enter(site.client_address(peer, request.head().headers()))?);
    }
    wish(site, door, request)
}

/// The largest message of a server that has not proven who it is.
const LARGEST_HELLO: u32 = 16 << 10;
/// The path at which messages are sent back, where that is switched on.
const ECHO: &str = "echo";
/// The largest of these messages: what the suites that test WebSockets send.
const LARGEST_ECHO: u32 = 16 << 20;

/// Whether another Kith server asks for a link.
fn wants_link(request: &Request) -> bool {
    let offered = request.head().headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let mut offered = offered.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    request.path().trim_matches('/') == kith::PATH && offered.any(|name| name.trim() == kith::SUBPROTOCOL)
}

/// The door or the path may pin the dialect, the query may name an accent. A path that means nothing to us
/// means nothing: some programs always ask for one.
fn wish(site: &Site, door: Option<Dialect>, request: &Request) -> Result<Wish, Problem> {
    let elsewhere = || Problem::not_found("this door speaks another protocol");
    if wants_link(request) {
        if door.is_some() {
            return Err(elsewhere());
        }
        // Servers come in whatever the clients of this door speak.
        return Ok(Wish::Link);
    }
    let path = request.path().trim_matches('/');
    if site.settings.debug.echo && door.is_none() && path == ECHO {
        return Ok(Wish::Echo);
    }
    let by_path = Dialect::from_name(path);
    let pinned = match (door.or(site.settings.listen.dialect.0), by_path) {
        (Some(only), Some(asked)) if only != asked => {
            return Err(elsewhere());
        }
        (only, asked) => only.or(asked),
    };
    let accent =
        request.uri().query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("accent="));
    let ear = accent
        .map(|name| {
            Ear::named(name).ok_or_else(|| Problem::bad_request(format_args!("no accent is called {name:?}")))
        })
        .transpose()?;
    Ok(Wish::Talk { pinned, ear })
}

fn unacceptable(error: &HandshakeError) -> Problem {
    let title = "This is no acceptable WebSocket handshake";
    let status = match error {
        HandshakeError::UnsupportedVersion | HandshakeError::NoVersionHeader => StatusCode::UPGRADE_REQUIRED,
        HandshakeError::GetMethodRequired => StatusCode::METHOD_NOT_ALLOWED,
        _ => StatusCode::BAD_REQUEST,
    };
    Problem::new(status, "handshake", title).detail(error)
}

/// The bytes of an answer that has no body.
fn encode(mut codec: h1::Codec, answer: Response<()>) -> Bytes {
    let mut bytes = BytesMut::new();
    // Encoding a head into memory cannot fail.
    let _ = codec.encode(h1::Message::Item((answer, BodySize::None)), &mut bytes);
    bytes.freeze()
}

/// The bytes of an answer that says no.
fn refuse(mut codec: h1::Codec, problem: &Problem) -> Bytes {
    let body = serde_json::to_vec(problem).unwrap_or_default();
    let mut answer = Response::new(problem.status_code()).set_body(());
    answer.head_mut().set_connection_type(ConnectionType::Close);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/problem+json"));
    headers.insert(header::SEC_WEBSOCKET_VERSION, header::HeaderValue::from_static("13"));
    let mut bytes = BytesMut::new();
    let size = BodySize::Sized(u64::try_from(body.len()).unwrap_or(u64::MAX));
    let _ = codec.encode(h1::Message::Item((answer, size)), &mut bytes);
    let _ = codec.encode(h1::Message::Chunk(Some(body.into())), &mut bytes);
    let _ = codec.encode(h1::Message::Chunk(None), &mut bytes);
    bytes.freeze()
}

async fn say_no(mut socket: Socket, answer: &[u8]) -> Result<(), actix_http::Error> {
    use tokio::io::AsyncWriteExt as _;
    let write = async {
        socket.write_all(answer).await?;
        socket.shutdown().await
    };
    // Whoever does not take the answer goes without it.
    let _ = tokio::time::timeout(seconds(1), write).await;
    Ok(())
}

fn begin(site: &Site, start: Start, address: IpAddr, wish: Wish) {
    let house = Arc::clone(&site.house);
    let (id, terms) = (house.next_connection(), Arc::clone(&house.terms));
    let (session, largest_frame) = match wish {
        Wish::Link => {
            // Without randomness there is no link, and the dialler hears that the socket is gone.
            let Ok(secret) = Ephemeral::generate() else { return };
            let session = kith::session::Session::answering(terms, secret);
            (Session::Kith(Box::new(session)), LARGEST_HELLO)
        }
        Wish::Talk { pinned, ear } => (Session::new(id, pinned, terms, ear), house.limits.message_bytes),
        Wish::Echo => (Session::Echo, LARGEST_ECHO),
    };
    let start = Start { largest_frame, ..start };
    launch(start, |ends| Connection::new(id, house, address, session, ends));
}

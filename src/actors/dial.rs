//! Opening a WebSocket to a neighbour.
//!
//! A Kith server answers at its path `/peer` and repeats the name of our protocol. Whoever opens the
//! WebSocket without repeating it is another program, and the very same socket goes on as OLAF: some
//! implementations do not survive a socket that opens and closes without a word. Whoever refuses that
//! path is dialled again at the path of its URL.

use std::{fmt, sync::Arc, time::Duration};

use actix_service::{Service as _, fn_service};
use actix_tls::connect::{ConnectInfo, ConnectorService};
use awc::{
    BoxedSocket, Client, Connector,
    error::{ConnectError, SendRequestError, WsClientError},
    http::{StatusCode, Uri, header::SEC_WEBSOCKET_PROTOCOL},
};
use bytes::BytesMut;
use rustls::ClientConfig;

use crate::{dialect::kith, domain::peer::LinkDialect};

/// A socket that is open.
pub struct Opened {
    /// The socket.
    pub socket: BoxedSocket,
    /// What came in together with the answer.
    pub held: BytesMut,
    /// What is spoken on it.
    pub dialect: LinkDialect,
}

impl fmt::Debug for Opened {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Opened({})", self.dialect.name())
    }
}

/// Why a neighbour could not be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialError {
    /// The stable name of the reason.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What may help.
    pub hint: &'static str,
}

/// Opens a socket. Without a dialect, both are tried.
///
/// # Errors
/// Nobody is there, or it is no WebSocket.
pub async fn dial(
    url: &str,
    dialect: Option<LinkDialect>,
    trust: Arc<ClientConfig>,
    patience: Duration,
) -> Result<Opened, DialError> {
    if matches!(dialect, None | Some(LinkDialect::Kith)) {
        match connect(&peer_url(url), true, Arc::clone(&trust), patience).await {
            // Whoever answers, but not there, may be another program, or Kith behind another path.
            Err(WsClientError::InvalidResponseStatus(status))
                if status.is_client_error() && dialect.is_none() => {}
            other => return other.map_err(|error| explain(&error)),
        }
    }
    let opened = connect(url, false, trust, patience).await.map_err(|error| explain(&error))?;
    Ok(Opened { dialect: dialect.unwrap_or(opened.dialect), ..opened })
}

/// The URL with our path, whatever path it has.
#[must_use]
pub fn peer_url(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("ws", url));
    let authority = rest.find(['/', '?']).map_or(rest, |end| &rest[..end]);
    format!("{scheme}://{authority}/{}", kith::PATH)
}

async fn connect(
    url: &str,
    offer: bool,
    trust: Arc<ClientConfig>,
    patience: Duration,
) -> Result<Opened, WsClientError> {
    let tcp = fn_service(|target: ConnectInfo<Uri>| async move {
        let connection = ConnectorService::default().call(target).await?;
        // Small frames must not wait for each other. A socket that cannot do that still works.
        let _ = connection.io_ref().set_nodelay(true);
        Ok(connection)
    });
    let connector = Connector::new().connector(tcp).rustls_0_23(trust).timeout(patience);
    let client = Client::builder().connector(connector).timeout(patience).finish();
    let mut request = client.ws(url);
    if offer {
        request = request.protocols([kith::SUBPROTOCOL]);
    }
    let (answer, framed) = request.connect().await?;
    let chosen = answer.headers().get(SEC_WEBSOCKET_PROTOCOL);
    let is_kith = offer && chosen.is_some_and(|name| name.as_bytes() == kith::SUBPROTOCOL.as_bytes());
    let dialect = if is_kith { LinkDialect::Kith } else { LinkDialect::Olaf };
    let parts = framed.into_parts();
    Ok(Opened { socket: parts.io, held: parts.read_buf, dialect })
}

fn explain(error: &WsClientError) -> DialError {
    let message = error.to_string();
    let (code, message, hint) = match error {
        WsClientError::InvalidResponseStatus(StatusCode::TOO_MANY_REQUESTS)
        | WsClientError::InvalidResponseStatus(StatusCode::SERVICE_UNAVAILABLE) => {
            ("busy", "it has no room at the moment".to_owned(), "it will be tried again")
        }
        WsClientError::InvalidResponseStatus(status) => (
            "no_websocket",
            format!("it answers with {status} instead of a WebSocket"),
            "is this the address of its main door, and does the path fit?",
        ),
        WsClientError::SendRequest(SendRequestError::Connect(error)) => match error {
            ConnectError::Resolver(_) | ConnectError::NoRecords => {
                ("unknown_host", error.to_string(), "is the name right, and can this machine resolve it?")
            }
            ConnectError::Timeout => ("timeout", "no answer in time".to_owned(), "is a firewall in between?"),
            ConnectError::Io(error) => (
                "unreachable",
                error.to_string(),
                "is the server running, and is the address right? For wss: is its certificate trusted?",
            ),
            error => ("unreachable", error.to_string(), "is the address right?"),
        },
        WsClientError::SendRequest(SendRequestError::Timeout) => {
            ("timeout", "no answer in time".to_owned(), "is a firewall in between?")
        }
        _ => ("no_websocket", message, "is this the address of its main door?"),
    };
    DialError { code, message, hint }
}

#[cfg(test)]
mod tests {
    use super::peer_url;

    #[test]
    fn our_path_takes_the_place_of_any_other() {
        for url in ["ws://north:1", "ws://north:1/", "ws://north:1/olaf?x=1", "ws://north:1?x"] {
            assert_eq!(peer_url(url), "ws://north:1/peer");
        }
        assert_eq!(peer_url("wss://[::1]:2/a/b"), "wss://[::1]:2/peer");
    }
}

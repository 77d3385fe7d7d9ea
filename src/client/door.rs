//! The address of a server, as a person types it.

use std::fmt;

use tokio_tungstenite::tungstenite::http::Uri;

/// Where a server's WebSocket and its web pages are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    socket: Uri,
    web: String,
    is_secure: bool,
}

/// The text is no address of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the address of a server; write it like ws://host:port or wss://host")]
pub struct NoDoor(String);

impl Door {
    /// Reads `ws://`, `wss://`, `http://`, `https://`, or just `host:port`.
    ///
    /// # Errors
    /// It is something else.
    pub fn read(typed: &str) -> Result<Self, NoDoor> {
        Self::parse(typed.trim()).ok_or_else(|| NoDoor(typed.to_owned()))
    }

    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("ws", text));
        let is_secure = match scheme.to_ascii_lowercase().as_str() {
            "ws" | "http" => false,
            "wss" | "https" => true,
            _ => return None,
        };
        let (socket, web) = if is_secure { ("wss", "https") } else { ("ws", "http") };
        let socket: Uri = format!("{socket}://{rest}").parse().ok()?;
        let authority = socket.authority()?;
        // A password in an address ends up in logs and lists; there is nothing here that needs one.
        if authority.host().is_empty() || authority.as_str().contains('@') {
            return None;
        }
        let web = format!("{web}://{authority}");
        Some(Self { socket, web, is_secure })
    }

    /// The WebSocket.
    #[must_use]
    pub const fn socket(&self) -> &Uri {
        &self.socket
    }

    /// The beginning of its web addresses, without a slash at the end.
    #[must_use]
    pub fn web(&self) -> &str {
        &self.web
    }

    /// Whether the way there is encrypted.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.is_secure
    }
}

impl fmt::Display for Door {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.socket.to_string();
        out.write_str(text.strip_suffix('/').unwrap_or(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_understood() {
        for (typed, socket, web) in [
            ("ws://127.0.0.1:8080", "ws://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("wss://chat.example/olaf", "wss://chat.example/olaf", "https://chat.example"),
            ("HTTPS://chat.example/", "wss://chat.example", "https://chat.example"),
            (" [::1]:9000 ", "ws://[::1]:9000", "http://[::1]:9000"),
            ("localhost:1", "ws://localhost:1", "http://localhost:1"),
        ] {
            let door = Door::read(typed).expect("a door");
            assert_eq!((door.to_string().as_str(), door.web()), (socket, web), "{typed}");
        }
        for wrong in ["", "ws://", "ftp://x", "ws://me:secret@host", "a b", "ws:///path", "\u{1b}[2J"] {
            assert!(Door::read(wrong).is_err(), "{wrong}");
        }
    }
}

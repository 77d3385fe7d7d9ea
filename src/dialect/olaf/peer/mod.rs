//! OLAF between servers: hello, whole lists of members, and letters handed on.

pub mod accent;
pub mod session;

pub use self::{accent::Accent, session::Session};

use bytestring::ByteString;

use super::{accent::Letters, relay, wire};
use crate::{
    dialect::Terms,
    domain::{letter::Frame, member::Member},
};

/// Whether a first frame is one of a server.
#[must_use]
pub fn is_server(frame: &Frame, _terms: &Terms) -> bool {
    wire::text(frame).is_some_and(|text| text.contains("server_hello"))
}

/// A letter as this neighbour understands it.
#[must_use]
pub fn letter(original: &Frame, _accent: Accent) -> Frame {
    relay::letter(original, Letters::AsSent)
}

/// All members of this home.
#[must_use]
pub fn client_update<'a>(
    members: impl Iterator<Item = &'a Member>,
    _address: &str,
    _accent: Accent,
) -> Frame {
    let clients: Vec<&str> = members.map(|member| &*member.public_key).collect();
    let update = serde_json::json!({"type": "client_update", "clients": clients});
    Frame::Text(ByteString::from(update.to_string()))
}

/// The neighbour's list is wanted.
#[must_use]
pub fn update_request() -> Frame {
    Frame::Text(ByteString::from_static(r#"{"type":"client_update_request"}"#))
}

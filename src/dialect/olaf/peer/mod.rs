//! OLAF between servers: hello, whole lists of members, and letters handed on.
//!
//! `wire` is what is read, `hello` how servers introduce themselves, `accent` how implementations
//! deviate, `session` one socket, `heard` what comes over it. A server proves itself by signing its hello, if it does at all; what
//! comes after it is believed because of the socket on which it comes.

pub mod accent;
mod heard;
mod hello;
pub mod session;
#[cfg(test)]
mod tests;
pub mod wire;

pub use self::{accent::Accent, session::Session};

use std::sync::Arc;

use bytestring::ByteString;
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};

use super::{accent::Letters, print, relay, wire::into_text};
use crate::{
    crypto::keys::PublicKey,
    dialect::{Terms, event::Check},
    domain::{
        id::HomeId,
        letter::{Frame, Letter},
        member::Member,
        refusal::Violation,
    },
};
use accent::{Entries, Updates};
use wire::Message;

/// Whether a first frame is one of a server. One that is not signed at all only counts if that is allowed.
#[must_use]
pub fn is_server(frame: &Frame, terms: &Terms) -> bool {
    match frame.text().map(Message::read) {
        Some(Ok(Message::Hello(hello))) => hello.envelope.is_some() || terms.unsigned,
        _ => false,
    }
}

/// A letter as this neighbour understands it.
#[must_use]
pub fn letter(original: &Frame, accent: Accent) -> Frame {
    match accent.letters {
        accent::Letters::AsSent => original.clone(),
        accent::Letters::Object => relay::letter(original, Letters::DataAsObject),
        accent::Letters::Text => data_as_text(original).unwrap_or_else(|| original.clone()),
    }
}

/// The same letter with `data` as a string that holds the very text of the object.
fn data_as_text(original: &Frame) -> Option<Frame> {
    #[derive(serde::Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let text = original.text()?;
    let Envelope { data } = serde_json::from_str(text).ok()?;
    if !data.get().starts_with('{') {
        return None;
    }
    let mut frame: Value = serde_json::from_str(text).ok()?;
    *frame.get_mut("data")? = Value::from(data.get());
    Some(Frame::Text(ByteString::from(print::compact(&print::sorted(&frame)))))
}

#[derive(Serialize)]
struct PlainUpdate<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname: Option<&'a str>,
    clients: Vec<&'a str>,
}

/// Keys in alphabetical order: those who want entries of their own sort them all.
#[derive(Serialize)]
struct EntryUpdate<'a, Entry> {
    clients: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname: Option<&'a str>,
    r#type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Dashed<'a> {
    client_id: u32,
    public_key: &'a str,
}

#[derive(Serialize)]
struct Underscored<'a> {
    client_id: u32,
    public_key: &'a str,
}

/// All members of this home. Keys are written exactly as their owners wrote them.
#[must_use]
pub fn client_update<'a>(members: impl Iterator<Item = &'a Member>, address: &str, accent: Accent) -> Frame {
    let kind = "client_update";
    let spelled = accent::spelled(address, accent.spelling);
    let hostname = (accent.updates == Updates::Named).then_some(&*spelled);
    let printed = match accent.entries {
        Entries::Plain => {
            let clients = members.map(|member| &*member.public_key).collect();
            serde_json::to_string(&PlainUpdate { r#type: kind, hostname, clients })
        }
        Entries::Dashed => {
            let entry =
                |member: &'a Member| Dashed { client_id: member.number, public_key: &member.public_key };
            serde_json::to_string(&EntryUpdate {
                clients: members.map(entry).collect(),
                hostname,
                r#type: kind,
            })
        }
        Entries::Underscored => {
            let entry =
                |member: &'a Member| Underscored { client_id: member.number, public_key: &member.public_key };
            serde_json::to_string(&EntryUpdate {
                clients: members.map(entry).collect(),
                hostname,
                r#type: kind,
            })
        }
    };
    // Strings and numbers always print.
    Frame::Text(ByteString::from(printed.unwrap_or_default()))
}

/// The neighbour's list is wanted.
#[must_use]
pub fn update_request() -> Frame {
    Frame::Text(ByteString::from(json!({"type": "client_update_request"}).to_string()))
}

/// A letter that another server has wrapped, read as if it had come without the wrapping.
///
/// # Errors
/// It is no letter, or has too many recipients.
pub fn read_letter(original: Frame, home: HomeId, most_recipients: u32) -> Result<Letter, Violation> {
    let frame = into_text(original).ok_or(Violation::Malformed)?;
    match frame.text().map(Message::read) {
        Some(Ok(Message::Letter(said))) => heard::letter(said, frame.clone(), home, false, most_recipients),
        _ => Err(Violation::Malformed),
    }
}

/// What must be checked before a letter may count as this member's.
#[must_use]
pub fn question(original: &Frame, member: &Member) -> Option<Check> {
    let key = PublicKey::read(&member.public_key).ok()?;
    match original.text().map(Message::read) {
        Some(Ok(Message::Letter(said))) => {
            let (_, question) = hello::question(said.envelope.as_ref()?, None);
            Some(Check { key: Arc::new(key), question })
        }
        _ => None,
    }
}

//! What comes in, read liberally: lists in both shapes, letters in every form.
//!
//! Everything here is a stranger's text. What does not fit is nothing at all, never an error: a member
//! cannot do anything about a server or a neighbour that speaks oddly.

use std::borrow::Cow;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::dialect::olaf::wire::{Message, Signed};

/// One frame of a server.
#[derive(Debug)]
pub(super) enum Heard<'a> {
    /// The members of the whole neighbourhood.
    List(List<'a>),
    /// Something signed.
    Signed(Signed<'a>),
    /// What some servers say before they close.
    Complaint(String),
    /// Nothing that we know.
    Nothing,
}

/// The list of members.
#[derive(Debug, Deserialize)]
pub(super) struct List<'a> {
    #[serde(borrow)]
    servers: Vec<Server<'a>>,
}

#[derive(Debug, Deserialize)]
struct Server<'a> {
    #[serde(borrow, default)]
    address: Cow<'a, str>,
    #[serde(borrow)]
    clients: Vec<Client<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Client<'a> {
    Key(Cow<'a, str>),
    Numbered {
        #[serde(alias = "public-key")]
        public_key: Cow<'a, str>,
    },
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct Unsigned<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    error: Option<Cow<'a, str>>,
}

/// The inside of a letter's envelope.
#[derive(Debug, Deserialize)]
pub(super) struct Letter<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Cow<'a, str>,
    pub(super) sender: Option<String>,
    pub(super) message: Option<String>,
    #[serde(borrow)]
    pub(super) iv: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(super) symm_keys: Vec<String>,
    #[serde(borrow)]
    chat: Option<&'a RawValue>,
}

impl Letter<'_> {
    /// The sealed text; one implementation puts an object there, which we cannot open anyway.
    pub(super) fn sealed_text(&self) -> Option<String> {
        serde_json::from_str(self.chat?.get()).ok()
    }
}

impl List<'_> {
    /// Every home with every key.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.servers.iter().flat_map(|server| {
            server.clients.iter().filter_map(|client| match client {
                Client::Key(text) | Client::Numbered { public_key: text } => {
                    Some((&*server.address, &**text))
                }
                Client::Other(_) => None,
            })
        })
    }
}

/// Reads a frame.
pub(super) fn hear(text: &str) -> Heard<'_> {
    let Ok(unsigned) = serde_json::from_str::<Unsigned<'_>>(text) else { return Heard::Nothing };
    match &*unsigned.kind {
        "client_list" => serde_json::from_str(text).map_or(Heard::Nothing, Heard::List),
        "signed_data" => match Message::read(text) {
            Ok(Message::Signed(signed)) => Heard::Signed(signed),
            _ => Heard::Nothing,
        },
        _ => unsigned.error.map_or(Heard::Nothing, |error| Heard::Complaint(error.into_owned())),
    }
}

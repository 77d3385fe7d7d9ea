//! What servers say to each other, read as liberally as what clients say.
//!
//! A server that signs nothing sends the bare object; whether it is heard is decided elsewhere.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::accent::{Field, Greeting};
use crate::dialect::olaf::wire::{Body, Envelope, Malformed, Signed};

/// Members that one list may have. More is a mistake or an attack, and the rest of it is not read.
pub const MOST_MEMBERS: usize = 65_536;
/// Addresses are host names; none is longer.
const LONGEST_ADDRESS: usize = 255;

/// A message of a server.
#[derive(Debug)]
pub enum Message<'a> {
    /// Who it is.
    Hello(Hello<'a>),
    /// A letter of one of its members.
    Letter(Letter<'a>),
    /// These are all of its members.
    Update(Entries),
    /// It wants to know ours.
    UpdateRequest,
    /// What only a client says.
    Client,
}

/// Who a server says it is.
#[derive(Debug)]
pub struct Hello<'a> {
    /// Its address as it spells it.
    pub address: String,
    /// How the message is called.
    pub greeting: Greeting,
    /// Which field held the address.
    pub field: Field,
    /// What was signed, unless nothing was.
    pub envelope: Option<Signed<'a>>,
}

/// A letter.
#[derive(Debug)]
pub struct Letter<'a> {
    /// What it is.
    pub body: Body,
    /// What was signed, unless nothing was.
    pub envelope: Option<Signed<'a>>,
}

/// The members in a list.
#[derive(Debug, Default)]
pub struct Entries {
    /// Public keys as they are spelled there; `None` for an entry without one.
    pub keys: Vec<Option<String>>,
    /// Whether there were more than there may be.
    pub too_many: bool,
}

#[derive(Deserialize)]
struct Inside<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    sender: Option<String>,
    hostname: Option<String>,
}

#[derive(Deserialize)]
struct Update {
    clients: Entries,
}

impl<'a> Message<'a> {
    /// Reads a frame.
    ///
    /// # Errors
    /// It is nothing that a server or a client says.
    pub fn read(text: &'a str) -> Result<Self, Malformed> {
        let envelope: Envelope<'a> = serde_json::from_str(text).map_err(|_| Malformed)?;
        match envelope.kind.as_deref() {
            Some("signed_data") => Self::inside(Signed::read(&envelope)?),
            Some("client_update") => {
                let update: Update = serde_json::from_str(text).map_err(|_| Malformed)?;
                Ok(Self::Update(update.clients))
            }
            Some("client_update_request") => Ok(Self::UpdateRequest),
            Some("client_list_request") => Ok(Self::Client),
            Some(_) => Err(Malformed),
            None => Self::bare(envelope.data.ok_or(Malformed)?),
        }
    }

    fn inside(signed: Signed<'a>) -> Result<Self, Malformed> {
        match signed.body() {
            Ok(Body::Hello { .. }) => Ok(Self::Client),
            Ok(body) => Ok(Self::Letter(Letter { body, envelope: Some(signed) })),
            Err(Malformed) => {
                let (address, greeting, field) = read_hello(&signed.data)?;
                Ok(Self::Hello(Hello { address, greeting, field, envelope: Some(signed) }))
            }
        }
    }

    fn bare(data: &'a RawValue) -> Result<Self, Malformed> {
        if let Ok((address, greeting, field)) = read_hello(data.get()) {
            return Ok(Self::Hello(Hello { address, greeting, field, envelope: None }));
        }
        match Body::read(data.get())? {
            Body::Hello { .. } => Ok(Self::Client),
            body => Ok(Self::Letter(Letter { body, envelope: None })),
        }
    }
}

fn read_hello(data: &str) -> Result<(String, Greeting, Field), Malformed> {
    let Inside { kind, sender, hostname } = serde_json::from_str(data).map_err(|_| Malformed)?;
    let greeting = match &*kind {
        "server_hello" => Greeting::Hello,
        "server_connect" => Greeting::Connect,
        _ => return Err(Malformed),
    };
    let (address, field) = match (sender, hostname) {
        (Some(sender), _) => (sender, Field::Sender),
        (None, Some(hostname)) => (hostname, Field::Hostname),
        (None, None) => return Err(Malformed),
    };
    if address.trim().is_empty() || address.len() > LONGEST_ADDRESS {
        return Err(Malformed);
    }
    Ok((address, greeting, field))
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Entries;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list of members")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Entries, A::Error> {
                let mut entries = Entries::default();
                while entries.keys.len() < MOST_MEMBERS {
                    let Some(entry) = items.next_element::<Entry>()? else { return Ok(entries) };
                    entries.keys.push(entry.key());
                }
                while items.next_element::<IgnoredAny>()?.is_some() {
                    entries.too_many = true;
                }
                Ok(entries)
            }
        }
        from.deserialize_seq(Reader)
    }
}

/// A member: a key, an object that holds one, or nothing that we know.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Key(String),
    Object {
        #[serde(rename = "public-key", alias = "public_key")]
        key: String,
    },
    Other(IgnoredAny),
}

impl Entry {
    fn key(self) -> Option<String> {
        match self {
            Self::Key(key) | Self::Object { key } => Some(key),
            Self::Other(_) => None,
        }
    }
}

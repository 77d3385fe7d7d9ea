//! What stands inside the frames that we read.
//!
//! A field that is there but of a shape that nobody expects counts as missing; only what a frame is about
//! must be there, and no field may be there twice. Nothing here is believed, and names are not yet known to
//! be allowed ones.

use std::borrow::Cow;

use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny},
};
use serde_json::value::RawValue;

use super::{
    envelope::Ts,
    loose::{Pair, list, number, pairs, readable, text},
};
use crate::domain::nick::is_hidden;

/// A text that may be missing.
pub type Text<'a> = Option<Cow<'a, str>>;

/// The longest name of a user.
pub const LONGEST_NAME: usize = 64;

/// Whether a text may be the name of a user. Most implementations make it a UUID, some do not.
#[must_use]
pub fn is_user_name(name: &str) -> bool {
    let fits = !name.is_empty() && name.chars().count() <= LONGEST_NAME;
    fits && !matches!(name, "*" | "public" | "local") && !name.chars().any(char::is_control)
}

readable!(Introduction, Presence, Letter, File, Welcome);

/// How a server or a user introduces itself: the payload of every HELLO and of an announcement.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Introduction<'a> {
    /// Where a server listens.
    #[serde(borrow, deserialize_with = "text")]
    pub host: Text<'a>,
    /// On which port.
    #[serde(deserialize_with = "number")]
    pub port: Option<u16>,
    /// The key.
    #[serde(borrow, deserialize_with = "text")]
    pub pubkey: Text<'a>,
    /// The key that letters are sealed with, if it is another one.
    #[serde(borrow, deserialize_with = "text")]
    pub enc_pubkey: Text<'a>,
    /// The whole address, of one implementation.
    #[serde(borrow, deserialize_with = "text")]
    pub ws_uri: Text<'a>,
    #[serde(borrow)]
    meta: Option<&'a RawValue>,
}

impl<'a> Introduction<'a> {
    /// What the user wants to be called.
    #[must_use]
    pub fn display_name(&self) -> Option<Cow<'a, str>> {
        Meta::read(self.meta).and_then(Meta::called)
    }
}

/// Somebody came, or left.
#[derive(Clone, Debug, Deserialize)]
pub struct Presence<'a> {
    /// Who.
    #[serde(borrow)]
    pub user_id: Cow<'a, str>,
    /// The server that it is at; a user that says so itself names none.
    #[serde(borrow, default, deserialize_with = "text")]
    pub server_id: Text<'a>,
    #[serde(borrow, default, deserialize_with = "text")]
    pubkey: Text<'a>,
    #[serde(borrow, default, deserialize_with = "text")]
    enc_pubkey: Text<'a>,
    #[serde(borrow, default)]
    meta: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    pubkey: Text<'a>,
    #[serde(borrow, default, deserialize_with = "text")]
    enc_pubkey: Text<'a>,
    #[serde(borrow, default, deserialize_with = "text")]
    display_name: Text<'a>,
}

impl<'a> Meta<'a> {
    fn read(raw: Option<&'a RawValue>) -> Option<Self> {
        let inside = raw.filter(|meta| meta.get().starts_with('{'))?;
        serde_json::from_str(inside.get()).ok()
    }

    /// The display name, if people can be shown it: of the length of a name, and without signs that nobody sees.
    fn called(self) -> Option<Cow<'a, str>> {
        let fits = |name: &Cow<'_, str>| {
            !name.trim().is_empty() && name.chars().count() <= LONGEST_NAME && !name.chars().any(is_hidden)
        };
        self.display_name.filter(fits)
    }
}

impl<'a> Presence<'a> {
    /// The key of the user, wherever it stands.
    #[must_use]
    pub fn pubkey(&self) -> Text<'a> {
        self.meta().and_then(|meta| meta.pubkey).or_else(|| self.pubkey.clone())
    }

    /// The key that letters to the user are sealed with, if it is named apart, wherever it stands.
    #[must_use]
    pub fn enc_pubkey(&self) -> Text<'a> {
        self.meta().and_then(|meta| meta.enc_pubkey).or_else(|| self.enc_pubkey.clone())
    }

    /// What the user wants to be called.
    #[must_use]
    pub fn display_name(&self) -> Text<'a> {
        self.meta().and_then(Meta::called)
    }

    fn meta(&self) -> Option<Meta<'a>> {
        Meta::read(self.meta)
    }
}

/// A letter on any part of its way. One implementation hands files on inside of what looks like one: then
/// the payload can be read as a frame again.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Letter<'a> {
    /// Whom it is for, between servers.
    #[serde(borrow, deserialize_with = "text")]
    pub user_id: Text<'a>,
    /// What it says, for those who can read it.
    #[serde(borrow, deserialize_with = "text")]
    pub ciphertext: Text<'a>,
    /// What it says, for everybody: two implementations seal nothing that is public.
    #[serde(borrow, deserialize_with = "text")]
    pub text: Text<'a>,
    #[serde(borrow, deserialize_with = "text")]
    sender: Text<'a>,
    /// The key of its author.
    #[serde(borrow, deserialize_with = "text")]
    pub sender_pub: Text<'a>,
    /// The signature of its author.
    #[serde(borrow, deserialize_with = "text")]
    pub content_sig: Text<'a>,
    #[serde(borrow, deserialize_with = "text")]
    from: Text<'a>,
    /// Whom it is for, by its author.
    #[serde(borrow, deserialize_with = "text")]
    pub to: Text<'a>,
    #[serde(borrow)]
    ts: Option<&'a RawValue>,
    #[serde(borrow)]
    orig_ts: Option<&'a RawValue>,
    #[serde(borrow)]
    original_ts: Option<&'a RawValue>,
    #[serde(borrow)]
    content_ts: Option<&'a RawValue>,
}

impl<'a> Letter<'a> {
    /// Its author, if it names one.
    #[must_use]
    pub fn author(&self) -> Option<&str> {
        self.sender.as_deref().or(self.from.as_deref())
    }

    /// When its author wrote it, if the frame was given another time on its way.
    #[must_use]
    pub fn written(&self) -> Option<Ts<'a>> {
        let times = [self.orig_ts, self.original_ts, self.content_ts, self.ts];
        times.into_iter().flatten().find_map(|ts| Ts::read(ts.get()).ok())
    }
}

/// A file, or a part of one.
#[derive(Clone, Debug, Deserialize)]
pub struct File<'a> {
    /// Which file.
    #[serde(borrow)]
    pub file_id: Cow<'a, str>,
    /// What it is called.
    #[serde(borrow, default, deserialize_with = "text")]
    pub name: Text<'a>,
    /// How long it is.
    #[serde(default, deserialize_with = "number")]
    pub size: Option<u64>,
    /// The digest of all of it, in hexadecimal digits.
    #[serde(borrow, default, deserialize_with = "text")]
    pub sha256: Text<'a>,
    /// `dm` or `public`.
    #[serde(borrow, default, deserialize_with = "text")]
    pub mode: Text<'a>,
    /// Which part, from 0.
    #[serde(default, deserialize_with = "number")]
    pub index: Option<u64>,
    /// What is in it.
    #[serde(borrow, default, deserialize_with = "text")]
    pub ciphertext: Text<'a>,
    /// Whom it is for, between servers.
    #[serde(borrow, default, deserialize_with = "text")]
    pub user_id: Text<'a>,
    /// Who sends it, if the frame does not say.
    #[serde(borrow, default, deserialize_with = "text")]
    pub sender: Text<'a>,
}

/// The answer to a server that joins, in all its forms.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Welcome<'a> {
    /// The id that the joiner shall have.
    #[serde(borrow, deserialize_with = "text")]
    pub assigned_id: Text<'a>,
    /// Who else is in the network: users, or servers.
    #[serde(borrow, deserialize_with = "list")]
    pub clients: Vec<Entry<'a>>,
    /// Which servers are in the network.
    #[serde(borrow, deserialize_with = "list")]
    pub servers: Vec<Entry<'a>>,
    #[serde(borrow, deserialize_with = "text")]
    server_pub: Text<'a>,
    #[serde(borrow, deserialize_with = "text")]
    pubkey: Text<'a>,
    #[serde(borrow)]
    snapshot: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Snapshot<'a> {
    #[serde(borrow, default, deserialize_with = "pairs")]
    user_locations: Vec<Pair<'a>>,
}

impl<'a> Welcome<'a> {
    /// The key of the introducer, which calls itself by this id, wherever it stands.
    #[must_use]
    pub fn introducer_key(&self, id: &str) -> Option<&str> {
        let listed = || self.servers.iter().find(|server| server.id() == Some(id));
        let inside = self.pubkey.as_deref().or(self.server_pub.as_deref());
        inside.or_else(|| listed().and_then(|server| server.pubkey.as_deref()))
    }

    /// Users and the servers that they are at.
    #[must_use]
    pub fn locations(&self) -> Vec<Pair<'a>> {
        let inside = self.snapshot.filter(|snapshot| snapshot.get().starts_with('{'));
        let inside = inside.and_then(|snapshot| serde_json::from_str::<Snapshot<'a>>(snapshot.get()).ok());
        inside.map(|snapshot| snapshot.user_locations).unwrap_or_default()
    }
}

/// A user or a server in a list; of some lists, the bare name.
#[derive(Clone, Debug, Default)]
pub struct Entry<'a> {
    /// The name of a user; some call servers so, too.
    pub user_id: Text<'a>,
    /// The id of a server.
    pub server_id: Text<'a>,
    /// Where it listens.
    pub host: Text<'a>,
    /// On which port.
    pub port: Option<u16>,
    /// Its key.
    pub pubkey: Text<'a>,
}

impl Entry<'_> {
    /// What it is called.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.server_id.as_deref().or(self.user_id.as_deref())
    }

    /// Whether it can only be a server: it names an address.
    #[must_use]
    pub const fn is_server(&self) -> bool {
        self.server_id.is_some() || (self.host.is_some() && self.port.is_some())
    }
}

/// An entry as it stands there.
#[derive(Deserialize)]
#[serde(untagged)]
enum Shape<'a> {
    Name(#[serde(borrow)] Cow<'a, str>),
    Fields {
        #[serde(borrow, default, deserialize_with = "text")]
        user_id: Text<'a>,
        #[serde(borrow, default, deserialize_with = "text")]
        server_id: Text<'a>,
        #[serde(borrow, default, deserialize_with = "text")]
        host: Text<'a>,
        #[serde(default, deserialize_with = "number")]
        port: Option<u16>,
        #[serde(borrow, default, deserialize_with = "text")]
        pubkey: Text<'a>,
    },
    Other(IgnoredAny),
}

impl<'de: 'a, 'a> Deserialize<'de> for Entry<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match Shape::deserialize(from)? {
            Shape::Name(name) => Self { user_id: Some(name), ..Self::default() },
            Shape::Fields { user_id, server_id, host, port, pubkey } => {
                Self { user_id, server_id, host, port, pubkey }
            }
            Shape::Other(_) => Self::default(),
        })
    }
}

//! What is asked and answered beside the letters: lists, keys, complaints, and the key of the public channel.
//!
//! The protocol has no messages for lists and keys, so there are as many as there are implementations.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    loose::{list, number, readable, text},
    payload::{Entry, Text},
};

readable!(Complaint, Ack, KeyRequest, KeyAnswer, Command, Names, KeyShare, ChannelUpdate);

/// An error.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Complaint<'a> {
    /// What kind of error.
    #[serde(borrow, deserialize_with = "text")]
    pub code: Text<'a>,
    #[serde(borrow, deserialize_with = "text")]
    detail: Text<'a>,
    #[serde(borrow, deserialize_with = "text")]
    message: Text<'a>,
}

impl Complaint<'_> {
    /// What it says about it.
    #[must_use]
    pub fn detail(&self) -> &str {
        self.detail.as_deref().or(self.message.as_deref()).unwrap_or_default()
    }
}

/// Something arrived.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Ack<'a> {
    /// What it is about, in any words.
    #[serde(borrow, deserialize_with = "text")]
    pub msg_ref: Text<'a>,
    /// What became of it, where there is more to say than that it arrived.
    #[serde(borrow, deserialize_with = "text")]
    pub status: Text<'a>,
    /// Whom it is for.
    #[serde(borrow, deserialize_with = "text")]
    pub user_id: Text<'a>,
    /// The key of the server that says so.
    #[serde(borrow, deserialize_with = "text")]
    pub server_pub: Text<'a>,
}

/// What is somebody's key?
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct KeyRequest<'a> {
    #[serde(borrow, deserialize_with = "text")]
    user_id: Text<'a>,
    #[serde(borrow, deserialize_with = "text")]
    recipient_uuid: Text<'a>,
    /// What the answer must repeat.
    #[serde(borrow, deserialize_with = "text")]
    pub req_id: Text<'a>,
}

impl KeyRequest<'_> {
    /// Whose.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user_id.as_deref().or(self.recipient_uuid.as_deref())
    }
}

/// Somebody's key.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct KeyAnswer<'a> {
    #[serde(borrow, deserialize_with = "text")]
    user_id: Text<'a>,
    #[serde(borrow, deserialize_with = "text")]
    recipient_uuid: Text<'a>,
    #[serde(borrow, deserialize_with = "text")]
    pubkey: Text<'a>,
    #[serde(borrow, deserialize_with = "text")]
    recipient_pub: Text<'a>,
}

impl KeyAnswer<'_> {
    /// Whose.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user_id.as_deref().or(self.recipient_uuid.as_deref())
    }

    /// The key, if there is one.
    #[must_use]
    pub fn pubkey(&self) -> Option<&str> {
        let key = self.pubkey.as_deref().or(self.recipient_pub.as_deref());
        key.filter(|key| !key.is_empty())
    }
}

/// Something that was typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Command<'a> {
    #[serde(borrow, deserialize_with = "text")]
    cmd: Text<'a>,
}

/// What was meant by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed<'a> {
    /// Who is here?
    List,
    /// What is somebody's key?
    Key(&'a str),
    /// Something else.
    Other(&'a str),
}

impl Command<'_> {
    /// What was meant.
    #[must_use]
    pub fn typed(&self) -> Typed<'_> {
        let line = self.cmd.as_deref().unwrap_or_default().trim();
        match line.split_once(char::is_whitespace) {
            None if line == "/list" => Typed::List,
            Some(("/getpub", name)) => Typed::Key(name.trim_start()),
            _ => Typed::Other(line),
        }
    }
}

/// Who is here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Names<'a> {
    #[serde(borrow, deserialize_with = "list")]
    users: Vec<Entry<'a>>,
    #[serde(borrow, deserialize_with = "list")]
    online_users: Vec<Entry<'a>>,
}

impl<'a> Names<'a> {
    /// They.
    #[must_use]
    pub fn users(&self) -> &[Entry<'a>] {
        if self.users.is_empty() { &self.online_users } else { &self.users }
    }
}

/// The key of the public channel, wrapped for some of its members.
#[derive(Clone, Debug, Deserialize)]
pub struct KeyShare<'a> {
    /// The list as it is written, which its author signed.
    #[serde(borrow)]
    pub shares: &'a RawValue,
    /// The key of its author.
    #[serde(borrow, default, deserialize_with = "text")]
    pub creator_pub: Text<'a>,
    /// The signature of its author.
    #[serde(borrow, default, deserialize_with = "text")]
    pub content_sig: Text<'a>,
    /// Which key it is; versions grow.
    #[serde(default, deserialize_with = "number")]
    pub version: Option<u64>,
}

/// The public channel has a new key, wrapped for its members.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ChannelUpdate<'a> {
    /// Which key it is; versions grow.
    #[serde(deserialize_with = "number")]
    pub version: Option<u64>,
    /// The wrapped keys.
    #[serde(borrow, deserialize_with = "list")]
    pub wraps: Vec<Share<'a>>,
}

/// A wrapped key.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Share<'a> {
    #[serde(borrow, deserialize_with = "text")]
    member: Text<'a>,
    #[serde(borrow, deserialize_with = "text")]
    member_id: Text<'a>,
    #[serde(borrow, deserialize_with = "text")]
    wrapped_key: Text<'a>,
    #[serde(borrow, deserialize_with = "text")]
    wrapped_public_channel_key: Text<'a>,
    #[serde(borrow, deserialize_with = "text")]
    wrapped: Text<'a>,
}

impl Share<'_> {
    /// Who can open it.
    #[must_use]
    pub fn member(&self) -> Option<&str> {
        self.member.as_deref().or(self.member_id.as_deref())
    }

    /// The wrapped key.
    #[must_use]
    pub fn wrapped(&self) -> Option<&str> {
        let shared = self.wrapped_public_channel_key.as_deref().or(self.wrapped.as_deref());
        shared.or(self.wrapped_key.as_deref())
    }
}

#[derive(Deserialize)]
struct Shares<'a>(#[serde(borrow, deserialize_with = "list")] Vec<Share<'a>>);

impl<'a> KeyShare<'a> {
    /// The wrapped keys; none, if the list holds anything else.
    #[must_use]
    pub fn shares(&self) -> Vec<Share<'a>> {
        serde_json::from_str::<Shares<'a>>(self.shares.get()).map(|Shares(list)| list).unwrap_or_default()
    }
}

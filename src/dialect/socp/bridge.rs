//! What is said to users in the name of somebody who cannot sign for them: by a user of the house's own.
//!
//! Its name follows from its key, so every server that knows this knows it everywhere, and never takes what
//! it says for somebody's own words.

use serde_json::json;

use super::{binary, canonical::canonical, content, envelope::print, heard, id_of, key, kind::Kind, sign};
use crate::{
    crypto::{keys::PublicKey, sha256},
    dialect::trace,
    domain::{
        dialect::Dialect,
        letter::Frame,
        member::{Member, Named, Newcomer},
    },
};

/// What people see where names for people are shown.
pub const DISPLAY_NAME: &str = "bridge";
/// The channel of everybody.
const PUBLIC: &str = "public";

/// What the bridge with this key is called.
#[must_use]
pub fn name(key: &PublicKey) -> String {
    let mut bytes = [0; 16];
    let digest = sha256(&[b"bridge\n", &key.id().0[..]].concat());
    bytes.iter_mut().zip(digest).for_each(|(byte, from)| *byte = from);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// Whether somebody is a bridge, of whatever house.
#[must_use]
pub fn is_bridge(member: &Member) -> bool {
    let key = || key::read(&member.public_key).ok();
    member.name.as_deref().is_some_and(|called| key().is_some_and(|(key, _)| name(&key) == called))
}

/// The bridge with this key, as it comes in.
#[must_use]
pub fn newcomer(key: &PublicKey) -> Newcomer {
    let name = name(key);
    let public_key = key::write(key, key::Spelling::default());
    let spelled = heard::spelled(&name, &public_key, None);
    let named = Named {
        name: name.as_str().into(),
        key: Some(key.id()),
        proven: true,
        sealing_key: None,
        display_name: None,
    };
    Newcomer {
        key: id_of(&name),
        named: Some(named),
        dialect: Dialect::Socp,
        public_key: public_key.into(),
        spelled,
        trace: trace(format!("bridge {name}")),
    }
}

/// One public letter of the bridge. Its fields are those of all programs that write words there, so that most
/// of them show it.
#[derive(Debug)]
pub struct Letter<'a> {
    /// The bridge's key.
    pub key: &'a PublicKey,
    /// What is said.
    pub text: &'a str,
    /// When, in unix milliseconds.
    pub ts: i64,
}

impl Letter<'_> {
    fn ciphertext(&self) -> String {
        binary::encode(self.text.as_bytes(), false)
    }

    /// What the author signs for readers.
    #[must_use]
    pub fn content(&self) -> Vec<u8> {
        let ts = self.ts.to_string();
        content::text(&self.ciphertext(), &name(self.key), None, &ts).into_bytes()
    }

    /// The payload, which the author signs for servers.
    #[must_use]
    pub fn payload(&self, content_sig: &[u8]) -> String {
        let payload = json!({
            "channel": PUBLIC,
            "ciphertext": self.ciphertext(),
            "content_sig": sign::encode(content_sig, false),
            "from": name(self.key),
            "sender_pub": key::write(self.key, key::Spelling::default()),
            "text": self.text,
            "ts": self.ts,
        })
        .to_string();
        canonical(&payload).unwrap_or(payload)
    }

    /// The frame with this payload.
    #[must_use]
    pub fn frame(&self, payload: &str, signature: &[u8]) -> Frame {
        let (kind, sig) = (Kind::MsgPublicChannel.name(), sign::encode(signature, false));
        let ts = self.ts.to_string();
        Frame::Text(print(kind, &name(self.key), PUBLIC, &ts, payload, Some(&sig)).into())
    }
}

//! Users and servers who speak SOCP, with frames prepared beforehand.

use std::sync::Arc;

use bytes::Bytes;
use kith::{
    crypto::{
        keys::PrivateKey,
        signature::{Question, Salt, sign},
    },
    dialect::socp::{
        KEY_BITS,
        envelope::print,
        key::{self, Spelling},
        kind::Kind,
        sign::encode,
    },
};
use serde_json::json;

use crate::wire::text_frame;

/// Letters of a sealed text and of a signature, in base64url: 4096 bits each.
const SEALED: usize = 683;
/// When frames were sent; each one a little later.
const THEN_MS: u64 = 1_700_000_000_000;

/// A key of the size that the protocol prescribes. They take so long to make that several people share one.
pub(crate) struct Key {
    private: PrivateKey,
    text: String,
}

impl Key {
    pub(crate) fn new() -> Self {
        let private = PrivateKey::generate(KEY_BITS).expect("a key");
        let text = key::write(private.public(), Spelling::default());
        Self { private, text }
    }

    pub(crate) const fn private(&self) -> &PrivateKey {
        &self.private
    }

    /// What a notary is asked about a letter of this key.
    pub(crate) fn question(&self) -> Question {
        let text = sealed("", 0, &self.text).into_bytes();
        let signature = sign(&self.private, &text, Salt::Digest).expect("a signature");
        Question { texts: vec![text], signature, salt: Some(Salt::Digest) }
    }
}

/// Somebody with a name.
#[derive(Clone)]
pub(crate) struct Person {
    name: String,
    key: Arc<Key>,
}

impl Person {
    /// So many users, who take turns with the keys.
    pub(crate) fn many(keys: &[Arc<Key>], count: usize) -> Vec<Self> {
        let named = keys.iter().cycle().take(count).enumerate();
        named.map(|(at, key)| Self { name: format!("user-{at:04}"), key: Arc::clone(key) }).collect()
    }

    /// A hello of a user.
    pub(crate) fn hello(&self) -> Bytes {
        let payload = json!({"client": "bench", "pubkey": self.key.text}).to_string();
        self.frame(Kind::UserHello, "", 0, &payload, true)
    }

    /// A hello of a server that listens at this port.
    pub(crate) fn join(&self, port: u16) -> Bytes {
        let payload = json!({"host": "127.0.0.1", "port": port, "pubkey": self.key.text}).to_string();
        self.frame(Kind::ServerHelloJoin, "127.0.0.1", 0, &payload, true)
    }

    /// A letter for everybody. No two numbers give the same one.
    pub(crate) fn public(&self, number: u64, is_signed: bool) -> Bytes {
        let payload = sealed(&self.name, number, &self.key.text);
        self.frame(Kind::MsgPublicChannel, "public", number, &payload, is_signed)
    }

    /// A letter for one user.
    pub(crate) fn direct(&self, number: u64, to: &Self) -> Bytes {
        let payload = sealed(&self.name, number, &self.key.text);
        self.frame(Kind::MsgDirect, &to.name, number, &payload, true)
    }

    fn frame(&self, kind: Kind, to: &str, number: u64, payload: &str, is_signed: bool) -> Bytes {
        let sig = is_signed.then(|| {
            let signature = sign(&self.key.private, payload.as_bytes(), Salt::Digest);
            encode(&signature.expect("a signature"), false)
        });
        let ts = (THEN_MS + number).to_string();
        text_frame(&print(kind.name(), &self.name, to, &ts, payload, sig.as_deref()))
    }
}

/// The payload of a letter, as long as real ones. The server opens none of it, so it is made up.
fn sealed(sender: &str, number: u64, key: &str) -> String {
    let ciphertext = "c".repeat(SEALED);
    let content_sig = format!("{sender}{number:A>width$}", width = SEALED - sender.len());
    json!({"ciphertext": ciphertext, "content_sig": content_sig, "sender": sender, "sender_pub": key})
        .to_string()
}

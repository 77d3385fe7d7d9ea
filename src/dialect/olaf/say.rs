//! What we say ourselves: v1.2, compact, keys sorted inside and out, the way that most implementations read
//! (table 7.1 of `docs/olaf-accents.md`). The fields of each shape stand in the order in which they are printed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;

use crate::domain::id::KeyId;

/// A letter for everybody.
#[derive(Debug, Serialize)]
pub struct Public<'a> {
    message: &'a str,
    sender: &'a str,
    r#type: &'static str,
}

impl<'a> Public<'a> {
    /// From this author, who is called by a fingerprint.
    #[must_use]
    pub const fn new(sender: &'a str, message: &'a str) -> Self {
        Self { message, sender, r#type: "public_chat" }
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    counter: u64,
    data: &'a str,
    signature: String,
    r#type: &'static str,
}

/// The fingerprint of a key that is written as canonical PEM.
#[must_use]
pub fn fingerprint(key: KeyId) -> String {
    STANDARD.encode(key.0)
}

/// The text that is signed.
#[must_use]
pub fn signed(data: &str, counter: u64) -> Vec<u8> {
    format!("{data}{counter}").into_bytes()
}

/// The frame.
#[must_use]
pub fn envelope(data: &str, counter: u64, signature: &[u8]) -> String {
    print(&Envelope { counter, data, signature: STANDARD.encode(signature), r#type: "signed_data" })
}

/// Strings and numbers always print.
#[must_use]
pub fn print(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

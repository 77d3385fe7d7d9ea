//! What we write: v1.2, compact, keys sorted inside and out, salt 32.
//!
//! Of all ways in which implementations write, this one is understood by the most of them (table 7.1
//! of `docs/olaf-accents.md`). The fields of each shape stand in alphabetical order, because that is
//! the order in which they are printed. The PEM is the one-line form, so that nobody can take our
//! hello for that of an implementation which needs another shape of list.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;

use crate::{
    client::event::SayError,
    crypto::{
        keys::PrivateKey,
        sealing::Sealed,
        signature::{self, Salt},
    },
    dialect::olaf::say,
};

pub(super) use say::print;

/// The unsigned wish for the list of members.
pub(super) const LIST_REQUEST: &str = r#"{"type":"client_list_request"}"#;

/// What goes into an envelope.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Body<'a> {
    Hello {
        public_key: &'a str,
        r#type: &'static str,
    },
    Public(say::Public<'a>),
    Chat {
        chat: String,
        destination_servers: &'a [&'a str],
        iv: String,
        symm_keys: Vec<String>,
        r#type: &'static str,
    },
}

impl<'a> Body<'a> {
    pub(super) const fn hello(public_key: &'a str) -> Self {
        Self::Hello { public_key, r#type: "hello" }
    }

    pub(super) const fn public(sender: &'a str, message: &'a str) -> Self {
        Self::Public(say::Public::new(sender, message))
    }

    pub(super) fn chat(sealed: &Sealed, homes: &'a [&'a str]) -> Self {
        Self::Chat {
            chat: STANDARD.encode(&sealed.text),
            destination_servers: homes,
            iv: STANDARD.encode(&sealed.vector),
            symm_keys: sealed.keys.iter().map(|key| STANDARD.encode(key)).collect(),
            r#type: "chat",
        }
    }
}

/// The inside of a sealed letter; its author stands first.
#[derive(Serialize)]
pub(super) struct Inside<'a> {
    pub(super) message: &'a str,
    pub(super) participants: Vec<String>,
}

/// A signed frame, and its signature.
pub(super) fn signed(key: &PrivateKey, counter: u64, body: &Body<'_>) -> Result<(String, Vec<u8>), SayError> {
    let data = print(body);
    let signature = signature::sign(key, &say::signed(&data, counter), Salt::Digest)?;
    Ok((say::envelope(&data, counter, &signature), signature))
}

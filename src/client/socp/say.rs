//! What we write: payloads in canonical form, everything signed, salt 32.
//!
//! Of all ways in which implementations write, this one is understood by the most of them: then what was
//! sorted, what was received and what is printed again are the same text.

use serde_json::{Value, json};

use crate::{
    client::{
        event::SayError,
        voice::{Part, Piece},
    },
    crypto::{
        keys::{PrivateKey, PublicKey},
        signature::{self, Salt},
    },
    dialect::socp::{
        binary,
        canonical::canonical,
        content, envelope,
        key::{self, Spelling},
        kind::Kind,
        sign,
    },
};

use super::seal::seal;

/// The name of this program in a hello.
const CLIENT: &str = concat!("kith-chat/", env!("CARGO_PKG_VERSION"));
/// The channel of everybody.
pub(super) const PUBLIC: &str = "public";

/// Who writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pen<'a> {
    pub(super) key: &'a PrivateKey,
    pub(super) me: &'a str,
    pub(super) ts: i64,
}

impl Pen<'_> {
    fn sign(&self, text: &[u8]) -> Result<String, SayError> {
        Ok(sign::encode(&signature::sign(self.key, text, Salt::Digest)?, false))
    }

    /// A frame with our signature.
    pub(super) fn frame(&self, kind: Kind, to: &str, payload: &Value) -> Result<String, SayError> {
        let payload = canonical(&payload.to_string()).map_err(|_| SayError::TooLong)?;
        let sig = self.sign(payload.as_bytes())?;
        Ok(envelope::print(kind.name(), self.me, to, &self.ts.to_string(), &payload, Some(&sig)))
    }

    fn own_key(&self) -> String {
        key::write(self.key.public(), Spelling::default())
    }

    pub(super) fn hello(&self, server: &str) -> Result<String, SayError> {
        let key = self.own_key();
        let payload = json!({"client": CLIENT, "enc_pubkey": key, "pubkey": key});
        self.frame(Kind::UserHello, server, &payload)
    }

    pub(super) fn public(&self, text: &str) -> Result<String, SayError> {
        let ciphertext = binary::encode(text.as_bytes(), false);
        self.letter(Kind::MsgPublicChannel, PUBLIC, None, &ciphertext)
    }

    pub(super) fn direct(&self, to: &str, text: &str, key: &PublicKey) -> Result<String, SayError> {
        self.letter(Kind::MsgDirect, to, Some(to), &seal(text.as_bytes(), key)?)
    }

    fn letter(
        &self,
        kind: Kind,
        to: &str,
        signed_to: Option<&str>,
        ciphertext: &str,
    ) -> Result<String, SayError> {
        let content = content::text(ciphertext, self.me, signed_to, &self.ts.to_string());
        let payload = json!({
            "ciphertext": ciphertext,
            "content_sig": self.sign(content.as_bytes())?,
            "sender_pub": self.own_key(),
        });
        self.frame(kind, to, &payload)
    }

    /// A part of a file for one person, whose key is given, or for everybody.
    pub(super) fn part(&self, to: Option<(&str, &PublicKey)>, part: &Part) -> Result<String, SayError> {
        let file_id = part.file.to_string();
        let (kind, payload) = match &part.what {
            Piece::Start { name, size, sha256 } => {
                let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
                let mode = if to.is_some() { "dm" } else { PUBLIC };
                let payload =
                    json!({"file_id": file_id, "mode": mode, "name": name, "sha256": sha256, "size": size});
                (Kind::FileStart, payload)
            }
            Piece::Chunk(index, bytes) => {
                let ciphertext = match to {
                    Some((_, key)) => seal(bytes, key)?,
                    None => binary::encode(bytes, false),
                };
                let payload = json!({"ciphertext": ciphertext, "file_id": file_id, "index": index});
                (Kind::FileChunk, payload)
            }
            Piece::End => (Kind::FileEnd, json!({ "file_id": file_id })),
        };
        self.frame(kind, to.map_or(PUBLIC, |(to, _)| to), &payload)
    }
}

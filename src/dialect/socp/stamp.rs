//! Frames that go out in our own name: what they leave open, and our signature under them.
//!
//! A draft says what and, if it matters, for whom and from when; on which connection it goes out decides
//! the rest. The signature covers the payload alone, so one that goes to many is made once. A frame of
//! somebody else that was never signed gets our signature, too, because most programs refuse it otherwise.

use bytestring::ByteString;

use super::{
    accent::Accent,
    binary,
    canonical::canonical,
    envelope::{Envelope, print},
    kind::Kind,
};
use crate::{crypto::sha256, domain::letter::Frame};

/// What a draft writes for the id of the server that says it.
const OPEN_SERVER: &str = "\"server_id\":\"\"";

/// One connection, as far as it decides what a draft leaves open.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// How the other side is written to.
    pub accent: Accent,
    /// What we are called there.
    pub me: &'a str,
    /// What the other side is called.
    pub other: &'a str,
}

impl Stamp<'_> {
    /// The text that we must sign before this goes out, if it must be signed.
    #[must_use]
    pub fn unsigned(&self, frame: &Frame) -> Option<Vec<u8>> {
        let envelope = Envelope::read(frame.text()?).ok()?;
        let kind = envelope.known();
        if envelope.sig.is_some() || kind == Some(Kind::CtrlClose) {
            return None;
        }
        // Of what others say, only what goes to many is ours to sign.
        let is_relayed = kind.is_some_and(|kind| kind == Kind::MsgPublicChannel || kind.is_file());
        if !envelope.from.is_empty() && !is_relayed {
            return None;
        }
        let payload = self.payload(&envelope)?;
        Some(if self.accent.prehash { sha256(payload.as_bytes()).to_vec() } else { payload.into_bytes() })
    }

    /// The frame with everything that it left open.
    #[must_use]
    pub fn signed(&self, frame: &Frame, signature: &[u8], now_ms: i64) -> Frame {
        let completed = || {
            let envelope = Envelope::read(frame.text()?).ok()?;
            let payload = self.payload(&envelope)?;
            let from = if envelope.from.is_empty() { self.me } else { &envelope.from };
            let to = if envelope.to.is_empty() { self.other } else { &envelope.to };
            let now = now_ms.to_string();
            let ts = envelope.ts.as_ref().map_or(&*now, |ts| ts.text());
            let sig = binary::encode(signature, self.accent.padding);
            Some(print(&envelope.kind, from, to, ts, &payload, Some(&sig)))
        };
        completed().map_or_else(|| frame.clone(), |text| Frame::Text(ByteString::from(text)))
    }

    fn payload(&self, envelope: &Envelope<'_>) -> Option<String> {
        let payload = canonical(envelope.payload()).ok()?;
        let is_ours = envelope.from.is_empty();
        let names_us = matches!(envelope.known(), Some(Kind::UserAdvertise | Kind::UserRemove));
        Some(if is_ours && names_us {
            payload.replacen(OPEN_SERVER, &format!("\"server_id\":\"{}\"", self.me), 1)
        } else {
            payload
        })
    }
}

/// Something that we say, as far as it is known before the connection is.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// What kind of thing.
    pub kind: Kind,
    /// For whom; empty for the other side of the connection.
    pub to: &'a str,
    /// When it was said; `None` for the moment in which it goes out.
    pub ts: Option<&'a str>,
    /// The payload, a JSON object.
    pub payload: &'a str,
}

impl Draft<'_> {
    /// For the other side of the connection, in the moment in which it goes out.
    #[must_use]
    pub const fn new(kind: Kind, payload: &str) -> Draft<'_> {
        Draft { kind, to: "", ts: None, payload }
    }

    /// The draft as a frame without a signature.
    #[must_use]
    pub fn frame(&self) -> Frame {
        let ts = self.ts.unwrap_or("null");
        Frame::Text(ByteString::from(print(self.kind.name(), "", self.to, ts, self.payload, None)))
    }
}

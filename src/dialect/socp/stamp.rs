//! Frames that go out in our own name: what they leave open, and our signature under them.
//!
//! A draft says what and, if it matters, for whom and from when; on which connection it goes out decides
//! the rest. The signature covers the payload alone, so one that goes to many is made once. A frame of
//! somebody else that was never signed gets our signature, too, because most programs refuse it otherwise.

use bytestring::ByteString;

use super::{
    accent::Accent,
    canonical::canonical,
    envelope::{Envelope, print},
    kind::Kind,
    sign,
};
use crate::domain::letter::Frame;

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
    /// What this connection makes of a frame that needs our signature; `None` if it needs none.
    #[must_use]
    pub fn unsigned(&self, frame: &Frame) -> Option<Unsigned> {
        let envelope = Envelope::read(frame.text()?).ok()?;
        let kind = envelope.known();
        if envelope.sig.is_some() || kind == Some(Kind::CtrlClose) {
            return None;
        }
        // Of what others say, only what goes to many is ours to sign.
        let is_relayed = kind.is_some_and(|kind| kind == Kind::MsgPublicChannel || kind.is_file());
        let is_ours = envelope.from.is_empty();
        if !is_ours && !is_relayed {
            return None;
        }
        let mut payload = canonical(envelope.payload()).ok()?;
        if is_ours && matches!(kind, Some(Kind::UserAdvertise | Kind::UserRemove)) {
            payload = payload.replacen(OPEN_SERVER, &format!("\"server_id\":\"{}\"", self.me), 1);
        }
        let or = |said: &str, open: &str| if said.is_empty() { open.to_owned() } else { said.to_owned() };
        Some(Unsigned {
            kind: envelope.kind.to_string(),
            from: or(&envelope.from, self.me),
            to: or(&envelope.to, self.other),
            ts: envelope.ts.as_ref().map(|ts| ts.text().to_owned()),
            payload,
            accent: self.accent,
        })
    }
}

/// A frame that is complete but for our signature and, if it is said now, for the time.
#[derive(Clone, Debug)]
pub struct Unsigned {
    kind: String,
    from: String,
    to: String,
    ts: Option<String>,
    payload: String,
    accent: Accent,
}

impl Unsigned {
    /// The text that we must sign.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        sign::signed(self.payload.clone(), self.accent.prehash)
    }

    /// The frame as it goes out.
    #[must_use]
    pub fn signed(self, signature: &[u8], now_ms: i64) -> Frame {
        let Self { kind, from, to, ts, payload, accent } = self;
        let ts = ts.unwrap_or_else(|| now_ms.to_string());
        let sig = sign::encode(signature, accent.padding);
        Frame::Text(ByteString::from(print(&kind, &from, &to, &ts, &payload, Some(&sig))))
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

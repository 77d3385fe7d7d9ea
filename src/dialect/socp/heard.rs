//! Letters as they come in: for whom they are, and what makes one recognisable when it comes again.

use super::{
    envelope::Envelope,
    id_of, key,
    kind::Kind,
    payload::{File, Letter as Content},
    relay, sign, wire_text,
};
use crate::{
    crypto::sha256,
    dialect::event::Check,
    domain::{
        dialect::Dialect,
        id::{HomeId, KeyId},
        letter::{Audience, Author, Frame, Letter, Origin},
        member::Member,
        refusal::Violation,
        replay::Trace,
    },
};
use std::sync::Arc;

/// A content signature that is shorter is none: one program writes three dots.
const SHORTEST_SIGNATURE: usize = 300;

/// The beginning of a digest.
#[must_use]
pub fn trace(text: impl AsRef<[u8]>) -> Trace {
    let mut trace = [0; 16];
    for (to, from) in trace.iter_mut().zip(sha256(text.as_ref())) {
        *to = from;
    }
    Trace(trace)
}

/// What a member's list entry is compared by: two users may have the same key.
#[must_use]
pub fn spelled(name: &str, public_key: &str) -> KeyId {
    KeyId(sha256(format!("{name}\n{public_key}").as_bytes()))
}

/// What makes a frame recognisable, whoever relays it: servers give it new times and new wrappings, but
/// leave the author's own signature alone.
#[must_use]
pub fn trace_of(envelope: &Envelope<'_>, author: &str) -> Trace {
    let content = Content::read(envelope.payload()).unwrap_or_default();
    let signature = content.content_sig.as_deref().filter(|text| text.len() >= SHORTEST_SIGNATURE);
    if let Some(signature) = signature {
        let to = relay::recipient(envelope).unwrap_or_default();
        return trace(format!("content\n{to}\n{signature}"));
    }
    let ts = content.written().or_else(|| envelope.ts.clone());
    let ts = ts.as_ref().map_or("", |ts| ts.text());
    let payload = super::canonical::canonical(envelope.payload()).unwrap_or_default();
    let kind = &envelope.kind;
    trace(format!("frame\n{kind}\n{ts}\n{author}\n{}\n{payload}", envelope.to))
}

/// Whether this means everybody.
fn is_everybody(name: &str) -> bool {
    matches!(name, "public" | "all" | "*" | "")
}

/// For whom a letter is; `None` if it is none.
#[must_use]
pub fn audience(kind: Kind, envelope: &Envelope<'_>) -> Option<Audience> {
    let member = || relay::recipient(envelope).map(|name| Audience::Member(id_of(&name)));
    match kind {
        Kind::MsgDirect | Kind::MsgPrivate | Kind::ServerDeliver | Kind::PeerDeliver => member(),
        // One program sends one copy to each member.
        Kind::MsgPublicChannel if is_everybody(&envelope.to) => Some(Audience::Everyone),
        Kind::MsgPublicChannel if has_group(envelope) => member(),
        Kind::MsgPublicChannel => Some(Audience::Everyone),
        _ if kind.is_file() => {
            let file = File::read(envelope.payload()).ok()?;
            let is_public = file.mode.as_deref() == Some("public") || is_everybody(&envelope.to);
            if is_public && file.user_id.is_none() { Some(Audience::Everyone) } else { member() }
        }
        Kind::PublicChannelAdd | Kind::PublicChannelUpdated | Kind::PublicChannelKeyShare => {
            Some(Audience::Everyone)
        }
        _ => None,
    }
}

/// Whether a public letter names its group inside, because it is addressed to one member.
fn has_group(envelope: &Envelope<'_>) -> bool {
    #[derive(serde::Deserialize)]
    struct Group {
        #[serde(default)]
        group_id: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_str::<Group>(envelope.payload()).is_ok_and(|group| group.group_id.is_some())
}

/// Who wrote a frame that a server brings.
#[must_use]
pub fn author(envelope: &Envelope<'_>, server: &str) -> Option<String> {
    let content = Content::read(envelope.payload()).ok();
    let inside = content.as_ref().and_then(|content| content.author());
    let is_the_server = envelope.from.is_empty() || *envelope.from == *server;
    let outside = Some(&*envelope.from).filter(|_| !is_the_server);
    let is_wrapped = matches!(envelope.known(), Some(Kind::ServerDeliver | Kind::PeerDeliver));
    let named = if is_wrapped { inside.or(outside) } else { outside.or(inside) };
    named.map(str::to_owned)
}

/// A letter that another server has wrapped, read as if it had come without the wrapping.
///
/// # Errors
/// It is no letter of one of its members.
pub fn read_letter(original: &Frame, home: HomeId, author: KeyId) -> Result<Letter, Violation> {
    let envelope = wire_text(original).and_then(|text| Envelope::read(text).ok());
    let envelope = envelope.ok_or(Violation::Malformed)?;
    let kind = envelope.known().filter(|kind| !kind.server_only()).ok_or(Violation::Malformed)?;
    let audience = audience(kind, &envelope).ok_or(Violation::Malformed)?;
    let name = Some(&*envelope.from).filter(|name| id_of(name) == author).ok_or(Violation::WrongSender)?;
    let trace = trace_of(&envelope, name);
    let (from, author, dialect) = (Origin::Home(home), Author::Claimed(None), Dialect::Socp);
    Ok(Letter { from, author, audience, trace, dialect, original: original.clone() })
}

/// What must be checked before a letter may count as this member's; nothing, if it was never signed.
#[must_use]
pub fn question(original: &Frame, member: &Member) -> Option<Check> {
    let envelope = Envelope::read(wire_text(original)?).ok()?;
    let is_own = member.name.as_deref().is_some_and(|name| name == envelope.from);
    let signature = envelope.sig.as_deref().filter(|_| is_own)?;
    let (key, _) = key::read(&member.public_key).ok()?;
    let (_, question) = sign::question(envelope.payload(), signature, None, true)?;
    Some(Check { key: Arc::new(key), question })
}

//! Letters as they come in: for whom they are, and what makes one recognisable when it comes again.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    accent::has_prefix,
    binary,
    envelope::Envelope,
    id_of, key,
    kind::Kind,
    payload::{File, Letter as Content},
    relay, sign,
};
use crate::{
    crypto::sha256,
    dialect::{event::Check, trace},
    domain::{
        dialect::Dialect,
        id::{HomeId, KeyId},
        letter::{Audience, Author, Frame, Letter, Origin},
        member::Member,
        refusal::Violation,
        replay::Trace,
    },
};

/// A content signature that is shorter is none: one program writes three dots.
const SHORTEST_SIGNATURE: usize = 300;

/// What a member's list entry is compared by: two users may have the same key, and one user two keys.
#[must_use]
pub fn spelled(name: &str, public_key: &str, sealing_key: Option<&str>) -> KeyId {
    let sealing_key = sealing_key.map(|key| format!("\n{key}")).unwrap_or_default();
    KeyId(sha256(format!("{name}\n{public_key}{sealing_key}").as_bytes()))
}

/// What makes a frame recognisable, whoever relays it: servers give it new times and new wrappings, but
/// leave the author's own signature alone.
#[must_use]
pub fn trace_of(envelope: &Envelope<'_>, author: &str) -> Trace {
    let content = Content::read(envelope.payload()).unwrap_or_default();
    let signature = content.content_sig.as_deref().filter(|text| text.len() >= SHORTEST_SIGNATURE);
    // What cannot be read tells no two letters apart.
    if let Some(bytes) = signature.and_then(binary::decode) {
        let to = relay::recipient(envelope).unwrap_or_default();
        return trace([format!("content\n{to}\n{author}\n").as_bytes(), &bytes].concat());
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

/// For whom a letter is; `None` if it is none. Some address what is for everybody to one of the servers that it
/// passes, which are named here.
#[must_use]
pub fn audience(kind: Kind, envelope: &Envelope<'_>, servers: &[&str]) -> Option<Audience> {
    let member = || relay::recipient(envelope).map(|name| Audience::Member(id_of(&name)));
    let is_for_a_server = || servers.contains(&&*envelope.to) || has_prefix(&envelope.to);
    match kind {
        _ if kind.is_direct() => member(),
        // One program sends one copy to each member. Of other groups nobody is a member.
        Kind::MsgPublicChannel if is_everybody(&envelope.to) || is_for_a_server() => Some(Audience::Everyone),
        Kind::MsgPublicChannel => member(),
        _ if kind.is_file() => {
            let file = File::read(envelope.payload()).ok()?;
            let is_named_public = file.mode.as_deref() == Some("public") && is_for_a_server();
            let is_public = is_everybody(&envelope.to) || is_named_public;
            if is_public && file.user_id.is_none() { Some(Audience::Everyone) } else { member() }
        }
        _ if kind.is_of_channel() => Some(Audience::Everyone),
        _ => None,
    }
}

/// The fields by which the payloads of servers are told from each other.
const OF_SERVERS: [&str; 8] =
    ["server_id", "host", "port", "assigned_id", "clients", "add", "wraps", "shares"];

/// Whether a letter of this author says nothing that only a server may say.
///
/// Signatures cover the payload and not the type, and we put ours under payloads that others have written:
/// under what is delivered wrapped, and under what was never signed. Nobody shall come by a signature of ours
/// under a payload that makes sense as an arrival, an introduction, or somebody else's letter.
#[must_use]
pub fn is_a_letter(kind: Kind, envelope: &Envelope<'_>, author: Option<&str>) -> bool {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Value {
        Text(String),
        Other(serde::de::IgnoredAny),
    }
    let Ok(fields) = serde_json::from_str::<BTreeMap<String, Value>>(envelope.payload()) else {
        return false;
    };
    if OF_SERVERS.iter().any(|name| fields.contains_key(*name)) {
        return false;
    }
    let is_author = |name: &str| match fields.get(name) {
        None => true,
        Some(Value::Text(said)) => author.is_none_or(|author| said == author),
        Some(Value::Other(_)) => false,
    };
    // Who wrote it and for whom is said by whoever wraps it, and what is signed needs no signature of ours.
    let is_ours = !kind.is_direct() && envelope.sig.is_none();
    is_author("from") && (!is_ours || (is_author("sender") && is_author("user_id")))
}

/// Who wrote a frame that a server brings.
#[must_use]
pub fn author(envelope: &Envelope<'_>, server: &str) -> Option<String> {
    let content = Content::read(envelope.payload()).ok();
    let inside = content.as_ref().and_then(|content| content.author());
    let is_the_server = envelope.from.is_empty() || *envelope.from == *server;
    let outside = Some(&*envelope.from).filter(|_| !is_the_server);
    let is_wrapped = envelope.known().is_some_and(Kind::is_wrapped);
    let named = if is_wrapped { inside.or(outside) } else { outside.or(inside) };
    named.map(str::to_owned)
}

/// The fingerprint of the key that a frame says is its author's.
#[must_use]
pub fn author_key(original: &Frame) -> Option<KeyId> {
    let envelope = Envelope::read(original.text()?).ok()?;
    let content = Content::read(envelope.payload()).ok()?;
    key::read(content.sender_pub.as_deref()?).ok().map(|(key, _)| key.id())
}

/// A letter that another server has wrapped, read as if it had come without the wrapping.
///
/// # Errors
/// It is no letter of one of its members.
pub fn read_letter(
    original: &Frame,
    home: HomeId,
    author: KeyId,
    is_for_all: bool,
) -> Result<Letter, Violation> {
    let envelope = original.text().and_then(|text| Envelope::read(text).ok());
    let envelope = envelope.ok_or(Violation::Malformed)?;
    let kind = envelope.known().filter(|kind| !kind.server_only()).ok_or(Violation::Malformed)?;
    // Its home knows whether the letter is addressed to a server.
    let servers = is_for_all.then_some(&*envelope.to);
    let audience = audience(kind, &envelope, servers.as_slice()).ok_or(Violation::Malformed)?;
    let name = Some(&*envelope.from).filter(|name| id_of(name) == author).ok_or(Violation::WrongSender)?;
    if !is_a_letter(kind, &envelope, Some(name)) {
        return Err(Violation::WrongSender);
    }
    let trace = trace_of(&envelope, name);
    let (from, author, dialect) = (Origin::Home(home), Author::Claimed(None), Dialect::Socp);
    // Its home tells what it says to whoever cannot read it.
    Ok(Letter { from, author, audience, trace, dialect, original: original.clone(), plain: None })
}

/// What must be checked before a letter may count as this member's; nothing, if it was never signed.
#[must_use]
pub fn question(original: &Frame, member: &Member) -> Option<Check> {
    let envelope = Envelope::read(original.text()?).ok()?;
    let is_own = member.name.as_deref().is_some_and(|name| name == envelope.from);
    let signature = envelope.sig.as_deref().filter(|_| is_own)?;
    let (key, _) = key::read(&member.public_key).ok()?;
    let (_, question) = sign::question(envelope.payload(), signature, None, true)?;
    Some(Check { key: Arc::new(key), question })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::dialect::socp::envelope::print;

    fn is_a_letter_with(kind: Kind, payload: &Value, sig: Option<&str>) -> bool {
        let text = print(kind.name(), "anna", "ben", "1", &payload.to_string(), sig);
        super::is_a_letter(kind, &Envelope::read(&text).expect("a frame"), Some("anna"))
    }

    #[test]
    fn nobody_comes_by_our_signature_under_what_only_servers_say() {
        let letter = json!({"ciphertext": "YQ", "content_sig": "", "from": "anna", "to": "ben", "ts": 1});
        let kinds = [Kind::MsgDirect, Kind::MsgPublicChannel, Kind::FileChunk];
        for (kind, sig) in kinds.into_iter().flat_map(|kind| [(kind, None), (kind, Some("c2ln"))]) {
            assert!(is_a_letter_with(kind, &letter, sig), "{kind:?}");
            for (name, value) in [
                ("server_id", json!("ours")),
                ("host", json!("127.0.0.1")),
                ("assigned_id", json!("x")),
                ("shares", json!([])),
                ("add", json!(["mallory"])),
                ("from", json!("carl")),
                ("from", json!(1)),
            ] {
                let mut forged = letter.clone();
                forged[name] = value;
                assert!(!is_a_letter_with(kind, &forged, sig), "{kind:?} with {name}");
            }
        }
        // What is wrapped names both anew. What was never signed would be somebody else's letter.
        for name in ["sender", "user_id"] {
            let mut forged = letter.clone();
            forged[name] = json!("carl");
            assert!(is_a_letter_with(Kind::MsgDirect, &forged, None));
            assert!(!is_a_letter_with(Kind::MsgPublicChannel, &forged, None), "{name}");
            assert!(!is_a_letter_with(Kind::FileChunk, &forged, None), "{name}");
        }
    }
}

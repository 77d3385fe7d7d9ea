//! What members and servers are sent: other people's letters, who comes and goes, and what could not be
//! delivered.
//!
//! What goes on as it came keeps its bytes; what the protocol wants wrapped keeps its fields.

use std::{borrow::Cow, collections::BTreeMap};

use bytestring::ByteString;
use serde_json::{json, value::RawValue};

use super::{
    accent::{Accent, Clients, PublicFrom},
    bridge,
    envelope::Envelope,
    key,
    kind::Kind,
    payload::{Letter, is_user_name},
    stamp::Draft,
};
use crate::{
    crypto::keys::PublicKey,
    dialect::sealed,
    domain::{dialect::Dialect, letter::Frame, member::Member},
};

/// The fields of a payload, each with its very text.
type Fields<'a> = BTreeMap<Cow<'a, str>, Cow<'a, RawValue>>;

fn fields<'a>(envelope: &'a Envelope<'_>) -> Option<Fields<'a>> {
    serde_json::from_str(envelope.payload()).ok()
}

fn set(fields: &mut Fields<'_>, name: &'static str, value: &str) {
    if let Ok(value) = serde_json::value::to_raw_value(value) {
        fields.insert(Cow::Borrowed(name), Cow::Owned(value));
    }
}

fn print(fields: &Fields<'_>) -> Option<String> {
    serde_json::to_string(fields).ok()
}

fn text_field(fields: &Fields<'_>, name: &str) -> Option<String> {
    fields.get(name).and_then(|value| serde_json::from_str(value.get()).ok())
}

/// Whom a private frame is for: as it says itself, or as the server says that wrapped it.
#[must_use]
pub fn recipient(envelope: &Envelope<'_>) -> Option<String> {
    let inside = || fields(envelope).and_then(|fields| text_field(&fields, "user_id"));
    let named = || envelope.recipient.as_deref().map(str::to_owned);
    let outside = || Some(envelope.to.to_string()).filter(|to| is_user_name(to));
    let found = match envelope.known() {
        Some(kind) if kind.is_wrapped() => inside(),
        // Between servers, some address files to the server.
        Some(kind) if kind.is_file() => inside().or_else(named).or_else(outside),
        _ => named().or_else(outside).or_else(inside),
    };
    found.filter(|name| is_user_name(name))
}

/// A letter as a member of this home hears it.
#[must_use]
pub fn to_member(original: &Frame) -> Option<Frame> {
    let envelope = Envelope::read(original.text()?).ok()?;
    if let Some(kind) = envelope.known().and_then(Kind::inside_server) {
        let to = recipient(&envelope)?;
        return Some(Draft { to: &to, ..Draft::new(kind, envelope.payload()) }.frame());
    }
    if !envelope.known().is_some_and(Kind::is_direct) {
        return Some(original.clone());
    }
    let to = recipient(&envelope)?;
    let mut fields = fields(&envelope)?;
    fields.remove("user_id");
    if !envelope.known().is_some_and(Kind::is_wrapped) {
        set(&mut fields, "sender", &envelope.from);
    }
    let ts = envelope.ts.as_ref().map(|ts| ts.text());
    Some(Draft { kind: Kind::UserDeliver, to: &to, ts, payload: &print(&fields)? }.frame())
}

/// A letter of one of our members as another server hears it.
#[must_use]
pub fn to_server(original: &Frame, accent: Accent) -> Option<Frame> {
    let envelope = Envelope::read(original.text()?).ok()?;
    let ts = envelope.ts.as_ref().map(|ts| ts.text());
    if envelope.known().is_some_and(Kind::is_direct) {
        let mut fields = fields(&envelope)?;
        set(&mut fields, "sender", &envelope.from);
        set(&mut fields, "user_id", &recipient(&envelope)?);
        return Some(Draft { kind: Kind::ServerDeliver, to: "", ts, payload: &print(&fields)? }.frame());
    }
    if accent.public_from == PublicFrom::User {
        return Some(original.clone());
    }
    let mut fields = fields(&envelope)?;
    let kind = envelope.known()?;
    if kind == Kind::MsgPublicChannel {
        // A recipient would make it a letter of the author to somebody.
        fields.remove("user_id");
        set(&mut fields, "from", &envelope.from);
        set(&mut fields, "sender", &envelope.from);
    } else {
        set(&mut fields, "sender", &envelope.from);
        if let Some(to) = recipient(&envelope) {
            set(&mut fields, "user_id", &to);
        }
    }
    Some(Draft { kind, to: &envelope.to, ts, payload: &print(&fields)? }.frame())
}

fn named(member: &Member) -> Option<&str> {
    member.name.as_deref().filter(|_| member.dialect == Dialect::Socp)
}

/// Somebody is here.
#[must_use]
pub fn came(member: &Member, accent: Accent) -> Option<Frame> {
    let name = named(member)?;
    let keys = [("pubkey", Some(&member.public_key)), ("enc_pubkey", member.sealing_key.as_ref())];
    let keys = keys.into_iter().filter_map(|(field, key)| Some((field, key.filter(|key| !key.is_empty())?)));
    let mut meta: BTreeMap<&str, String> = keys.map(|(field, key)| (field, spelled(key, accent))).collect();
    let called =
        if bridge::is_bridge(member) { Some(bridge::DISPLAY_NAME) } else { member.display_name.as_deref() };
    meta.extend(called.map(|name| ("display_name", name.to_owned())));
    let payload = json!({"meta": meta, "server_id": "", "user_id": name}).to_string();
    Some(Draft { to: "*", ..Draft::new(Kind::UserAdvertise, &payload) }.frame())
}

/// Somebody is gone.
#[must_use]
pub fn went(member: &Member) -> Option<Frame> {
    named(member).map(gone)
}

fn gone(name: &str) -> Frame {
    let payload = json!({"server_id": "", "user_id": name}).to_string();
    Draft { to: "*", ..Draft::new(Kind::UserRemove, &payload) }.frame()
}

/// The author of a letter is not here.
#[must_use]
pub fn not_here(original: &Frame) -> Option<Frame> {
    let envelope = Envelope::read(original.text()?).ok()?;
    is_user_name(&envelope.from).then(|| gone(&envelope.from))
}

/// Whether this is a private letter that nobody can read on its way. Files come in parts and are too large to
/// be kept.
#[must_use]
pub fn is_sealed(original: &Frame) -> bool {
    let envelope = original.text().and_then(|text| Envelope::read(text).ok());
    let Some(envelope) = envelope.filter(|envelope| envelope.known().is_some_and(Kind::is_direct)) else {
        return false;
    };
    let letter = Letter::read(envelope.payload()).ok();
    letter.and_then(|letter| letter.ciphertext).is_some_and(|text| sealed::is_sealed(&text))
}

/// What an acknowledgement says of a letter whose recipient is away, and will hear it when it comes.
pub const KEPT: &str = "kept";

/// The acknowledgement of such a letter.
#[must_use]
pub fn kept(original: &Frame) -> Option<Frame> {
    let envelope = Envelope::read(original.text()?).ok()?;
    let name = recipient(&envelope)?;
    let ts = envelope.ts.as_ref().and_then(|ts| ts.millis());
    let kind = Kind::MsgDirect.name();
    let payload = json!({"msg_ref": kind, "status": KEPT, "ts": ts, "user_id": name}).to_string();
    Some(Draft::new(Kind::Ack, &payload).frame())
}

/// These members are in the public channel, for servers that want to know. A key of the channel is a matter of the
/// others: this server makes none, so it knows of no version but the one that they have named last, or of that before
/// the first one.
#[must_use]
pub fn in_channel<'a>(
    members: impl Iterator<Item = &'a Member>,
    version: u64,
    accent: Accent,
) -> Option<Frame> {
    let names: Vec<&str> = members.filter_map(named).collect();
    let payload = json!({"add": names, "if_version": version}).to_string();
    (accent.channel && !names.is_empty())
        .then(|| Draft { to: "*", ..Draft::new(Kind::PublicChannelAdd, &payload) }.frame())
}

/// A member's key as this partner spells keys.
pub(super) fn spelled(public_key: &str, accent: Accent) -> String {
    key::read(public_key)
        .map_or_else(|_| public_key.to_owned(), |(key, _)| key::write(&key, accent.spelling()))
}

/// A member is in. Programs whose server gives them a name are told theirs, too.
#[must_use]
pub fn welcome(member: &Member, accent: Accent, own_key: &PublicKey) -> Option<Frame> {
    let name = named(member)?;
    if accent.clients == Clients::Servers {
        let payload = json!({"server_pub_key": key::write(own_key, accent.spelling())}).to_string();
        return Some(Draft { to: name, ..Draft::new(Kind::UserWelcome, &payload) }.frame());
    }
    let payload = json!({"msg_ref": Kind::UserHello.name()}).to_string();
    Some(Draft { to: name, ..Draft::new(Kind::Ack, &payload) }.frame())
}

/// The recipient of a letter is nowhere.
#[must_use]
pub fn not_found(original: &Frame) -> Option<Frame> {
    let envelope = Envelope::read(original.text()?).ok()?;
    let name = recipient(&envelope)?;
    Some(error("USER_NOT_FOUND", &format!("{name} is not online")))
}

/// Something did not go well.
#[must_use]
pub fn error(code: &str, detail: &str) -> Frame {
    let payload = json!({"code": code, "detail": detail}).to_string();
    Draft::new(Kind::Error, &payload).frame()
}

/// The connection ends.
#[must_use]
pub fn goodbye() -> Frame {
    Frame::Text(ByteString::from_static("{\"type\":\"CTRL_CLOSE\"}"))
}

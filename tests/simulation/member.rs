//! People: they come and go, move from home to home, are in two homes at once, and write letters.

use std::{collections::BTreeMap, time::Duration};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use fastrand::Rng;
use kith::{
    crypto::sha256,
    dialect::socp::{canonical::canonical, envelope::Envelope, heard},
    domain::{
        Moment,
        address::Address,
        dialect::Dialect,
        id::{ConnectionId, KeyId},
        letter::{Audience, Author, Frame, Letter, Origin},
        member::{Named, Newcomer},
        replay::Trace,
    },
};
use serde_json::{Value, json};

use crate::{keys, node};

/// What somebody does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Comes to a home.
    Join(usize, usize),
    /// Leaves a home, if somebody is in one.
    Leave(usize),
    /// Leaves a home and comes to another one, so much later; or the other way round.
    Move(usize, usize, Duration, bool),
    /// Leaves this home.
    LeaveFrom(usize, ConnectionId),
    /// Writes so many bytes to everybody, or to the members of some homes.
    Say(usize, Option<Vec<usize>>, usize),
    /// Writes to one person, who has a name as the author has.
    Tell(usize, usize),
    /// Sends the very same letter from every connection.
    Repeat(usize),
}

/// Somebody: the connections of the moment, and how many letters were written on each.
#[derive(Debug, Default)]
pub(crate) struct Person {
    pub(crate) connections: BTreeMap<ConnectionId, (usize, u64)>,
}

/// What people do between `from` and `until`.
pub(crate) fn plan(
    people: usize,
    servers: usize,
    (from, until): (Moment, Moment),
    chance: &mut Rng,
) -> Vec<(Moment, Act)> {
    let mut acts = Vec::new();
    let length = u64::try_from((until - from).as_millis()).unwrap_or(u64::MAX);
    for person in 0..people {
        let early = Duration::from_millis(chance.u64(0..length / 4));
        acts.push((from + early, Act::Join(person, chance.usize(0..servers))));
        for _ in 0..chance.usize(1..8) {
            let at = from + Duration::from_millis(chance.u64(0..length));
            let act = match chance.u32(0..12) {
                0 => Act::Join(person, chance.usize(0..servers)),
                1 => Act::Leave(person),
                2 => {
                    let most = [1, 100, 5_000][chance.usize(0..3)];
                    let pause = Duration::from_millis(chance.u64(0..most));
                    Act::Move(person, chance.usize(0..servers), pause, chance.bool())
                }
                3..=5 => {
                    let homes = (0..chance.usize(1..4)).map(|_| chance.usize(0..servers)).collect();
                    Act::Say(person, Some(homes), chance.usize(0..500))
                }
                6 => Act::Repeat(person),
                _ => {
                    let most = [10, 8_000][chance.usize(0..2)];
                    Act::Say(person, None, chance.usize(0..most))
                }
            };
            acts.push((at, act));
        }
    }
    acts
}

/// A hello of a person, in one of the spellings of its key.
pub(crate) fn hello(person: usize, spelling: usize, serial: u64) -> Newcomer {
    let persona = keys::persona(person);
    let named = |name: &'static str| Named {
        name: name.into(),
        key: Some(persona.hand),
        proven: true,
        sealing_key: None,
        display_name: None,
    };
    Newcomer {
        named: persona.name.map(named),
        key: persona.key,
        dialect: dialect(person),
        public_key: std::sync::Arc::clone(&persona.spellings[spelling]),
        spelled: persona.spelled[spelling],
        trace: trace(&serial.to_be_bytes()),
    }
}

fn dialect(person: usize) -> Dialect {
    if keys::persona(person).name.is_some() { Dialect::Socp } else { Dialect::Olaf }
}

/// What makes something signed recognisable.
pub(crate) fn trace(signature: &[u8]) -> Trace {
    let mut trace = [0; 16];
    trace.copy_from_slice(&sha256(signature)[..16]);
    Trace(trace)
}

/// The text of a letter. Its signature is its number and its author, which is what an oracle needs.
pub(crate) fn text(number: u64, person: usize, homes: Option<&[usize]>, bytes: usize) -> String {
    let message = "x".repeat(bytes);
    let data = match homes {
        None => json!({"type": "public_chat", "sender": "-", "message": message}),
        Some(homes) => {
            let homes: Vec<String> = homes.iter().map(spelled).collect();
            json!({"type": "chat", "destination_servers": homes, "iv": "", "symm_keys": [], "chat": message})
        }
    };
    let signature = STANDARD.encode(signature(number, person));
    json!({"type": "signed_data", "data": data.to_string(), "counter": number.wrapping_add(1), "signature": signature})
        .to_string()
}

fn signature(number: u64, person: usize) -> Vec<u8> {
    [number.to_be_bytes(), (person as u64).to_be_bytes()].concat()
}

fn spelled(place: &usize) -> String {
    format!("WS://{}/", node::address(*place))
}

/// The number of a letter and its author, by its text.
fn signed(frame: &Frame) -> Option<(u64, u64)> {
    let Frame::Text(text) = frame else { return None };
    let letter: Value = serde_json::from_str(text).ok()?;
    let signature = match letter["signature"].as_str() {
        Some(signature) => STANDARD.decode(signature).ok()?,
        None => URL_SAFE_NO_PAD.decode(letter["payload"]["content_sig"].as_str()?).ok()?,
    };
    let number = |at| Some(u64::from_be_bytes(signature.get(at..at + 8)?.try_into().ok()?));
    Some((number(0)?, number(8)?))
}

/// The number of a letter, by its text.
pub(crate) fn read(frame: &Frame) -> Option<u64> {
    signed(frame).map(|(number, _)| number)
}

/// Whether a letter was really signed by the one with this key.
pub(crate) fn is_by(frame: &Frame, key: KeyId) -> bool {
    let author = signed(frame).and_then(|(_, person)| usize::try_from(person).ok());
    author.is_some_and(|person| keys::persona(person).key == key)
}

/// Whether somebody hears what was written: nobody changes a word, but servers wrap what is for one person.
pub(crate) fn says_the_same(heard: &Frame, written: &Frame) -> bool {
    let content = |frame: &Frame| {
        let Frame::Text(text) = frame else { return None };
        let frame: Value = serde_json::from_str(text).ok()?;
        let payload = &frame["payload"];
        let fields = ["ciphertext", "content_sig", "sender_pub"].map(|field| payload[field].clone());
        (frame["type"] == "USER_DELIVER" || frame["type"] == "MSG_DIRECT")
            .then_some((fields, frame["ts"].clone()))
    };
    heard == written || content(heard).is_some_and(|heard| Some(heard) == content(written))
}

/// What somebody who has a name writes, to one person or to all, with a signature of its own.
pub(crate) fn named_letter(
    number: u64,
    person: usize,
    from: ConnectionId,
    to: Option<usize>,
    bytes: usize,
) -> Letter {
    let persona = keys::persona(person);
    let name = persona.name.unwrap_or_default();
    let mut content = signature(number, person);
    content.resize(512, 0);
    let payload = json!({
        "ciphertext": "x".repeat(bytes),
        "sender_pub": &*persona.spellings[0],
        "content_sig": URL_SAFE_NO_PAD.encode(content),
    });
    let text = canonical(&payload.to_string()).expect("a payload");
    let sig = URL_SAFE_NO_PAD.encode(keys::sign(persona.hand, text.as_bytes()));
    let recipient = to.map(keys::persona);
    let (kind, to) = match recipient.and_then(|recipient| recipient.name) {
        Some(name) => ("MSG_DIRECT", name),
        None => ("MSG_PUBLIC_CHANNEL", "public"),
    };
    let frame =
        json!({"type": kind, "from": name, "to": to, "ts": number + 1, "payload": payload, "sig": sig});
    let frame = frame.to_string();
    let envelope = Envelope::read(&frame).expect("a frame");
    Letter {
        from: Origin::Here(from),
        author: Author::Proven(persona.key),
        audience: recipient.map_or(Audience::Everyone, |recipient| Audience::Member(recipient.key)),
        trace: heard::trace_of(&envelope, name),
        dialect: Dialect::Socp,
        original: Frame::Text(frame.clone().into()),
        plain: None,
    }
}

/// A letter that somebody writes at home.
pub(crate) fn letter(
    number: u64,
    person: usize,
    from: ConnectionId,
    homes: Option<&[usize]>,
    bytes: usize,
) -> Letter {
    if keys::persona(person).name.is_some() {
        return named_letter(number, person, from, None, bytes);
    }
    let address = |place: &usize| Address::new(&spelled(place));
    let audience =
        homes.map_or(Audience::Everyone, |homes| Audience::Homes(homes.iter().map(address).collect()));
    Letter {
        from: Origin::Here(from),
        author: Author::Proven(keys::persona(person).key),
        audience,
        trace: trace(&signature(number, person)),
        dialect: Dialect::Olaf,
        original: Frame::Text(text(number, person, homes, bytes).into()),
        plain: None,
    }
}

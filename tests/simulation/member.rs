//! People: they come and go, move from home to home, are in two homes at once, and write letters.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fastrand::Rng;
use kith::{
    crypto::sha256,
    domain::{
        Moment,
        address::Address,
        dialect::Dialect,
        id::{ConnectionId, KeyId},
        letter::{Audience, Author, Frame, Letter, Origin},
        member::Newcomer,
        replay::Trace,
    },
};
use serde_json::json;

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
    Newcomer {
        named: None,
        key: persona.key,
        dialect: Dialect::Olaf,
        public_key: std::sync::Arc::clone(&persona.spellings[spelling]),
        spelled: persona.spelled[spelling],
        trace: trace(&serial.to_be_bytes()),
    }
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
    let letter: serde_json::Value = serde_json::from_str(text).ok()?;
    let signature = STANDARD.decode(letter["signature"].as_str()?).ok()?;
    let (number, person) = signature.split_at_checked(8)?;
    Some((u64::from_be_bytes(number.try_into().ok()?), u64::from_be_bytes(person.try_into().ok()?)))
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

/// A letter that somebody writes at home.
pub(crate) fn letter(
    number: u64,
    person: usize,
    from: ConnectionId,
    homes: Option<&[usize]>,
    bytes: usize,
) -> Letter {
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
    }
}

//! People: they come and go, move from home to home, are in two homes at once, and write letters.

use std::{collections::BTreeMap, time::Duration};

use fastrand::Rng;
use kith::domain::{
    Moment,
    address::Address,
    dialect::Dialect,
    id::ConnectionId,
    letter::{Audience, Author, Frame, Letter, Origin},
    member::Newcomer,
    replay::Trace,
};

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
        key: persona.key,
        dialect: Dialect::Olaf,
        public_key: std::sync::Arc::clone(&persona.spellings[spelling]),
        spelled: persona.spelled[spelling],
        trace: trace(serial),
    }
}

/// What makes the letter or hello of this number recognisable.
pub(crate) fn trace(number: u64) -> Trace {
    let mut trace = [0; 16];
    trace[..8].copy_from_slice(&number.to_be_bytes());
    Trace(trace)
}

/// The number of a letter, by its trace.
pub(crate) fn number(trace: Trace) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&trace.0[..8]);
    u64::from_be_bytes(number)
}

/// The text of a letter.
pub(crate) fn text(number: u64, bytes: usize) -> String {
    format!(r#"{{"type":"signed_data","data":"{number} {}"}}"#, "x".repeat(bytes))
}

/// The number of a letter, by its text.
pub(crate) fn read(frame: &Frame) -> Option<u64> {
    let Frame::Text(text) = frame else { return None };
    text.strip_prefix(r#"{"type":"signed_data","data":""#)?.split_once(' ')?.0.parse().ok()
}

/// A letter that somebody writes at home.
pub(crate) fn letter(
    number: u64,
    person: usize,
    from: ConnectionId,
    homes: Option<&[usize]>,
    bytes: usize,
) -> Letter {
    let spelled = |place: &usize| Address::new(&format!("WS://{}/", node::address(*place)));
    let audience =
        homes.map_or(Audience::Everyone, |homes| Audience::Homes(homes.iter().map(spelled).collect()));
    Letter {
        from: Origin::Here(from),
        author: Author::Proven(keys::persona(person).key),
        audience,
        trace: trace(number),
        dialect: Dialect::Olaf,
        original: Frame::Text(text(number, bytes).into()),
    }
}

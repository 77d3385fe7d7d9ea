//! Two ends of a link and whoever sits between them, as fuzzing plays it (`fuzz/targets/node.rs`).

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
    time::Duration,
};

use super::{
    direct::{Direct, Told},
    seal::Me,
    wire::{Refusal, Text},
};
use crate::{
    crypto::keys::PrivateKey,
    domain::{Moment, endpoint::Endpoint, node::Rank},
};

/// Keys take their time to be made.
static KEYS: LazyLock<[Arc<PrivateKey>; 2]> =
    LazyLock::new(|| std::array::from_fn(|_| Arc::new(PrivateKey::generate(2048).expect("a key"))));

/// One end, until it is over.
struct End {
    direct: Option<Direct>,
    /// What was written to it and has not come.
    wire: Vec<u8>,
    /// Everything that was ever typed at it.
    said: HashSet<String>,
    is_sealed: bool,
}

fn at(port: u16) -> Endpoint {
    Endpoint::new([127, 0, 0, 1].into(), port).expect("a port")
}

/// Plays what these bytes say: three for each step. **Invariant:** whoever is sealed hears nothing but what the
/// other end has said, whatever is done to the bytes between them. Says how many ends are sealed when it is over.
pub fn play(data: &[u8]) -> usize {
    let (mut now, mut out) = (Moment::ZERO, [Vec::new(), Vec::new()]);
    let me = |who: u16| Me { at: at(1 + who), key: Arc::clone(&KEYS[usize::from(who)]) };
    let rank = |who: u16| Rank { seq: who.into(), address: at(1 + who) };
    let end = |direct| End { direct: Some(direct), wire: Vec::new(), said: HashSet::new(), is_sealed: false };
    let dialler = Direct::dial(me(0), rank(0), at(2), now, &mut out[0]);
    let mut ends = [end(dialler), end(Direct::answer(me(1), rank(1), now))];
    let mut rest = data;
    while let Some(([what, which, amount], behind)) = rest.split_first_chunk::<3>() {
        rest = behind;
        let (one, much) = (usize::from(which & 1), usize::from(*amount));
        let end = &mut ends[one];
        match what % 8 {
            0..=2 => deliver(end, much * 4, now, &mut out[one]),
            3 => deliver(end, usize::MAX, now, &mut out[one]),
            4 => {
                let (strange, behind) = rest.split_at(much.min(rest.len()));
                end.wire.extend_from_slice(strange);
                rest = behind;
            }
            5 => {
                if let Some(byte) = end.wire.get_mut(much) {
                    *byte ^= 1 << (which >> 5);
                }
            }
            6 => {
                now += Duration::from_millis(25) * u32::from(*amount);
                for (end, out) in ends.iter_mut().zip(&mut out) {
                    step(end, |direct| direct.wake(now, out));
                }
            }
            _ => {
                let words = format!("{amount} of {one}");
                end.said.insert(words.clone());
                if let Some(direct) = &mut end.direct {
                    direct.say(Text { words, is_private: *which > 127 }, &mut out[one]);
                }
            }
        }
        settle(&mut ends, &mut out, *which < 250, now);
    }
    ends.iter().filter(|end| end.is_sealed && end.direct.is_some()).count()
}

fn deliver(end: &mut End, most: usize, now: Moment, out: &mut Vec<Told>) {
    let bytes: Vec<u8> = end.wire.drain(..most.min(end.wire.len())).collect();
    step(end, |direct| direct.receive(&bytes, now, out));
}

fn step(end: &mut End, act: impl FnOnce(&mut Direct) -> Result<(), super::seal::Broken>) {
    if end.direct.as_mut().is_some_and(|direct| act(direct).is_err()) {
        end.direct = None;
    }
}

/// Hands on what both ends want sent, and answers what they ask.
fn settle(ends: &mut [End; 2], out: &mut [Vec<Told>; 2], believes: bool, now: Moment) {
    while out.iter().any(|out| !out.is_empty()) {
        for one in 0..2 {
            for told in std::mem::take(&mut out[one]) {
                match told {
                    Told::Send(bytes) => ends[1 - one].wire.extend(bytes),
                    Told::Asks(_) if believes => {
                        step(&mut ends[one], |direct| direct.accept(now, &mut out[one]));
                    }
                    Told::Asks(_) => {
                        step(&mut ends[one], |direct| Err(direct.refuse(Refusal::Unlisted, &mut out[one])));
                    }
                    Told::Greeted(them) => {
                        assert_eq!(them.at, at(if one == 0 { 2 } else { 1 }));
                        ends[one].is_sealed = true;
                    }
                    Told::Plain(_) => assert!(!ends[one].is_sealed),
                    Told::Text(text) => {
                        let is_known = ends[1 - one].said.contains(&text.words);
                        assert!(is_known || !ends[one].is_sealed, "{text:?}");
                    }
                }
            }
        }
    }
}

/// The seed that fuzzing begins with is a link that comes up, and one byte of it that is changed ends it.
#[test]
fn a_link_comes_up_and_a_changed_byte_ends_it() {
    let mut link = vec![3, 1, 0, 6, 0, 3];
    link.extend([3, 1, 0, 3, 0, 0].repeat(4));
    assert_eq!(play(&link), 2);
    link.extend([7, 0, 9]);
    assert_eq!(play(&[&link[..], &[3, 1, 0]].concat()), 2);
    assert_eq!(play(&[&link[..], &[5, 1, 20, 3, 1, 0]].concat()), 1);
}

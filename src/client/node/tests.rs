//! Two ends of a link without a network, and what somebody in between could do.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use proptest::prelude::*;

use super::{
    direct::{Direct, Told},
    seal::{Broken, Me, Out, Seal, Them},
    wire::{Refusal, TEXT_BYTES, Text, kind},
};
use crate::{
    crypto::keys::PrivateKey,
    domain::{Moment, endpoint::Endpoint, node::Rank},
};

/// Keys take their time to be made.
static KEYS: LazyLock<[Arc<PrivateKey>; 2]> =
    LazyLock::new(|| std::array::from_fn(|_| Arc::new(PrivateKey::generate(2048).expect("a key"))));

fn at(port: u16) -> Endpoint {
    Endpoint::new([127, 0, 0, 1].into(), port).expect("a port")
}

/// Whoever listens at this port, with the key of that number.
fn me(port: u16, key: usize) -> Me {
    Me { at: at(port), key: Arc::clone(&KEYS[key]) }
}

fn rank(port: u16) -> Rank {
    Rank { seq: port.into(), address: at(port) }
}

fn text(words: &str) -> Text {
    Text { words: words.to_owned(), is_private: false }
}

const START: Moment = Duration::ZERO;

fn ms(count: u64) -> Moment {
    Duration::from_millis(count)
}

/// Both ends of a seal, and all frames that went over it.
struct Pair {
    dialler: Seal,
    answerer: Seal,
    frames: Vec<(bool, Vec<u8>)>,
    told: Vec<(bool, Out)>,
}

impl Pair {
    fn new() -> Self {
        Self::meaning(2)
    }

    /// The dialler believes to have dialled this port.
    fn meaning(port: u16) -> Self {
        let mut out = Vec::new();
        let dialler = Seal::dial(&me(1, 0), rank(1), at(port), START).expect("a dialler");
        let answerer = Seal::answer(&me(2, 1), rank(2), START, &mut out).expect("an answerer");
        let mut pair = Self { dialler, answerer, frames: Vec::new(), told: Vec::new() };
        pair.sort(false, out);
        pair
    }

    fn sort(&mut self, by_dialler: bool, out: Vec<Out>) {
        for one in out {
            match one {
                Out::Frame(frame) => self.frames.push((by_dialler, frame)),
                other => self.told.push((by_dialler, other)),
            }
        }
    }

    /// Carries the frame of this number over.
    fn carry(&mut self, number: usize) -> Result<(), Broken> {
        let (by_dialler, frame) = self.frames[number].clone();
        let mut out = Vec::new();
        let end = if by_dialler { &mut self.answerer } else { &mut self.dialler };
        let step = end.receive(&frame, START, &mut out);
        self.sort(!by_dialler, out);
        step
    }

    /// Whoever was asked believes what it was shown.
    fn believe(&mut self) {
        let Some((dialler, Out::Asks(_))) = self.told.pop() else { panic!("nobody asks: {:?}", self.told) };
        let mut out = Vec::new();
        let end = if dialler { &mut self.dialler } else { &mut self.answerer };
        end.accept(&mut out).expect("a proof");
        self.sort(dialler, out);
    }

    /// Up to a link.
    fn open() -> Self {
        let mut pair = Self::new();
        for number in 0..4 {
            pair.carry(number).expect("a step");
            if number == 1 || number == 2 {
                pair.believe();
            }
        }
        pair
    }
}

#[test]
fn two_nodes_prove_themselves_and_talk() {
    let mut pair = Pair::open();
    let them = |port, key: usize| Them { at: at(port), key: KEYS[key].public().id(), rank: rank(1) };
    assert_eq!(pair.told, [(true, Out::Greeted(them(2, 1))), (false, Out::Greeted(them(1, 0)))]);
    for (by_dialler, words) in [(true, "good evening"), (false, "gr\u{fc}\u{df}e"), (true, "")] {
        let end = if by_dialler { &mut pair.dialler } else { &mut pair.answerer };
        let frame = end.say(text(words)).expect("a link");
        assert!(words.is_empty() || !frame.windows(words.len()).any(|part| part == words.as_bytes()));
        pair.frames.push((by_dialler, frame));
        pair.carry(pair.frames.len() - 1).expect("a word");
        assert_eq!(pair.told.pop(), Some((!by_dialler, Out::Text(text(words)))));
    }
    let bye = pair.dialler.goodbye().expect("a link");
    assert_eq!(pair.answerer.receive(&bye, START, &mut Vec::new()), Err(Broken::Bye));
    assert_eq!(pair.dialler.say(text("more")), None);
}

#[test]
fn nothing_can_be_repeated_reflected_or_taken_elsewhere() {
    // The same word again.
    let mut pair = Pair::open();
    let frame = pair.dialler.say(text("pay 10")).expect("a link");
    let mut out = Vec::new();
    assert_eq!(pair.answerer.receive(&frame, START, &mut out), Ok(()));
    assert_eq!(pair.answerer.receive(&frame, START, &mut out), Err(Broken::Malformed));
    // Handed back to who has said it.
    let mut pair = Pair::open();
    let frame = pair.dialler.say(text("pay 10")).expect("a link");
    assert_eq!(pair.dialler.receive(&frame, START, &mut out), Err(Broken::Malformed));
    // On another link of the same two.
    let (mut pair, mut other) = (Pair::open(), Pair::open());
    let frame = pair.dialler.say(text("pay 10")).expect("a link");
    assert_eq!(other.answerer.receive(&frame, START, &mut out), Err(Broken::Malformed));
    // A claim and a proof that were overheard.
    let (overheard, mut pair) = (Pair::open(), Pair::new());
    pair.frames.push(overheard.frames[1].clone());
    assert_eq!(pair.carry(1), Err(Broken::BadProof));
    let mut pair = Pair::new();
    pair.carry(0).expect("a card");
    pair.frames.push(overheard.frames[2].clone());
    assert_eq!(pair.carry(2), Err(Broken::BadProof));
    // The claim of who dialled, as the proof of who was dialled.
    let mut pair = Pair::new();
    pair.carry(0).expect("a card");
    let claim = pair.frames[1].1.clone();
    assert_eq!(pair.dialler.receive(&claim, START, &mut out), Err(Broken::Malformed));
}

#[test]
fn whoever_forwards_a_handshake_gets_nowhere() {
    // The dialler meant port 3, where somebody hands everything on to port 2.
    let mut pair = Pair::meaning(3);
    pair.carry(0).expect("a card");
    assert_eq!(pair.carry(1), Err(Broken::WeRefuse(Refusal::Misdialled)));
    assert_eq!(pair.carry(2), Err(Broken::TheyRefuse(Refusal::Misdialled)));
}

#[test]
fn a_refusal_is_said_on_either_side() {
    let mut pair = Pair::new();
    let mut out = Vec::new();
    pair.carry(0).expect("a card");
    pair.carry(1).expect("a claim");
    assert_eq!(pair.answerer.refuse(Refusal::WrongKey, &mut out), Broken::WeRefuse(Refusal::WrongKey));
    pair.sort(false, std::mem::take(&mut out));
    assert_eq!(pair.carry(2), Err(Broken::TheyRefuse(Refusal::WrongKey)));

    let mut pair = Pair::new();
    pair.carry(0).expect("a card");
    pair.carry(1).expect("a claim");
    pair.believe();
    pair.carry(2).expect("a proof");
    assert_eq!(pair.dialler.refuse(Refusal::WrongKey, &mut out), Broken::WeRefuse(Refusal::WrongKey));
    pair.sort(true, out);
    assert_eq!(pair.carry(3), Err(Broken::TheyRefuse(Refusal::WrongKey)));
    assert!(!pair.told.iter().any(|(_, told)| matches!(told, Out::Greeted(_))), "nobody has joined");
}

#[test]
fn silence_is_asked_about_and_then_believed() {
    let mut pair = Pair::open();
    let mut out = Vec::new();
    let second = Duration::from_secs;
    assert_eq!(pair.dialler.wake(second(14), &mut out), Ok(()));
    assert_eq!((out.len(), pair.dialler.wakes_at()), (0, second(15)));
    assert_eq!(pair.dialler.wake(second(15), &mut out), Ok(()));
    let Some(Out::Frame(ping)) = out.pop() else { panic!("no ping") };
    assert_eq!(pair.answerer.receive(&ping, second(15), &mut out), Ok(()));
    let Some(Out::Frame(pong)) = out.pop() else { panic!("no pong") };
    assert_eq!(pair.dialler.receive(&pong, second(16), &mut out), Ok(()));
    assert_eq!(pair.dialler.wake(second(60), &mut out), Ok(()));
    assert_eq!(pair.dialler.wake(second(61), &mut out), Err(Broken::Silent));
    assert_eq!(Pair::new().answerer.wake(second(10), &mut out), Err(Broken::NoProof));
}

/// Both ends of a socket; bytes are cut as told.
struct Wire {
    ends: [Direct; 2],
    told: [Vec<Told>; 2],
    now: Moment,
    chunk: usize,
    is_slow: bool,
}

impl Wire {
    fn new(chunk: usize) -> Self {
        let mut first = Vec::new();
        let dialler = Direct::dial(me(1, 0), rank(1), at(2), START, &mut first);
        let answerer = Direct::answer(me(2, 1), rank(2), START);
        Self { ends: [dialler, answerer], told: [first, Vec::new()], now: START, chunk, is_slow: false }
    }

    /// Lets both talk, and time pass where nothing else happens, until then.
    fn run(&mut self, until: Moment) -> Result<(), Broken> {
        loop {
            let mut moved = false;
            for from in [0, 1] {
                for told in std::mem::take(&mut self.told[from]) {
                    match told {
                        Told::Send(bytes) => {
                            moved = true;
                            for part in bytes.chunks(self.chunk) {
                                let other = 1 - from;
                                self.ends[other].receive(part, self.now, &mut self.told[other])?;
                            }
                        }
                        Told::Asks(_) => {
                            moved = true;
                            let mut out = Vec::new();
                            self.ends[from].accept(self.now, &mut out)?;
                            self.told[from].extend(out);
                        }
                        other => self.told[from].push(other),
                    }
                }
            }
            if !moved {
                let next = self.ends.iter().filter_map(Direct::wakes_at).min().unwrap_or(until);
                if next > until {
                    return Ok(());
                }
                self.now = next.max(self.now);
                for end in [0, 1] {
                    self.ends[end].wake(self.now, &mut self.told[end])?;
                }
                if self.is_slow {
                    self.now += ms(1);
                }
            }
        }
    }
}

#[test]
fn two_of_ours_know_each_other_however_their_bytes_are_cut() {
    for chunk in [1, 2, 3, 7, 100_000] {
        let mut wire = Wire::new(chunk);
        wire.run(ms(1000)).expect("a link");
        for end in &wire.told {
            assert!(matches!(end.as_slice(), [Told::Greeted(_)]), "{end:?}");
        }
        wire.told = [Vec::new(), Vec::new()];
        let long = "x".repeat(TEXT_BYTES);
        wire.ends[0].say(text(&long), &mut wire.told[0]);
        wire.run(ms(2000)).expect("a word");
        assert_eq!(wire.told[1], [Told::Text(text(&long))]);
    }
}

#[test]
fn the_hello_stands_alone_and_names_its_sender() {
    let mut out = Vec::new();
    let mut dialler = Direct::dial(me(1, 0), rank(1), at(2), START, &mut out);
    assert_eq!(out, [Told::Send(b"Hello from:127.0.0.1:1".to_vec())]);
    out.clear();
    dialler.wake(ms(49), &mut out).expect("nothing");
    assert_eq!(out, []);
    dialler.wake(ms(50), &mut out).expect("the mark");
    assert_eq!(out, [Told::Send(b"\nkith/1 link\n".to_vec())]);
    out.clear();
    dialler.wake(ms(5050), &mut out).expect("patience");
    assert_eq!(out, [Told::Plain(None)], "one of the first clients says nothing");
    out.clear();
    let long = format!("{}\u{fc}", "x".repeat(253));
    dialler.say(text(&long), &mut out);
    let wanted = [format!("{}\n", "x".repeat(253)), "\u{fc}\n".to_owned()];
    assert_eq!(out, wanted.map(|piece| Told::Send(piece.into_bytes())), "it reads 256 bytes at a time");
}

#[test]
fn to_who_says_no_mark_nothing_is_said() {
    let mut out = Vec::new();
    let mut answerer = Direct::answer(me(2, 1), rank(2), START);
    answerer.receive(b"Hello from:127.0.0", ms(0), &mut out).expect("a beginning");
    answerer.receive(b".1:2", ms(20), &mut out).expect("a hello");
    answerer.wake(ms(120), &mut out).expect("quiet");
    answerer.wake(ms(2119), &mut out).expect("nothing");
    assert_eq!(out, []);
    answerer.wake(ms(2120), &mut out).expect("patience");
    assert_eq!(out, [Told::Plain(Some(at(2)))]);
    out.clear();
    answerer.receive(b"hi there\nand", ms(3000), &mut out).expect("text");
    answerer.wake(ms(3100), &mut out).expect("quiet");
    assert_eq!(out, [Told::Text(text("hi there")), Told::Text(text("and"))]);
}

#[test]
fn who_talks_at_once_is_understood() {
    let mut out = Vec::new();
    let mut answerer = Direct::answer(me(2, 1), rank(2), START);
    answerer.receive(b"Hello from:127.0.0.1:9\nkithen sink\n", ms(0), &mut out).expect("a hello");
    assert_eq!(out, [Told::Plain(Some(at(9))), Told::Text(text("kithen sink"))]);
    for wrong in [&b"GET / HTTP/1.1\r\n"[..], b"Hello from:nowhere\n", b"\0"] {
        let mut answerer = Direct::answer(me(2, 1), rank(2), START);
        assert_eq!(answerer.receive(wrong, ms(0), &mut Vec::new()), Err(Broken::Malformed));
    }
    let mut silent = Direct::answer(me(2, 1), rank(2), START);
    assert_eq!(silent.wake(ms(10_000), &mut Vec::new()), Err(Broken::NoProof));
}

#[test]
fn a_line_without_an_end_costs_no_memory() {
    let mut wire = Wire::new(100_000);
    wire.run(ms(1000)).expect("a link");
    let step = wire.ends[0].receive(&vec![b'A'; 1 << 20], ms(1000), &mut Vec::new());
    assert_eq!(step, Err(Broken::Malformed));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_said_instead_of_a_step_ends_the_link(
        frame in proptest::collection::vec(any::<u8>(), 0..80),
        head in proptest::sample::select(vec![kind::CARD, kind::CLAIM, kind::PROOF, kind::REFUSED, 200]),
    ) {
        let frame = [vec![head], frame].concat();
        for dialler in [false, true] {
            let mut pair = Pair::new();
            let end = if dialler { &mut pair.dialler } else { &mut pair.answerer };
            let mut out = Vec::new();
            prop_assert!(end.receive(&frame, START, &mut out).is_err());
            prop_assert!(!out.iter().any(|one| matches!(one, Out::Asks(_) | Out::Greeted(_))));
            prop_assert_eq!(end.say(text("x")), None);
        }
    }

    #[test]
    fn a_changed_byte_of_a_handshake_ends_it(place in any::<prop::sample::Index>(), number in 0_usize..4, bit in 0_u8..8) {
        let mut pair = Pair::new();
        let mut broken = false;
        for at in 0..4 {
            if at == number {
                let frame = &mut pair.frames[at].1;
                let index = place.index(frame.len());
                frame[index] ^= 1 << bit;
            }
            if pair.carry(at).is_err() {
                broken = true;
                break;
            }
            if at == 1 || at == 2 {
                pair.believe();
            }
        }
        let greeted = pair.told.iter().filter(|(_, told)| matches!(told, Out::Greeted(_))).count();
        // A changed last word leaves the dialler with a link that the other side has ended.
        prop_assert!(broken && greeted <= usize::from(number == 3), "{:?}", pair.told);
    }

    #[test]
    fn text_from_the_first_programs_comes_whole(words in "[a-z ]{1,30}(\n[a-z ]{1,30}){0,3}", chunk in 1_usize..20) {
        let mut out = Vec::new();
        let mut answerer = Direct::answer(me(2, 1), rank(2), START);
        answerer.receive(b"Hello from:127.0.0.1:2\0", START, &mut out).expect("a hello");
        answerer.wake(ms(2000), &mut out).expect("patience");
        out.clear();
        for part in words.as_bytes().chunks(chunk) {
            answerer.receive(part, ms(2001), &mut out).expect("text");
        }
        answerer.wake(ms(2101), &mut out).expect("quiet");
        let lines = words.split('\n').map(str::trim_end).filter(|line| !line.is_empty());
        let lines: Vec<_> = lines.map(|line| Told::Text(text(line))).collect();
        prop_assert_eq!(out, lines);
    }
}

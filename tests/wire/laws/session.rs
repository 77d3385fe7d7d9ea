//! Laws of every session: any sequence of frames and answers, in any order, for every dialect.
//!
//! A session asks for signatures to be checked and never checks one itself, so the tests give the
//! answers and need no private key. The house behind it is a real switchboard.

use std::time::Duration;

use kith::{
    crypto::signature::Salt,
    dialect::{
        Ear, Session,
        event::{Input, Output},
        is_fatal, olaf, press, socp, tpacket,
    },
    domain::{
        dialect::Dialect,
        id::ConnectionId,
        letter::{Audience, Author, Frame},
        limits::Limits,
        refusal::{Ending, Refusal},
        rooms::{Ticket, Wish},
        switchboard::{Hearers, Objection, Switchboard},
    },
};
use proptest::prelude::*;
use serde_json::Value;

use super::{
    cases,
    said::{Event, event, frame},
};
use crate::terms::terms;

/// A session with the laws around it: every output is held against what was seen before.
struct Watched {
    dialect: Dialect,
    session: Session,
    asked: bool,
    confirmed: bool,
    joined: bool,
    over: bool,
    last: Option<Frame>,
}

impl Watched {
    fn new(id: u64, dialect: Dialect, pinned: bool) -> Self {
        let session = Session::new(ConnectionId(id), pinned.then_some(dialect), terms(4), None);
        Self { dialect, session, asked: false, confirmed: false, joined: false, over: false, last: None }
    }

    /// What the session makes of an event.
    fn meet(&mut self, event: &Event) -> Vec<Output> {
        let mut out = Vec::new();
        match event {
            Event::End => {
                self.session.end();
                self.over = true;
            }
            Event::Answer(answer) => {
                let verdict = answer.map(|at| (usize::from(at), Salt::Digest));
                self.confirmed = self.asked && verdict.is_some();
                self.asked = false;
                self.session.handle(Input::Checked(verdict), Duration::ZERO, &mut out);
            }
            Event::Again => {
                let Some(Frame::Text(text)) = self.last.clone() else { return out };
                self.session.handle(Input::Frame(Frame::Binary(text.into_bytes())), Duration::ZERO, &mut out);
            }
            _ => {
                let Some(frame) = frame(self.dialect, event) else { return out };
                self.last = Some(frame.clone());
                self.session.handle(Input::Frame(frame), Duration::ZERO, &mut out);
            }
        }
        out
    }

    /// Holds what came out against the laws.
    fn judge(&mut self, event: &Event, out: &[Output]) -> Result<(), TestCaseError> {
        prop_assert!(out.len() <= 2, "{} outputs to one input", out.len());
        prop_assert!(!self.over || out.is_empty(), "something is wished for after the end");
        let answered = matches!(event, Event::Answer(_));
        for output in out {
            match output {
                Output::Check(check) => {
                    prop_assert!(!self.asked, "two checks at once");
                    prop_assert!((1..=11).contains(&check.question.texts.len()));
                    self.asked = true;
                }
                Output::Join(newcomer, _) => {
                    prop_assert!(
                        answered && self.confirmed && !self.joined,
                        "joined without proof, or twice"
                    );
                    prop_assert_eq!(newcomer.dialect, self.dialect);
                    self.joined = true;
                }
                Output::Route(letter) => {
                    prop_assert!(
                        answered && self.confirmed && self.joined,
                        "routed without proof or before a join"
                    );
                    prop_assert_eq!(letter.dialect, self.dialect);
                }
                Output::WantList => prop_assert!(self.joined, "a list for a stranger"),
                Output::Close(ending) => {
                    prop_assert!(is_fatal(*ending));
                    self.over = true;
                }
                // Where there are words for it, a bad signature costs the frame that bears it.
                Output::Note(violation) => {
                    prop_assert!(self.dialect == Dialect::Socp || !is_fatal(Ending::Violated(*violation)));
                }
                Output::Room(Ticket(number), wish) => {
                    let asked = matches!(event, Event::Rooms(Some(ticket)) if ticket == number);
                    let again = matches!(event, Event::Again);
                    prop_assert!(self.joined && (asked || again), "a wish of nobody");
                    prop_assert_eq!(wish, &Wish::List(None));
                }
                Output::Find(_) => prop_assert!(self.joined, "a list for a stranger"),
                // Dialects that have words for it say what went wrong.
                Output::Send(_) if self.dialect != Dialect::Olaf => {}
                Output::Send(_) => prop_assert!(matches!(event, Event::Rooms(None) | Event::Again)),
                other => prop_assert!(false, "clients wish for no {other:?}"),
            }
        }
        Ok(())
    }
}

/// The counter of a frame, for the dialects that have one.
fn counter(frame: &Frame) -> u64 {
    let text = frame.text().expect("text");
    serde_json::from_str::<Value>(text).expect("JSON")["counter"].as_u64().expect("a counter")
}

/// A house and the letters it let through.
struct House {
    switchboard: Switchboard,
    /// With their authors: one signature never belongs to two keys, but these tests believe anything.
    planned: Vec<(Author, Frame)>,
}

impl House {
    fn new() -> Self {
        Self { switchboard: Switchboard::new([], &Limits::default()), planned: Vec::new() }
    }

    /// What the registry does with an output.
    fn take(&mut self, id: u64, output: Output) -> Result<(), TestCaseError> {
        match output {
            Output::Join(newcomer, ear) => {
                let joined = self.switchboard.join(ConnectionId(id), &newcomer);
                let refused = matches!(joined, Err(Refusal::Replayed | Refusal::NameInUse));
                prop_assert!(joined.is_ok() || refused, "{joined:?}");
                prop_assert!(matches!(ear, Ear::Olaf(_) | Ear::Socp(_)));
            }
            Output::Route(letter) => match self.switchboard.route(&letter) {
                Ok(plan) => {
                    let is_heard = letter.audience == Audience::Everyone || plan.unreachable == 0;
                    prop_assert_eq!(plan.here != Hearers::Nobody, is_heard);
                    let heard = |ear| press::letter(&letter, ear);
                    let in_olaf = heard(Ear::Olaf(olaf::accent::Ear::default()));
                    let in_socp = heard(Ear::Socp(socp::Accent::default()));
                    prop_assert!(heard(Ear::Tpacket(tpacket::Version::One)).is_none());
                    let is_olaf = letter.dialect == Dialect::Olaf;
                    let (own, other) = if is_olaf { (in_olaf, in_socp) } else { (in_socp, in_olaf) };
                    let is_wrapped = matches!(letter.audience, Audience::Member(_));
                    prop_assert!(
                        is_wrapped || own.as_ref() == Some(&letter.original),
                        "the author's own bytes"
                    );
                    prop_assert!(own.is_some() && other.is_none(), "its own dialect and no other");
                    let planned = (letter.author, letter.original);
                    prop_assert!(!self.planned.contains(&planned), "a replay was routed");
                    self.planned.push(planned);
                }
                // The signature was seen before, or its author was refused at the door.
                Err(Objection::Refused(Refusal::Replayed) | Objection::Violated(_)) => {}
                Err(Objection::NotFound) => {
                    prop_assert!(matches!(letter.audience, Audience::Member(_)));
                }
                Err(other) => prop_assert!(false, "{other:?}"),
            },
            _ => {}
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_session_keeps_the_laws(events in prop::collection::vec(event(), 1..40), pinned in any::<bool>()) {
        for dialect in Dialect::ALL {
            let mut watched = Watched::new(1, dialect, pinned);
            let mut last_counter = None;
            for event in &events {
                let out = watched.meet(event);
                watched.judge(event, &out)?;
                for output in &out {
                    if let Output::Route(letter) = output
                        && dialect == Dialect::Olaf
                    {
                        let counter = counter(&letter.original);
                        prop_assert!(last_counter.is_none_or(|last| counter > last), "counters must grow");
                        last_counter = Some(counter);
                    }
                }
            }
        }
    }

    /// Two connections that say whatever they like, each other's words included, get nothing through twice.
    #[test]
    fn nothing_is_routed_twice_through_the_whole_house(
        events in prop::collection::vec((0..3_u64, event()), 1..80),
    ) {
        for dialect in Dialect::ALL {
            let mut house = House::new();
            let mut sessions: Vec<_> = (0..3).map(|id| Watched::new(id, dialect, false)).collect();
            for (id, event) in &events {
                let watched = &mut sessions[usize::try_from(*id).unwrap()];
                let out = watched.meet(event);
                watched.judge(event, &out)?;
                for output in out {
                    house.take(*id, output)?;
                }
            }
        }
    }
}

/// The laws above would hold in an empty house. This one is not: an honest conversation gets through,
/// and the same frames on the same and on another connection do not.
#[test]
fn an_honest_conversation_is_routed_once() {
    for dialect in [Dialect::Olaf, Dialect::Socp] {
        let mut house = House::new();
        let mut sessions = [Watched::new(0, dialect, false), Watched::new(1, dialect, false)];
        let hello = |signature| Event::Hello { key: 0, counter: 1, signature };
        let public = |counter| Event::Public { key: 0, counter, signature: u8::try_from(counter).unwrap() };
        let proof = Event::Answer(Some(0));
        let mut play = |id: usize, events: &[Event]| {
            for event in events {
                for output in sessions[id].meet(event) {
                    house.take(u64::try_from(id).unwrap(), output).expect("the laws");
                }
            }
            house.planned.len()
        };
        // An answer that nobody asked for changes nothing.
        assert_eq!(
            play(
                0,
                &[
                    proof.clone(),
                    hello(1),
                    proof.clone(),
                    proof.clone(),
                    public(2),
                    proof.clone(),
                    public(3),
                    proof.clone()
                ]
            ),
            2
        );
        assert_eq!(
            play(0, &[public(2), proof.clone(), public(3), proof.clone()]),
            2,
            "on the same connection"
        );
        // A recorded hello is let in by the session, but not by the house, and neither is what follows.
        assert_eq!(
            play(1, &[hello(1), proof.clone(), public(4), proof.clone()]),
            2,
            "behind a stranger's hello"
        );
        assert_eq!(play(0, &[public(4), proof]), 3);
    }
}

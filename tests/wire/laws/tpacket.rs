//! Laws of tPacket sessions: any packets, any bytes and any answers of the house, in any order.

use std::{collections::HashSet, sync::Arc, time::Duration};

use bytes::Bytes;
use kith::{
    dialect::{
        Ear, Session,
        event::{Input, Output},
        is_fatal,
        tpacket::{
            self,
            packet::{MAGIC, Packet, command},
        },
    },
    domain::{
        dialect::Dialect,
        id::ConnectionId,
        letter::Frame,
        member::Member,
        refusal::{Ending, Refusal, Violation},
        replay::Trace,
        rooms::Ticket,
    },
};
use proptest::prelude::*;

use super::cases;
use crate::terms::terms;

#[derive(Clone, Debug)]
enum Event {
    Bytes(Vec<u8>),
    Text(String),
    Packet {
        uid: u32,
        command: u32,
        p1: i32,
        data: Vec<u8>,
    },
    /// The same, and the head lies about the size.
    Lie(Vec<u8>, u32),
    Joined(Result<(), Refusal>),
    Checked,
    End,
}

fn event() -> impl Strategy<Value = Event> {
    let command = prop_oneof![8 => 0..9_u32, 3 => 9..24_u32, 1 => any::<u32>()];
    let data = prop_oneof![
        4 => Just(MAGIC.to_vec()),
        4 => "[a-z]{0,6}".prop_map(String::into_bytes),
        2 => prop::collection::vec(any::<u8>(), 0..80),
        1 => Just(b"\x05lobby".to_vec()),
    ];
    let p1 = prop_oneof![4 => 0..3_i32, 1 => any::<i32>()];
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(Event::Bytes),
        1 => (prop::collection::vec(any::<u8>(), 0..60), any::<u32>()).prop_map(|(data, size)| Event::Lie(data, size)),
        1 => "\\PC{0,20}".prop_map(Event::Text),
        30 => (any::<u32>(), command, p1, data)
            .prop_map(|(uid, command, p1, data)| Event::Packet { uid, command, p1, data }),
        10 => Just(Event::Packet { uid: 1, command: command::NOP, p1: 1, data: MAGIC.to_vec() }),
        8 => prop_oneof![4 => Just(Ok(())), 1 => prop::sample::select(Refusal::ALL.to_vec()).prop_map(Err)]
            .prop_map(Event::Joined),
        1 => Just(Event::Checked),
        1 => Just(Event::End),
    ]
}

fn input(event: &Event) -> Option<Input> {
    let binary = |bytes: &[u8]| Input::Frame(Frame::Binary(Bytes::copy_from_slice(bytes)));
    Some(match event {
        Event::Bytes(bytes) => binary(bytes),
        Event::Text(text) => Input::Frame(Frame::Text(text.as_str().into())),
        Event::Packet { uid, command, p1, data } => {
            Input::Frame(Packet { uid: *uid, command: *command, p1: *p1, p2: 0, data }.print())
        }
        Event::Lie(data, size) => {
            let honest = Packet { uid: 1, command: command::NEW_MSG, p1: 0, p2: 0, data };
            let Frame::Binary(bytes) = honest.print() else { return None };
            let mut bytes = bytes.to_vec();
            bytes[8..12].copy_from_slice(&size.to_le_bytes());
            binary(&bytes)
        }
        Event::Joined(answer) => {
            let newcomer = tpacket::newcomer("alice", Trace([0; 16]));
            let member = Member {
                key: newcomer.key,
                name: Some("alice".into()),
                number: 1,
                dialect: Dialect::Tpacket,
                public_key: newcomer.public_key,
                spelled: newcomer.spelled,
                fingerprint: None,
                sealing_key: None,
                display_name: None,
            };
            Input::Joined(answer.map(|()| Arc::new(member)))
        }
        Event::Checked => Input::Checked(None),
        Event::End => return None,
    })
}

/// What is known of a session from outside.
#[derive(Default)]
struct Watched {
    has_magic: bool,
    asks: bool,
    is_named: bool,
    faults: u32,
    over: bool,
    traces: HashSet<Trace>,
}

impl Watched {
    /// What an event changes before the session says anything.
    fn expect(&mut self, event: &Event) {
        match event {
            Event::Packet { command: command::NOP, data, .. } if data == MAGIC && !self.asks => {
                self.has_magic = true;
            }
            Event::Joined(answer) if self.asks => {
                self.asks = false;
                self.is_named |= answer.is_ok();
            }
            Event::End => self.over = true,
            _ => {}
        }
    }

    fn judge(&mut self, event: &Event, out: &[Output]) -> Result<(), TestCaseError> {
        prop_assert!(out.len() <= 2 && (out.is_empty() || !self.over), "{:?}", out);
        for output in out {
            match output {
                Output::Join(newcomer, Ear::Tpacket(_)) => {
                    prop_assert!(self.has_magic && !self.asks && !self.is_named, "joined before the magic");
                    prop_assert!(self.traces.insert(newcomer.trace), "taken for a replay");
                    self.asks = true;
                }
                Output::Room(Ticket(number), _) => {
                    prop_assert!(self.is_named, "a wish of nobody");
                    let Event::Packet { uid, .. } = event else {
                        return Err(TestCaseError::fail("a wish out of nothing"));
                    };
                    prop_assert_eq!(number, uid);
                }
                Output::Send(Frame::Binary(bytes)) => {
                    let packet = Packet::read(bytes);
                    prop_assert!(packet.is_ok_and(|packet| matches!(
                        packet.command,
                        command::RESP_OK | command::RESP_ERROR
                    )));
                }
                Output::Note(violation) => {
                    self.faults += 1;
                    prop_assert!(!is_fatal(Ending::Violated(*violation)) && self.faults <= 2);
                }
                Output::Close(ending) => {
                    let Ending::Violated(violation) = ending else { panic!("{ending}") };
                    prop_assert!(is_fatal(*ending));
                    let is_due = match violation {
                        Violation::NotBinary => matches!(event, Event::Text(_)),
                        other => *other == Violation::TooManyFaults && self.faults == 2,
                    };
                    prop_assert!(is_due, "closed too early: {violation:?}");
                    self.over = true;
                }
                other => prop_assert!(false, "clients wish for no {other:?}"),
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_session_of_packets_keeps_the_laws(events in prop::collection::vec(event(), 1..60)) {
        let mut session = Session::new(ConnectionId(1), Some(Dialect::Tpacket), terms(4), None);
        let mut watched = Watched::default();
        for event in &events {
            let mut out = Vec::new();
            watched.expect(event);
            match input(event) {
                Some(input) => session.handle(input, Duration::ZERO, &mut out),
                None => session.end(),
            }
            watched.judge(event, &out)?;
        }
    }

    #[test]
    fn whatever_is_read_is_printed_as_it_was(uid in any::<u32>(), command in any::<u32>(), p1 in any::<i32>(),
        p2 in any::<i32>(), data in prop::collection::vec(any::<u8>(), 0..300), cut in any::<prop::sample::Index>()) {
        let packet = Packet { uid, command, p1, p2, data: &data };
        let Frame::Binary(bytes) = packet.print() else { panic!("text") };
        prop_assert_eq!(Packet::read(&bytes), Ok(packet));
        prop_assert!(Packet::read(&bytes[..cut.index(bytes.len())]).is_err(), "part of it is none");
        prop_assert!(Packet::read(&[&bytes[..], &[0]].concat()).is_err(), "and more of it neither");
    }
}

/// The first frame decides at the main door, and binary bytes that begin otherwise decide nothing.
#[test]
fn the_signature_shows_the_protocol() {
    let mut session = Session::new(ConnectionId(1), None, terms(4), None);
    let mut out = Vec::new();
    session.handle(Input::Frame(Frame::Binary(Bytes::from_static(b"Ej8"))), Duration::ZERO, &mut out);
    assert!(matches!(&out[..], [Output::Note(Violation::Malformed)]), "{out:?}");
    out.clear();
    session.handle(Input::Frame(Frame::Binary(Bytes::from_static(b"Ej8@"))), Duration::ZERO, &mut out);
    assert!(matches!(&out[..], [Output::Send(_), Output::Note(Violation::Malformed)]), "{out:?}");
    let mut olaf = Session::new(ConnectionId(2), Some(Dialect::Olaf), terms(4), None);
    out.clear();
    let magic = Packet { uid: 1, command: command::NOP, p1: 0, p2: 0, data: MAGIC };
    olaf.handle(Input::Frame(magic.print()), Duration::ZERO, &mut out);
    assert!(matches!(&out[..], [Output::Close(Ending::Violated(Violation::WrongDialect))]), "{out:?}");
}

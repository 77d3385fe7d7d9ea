//! Any messages of a tPacket client, and any answers of the house: no panic, no wish before the nick, nothing after the end.
//!
//! Each part has its length in two bytes before it. One that begins with `+` is the house's yes to a nick, one with `-`
//! its no, one with `"` a text; anything else is a binary message.
#![no_main]

mod house;

use std::sync::Arc;

use bytes::Bytes;
use kith::{
    dialect::{
        Session,
        event::{Input, Output},
        tpacket::{
            self,
            packet::{Packet, command},
        },
    },
    domain::{
        dialect::Dialect, id::ConnectionId, letter::Frame, member::Member, refusal::Refusal, replay::Trace,
    },
};
use libfuzzer_sys::fuzz_target;

fn alice() -> Arc<Member> {
    let newcomer = tpacket::newcomer("alice", Trace([0; 16]));
    Arc::new(Member {
        key: newcomer.key,
        name: Some("alice".into()),
        number: 1,
        dialect: Dialect::Tpacket,
        public_key: newcomer.public_key,
        spelled: newcomer.spelled,
        fingerprint: None,
        sealing_key: None,
        display_name: None,
    })
}

/// The next part, and the rest.
fn cut(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = data.split_first_chunk::<2>()?;
    Some(rest.split_at(rest.len().min(usize::from(u16::from_le_bytes(*length)))))
}

fn input(part: &[u8]) -> Input {
    match part {
        [b'+', ..] => Input::Joined(Ok(alice())),
        [b'-', ..] => Input::Joined(Err(Refusal::NameInUse)),
        [b'"', text @ ..] => Input::Frame(Frame::Text(String::from_utf8_lossy(text).into_owned().into())),
        bytes => {
            if let Ok(packet) = Packet::read(bytes) {
                assert_eq!(packet.print(), Frame::Binary(Bytes::copy_from_slice(bytes)));
            }
            Input::Frame(Frame::Binary(Bytes::copy_from_slice(bytes)))
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut session = Session::new(ConnectionId(1), Some(Dialect::Tpacket), house::terms(), None);
    let (mut asks, mut is_named, mut over) = (false, false, false);
    let mut rest = data;
    while let Some((part, next)) = cut(rest) {
        rest = next;
        let input = input(part);
        if let Input::Joined(answer) = &input {
            is_named |= asks && answer.is_ok();
            asks = false;
        }
        let out = house::hears(&mut session, input);
        assert!(out.len() <= 2 && (!over || out.is_empty()), "{out:?}");
        for output in out {
            match output {
                Output::Join(..) => {
                    assert!(!asks && !is_named);
                    asks = true;
                }
                Output::Room(..) | Output::Errand(..) => assert!(is_named),
                Output::Send(Frame::Binary(bytes)) => {
                    let answer = Packet::read(&bytes).expect("an answer is a packet").command;
                    assert!([command::RESP_OK, command::RESP_ERROR].contains(&answer));
                }
                Output::Note(_) => {}
                Output::Close(_) => over = true,
                other => panic!("{other:?}"),
            }
        }
    }
});

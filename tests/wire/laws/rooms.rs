//! Laws of frames about rooms: any JSON and any bytes are answered, refused or none of ours.

use std::time::Duration;

use bytes::Bytes;
use kith::{
    dialect::{
        event::{Input, Output},
        press, rooms,
    },
    domain::{
        dialect::Dialect,
        id::{HomeId, KeyId},
        letter::Frame,
        refusal::Violation,
        rooms::{Deed, Event, Guest, Line, LineId, RoomName, Speaker, Stamp, Ticket, Wish},
    },
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{cases, text::value};
use crate::rooms::joined;

/// Something that may stand in a field: mostly what belongs there.
fn field(fits: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Option<Value>> {
    prop_oneof![8 => fits.prop_map(Some), 1 => value().prop_map(Some), 1 => Just(None)]
}

fn request() -> impl Strategy<Value = Value> {
    let verbs = ["enter", "leave", "say", "rooms", "history", "dance"];
    let id = (any::<u64>(), any::<[u8; 32]>());
    let id = id.prop_map(|(stamp, home)| LineId { stamp: Stamp(stamp), home: KeyId(home) }.to_string());
    let fields = (
        field(prop::sample::select(verbs.to_vec()).prop_map(Value::from)),
        field(any::<u32>().prop_map(Value::from)),
        field("\\PC{1,20}".prop_map(Value::from)),
        field(any::<String>().prop_map(Value::from)),
        field(id.prop_map(Value::from)),
        field((1..100_000_u32).prop_map(Value::from)),
        field(Just(json!("signed_data"))),
    );
    fields.prop_map(|(kith, ticket, room, text, before, most, kind)| {
        let fields = [kith, ticket, room, text, before, most, kind];
        let names = ["kith", "ticket", "room", "text", "before", "most", "type"];
        let fields = names.into_iter().zip(fields);
        Value::Object(Map::from_iter(
            fields.filter_map(|(name, value)| value.map(|value| (name.to_owned(), value))),
        ))
    })
}

/// What a client that is in makes of a frame, in each dialect.
fn heard(frame: &Frame) -> impl Iterator<Item = (Dialect, Vec<Output>)> {
    [Dialect::Olaf, Dialect::Socp].into_iter().map(move |dialect| {
        let (mut session, _) = joined(1, dialect);
        let mut out = Vec::new();
        session.handle(Input::Frame(frame.clone()), Duration::ZERO, &mut out);
        (dialect, out)
    })
}

fn read(frame: &Frame) -> Value {
    let Frame::Text(text) = frame else { panic!("{frame:?}") };
    serde_json::from_str(text).expect("JSON")
}

proptest! {
    #![proptest_config(cases())]

    /// A wish or one refusal with the number of the request, the same in both dialects; and nothing else.
    #[test]
    fn every_request_is_a_wish_or_is_refused(request in request(), as_binary in any::<bool>()) {
        let text = request.to_string();
        let is_ours = rooms::is_ours(&text);
        prop_assert_eq!(is_ours, request.get("kith").is_some());
        let frame = if as_binary {
            Frame::Binary(Bytes::from(text.into_bytes()))
        } else {
            Frame::Text(text.into())
        };
        let ticket = request.get("ticket").and_then(Value::as_u64).and_then(|ticket| u32::try_from(ticket).ok());
        for (dialect, out) in heard(&frame) {
            if !is_ours {
                prop_assert!(!out.iter().any(|output| matches!(output, Output::Room(..))), "{out:?}");
                continue;
            }
            match &out[..] {
                [Output::Room(Ticket(number), wish)] => {
                    prop_assert_eq!(Some(*number), ticket);
                    prop_assert!(!matches!(wish, Wish::Rename(_) | Wish::Move(_) | Wish::Say(None, _)));
                }
                [Output::Send(frame)] | [Output::Note(Violation::Malformed), Output::Send(frame)] => {
                    let refused = read(frame);
                    prop_assert_eq!(&refused["kith"], "refused");
                    let told = &refused["ticket"];
                    prop_assert!(*told == json!(ticket) || told.is_null(), "{}", refused);
                }
                other => prop_assert!(false, "{dialect}: {other:?}"),
            }
        }
    }

    #[test]
    fn any_json_and_any_text_is_read_or_is_none_of_ours(value in value(), text in any::<String>()) {
        let has_key = value.get("kith").is_some();
        prop_assert_eq!(rooms::is_ours(&value.to_string()), has_key);
        let marked = json!({"kith": value, "ticket": 1, "room": text, "text": value});
        for text in [text, marked.to_string()] {
            let is_ours = rooms::is_ours(&text);
            for (_, out) in heard(&Frame::Text(text.as_str().into())) {
                prop_assert!(out.len() <= 2);
                prop_assert!(!is_ours || !out.is_empty(), "whoever asks is answered");
            }
        }
    }

    /// What was said is told as it was said, whatever it is.
    #[test]
    fn words_are_told_as_they_were_said(words in any::<String>(), name in "\\PC{1,16}", stamp in any::<u64>()) {
        let room = RoomName::new("garden").expect("a name");
        let (member, dialect) = (KeyId([3; 32]), Some(Dialect::Tpacket));
        let id = LineId { stamp: Stamp(stamp), home: KeyId([1; 32]) };
        let by = Speaker { member, name: name.as_str().into(), dialect };
        let (by, deed) = (Some(by), Deed::Said(words.as_str().into()));
        let line = Line { id, room: room.clone(), by, deed, was_letter: false };
        let guest = Guest { number: 7, member, name: name.as_str().into(), dialect, home: HomeId(2) };
        let event = Event::Said(guest.into(), line.into());
        for dialect in [Dialect::Olaf, Dialect::Socp] {
            let (_, ear) = joined(1, dialect);
            let frames = press::room_event(&room, &event, ear);
            let [frame] = &frames[..] else { panic!("{frames:?}") };
            let told = read(frame);
            prop_assert_eq!(&told["line"]["text"], &json!(words));
            prop_assert_eq!(&told["line"]["by"]["name"], &json!(name));
            prop_assert_eq!(told["line"]["id"].as_str().and_then(LineId::parse), Some(id));
        }
    }
}

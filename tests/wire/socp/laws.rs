//! Laws of reading and printing that hold for any input.

use kith::dialect::socp::{
    accent::Accent,
    binary,
    canonical::{Form, Payload, canonical},
    content,
    envelope::{Envelope, Ts, is_socp, print},
    key,
    payload::{File, Introduction, Letter, Presence, Welcome, is_user_name},
    request::{Ack, ChannelUpdate, Command, Complaint, KeyAnswer, KeyRequest, KeyShare, Names},
    sign,
};
use proptest::{prelude::*, test_runner::Config};
use serde_json::{Map, Value};

use super::{NAMES, frames};

fn cases() -> Config {
    Config { cases: 256, failure_persistence: None, ..Config::default() }
}

/// Any text; the second kind is one that everybody prints alike.
fn text(ascii: bool) -> BoxedStrategy<String> {
    if ascii {
        "[ -~]{0,8}".prop_map(|text| text.replace('\\', "/")).boxed()
    } else {
        any::<String>().boxed()
    }
}

/// Any object, of numbers that everybody prints alike.
fn object(ascii: bool) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        text(ascii).prop_map(Value::from),
    ];
    let entries = move |inner: BoxedStrategy<Value>| {
        prop::collection::vec((text(ascii), inner), 0..6)
            .prop_map(|entries| Value::Object(Map::from_iter(entries)))
    };
    let value = leaf.prop_recursive(4, 48, 8, move |inner| {
        prop_oneof![prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from), entries(inner.boxed()),]
    });
    entries(value.boxed())
}

fn is_sorted(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.keys().is_sorted() && object.values().all(is_sorted),
        Value::Array(items) => items.iter().all(is_sorted),
        _ => true,
    }
}

/// Hands a text to everything that reads.
fn read_all(text: &str) {
    let _ = is_socp(text);
    if let Ok(frame) = Envelope::read(text) {
        let _ = Accent::recognise(&frame);
        read_payload(frame.payload());
    }
    read_payload(text);
    let _ = (key::read(text), sign::decode(text), binary::decode(text));
    let _ = (Accent::parse(text), is_user_name(text), Ts::read(text).map(|ts| ts.millis()));
}

fn read_payload(text: &str) {
    assert!(sign::candidates(text, None, true).len() <= 10);
    let _ = Introduction::read(text);
    let _ = Presence::read(text).map(|presence| presence.pubkey().is_some());
    let _ = File::read(text);
    let _ = Welcome::read(text).map(|welcome| (welcome.introducer_key("a").is_some(), welcome.locations()));
    let _ = (Complaint::read(text), Ack::read(text), KeyRequest::read(text), KeyAnswer::read(text));
    let _ =
        Command::read(text).map(|command| matches!(command.typed(), request if request == command.typed()));
    let _ = Names::read(text).map(|names| names.users().len());
    if let Ok(letter) = Letter::read(text) {
        let _ = content::of(text, &letter, "a", Some("b"), letter.written().as_ref());
    }
    let _ = ChannelUpdate::read(text).map(|update| update.wraps.len());
    if let Ok(share) = KeyShare::read(text) {
        let _ = (share.shares(), content::key_share(share.shares.get(), "AAAA"));
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn sorting_changes_the_order_and_nothing_else(value in object(false), wide in any::<bool>()) {
        let received = if wide { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let received = received.unwrap();
        let payload = Payload::read(&received).unwrap();
        for form in [Form::SortedAscii, Form::SortedUtf8, Form::Received, Form::Compact] {
            let text = payload.print(form);
            let read: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read, &value, "{:?}", form);
            let again = Payload::read(&text).unwrap();
            prop_assert_eq!(again.print(form), text.clone(), "{:?}", form);
            prop_assert_eq!(again.print(Form::SortedAscii), payload.print(Form::SortedAscii), "{:?}", form);
            if matches!(form, Form::SortedAscii | Form::SortedUtf8) {
                prop_assert!(is_sorted(&read));
            }
        }
        prop_assert!(payload.print(Form::SortedAscii).is_ascii());
        prop_assert_eq!(payload.print(Form::Compact), serde_json::to_string(&value).unwrap());
        let trap = payload.print(Form::Trap);
        prop_assert_eq!(Payload::read(&trap).unwrap().print(Form::Trap), trap);
    }

    /// What we print can be signed once for everybody.
    #[test]
    fn what_we_print_has_one_text_in_all_forms_but_the_trap(value in object(true)) {
        let ours = canonical(&value.to_string()).unwrap();
        let payload = Payload::read(&ours).unwrap();
        for form in [Form::SortedAscii, Form::SortedUtf8, Form::Received, Form::Compact] {
            prop_assert_eq!(payload.print(form), ours.clone(), "{:?}", form);
        }
        prop_assert!(sign::candidates(&ours, None, false).len() <= 2);
    }

    #[test]
    fn a_frame_is_read_as_it_was_printed(
        kind in any::<String>(), from in any::<String>(), to in any::<String>(), ts in any::<i64>(),
        payload in object(false), sig in proptest::option::of("[ -~]{1,20}"), inside in any::<bool>(),
    ) {
        let payload = payload.to_string();
        let mut frame = print(&kind, &from, &to, &ts.to_string(), &payload, sig.as_deref());
        if inside {
            frame = serde_json::to_string(&frame).unwrap();
        }
        let read = Envelope::read(&frame).unwrap();
        prop_assert_eq!((&*read.kind, &*read.from, &*read.to), (&*kind, &*from, &*to));
        prop_assert_eq!(read.ts.as_ref().and_then(Ts::millis), Some(ts));
        prop_assert_eq!((read.payload(), read.sig.as_deref()), (&*payload, sig.as_deref()));
    }

    #[test]
    fn bytes_survive_both_spellings(bytes in prop::collection::vec(any::<u8>(), 0..600), padded in any::<bool>()) {
        let text = binary::encode(&bytes, padded);
        prop_assert_eq!(binary::decode(&text), Some(bytes));
    }

    #[test]
    fn reading_any_text_does_not_panic(text in any::<String>(), near in "[{}\\[\\]\":,\\\\utrn0-9eE+. -]{0,40}") {
        read_all(&text);
        read_all(&near);
    }

    #[test]
    fn reading_any_object_does_not_panic(value in object(false)) {
        read_all(&value.to_string());
    }

    /// Recorded frames with some bytes changed, and what is left of them as text.
    #[test]
    fn reading_a_damaged_frame_does_not_panic(
        which in any::<prop::sample::Index>(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let frames: Vec<_> = frames(NAMES[which.index(NAMES.len())]);
        let mut bytes = frames[which.index(frames.len())].1.clone().into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read_all(&String::from_utf8_lossy(&bytes));
    }
}

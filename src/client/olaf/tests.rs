//! Sessions that talk to each other, and everything a server or a stranger may try.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Session;
use crate::{
    client::event::{Author, Doubt, Event, Output, Rejection, SayError},
    crypto::{
        fingerprint::OFFICIAL,
        keys::PrivateKey,
        signature::{self, Salt},
    },
    dialect::olaf::{
        accent::Ear,
        print,
        wire::{Message, Signed},
    },
};

/// Keys are slow to make, and no test needs fresh ones.
static KEYS: LazyLock<[Arc<PrivateKey>; 3]> =
    LazyLock::new(|| std::array::from_fn(|_| Arc::new(PrivateKey::generate(2048).expect("a key"))));

fn people() -> [Session; 3] {
    std::array::from_fn(|at| Session::new(Arc::clone(&KEYS[at])).expect("a session"))
}

fn list(members: &[&PrivateKey]) -> String {
    let clients: Vec<_> = members.iter().map(|key| key.public().canonical_pem()).collect();
    json!({"type": "client_list", "servers": [{"address": "127.0.0.1:80", "clients": clients}]}).to_string()
}

fn hear(session: &mut Session, frame: &str) -> Vec<Output> {
    let mut out = Vec::new();
    session.receive(frame, &mut out);
    out
}

/// The one event a frame causes.
fn event(session: &mut Session, frame: &str) -> Event {
    match hear(session, frame).as_slice() {
        [Output::Event(event)] => event.clone(),
        other => panic!("one event, not {other:?}"),
    }
}

/// Three people who greeted and know each other.
fn introduced() -> [Session; 3] {
    let mut people = people();
    let list = list(&KEYS.each_ref().map(|key| &**key));
    for person in &mut people {
        person.greet().expect("a greeting");
        hear(person, &list);
    }
    people
}

fn signed(frame: &str) -> Signed<'_> {
    match Message::read(frame) {
        Ok(Message::Signed(signed)) => signed,
        other => panic!("something signed, not {other:?}"),
    }
}

/// The same data under another key.
fn forged(frame: &str, key: &PrivateKey) -> String {
    let message = signed(frame);
    resigned(&message.data, message.counter, key, true, Salt::Digest)
}

fn resigned(data: &str, counter: u64, key: &PrivateKey, is_string: bool, salt: Salt) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let signature = signature::sign(key, format!("{data}{counter}").as_bytes(), salt).expect("a signature");
    let value: Value = serde_json::from_str(data).expect("data");
    let shown = if is_string { json!(data) } else { value };
    json!({"type": "signed_data", "data": shown, "counter": counter, "signature": STANDARD.encode(signature)})
        .to_string()
}

#[test]
fn the_hello_is_plain_and_counts_from_one() {
    let [mut anna, ..] = people();
    let [hello, wish] = anna.greet().expect("a greeting");
    assert_eq!(wish, r#"{"type":"client_list_request"}"#);
    let message = signed(&hello);
    assert!(message.data_is_string && message.counter == 1);
    let data: Value = serde_json::from_str(&message.data).expect("data");
    assert_eq!(*message.data, *print::compact(&print::sorted(&data)));
    let pem = data["public_key"].as_str().expect("a key");
    assert_eq!(pem, KEYS[0].public().canonical_pem());
    assert_eq!(Ear::recognise(&message, &hello, pem, Salt::Digest), Ear::default());
    let [again, _] = anna.greet().expect("a greeting");
    assert_eq!(signed(&again).counter, 2, "counters go on over a reconnect");
}

#[test]
fn the_list_tells_who_comes_and_goes() {
    let [mut anna, ben, eve] = people();
    let listed = |event: Event| match event {
        Event::Listed { members, joined, left } => (members.len(), joined, left),
        other => panic!("a list, not {other:?}"),
    };
    let mut both = vec![ben.id(), eve.id()];
    both.sort();
    let all = list(&KEYS.each_ref().map(|key| &**key));
    assert_eq!(listed(event(&mut anna, &all)), (3, both, vec![]));
    let two = list(&[&KEYS[0], &KEYS[1]]);
    assert_eq!(listed(event(&mut anna, &two)), (2, vec![], vec![eve.id()]));
    assert_eq!(listed(event(&mut anna, &all)), (3, vec![eve.id()], vec![]));
    let numbered = json!({"type": "client_list", "servers": [{"address": "h", "server-id": 1, "clients": [
        {"client-id": 1, "public-key": KEYS[1].public().column_pem() + "\n"}, 7, "no key", {"x": 1}]}]});
    assert_eq!(listed(event(&mut anna, &numbered.to_string())).0, 1);
}

#[test]
fn a_public_letter_is_heard_by_all_and_recognised_by_its_author() {
    let [mut anna, mut ben, mut eve] = introduced();
    let frame = anna.public("hällo \u{1f44b}").expect("a letter");
    let expected = Event::Public { from: anna.id(), text: "hällo \u{1f44b}".into() };
    assert_eq!(event(&mut ben, &frame), expected);
    assert_eq!(event(&mut eve, &frame), expected);
    assert_eq!(event(&mut anna, &frame), Event::Echo { counter: 2 });
    let again = Event::Rejected { from: anna.id(), why: Rejection::Repeated };
    assert_eq!(event(&mut ben, &frame), again);
}

#[test]
fn a_private_letter_is_read_by_its_recipients_only() {
    let [mut anna, mut ben, mut eve] = introduced();
    let frame = anna.private(&[ben.id()], "at eight").expect("a letter");
    let to = vec![Author::Known(ben.id())];
    let expected = Event::Private { from: anna.id(), to, text: "at eight".into() };
    assert_eq!(event(&mut ben, &frame), expected);
    assert_eq!(hear(&mut eve, &frame), []);
    assert_eq!(event(&mut anna, &frame), Event::Echo { counter: 2 });
    let data: Value = serde_json::from_str(&signed(&frame).data).expect("data");
    assert_eq!(data["destination_servers"], json!(["127.0.0.1:80"]));
    assert_eq!(data["symm_keys"].as_array().map(Vec::len), Some(1));
    assert!(!frame.contains("eight"));
}

#[test]
fn what_cannot_be_sent_is_said() {
    let [mut anna, ben, eve] = people();
    anna.greet().expect("a greeting");
    hear(&mut anna, &list(&[&KEYS[0], &KEYS[1]]));
    assert_eq!(anna.private(&[ben.id(), eve.id()], "x"), Err(SayError::NotPresent(eve.id())));
    assert_eq!(anna.private(&[], "x"), Err(SayError::Nobody));
    assert_eq!(anna.private(&vec![ben.id(); 257], "x"), Err(SayError::TooMany(256)));
    assert_eq!(anna.public(&"x".repeat(1 << 20)), Err(SayError::TooLong));
    assert_eq!(signed(&anna.public("x").expect("a letter")).counter, 2, "what failed counts nothing");
}

#[test]
fn nobody_speaks_in_the_name_of_another() {
    let [mut anna, mut ben, mut eve] = introduced();
    // Eve signs Anna's words with her own key, in public and in a letter to Ben.
    let public = forged(&anna.public("I quit").expect("a letter"), &KEYS[2]);
    let private = forged(&anna.private(&[ben.id()], "I quit").expect("a letter"), &KEYS[2]);
    for (frame, is_private) in [(public, false), (private, true)] {
        let claimed = OFFICIAL.of(KEYS[0].public(), "");
        let why = Doubt::WrongSignature;
        let expected = Event::Unverified { claimed, text: "I quit".into(), is_private, why };
        assert_eq!(event(&mut ben, &frame), expected);
    }
    // Eve is believed as Eve.
    let frame = eve.public("hello").expect("a letter");
    assert!(matches!(event(&mut ben, &frame), Event::Public { from, .. } if from == eve.id()));
}

#[test]
fn a_counter_must_grow_until_its_owner_comes_again() {
    let [mut anna, mut ben, _] = introduced();
    let [older, newer] = ["one", "two"].map(|text| anna.public(text).expect("a letter"));
    assert!(matches!(event(&mut ben, &newer), Event::Public { .. }));
    let stale = Event::Rejected { from: anna.id(), why: Rejection::StaleCounter };
    assert_eq!(event(&mut ben, &older), stale);
    hear(&mut ben, &list(&[&KEYS[1]]));
    hear(&mut ben, &list(&[&KEYS[0], &KEYS[1]]));
    let [mut reborn, ..] = people();
    let frame = reborn.public("back").expect("a letter");
    assert!(matches!(event(&mut ben, &frame), Event::Public { .. }));
}

#[test]
fn a_letter_of_a_stranger_waits_for_the_list() {
    let [mut anna, mut ben, _] = people();
    ben.greet().expect("a greeting");
    hear(&mut ben, &list(&[&KEYS[1]]));
    let frame = anna.public("early").expect("a letter");
    let wish = r#"{"type":"client_list_request"}"#.to_owned();
    assert_eq!(hear(&mut ben, &frame), [Output::Send(wish.into())]);
    let events = hear(&mut ben, &list(&[&KEYS[0], &KEYS[1]]));
    assert!(matches!(&events[1], Output::Event(Event::Public { text, .. }) if text == "early"), "{events:?}");

    let [_, mut ben, _] = people();
    ben.greet().expect("a greeting");
    assert_eq!(hear(&mut ben, &frame), [], "the list is on its way already");
    let events = hear(&mut ben, &list(&[&KEYS[1]]));
    let is_doubted =
        |event: &Output| matches!(event, Output::Event(Event::Unverified { why: Doubt::UnknownSender, .. }));
    assert!(is_doubted(&events[1]), "{events:?}");
}

#[test]
fn every_way_of_signing_is_understood() {
    let [_, mut ben, _] = introduced();
    let sender = OFFICIAL.of(KEYS[0].public(), "");
    let value = json!({"type": "public_chat", "sender": sender, "message": "grüße"});
    let mut counter = 10;
    for is_string in [true, false] {
        for salt in [Salt::Digest, Salt::Max] {
            for data in [print::compact(&value), print::python(&value), print::ascii(&print::sorted(&value))]
            {
                counter += 1;
                let frame = resigned(&data, counter, &KEYS[0], is_string, salt);
                assert!(matches!(event(&mut ben, &frame), Event::Public { .. }), "{frame}");
            }
        }
    }
}

#[test]
fn digits_instead_of_bytes_are_opened_too() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let [mut anna, mut ben, _] = introduced();
    let frame = anna.private(&[ben.id()], "in digits").expect("a letter");
    let mut data: Value = serde_json::from_str(&signed(&frame).data).expect("data");
    for field in ["iv", "chat"] {
        let bytes = STANDARD.decode(data[field].as_str().expect("text")).expect("bytes");
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        data[field] = json!(STANDARD.encode(digits));
    }
    let frame = resigned(&data.to_string(), 9, &KEYS[0], true, Salt::Digest);
    assert!(matches!(event(&mut ben, &frame), Event::Private { text, .. } if text == "in digits"));
}

#[test]
fn a_complaint_of_the_server_is_heard() {
    let [mut anna, ..] = people();
    assert_eq!(event(&mut anna, r#"{"error":"go away"}"#), Event::Complaint("go away".into()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_frame_is_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let [mut anna, ..] = introduced();
        let text = String::from_utf8_lossy(&bytes);
        prop_assert_eq!(hear(&mut anna, &text), []);
        let quoted = json!({"type": "signed_data", "data": text, "counter": 1, "signature": "AAAA"});
        prop_assert_eq!(hear(&mut anna, &quoted.to_string()), []);
    }

    #[test]
    fn a_damaged_frame_is_never_taken_for_the_authors(at in any::<prop::sample::Index>(), letter in any::<char>()) {
        let [mut anna, mut ben, _] = introduced();
        for frame in [anna.public("words").expect("a letter"), anna.private(&[ben.id()], "words").expect("a letter")] {
            let mut letters: Vec<char> = frame.chars().collect();
            let at = at.index(letters.len());
            letters[at] = letter;
            let damaged: String = letters.into_iter().collect();
            if damaged == frame { continue; }
            for output in hear(&mut ben, &damaged) {
                let Output::Event(Event::Public { text, .. } | Event::Private { text, .. }) = output else { continue };
                // What still counts says what the author said: damage to unsigned parts is no matter.
                prop_assert_eq!(text, "words");
            }
        }
    }

    #[test]
    fn what_is_written_is_what_is_read(text in "\\PC{0,200}") {
        let [mut anna, mut ben, _] = introduced();
        let frame = anna.private(&[ben.id()], &text).expect("a letter");
        let Event::Private { text: read, .. } = event(&mut ben, &frame) else { panic!("a letter") };
        prop_assert_eq!(&read, &text);
        let frame = anna.public(&text).expect("a letter");
        prop_assert_eq!(event(&mut ben, &frame), Event::Public { from: anna.id(), text });
    }
}

/// Every public key that stands anywhere in a message.
fn keys_in(value: &Value, keys: &mut Vec<String>) {
    match value {
        Value::String(text) if text.contains("BEGIN PUBLIC KEY") => keys.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| keys_in(item, keys)),
        Value::Object(object) => object.values().for_each(|item| keys_in(item, keys)),
        _ => {}
    }
}

/// Frames that other implementations really sent, with the keys from their hellos and lists.
#[test]
fn public_letters_of_other_implementations_are_proven() {
    for name in ["aegizz", "frew", "kata", "ts"] {
        let path = format!("{}/tests/vectors/olaf/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
        let lines = std::fs::read_to_string(path).expect("captured frames");
        let frames: Vec<String> = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("a line"))
            .filter_map(|line| line["frame"].as_str().map(ToOwned::to_owned))
            .collect();
        let inside = |frame: &String| match Message::read(frame) {
            Ok(Message::Signed(signed)) => serde_json::from_str::<Value>(&signed.data).ok(),
            _ => None,
        };
        let mut keys = Vec::new();
        frames
            .iter()
            .filter_map(|frame| inside(frame).or_else(|| serde_json::from_str(frame).ok()))
            .for_each(|value| keys_in(&value, &mut keys));
        let [mut anna, ..] = people();
        let list = json!({"type": "client_list", "servers": [{"address": "h", "clients": keys}]});
        hear(&mut anna, &list.to_string());
        let letters: Vec<_> = frames
            .iter()
            .filter(|frame| inside(frame).is_some_and(|data| data["type"] == "public_chat"))
            .collect();
        assert!(!letters.is_empty(), "{name} said something");
        let mut proven = 0;
        for frame in letters {
            match event(&mut anna, frame) {
                Event::Public { .. } => proven += 1,
                Event::Rejected { .. } => {}
                other => panic!("{name}: {other:?}"),
            }
        }
        assert!(proven > 0, "{name}");
    }
}

//! Users who talk to each other through a server that is not there, and what strangers may try.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Session;
use crate::{
    client::{
        event::{Author, Doubt, Event, Loss, Output, Rejection, SayError},
        person::PersonId,
        voice::{Part, Piece, Say},
    },
    crypto::{
        keys::PrivateKey,
        sha256,
        signature::{self, Salt},
    },
    dialect::socp::{
        KEY_BITS, binary,
        envelope::Envelope,
        key::{self, Spelling},
        sign,
    },
};

const SERVER: &str = "93f6571d-b66a-4779-9bea-d70ba4990a07";
const NAMES: [&str; 3] = [
    "11111111-aaaa-4aaa-8aaa-000000000001",
    "22222222-aaaa-4aaa-8aaa-000000000002",
    "33333333-aaaa-4aaa-8aaa-000000000003",
];
const NOW: i64 = 1_795_216_307_176;

/// Keys are slow to make, and no test needs fresh ones.
static KEYS: LazyLock<[Arc<PrivateKey>; 3]> =
    LazyLock::new(|| std::array::from_fn(|_| Arc::new(PrivateKey::generate(KEY_BITS).expect("a key"))));

fn session(at: usize, keys: &BTreeMap<PersonId, String>) -> Session {
    Session::new(Arc::clone(&KEYS[at]), NAMES[at], keys).expect("a session")
}

fn spelled(at: usize) -> String {
    key::write(KEYS[at].public(), Spelling::default())
}

fn hear(session: &mut Session, frame: &str) -> Vec<Output> {
    let mut out = Vec::new();
    session.receive(frame, NOW, &mut out);
    out
}

fn events(session: &mut Session, frame: &str) -> Vec<Event> {
    let event = |output| if let Output::Event(event) = output { Some(event) } else { None };
    hear(session, frame).into_iter().filter_map(event).collect()
}

/// The one event a frame causes.
fn event(session: &mut Session, frame: &str) -> Event {
    match events(session, frame).as_slice() {
        [event] => event.clone(),
        other => panic!("one event, not {other:?}"),
    }
}

/// What a server says.
fn said(kind: &str, payload: &Value) -> String {
    json!({"type": kind, "from": SERVER, "to": "*", "ts": NOW, "payload": payload, "sig": "x"}).to_string()
}

fn came(at: usize, key: usize) -> String {
    said(
        "USER_ADVERTISE",
        &json!({"user_id": NAMES[at], "server_id": SERVER, "meta": {"pubkey": spelled(key)}}),
    )
}

fn went(at: usize) -> String {
    said("USER_REMOVE", &json!({"user_id": NAMES[at], "server_id": SERVER}))
}

/// Greets, and hears that all three are here.
fn settle(session: &mut Session) {
    session.greet(NOW).expect("a greeting");
    hear(session, &said("ACK", &json!({"msg_ref": "USER_HELLO"})));
    for at in 0..NAMES.len() {
        assert_eq!(hear(session, &came(at, at)), [], "nothing is told before the list is there");
    }
    hear(session, &said("USER_LIST", &json!({"users": NAMES})));
}

/// Three people who know each other.
fn introduced() -> [Session; 3] {
    std::array::from_fn(|at| {
        let mut session = session(at, &BTreeMap::new());
        settle(&mut session);
        session
    })
}

fn direct(session: &mut Session, to: usize, text: &str) -> String {
    let say = Say::Private(vec![PersonId::new(NAMES[to])], text.to_owned());
    session.say(&say, NOW).expect("a letter").remove(0)
}

fn public(session: &mut Session, text: &str) -> String {
    session.say(&Say::Public(text.to_owned()), NOW).expect("a letter").remove(0)
}

/// A direct letter as its reader's server hands it on.
fn delivered(frame: &str) -> String {
    let mut frame: Value = serde_json::from_str(frame).expect("a frame");
    assert_eq!(frame["type"], "MSG_DIRECT");
    frame["payload"]["sender"] = frame["from"].clone();
    frame["type"] = json!("USER_DELIVER");
    frame["from"] = json!(SERVER);
    frame.to_string()
}

fn me(at: usize) -> PersonId {
    PersonId::new(NAMES[at])
}

#[test]
fn the_hello_is_signed_and_names_the_key_twice() {
    let mut anna = session(0, &BTreeMap::new());
    let [hello, wish] = anna.greet(NOW).expect("a greeting");
    let hello = Envelope::read(&hello).expect("a frame");
    let payload: Value = serde_json::from_str(hello.payload()).expect("a payload");
    assert_eq!((&*hello.from, payload["pubkey"].as_str()), (NAMES[0], Some(&*spelled(0))));
    assert_eq!(payload["pubkey"], payload["enc_pubkey"]);
    let signature = sign::decode(hello.sig.as_deref().expect("a signature")).expect("a signature");
    let question = signature::Question { texts: vec![hello.payload().into()], signature, salt: None };
    let verifier = signature::Verifier::new(KEYS[0].public()).expect("a verifier");
    assert_eq!(verifier.judge(&question), Some((0, Salt::Digest)));
    assert!(wish.contains("USER_LIST_REQ"));
}

#[test]
fn who_comes_and_goes_is_told_once() {
    let mut anna = session(0, &BTreeMap::new());
    anna.greet(NOW).expect("a greeting");
    hear(&mut anna, &came(1, 1));
    let told = events(&mut anna, &said("USER_LIST", &json!({"users": [NAMES[0], NAMES[1]]})));
    let [Event::Keys(keys), Event::Listed { members, joined, left }] = told.as_slice() else {
        panic!("keys and a list, not {told:?}")
    };
    assert_eq!(keys, &[(me(1), spelled(1))]);
    assert_eq!((members.len(), joined.as_slice(), left.as_slice()), (2, &[me(1)][..], &[][..]));
    let changed = |event: Event| match event {
        Event::Listed { joined, left, .. } => (joined, left),
        other => panic!("a list, not {other:?}"),
    };
    let last = events(&mut anna, &came(2, 2)).pop().expect("a list");
    assert_eq!(changed(last), (vec![me(2)], vec![]));
    assert_eq!(changed(event(&mut anna, &went(1))), (vec![], vec![me(1)]));
    let elsewhere = said("USER_REMOVE", &json!({"user_id": NAMES[2], "server_id": "another"}));
    assert_eq!(changed(event(&mut anna, &elsewhere)), (vec![], vec![]), "who moved has not left");
    settle(&mut anna);
}

#[test]
fn keys_that_nobody_told_are_asked_for_before_the_list_is_shown() {
    let mut anna = session(0, &BTreeMap::new());
    anna.greet(NOW).expect("a greeting");
    let list = said("USER_LIST", &json!({"users": [NAMES[0], NAMES[1], NAMES[2]]}));
    let wishes = hear(&mut anna, &list);
    assert_eq!(wishes.len(), 2, "{wishes:?}");
    let asks = |text: &str| text.contains("PUBKEY_REQUEST");
    assert!(matches!(&wishes[0], Output::Send(frame) if frame.text().is_some_and(asks)), "{wishes:?}");
    let answer = said("PUBKEY_RESPONSE", &json!({"user_id": NAMES[1], "pubkey": spelled(1)}));
    assert_eq!(hear(&mut anna, &answer), []);
    let gone = said("ERROR", &json!({"code": "USER_NOT_FOUND", "detail": format!("{} is gone", NAMES[2])}));
    let told = events(&mut anna, &gone);
    assert!(matches!(told.as_slice(), [Event::Keys(_), Event::Listed { .. }]), "{told:?}");
    let say = Say::Private(vec![me(2)], "x".into());
    assert_eq!(anna.say(&say, NOW), Err(SayError::NoKey(me(2))));
}

#[test]
fn letters_are_read_and_believed() {
    let [mut anna, mut ben, mut eve] = introduced();
    let frame = public(&mut anna, "hällo \u{1f44b}");
    let expected = Event::Public { from: me(0), text: "hällo \u{1f44b}".into() };
    assert_eq!(event(&mut ben, &frame), expected);
    assert_eq!(event(&mut eve, &frame), expected);
    assert_eq!(hear(&mut anna, &frame), [], "our own words are no news");
    let again = Event::Rejected { from: me(0), why: Rejection::Repeated };
    assert_eq!(event(&mut ben, &frame), again);
    for text in ["", "at eight", &"long ".repeat(1000)] {
        let frame = delivered(&direct(&mut anna, 1, text));
        let to = vec![Author::Known(me(1))];
        assert_eq!(event(&mut ben, &frame), Event::Private { from: me(0), to, text: text.into() });
        let expected = Event::Unreadable { claimed: NAMES[0].into(), is_private: true };
        assert_eq!(event(&mut eve, &frame), expected);
    }
}

#[test]
fn what_cannot_be_sent_is_said() {
    let [mut anna, ..] = introduced();
    let stranger = PersonId::new("nobody");
    for (say, error) in [
        (Say::Private(vec![stranger.clone()], "x".into()), SayError::NotPresent(stranger)),
        (Say::Private(vec![], "x".into()), SayError::Nobody),
        (Say::Private(vec![me(1)], "x".repeat(40_000)), SayError::TooLong),
        (Say::Public("x".repeat(1 << 20)), SayError::TooLong),
    ] {
        assert_eq!(anna.say(&say, NOW), Err(error));
    }
}

#[test]
fn nobody_speaks_in_the_name_of_another() {
    let [_, mut ben, mut eve] = introduced();
    // Eve's words with Anna's name on them, in every place where a name can stand.
    let mut frame: Value = serde_json::from_str(&public(&mut eve, "I quit")).expect("a frame");
    frame["from"] = json!(NAMES[0]);
    let unverified = |why, is_private| Event::Unverified {
        claimed: NAMES[0].into(),
        text: "I quit".into(),
        is_private,
        why,
    };
    assert_eq!(event(&mut ben, &frame.to_string()), unverified(Doubt::WrongSignature, false));
    let mut frame: Value = serde_json::from_str(&delivered(&direct(&mut eve, 1, "I quit"))).expect("a frame");
    frame["payload"]["sender"] = json!(NAMES[0]);
    assert_eq!(event(&mut ben, &frame.to_string()), unverified(Doubt::WrongSignature, true));
    // A letter that names another author inside is its sender's all the same.
    let mut frame: Value = serde_json::from_str(&public(&mut eve, "it was me")).expect("a frame");
    frame["payload"]["sender"] = json!(NAMES[0]);
    let told = event(&mut ben, &frame.to_string());
    assert!(matches!(&told, Event::Unverified { claimed, .. } if claimed == NAMES[2]), "{told:?}");
}

/// A public letter of Anna that signs this.
fn signing(content: &str, with_key: bool) -> String {
    let signature = signature::sign(&KEYS[0], content.as_bytes(), Salt::Max).expect("a signature");
    let mut payload = json!({"ciphertext": "aGk", "content_sig": sign::encode(&signature, true)});
    if with_key {
        payload["sender_pub"] = json!(spelled(0));
    }
    json!({"type": "MSG_PUBLIC_CHANNEL", "from": NAMES[0], "to": "public", "ts": NOW, "payload": payload})
        .to_string()
}

#[test]
fn every_way_of_signing_is_understood_and_weak_ones_are_named() {
    let [_, mut ben, _] = introduced();
    let name = NAMES[0];
    for content in [
        format!("aGk{name}{NOW}"),
        format!("hi{name}{NOW}"),
        format!("aGk|{name}|{NOW}"),
        format!(r#"{{"ciphertext":"aGk","from":"{name}","ts":{NOW}}}"#),
    ] {
        let expected = Event::Public { from: me(0), text: "hi".into() };
        assert_eq!(event(&mut ben, &signing(&content, false)), expected, "{content}");
    }
    let doubt = |event| if let Event::Unverified { why, .. } = event { Some(why) } else { None };
    assert_eq!(doubt(event(&mut ben, &signing("aGk", false))), Some(Doubt::Weak));
    assert_eq!(doubt(event(&mut ben, &signing("another", true))), Some(Doubt::WrongSignature));
    let unsigned = r#"{"type":"MSG_PUBLIC_CHANNEL","from":"x","to":"public","payload":{"text":"hi"}}"#;
    assert_eq!(doubt(event(&mut ben, unsigned)), Some(Doubt::NotSigned));
    let odd = r#"{"type":"MSG_PUBLIC_CHANNEL","from":"x","to":"public","payload":{"ciphertext":"\u0000"}}"#;
    let expected = Event::Unreadable { claimed: "x".into(), is_private: false };
    assert_eq!(event(&mut ben, odd), expected);
}

#[test]
fn the_first_key_counts_until_the_member_says_otherwise() {
    let mut ben = session(1, &BTreeMap::new());
    let content = format!("aGk{}{NOW}", NAMES[0]);
    let first = events(&mut ben, &signing(&content, true));
    let expected = Event::Keys(vec![(me(0), spelled(0))]);
    assert_eq!(first, [expected, Event::Public { from: me(0), text: "hi".into() }]);
    // The next time the same user comes with Eve's key; the server says so, and Eve does.
    let known = BTreeMap::from([(me(0), spelled(0))]);
    let mut ben = session(1, &known);
    settle(&mut ben);
    let changed = hear(&mut ben, &came(0, 2));
    let is_loud = |output: &Output| matches!(output, Output::Event(Event::KeyChanged { .. }));
    assert_eq!(changed.iter().filter(|output| is_loud(output)).count(), 1, "{changed:?}");
    assert!(!hear(&mut ben, &came(0, 2)).iter().any(is_loud), "it is said once");
    let mut imposter = Session::new(Arc::clone(&KEYS[2]), NAMES[0], &known).expect("a session");
    let frame = public(&mut imposter, "it is me");
    let doubt = |event| if let Event::Unverified { why, .. } = event { Some(why) } else { None };
    assert_eq!(doubt(event(&mut ben, &frame)), Some(Doubt::OtherKey));
    let say = Say::Private(vec![me(0)], "x".into());
    assert_eq!(ben.say(&say, NOW), Err(SayError::KeyChanged(me(0))));
    let mut out = Vec::new();
    ben.trust(&me(0), &mut out);
    assert_eq!(out, [Output::Event(Event::Keys(vec![(me(0), spelled(2))]))]);
    assert!(matches!(event(&mut ben, &frame), Event::Public { .. }));
    assert!(ben.say(&say, NOW).is_ok());
}

/// The frames of a file.
fn file(session: &mut Session, to: Option<usize>, bytes: &[u8], sha256: [u8; 32]) -> Vec<String> {
    let (file, to) = (Uuid::from_u128(sha256[0].into()), to.map(me));
    let start = Piece::Start { name: "../a.txt".into(), size: bytes.len() as u64, sha256 };
    let chunks = (0..).zip(bytes.chunks(400)).map(|(index, chunk)| Piece::Chunk(index, chunk.to_vec()));
    std::iter::once(start)
        .chain(chunks)
        .chain([Piece::End])
        .flat_map(|what| session.say(&Say::Part(to.clone(), Part { file, what }), NOW).expect("a part"))
        .collect()
}

#[test]
fn a_file_arrives_whole_or_not_at_all() {
    let [mut anna, mut ben, _] = introduced();
    let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
    for to in [Some(1), None] {
        let frames = file(&mut anna, to, &bytes, sha256(&bytes));
        let told: Vec<Event> = frames.iter().flat_map(|frame| events(&mut ben, frame)).collect();
        let [Event::File { from, name, bytes: arrived, is_private }] = told.as_slice() else {
            panic!("a file, not {told:?}")
        };
        assert_eq!((from, name.as_str(), *is_private), (&Ok(me(0)), "../a.txt", to.is_some()));
        assert_eq!(**arrived, bytes[..]);
        assert_eq!(events(&mut ben, &frames[0]), [], "an old file does not begin again");
    }
    let lost = |ben: &mut Session, frames: &[String]| {
        let told: Vec<Event> = frames.iter().flat_map(|frame| events(ben, frame)).collect();
        match told.as_slice() {
            [Event::FileLost { why, .. }] => *why,
            other => panic!("a loss, not {other:?}"),
        }
    };
    let frames = file(&mut anna, None, &bytes, [7; 32]);
    assert_eq!(lost(&mut ben, &frames), Loss::Damaged);
    let mut frames = file(&mut anna, None, &bytes, [8; 32]);
    frames.remove(1);
    assert_eq!(lost(&mut ben, &frames), Loss::Incomplete);
    let mut frames = file(&mut anna, Some(2), &bytes, [9; 32]);
    frames.truncate(2);
    assert_eq!(lost(&mut ben, &frames), Loss::Unreadable);
    let frames = file(&mut anna, None, &bytes, [10; 32]);
    assert_eq!(hear(&mut ben, &frames[0]), []);
    let mut out = Vec::new();
    ben.tick(NOW + 61_000, &mut out);
    let broken =
        |output: &Output| matches!(output, Output::Event(Event::FileLost { why: Loss::BrokenOff, .. }));
    assert!(out.iter().any(broken), "{out:?}");
}

#[test]
fn strangers_do_not_fill_our_memory() {
    let [_, mut ben, _] = introduced();
    let start = |id: usize, from: &str, size: u64| {
        let payload = json!({"file_id": id.to_string(), "name": "x", "size": size, "sha256": "00"});
        json!({"type": "FILE_START", "from": from, "to": "public", "ts": NOW, "payload": payload}).to_string()
    };
    let why = |ben: &mut Session, frame: &str| match events(ben, frame).as_slice() {
        [] => None,
        [Event::FileLost { why, .. }] => Some(*why),
        other => panic!("{other:?}"),
    };
    assert_eq!(why(&mut ben, &start(0, "x", 1 << 40)), Some(Loss::TooLarge));
    let fates: Vec<_> = (0..6).map(|id| why(&mut ben, &start(id, "x", 1))).collect();
    assert_eq!(fates, [None, None, None, None, Some(Loss::TooMany), Some(Loss::TooMany)]);
    let fates = (0..40).map(|at| why(&mut ben, &start(0, &format!("user {at}"), 1)));
    assert_eq!(fates.filter(Option::is_none).count(), 12);
    let ciphertext = binary::encode(b"ab", false);
    let payload = json!({"file_id": "0", "index": 0, "ciphertext": ciphertext});
    let part = json!({"type": "FILE_CHUNK", "from": "x", "to": "public", "payload": payload}).to_string();
    assert_eq!(why(&mut ben, &part), Some(Loss::TooLarge), "more than was announced");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_frame_is_too_strange(kind in "[A-Z_]{1,20}", text in any::<String>(), at in 0..8_usize) {
        let mut anna = session(0, &BTreeMap::new());
        let kinds = ["USER_DELIVER", "FILE_START", "FILE_CHUNK", "USER_ADVERTISE", "USER_LIST", "ERROR"];
        let kind = kinds.get(at).map_or(kind.as_str(), |kind| kind);
        hear(&mut anna, &text);
        for value in [json!(text), json!({"text": text}), json!([text])] {
            let payload = json!({"user_id": text, "file_id": text, "ciphertext": value, "meta": value});
            hear(&mut anna, &said(kind, &payload));
        }
    }

    #[test]
    fn what_is_written_is_what_is_read(text in "\\PC{0,700}") {
        let [mut anna, mut ben, _] = introduced();
        let frame = delivered(&direct(&mut anna, 1, &text));
        let Event::Private { text: read, .. } = event(&mut ben, &frame) else { panic!("a letter") };
        prop_assert_eq!(&read, &text);
        let frame = public(&mut anna, &text);
        prop_assert_eq!(event(&mut ben, &frame), Event::Public { from: me(0), text });
    }
}

//! How links come up, or do not, and what is learnt on the way.

use super::*;
use crate::dialect::Accent as AnyAccent;

#[test]
fn who_dials_us_is_checked_answered_and_asked() {
    let mut house = House::answering(known());
    house.hear(&usual(theirs()));
    let [greeted] = &house.greeted[..] else { panic!("{:?}", house.greeted) };
    assert!(greeted.proven && greeted.trace.is_some());
    assert_eq!((greeted.claim.address.as_str(), greeted.sockets), ("10.0.0.2:80", Sockets::One));
    assert_eq!(house.accent().name(), "ts");
    let [Output::Send(hello), Output::Wake(at)] = &house.seen()[..] else { panic!() };
    assert!(text(hello).contains("server_hello"));
    assert_eq!(*at, Moment::from_secs(100) + BEFORE_ASKING);
    house.step(Input::Woken);
    house.step(Input::Woken);
    let [Output::Send(request)] = &house.seen()[..] else { panic!("asked once") };
    assert_eq!(text(request), r#"{"type":"client_update_request"}"#);
    // One implementation says hello once more when it hears ours.
    let again = |counter| hello_with(counter, theirs());
    house.hear(&again(1));
    assert!(house.seen().is_empty());
    house.hear(&again(1));
    assert!(matches!(house.seen()[..], [Output::Note(Violation::StaleCounter)]));
    assert_eq!(house.greeted.len(), 1);
}

fn hello_with(counter: u64, key: &PrivateKey) -> String {
    hello(key, &json!({"type": "server_hello", "sender": "10.0.0.2:80"}), true, counter, print::compact)
}

#[test]
fn whoever_is_not_who_it_says_is_turned_away() {
    let mut house = House::answering(known());
    house.hear(&usual(&KEYS[2]));
    assert_eq!(house.ending(), Some(Ending::Violated(Violation::BadSignature)));
    house.hear(&usual(theirs()));
    assert!(house.seen().is_empty() && house.greeted.is_empty(), "nothing after the end");

    let hash = |text: &str| STANDARD.encode(sha256(text.as_bytes()));
    let data = json!({"sender": "vm/10.0.0.2:80", "type": "server_hello"});
    let hashed =
        json!({"data": data, "signature": hash(&format!("{data}2")), "counter": "2", "type": "signed_data"});
    let bare = json!({ "data": data });
    for (frame, name) in [(&hashed, "g8"), (&bare, "aeg0")] {
        let frame = frame.to_string();
        let accent = Accent::parse(name).ok();
        let key = known().key;
        let cases = [
            (false, Standing { key: None, accent: None, unproven: true, ..Standing::default() }, false),
            (true, Standing { key: None, accent: None, unproven: true, ..Standing::default() }, true),
            (true, Standing { key: None, accent: None, unproven: false, ..Standing::default() }, false),
            // Leaving the signature out is no way round a key, unless this neighbour was set to be one
            // that has none.
            (true, Standing { key: key.clone(), accent: None, unproven: true, ..Standing::default() }, false),
            (
                true,
                Standing { key, accent: accent.map(AnyAccent::Olaf), unproven: true, ..Standing::default() },
                true,
            ),
        ];
        for (unsigned, standing, comes_in) in cases {
            let case = format!("{name} {unsigned} {standing:?}");
            let mut house = House::new(Session::answering(terms(unsigned)), standing);
            house.hear(&frame);
            assert_eq!(!house.greeted.is_empty(), comes_in, "{case}");
            if comes_in {
                assert_eq!(house.accent().name(), name, "{case}");
                assert!(!house.greeted[0].proven && house.greeted[0].trace.is_none(), "{case}");
            } else {
                assert_eq!(house.ending(), Some(Ending::Refused(Refusal::Unproven)), "{case}");
            }
        }
        assert_eq!(is_server(&Frame::Text(frame.as_str().into()), &terms(false)), name == "g8");
        assert!(is_server(&Frame::Text(frame.as_str().into()), &terms(true)));
    }
}

#[test]
fn the_house_may_say_no_at_each_step() {
    let no = Refusal::UnknownPeer;
    let mut house = House::answering(known());
    house.standing = Err(no);
    house.hear(&usual(theirs()));
    assert!(matches!(house.seen()[..], [Output::Close(Ending::Refused(Refusal::UnknownPeer))]));
    let mut house = House::answering(known());
    house.welcome = Err(no);
    house.hear(&usual(theirs()));
    assert_eq!(house.ending(), Some(Ending::Refused(no)));
    house.step(Input::Woken);
    assert!(house.seen().is_empty());
}

#[test]
fn a_server_whose_key_is_known_must_answer_with_it_before_it_is_a_neighbour() {
    let mut house = House::dialling(known());
    assert!(matches!(house.seen()[..], [Output::Send(_), Output::Wake(_)]), "we say who we are");
    assert!(house.greeted.is_empty());
    house.hear(r#"{"type":"client_update","clients":[]}"#);
    assert!(matches!(house.seen()[..], [Output::Note(Violation::OutOfOrder)]), "nothing before the proof");
    house.hear(&usual(theirs()));
    assert!(house.greeted[0].proven);
    assert_eq!(house.greeted[0].claim.address, "10.0.0.2:80");
    assert!(matches!(house.seen()[..], [Output::Wake(_)]));

    let mut house = House::dialling(known());
    house.hear(&usual(&KEYS[2]));
    assert_eq!(house.ending(), Some(Ending::Violated(Violation::BadSignature)));
}

#[test]
fn a_server_that_never_answers_is_spoken_to_and_not_believed() {
    let mut house = House::dialling(known());
    assert!(matches!(house.seen()[..], [Output::Send(_), Output::Wake(_)]));
    house.step(Input::Woken);
    assert!(!house.greeted[0].proven && house.greeted[0].trace.is_none());
    house.seen();
    for frame in [r#"{"type":"client_update","clients":[]}"#, &chat()] {
        house.hear(frame);
        assert!(matches!(house.seen()[..], [Output::Note(Violation::OutOfOrder)]), "{frame}");
    }
    house.hear(&usual(theirs()));
    assert!(house.greeted[1].proven && house.greeted[1].trace.is_some(), "late, and good");
    assert_eq!(house.accent().name(), "ts");
    assert!(matches!(house.seen()[..], [Output::Wake(_)]));
    house.hear(&chat());
    assert!(matches!(house.seen()[..], [Output::Route(_)]));
    house.hear(&usual(theirs()));
    assert!(matches!(house.seen()[..], [Output::Note(Violation::StaleCounter)]));
    assert_eq!(house.greeted.len(), 2);

    // A server that has only one socket has to answer on it.
    let accent = Accent::parse("ts").ok();
    let mut house = House::dialling(Standing { accent: accent.map(AnyAccent::Olaf), ..known() });
    house.step(Input::Woken);
    assert!(house.greeted.is_empty());
}

fn chat() -> String {
    let data = json!({"type": "public_chat", "sender": "x", "message": "y"});
    json!({"type": "signed_data", "data": data, "counter": 1, "signature": "AAAA"}).to_string()
}

#[test]
fn a_server_that_need_not_prove_itself_is_believed_at_once() {
    for key in [known().key, None] {
        let is_known = key.is_some();
        let mut house =
            House::dialling(Standing { key, accent: None, unproven: true, ..Standing::default() });
        assert!(!house.greeted[0].proven);
        assert!(matches!(house.seen()[..], [Output::Send(_), Output::Wake(_)]));
        house.hear(&chat());
        assert!(matches!(house.seen()[..], [Output::Route(_)]));
        house.hear(&usual(&KEYS[2]));
        if is_known {
            assert_eq!(house.ending(), Some(Ending::Violated(Violation::BadSignature)), "late, and bad");
        } else {
            assert_eq!(house.accent().name(), "ts", "late, and worth learning from");
            assert!(!house.greeted[1].proven);
        }
    }
    // Not even then does a hello count that anybody can make.
    let mut house = House::dialling(Standing { unproven: true, ..known() });
    house.seen();
    house.hear(r#"{"data":{"sender":"10.0.0.2:80","type":"server_hello"}}"#);
    assert!(matches!(house.seen()[..], [Output::Note(Violation::Malformed)]));
    assert_eq!(house.greeted.len(), 1);
}

#[test]
fn its_own_spelling_of_the_address_that_we_dialled_is_kept() {
    let cases = [("ws://10.0.0.2:80/", "ws://10.0.0.2:80/"), ("10.0.0.3:80", "10.0.0.2:80")];
    for (spelled, kept) in cases {
        let mut house = House::dialling(known());
        let data = json!({"type": "server_hello", "sender": spelled});
        house.hear(&hello(theirs(), &data, true, 1, print::compact));
        assert_eq!(house.greeted[0].claim.address, kept);
    }
}

#[test]
fn accents_are_learnt_from_the_hello() {
    let sorted = |value: &Value| print::compact(&print::sorted(value));
    let named = |field: &str, address: &str, kind: &str| json!({"type": kind, field: address});
    let usual = named("sender", "10.0.0.2:80", "server_hello");
    type Row = (&'static str, Value, bool, u64, fn(&Value) -> String);
    let rows: [Row; 8] = [
        ("ts", usual.clone(), true, 0, print::compact),
        ("tsc", usual.clone(), false, 0, print::compact),
        ("aeg", usual.clone(), true, 12_345, sorted),
        ("plain", usual.clone(), true, 1, sorted),
        ("kat", named("sender", "ws://10.0.0.2:80", "server_hello"), false, 1, print::python),
        ("g17", usual, false, 1, print::python),
        ("frew", named("hostname", "10.0.0.2:80", "server_connect"), false, 1, print::compact),
        ("compact+server_connect", named("sender", "10.0.0.2:80", "server_connect"), true, 1, print::compact),
    ];
    for (name, data, as_text, counter, print) in rows {
        for standing in [known(), unknown()] {
            let mut house = House::answering(standing);
            house.hear(&hello(theirs(), &data, as_text, counter, print));
            assert_eq!(house.accent().name(), name);
        }
        let set = Accent::parse("cam+sockets-one").ok();
        let mut house = House::answering(Standing { accent: set.map(AnyAccent::Olaf), ..known() });
        house.hear(&hello(theirs(), &data, as_text, counter, print));
        assert_eq!(house.greeted[0].ear, Ear::OlafPeer(set.expect("an accent")), "what is set stays");
    }
}

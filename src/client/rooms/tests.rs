//! A member's rooms against frames as `docs/rooms.md` has them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Offer, Rooms, Spoken};
use crate::{
    client::{
        event::{Event, Output, SayError},
        introduction::Entry,
        person::PersonId,
        room::{Logged, Told, Why, Wish},
        voice::Say,
    },
    domain::{dialect::Dialect, endpoint::Endpoint, id::KeyId, rooms::RoomName},
};

const ANNA: &str = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1";
const HOME: &str = "0101010101010101010101010101010101010101010101010101010101010101";

fn offer(more: &Value) -> Option<Offer> {
    let mut offer = json!({"version": 1, "key": "kith", "dialects": ["olaf", "socp"], "line_bytes": 20});
    for (key, value) in more.as_object().expect("an object") {
        offer[key] = value.clone();
    }
    serde_json::from_value(offer).ok()
}

/// Somebody of OLAF whom this server offers rooms.
fn member() -> Rooms {
    let mut rooms = Rooms::new(Dialect::Olaf, None);
    rooms.offered(offer(&json!({})), &mut Vec::new());
    rooms
}

fn hears(rooms: &mut Rooms, frame: &Value) -> Vec<Output> {
    let mut out = Vec::new();
    assert!(rooms.is_about(&frame.to_string()), "{frame}");
    rooms.receive(&frame.to_string(), &mut out);
    out
}

/// What a frame tells, without what it makes the member send.
fn told(rooms: &mut Rooms, frame: &Value) -> Vec<Told> {
    let told = |output| if let Output::Event(Event::Room(told)) = output { Some(told) } else { None };
    hears(rooms, frame).into_iter().filter_map(told).collect()
}

/// The requests among some outputs.
fn sent(outputs: &[Output]) -> Vec<Value> {
    let text = |output: &Output| match output {
        Output::Send(frame) => Some(serde_json::from_str(frame.text().expect("text")).expect("JSON")),
        Output::Event(_) => None,
    };
    outputs.iter().filter_map(text).collect()
}

fn asks(rooms: &mut Rooms, wish: &Wish) -> Value {
    serde_json::from_str(&rooms.wish(wish).expect("a request")).expect("JSON")
}

fn join(room: &str) -> Wish {
    Wish::Join(room.to_owned())
}

fn guest(number: u32, name: &str, dialect: &str) -> Value {
    let member = if dialect == "olaf" { ANNA } else { HOME };
    json!({"number": number, "name": name, "dialect": dialect, "member": member})
}

fn line(at: u32, text: &str) -> Value {
    let by = json!({"name": "ben", "dialect": "socp", "member": HOME});
    json!({"id": format!("{at:016x}-{HOME}"), "at": at, "by": by, "kind": "said", "text": text})
}

fn entered(ticket: &Value, room: &str, history: &[Value], more: bool) -> Value {
    let guests = [guest(7, "ben", "socp"), guest(9, "me", "olaf")];
    json!({"kith": "entered", "ticket": ticket, "room": room, "topic": null, "you": 9, "guests": guests,
        "history": history, "more": more})
}

fn said(room: &str, number: u32, line: &Value) -> Value {
    json!({"kith": "event", "room": room, "event": "said", "guest": number, "line": line})
}

fn ben() -> PersonId {
    PersonId::nick("ben (socp)")
}

fn logged(at: u32, text: &str) -> Told {
    let by = Some(ben());
    Told::Logged(Logged { by, at_ms: Some(at.into()), text: text.to_owned(), is_topic: false })
}

fn spoken(text: &str) -> Told {
    Told::Said { room: "den".into(), by: ben(), text: text.to_owned() }
}

/// In the room `den`, where one line was said before.
fn inside() -> Rooms {
    let mut rooms = member();
    let ticket = asks(&mut rooms, &join("den"))["ticket"].take();
    let heard = told(&mut rooms, &entered(&ticket, "den", &[line(1, "one")], false));
    let first = Told::Entered { room: "den".into(), again: false };
    let guests = Told::Guests { room: "den".into(), guests: vec![ben()] };
    assert_eq!(heard, [first, guests, logged(1, "one")]);
    rooms
}

#[test]
fn a_server_that_offers_nothing_is_asked_nothing_and_a_line_for_a_room_goes_nowhere() {
    for refusal in [
        None,
        offer(&json!({"version": 2})),
        offer(&json!({"key": "x"})),
        offer(&json!({"dialects": ["socp"]})),
    ] {
        let mut rooms = Rooms::new(Dialect::Olaf, None);
        assert!(!rooms.wonders(None) && !rooms.wonders(Some(&Say::Here("hi".into()))));
        assert!(rooms.wonders(Some(&Say::Wish(Wish::Rooms))));
        let mut out = Vec::new();
        rooms.offered(refusal, &mut out);
        assert_eq!(out, []);
        assert_eq!(rooms.wish(&Wish::Rooms), Err(SayError::NoRooms));
        assert_eq!(rooms.speak("to all"), Ok(Spoken::Everybody));
        assert_eq!(rooms.wish(&join("den")), Err(SayError::NoRooms));
        assert_eq!(rooms.speak("for the den"), Err(SayError::PutOut));
        assert_eq!(rooms.speak("to all"), Ok(Spoken::Everybody));
        assert!(!rooms.is_about(r#"{"kith":"rooms","ticket":1,"rooms":[]}"#));
    }
    let mut rooms = Rooms::new(Dialect::Socp, RoomName::new("den").as_ref());
    assert!(rooms.wonders(None));
    let mut out = Vec::new();
    rooms.offered(None, &mut out);
    let refused = Told::Refused { what: Some(join("den")), why: Why::NoRooms };
    assert_eq!(out, [super::told(refused)]);
    assert_eq!(rooms.speak("for the den"), Err(SayError::PutOut));
}

#[test]
fn words_go_where_the_member_is() {
    let mut rooms = inside();
    let Ok(Spoken::Room(frame)) = rooms.speak("hi") else { panic!("a frame") };
    assert_eq!(frame, r#"{"kith":"say","ticket":2,"room":"den","text":"hi"}"#);
    assert_eq!(hears(&mut rooms, &json!({"kith": "said", "ticket": 2, "id": "x"})), []);
    let own = hears(&mut rooms, &said("den", 9, &line(2, "hi")));
    assert_eq!(own, [Output::Event(Event::Echo { counter: 0 })]);
    assert_eq!(told(&mut rooms, &said("den", 7, &line(3, "oh"))), [spoken("oh")]);
    assert_eq!(told(&mut rooms, &said("den", 7, &line(3, "oh"))), [], "once");
    assert_eq!(told(&mut rooms, &said("attic", 7, &line(4, "elsewhere"))), []);
    assert_eq!(rooms.speak(&"x".repeat(21)), Err(SayError::TooLong));
    // Between two rooms it goes to the new one, and the old one is left as soon as that is sure.
    assert_eq!(rooms.wish(&join("den")), Err(SayError::Inside));
    let ticket = asks(&mut rooms, &join("attic"))["ticket"].take();
    let Ok(Spoken::Room(frame)) = rooms.speak("up here") else { panic!("a frame") };
    assert!(frame.contains(r#""room":"attic""#), "{frame}");
    let outputs = hears(&mut rooms, &entered(&ticket, "attic", &[], false));
    assert_eq!(sent(&outputs), [json!({"kith": "leave", "ticket": 5, "room": "den"})]);
    assert_eq!(hears(&mut rooms, &json!({"kith": "left", "ticket": 5, "room": "den"})), []);
    let ticket = asks(&mut rooms, &Wish::Leave(None))["ticket"].take();
    assert_eq!(rooms.speak("to all"), Ok(Spoken::Everybody));
    let left = told(&mut rooms, &json!({"kith": "left", "ticket": ticket, "room": "attic"}));
    assert_eq!(left, [Told::Left("attic".into())]);
    assert_eq!(rooms.wish(&Wish::Leave(None)), Err(SayError::Outside));
}

#[test]
fn whoever_is_refused_or_put_out_says_nothing_to_everybody_by_mistake() {
    let mut rooms = member();
    let ticket = asks(&mut rooms, &join("closed"))["ticket"].take();
    let refused = told(&mut rooms, &json!({"kith": "refused", "ticket": ticket, "code": "closed"}));
    assert_eq!(refused, [Told::Refused { what: Some(join("closed")), why: Why::BadRoom }]);
    assert_eq!(rooms.speak("x"), Err(SayError::PutOut));
    assert_eq!(rooms.wish(&join(&"x".repeat(65))), Err(SayError::BadRoom));
    assert_eq!(rooms.speak("x"), Err(SayError::PutOut));
    let mut rooms = inside();
    let ticket = asks(&mut rooms, &join("closed"))["ticket"].take();
    told(&mut rooms, &json!({"kith": "refused", "ticket": ticket, "code": "full"}));
    assert!(matches!(rooms.speak("still in the den"), Ok(Spoken::Room(frame)) if frame.contains("den")));
    let other =
        json!({"kith": "event", "room": "den", "event": "expelled", "guest": guest(7, "ben", "socp")});
    let went = Told::Moved { room: "den".into(), came: vec![], went: vec![ben()] };
    assert_eq!(told(&mut rooms, &other), [went]);
    let ours = json!({"kith": "event", "room": "den", "event": "expelled", "guest": guest(9, "me", "olaf")});
    assert_eq!(told(&mut rooms, &ours), [Told::PutOut("den".into())]);
    assert_eq!(rooms.speak("x"), Err(SayError::PutOut));
    let mut rooms = inside();
    let closed = json!({"kith": "event", "room": "den", "event": "closed"});
    assert_eq!(told(&mut rooms, &closed), [Told::Closed("den".into())]);
    assert_eq!(rooms.speak("x"), Err(SayError::PutOut));
}

#[test]
fn after_a_loss_the_room_is_entered_again_and_what_was_missed_is_shown_once_and_in_order() {
    let mut rooms = inside();
    told(&mut rooms, &said("den", 7, &line(2, "two")));
    rooms.lose();
    assert!(rooms.wonders(None) && rooms.wonders(Some(&Say::Here("hi".into()))));
    let mut out = Vec::new();
    rooms.offered(offer(&json!({})), &mut out);
    assert_eq!(sent(&out), [json!({"kith": "enter", "ticket": 2, "room": "den"})]);
    let outputs = hears(&mut rooms, &entered(&json!(2), "den", &[line(6, "six"), line(7, "seven")], true));
    let again = Told::Entered { room: "den".into(), again: true };
    assert_eq!(outputs[0], super::told(again));
    let before = format!("{:016x}-{HOME}", 6);
    assert_eq!(sent(&outputs), [json!({"kith": "history", "ticket": 3, "room": "den", "before": before})]);
    assert_eq!(told(&mut rooms, &said("den", 7, &line(8, "eight"))), [], "it waits for its turn");
    let page = json!({"kith": "history", "ticket": 3, "room": "den", "more": true, "lines": [line(4, "four"), line(5, "five")]});
    let outputs = hears(&mut rooms, &page);
    assert_eq!(sent(&outputs).len(), 1);
    let page = json!({"kith": "history", "ticket": 4, "room": "den", "more": true, "lines": [line(2, "two"), line(3, "three")]});
    let missed =
        [logged(3, "three"), logged(4, "four"), logged(5, "five"), logged(6, "six"), logged(7, "seven")];
    assert_eq!(told(&mut rooms, &page), [&missed[..], &[spoken("eight")]].concat());
    assert_eq!(told(&mut rooms, &said("den", 7, &line(9, "nine"))), [spoken("nine")]);
}

#[test]
fn pages_go_backwards_and_lists_may_come_in_parts() {
    let mut rooms = inside();
    assert_eq!(rooms.wish(&Wish::Older), Err(SayError::NoOlder));
    let ticket = asks(&mut rooms, &Wish::History(None))["ticket"].take();
    let page =
        json!({"kith": "history", "ticket": ticket, "room": "den", "lines": [line(5, "five")], "more": true});
    let [Told::History { lines, more: true, .. }] = &told(&mut rooms, &page)[..] else { panic!("a page") };
    assert_eq!(lines[0].text, "five");
    let older = asks(&mut rooms, &Wish::Older);
    assert_eq!(older["before"], json!(format!("{:016x}-{HOME}", 5)));
    let page =
        json!({"kith": "history", "ticket": older["ticket"], "room": "den", "lines": [], "more": false});
    told(&mut rooms, &page);
    assert_eq!(rooms.wish(&Wish::Older), Err(SayError::NoOlder));
    let ticket = asks(&mut rooms, &Wish::Rooms)["ticket"].take();
    let card = |name: &str| json!({"room": name, "topic": null, "guests": 1});
    let part = json!({"kith": "rooms", "ticket": ticket, "rooms": [card("a")], "unfinished": true});
    assert_eq!(told(&mut rooms, &part), []);
    let [Told::Rooms(cards)] =
        &told(&mut rooms, &json!({"kith": "rooms", "ticket": ticket, "rooms": [card("b")]}))[..]
    else {
        panic!("all rooms")
    };
    assert_eq!(cards.iter().map(|card| card.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn where_public_is_everybodys_words_go_and_come_by_letters() {
    let mut rooms = Rooms::new(Dialect::Olaf, Some(&RoomName::public()));
    let mut out = Vec::new();
    rooms.offered(offer(&json!({"bridged": true})), &mut out);
    let ticket = sent(&out)[0]["ticket"].take();
    hears(&mut rooms, &entered(&ticket, "public", &[], false));
    assert_eq!(rooms.speak("hi"), Ok(Spoken::Everybody));
    assert_eq!(told(&mut rooms, &said("public", 7, &line(2, "once is enough"))), []);
}

#[test]
fn only_who_speaks_our_dialect_can_be_somebody_whom_we_know() {
    let mut rooms = inside();
    let mut came = |guest: Value| {
        let event = json!({"kith": "event", "room": "den", "event": "came", "guest": guest});
        match told(&mut rooms, &event).as_slice() {
            [Told::Moved { came, .. }] => came[0].clone(),
            other => panic!("{other:?}"),
        }
    };
    let known = json!({"number": 10, "name": "whatever", "dialect": "olaf", "member": HOME});
    assert_eq!(came(known), PersonId::new(HOME));
    assert_eq!(came(guest(11, ANNA, "socp")), PersonId::nick(&format!("{ANNA} (socp)")));
    assert_eq!(
        came(json!({"number": 12, "name": "anna", "dialect": null, "member": ANNA})).short(),
        "~anna (?)"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn no_frame_is_too_strange(kind in "[a-z]{1,8}", text in any::<String>(), number in any::<u64>(), at in 0..9_usize) {
        let mut rooms = inside();
        let kinds = ["entered", "left", "said", "rooms", "history", "refused", "event", "stayed"];
        let kind = kinds.get(at).map_or(kind.as_str(), |kind| kind);
        let mut out = Vec::new();
        rooms.receive(&text, &mut out);
        for value in [json!(text), json!(number), json!([line(1, &text)]), json!([text]), json!(guest(9, &text, "olaf"))] {
            let frame = json!({"kith": kind, "ticket": number, "room": "den", "event": kind, "guest": value, "lines": value,
                "line": line(3, &text), "rooms": value, "guests": value, "history": value, "code": value, "you": number});
            rooms.receive(&frame.to_string(), &mut out);
        }
        assert!(out.iter().all(|output| !matches!(output, Output::Send(_))), "{out:?}");
    }
}

#[test]
fn a_listing_takes_the_place_of_another_one_and_outlives_the_connection() {
    let mut rooms = member();
    let [one, two]: [Endpoint; 2] = ["10.0.0.1:5", "10.0.0.1:6"].map(|at| at.parse().expect("an address"));
    assert_eq!(rooms.wish(&Wish::Hide), Err(SayError::NotListed));
    let asked = asks(&mut rooms, &Wish::Introduce(one));
    assert_eq!((&asked["kith"], &asked["at"]), (&json!("register"), &json!("10.0.0.1:5")));
    let registered =
        |asked: &Value| json!({"kith": "registered", "ticket": asked["ticket"], "at": asked["at"]});
    assert_eq!(told(&mut rooms, &registered(&asked)), [Told::Introduced(one)]);
    let asked = asks(&mut rooms, &Wish::Introduce(two));
    let followed = hears(&mut rooms, &registered(&asked));
    assert_eq!(followed.last(), Some(&super::told(Told::Introduced(two))));
    let sent_then = sent(&followed);
    assert_eq!((&sent_then[0]["kith"], &sent_then[0]["at"]), (&json!("unregister"), &json!("10.0.0.1:5")));
    // What the server says of it is nobody's business, not even that it knows nothing of it.
    let ticket = &sent_then[0]["ticket"];
    assert_eq!(told(&mut rooms, &json!({"kith": "refused", "ticket": ticket, "code": "not_registered"})), []);
    let again = |rooms: &mut Rooms, offer: Option<Offer>| {
        rooms.lose();
        assert!(rooms.wonders(None));
        let mut out = Vec::new();
        rooms.offered(offer, &mut out);
        out
    };
    let asked = sent(&again(&mut rooms, offer(&json!({}))));
    assert_eq!((&asked[0]["kith"], &asked[0]["at"]), (&json!("register"), &json!("10.0.0.1:6")));
    assert_eq!(told(&mut rooms, &registered(&asked[0])), [], "nothing has changed");
    let nobody = Told::Refused { what: Some(Wish::Introduce(two)), why: Why::NoDirectory };
    assert_eq!(again(&mut rooms, None), [super::told(nobody)]);
    assert_eq!(rooms.wish(&Wish::Introductions), Err(SayError::NoDirectory));
    rooms.offered(offer(&json!({})), &mut Vec::new());
    assert_eq!(rooms.wish(&Wish::Hide), Err(SayError::NotListed), "that was told");
}

#[test]
fn a_directory_comes_in_parts_and_what_is_no_address_is_left_out() {
    let mut rooms = member();
    let asked = asks(&mut rooms, &Wish::Introductions);
    let part = |entries: Value, unfinished: bool| {
        json!({"kith": "directory", "ticket": asked["ticket"], "epoch": 1, "version": 2, "entries": entries,
            "unfinished": unfinished})
    };
    let listed = json!({"at": "10.0.0.1:5", "seq": 1, "undialable": true, "home": HOME, "member": null});
    assert_eq!(told(&mut rooms, &part(json!([listed, {"at": "nowhere", "seq": 2}]), true)), []);
    let [first, last] =
        [("10.0.0.1:5", true, Some(KeyId([1; 32])), None), ("[::1]:6", false, None, KeyId::from_hex(ANNA))]
            .map(|(at, undialable, home, member)| Entry {
                at: at.parse().expect("an address"),
                undialable,
                home,
                member,
            });
    let second = json!([{"at": "[::1]:6", "seq": 3, "member": ANNA, "more": []}]);
    assert_eq!(told(&mut rooms, &part(second, false)), [Told::Introductions(vec![first, last])]);
}

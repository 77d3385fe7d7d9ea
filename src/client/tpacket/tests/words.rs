//! What is said, now and before, and what no server can break.

use proptest::prelude::*;

use super::*;
use crate::{
    client::introduction::Entry,
    domain::{endpoint::Endpoint, id::KeyId},
};

#[test]
fn words_of_others_are_theirs_and_our_own_are_echoes() {
    let mut alice = inside(1);
    let frames = says(&mut alice, &"long ".repeat(1_000));
    assert_eq!(frames.len(), 1, "our own version takes long texts");
    let receipt = packet(uid(&frames), command::RESP_OK, 0, &[0; 40]);
    assert_eq!(events(&mut alice, &[receipt]), []);
    let public = |from: &str, text: &str| Event::Public { from: person(from), text: text.into() };
    let heard = events(
        &mut alice,
        &[
            line(1, 0x1001, 0, "alice", "long", UNASKED),
            line(2, 0x1000, 0, "bob", "hi\u{1b}[2J", UNASKED),
            line(2, 0x1000, 0, "bob", "hi\u{1b}[2J", UNASKED),
        ],
    );
    assert_eq!(heard, [Event::Echo { counter: 0 }, public("bob", "hi\u{1b}[2J")]);
    let asked = says(&mut alice, "x");
    let heard = events(&mut alice, &[packet(uid(&asked), command::RESP_ERROR, -6, b"")]);
    assert_eq!(heard, [told(Told::Refused { what: None, why: Why::TooLong })]);
    let mut alice = inside(0);
    let heard = events(
        &mut alice,
        &[
            unasked(command::NEW_MSG, 0x1001, "hello"),
            unasked(command::NEW_MSG, 0x1000, "hi"),
            unasked(command::NEW_MSG, 99, "who am I?"),
        ],
    );
    assert_eq!(heard, [Event::Echo { counter: 0 }, public("bob", "hi"), public("#99", "who am I?")]);
}

#[test]
fn a_history_is_shown_with_its_time_and_never_twice() {
    let mut alice = inside(1);
    let at_ms = Stamp(5 << 16).unix_ms();
    let logged = |text: &str, is_topic| {
        told(Told::Logged(Logged {
            by: Some(person("bob")),
            at_ms: Some(at_ms),
            text: text.into(),
            is_topic,
        }))
    };
    let history = [
        line(5, 0, 0, "bob", "earlier", UNASKED),
        line(6, 0, 2, "bob", "", UNASKED),
        line(5 << 8, 0, 1, "bob", "tea", UNASKED),
    ];
    let heard = events(&mut alice, &history[..2]);
    assert_eq!(heard, [logged("earlier", false)], "what was withdrawn is nothing to read");
    assert!(
        matches!(&events(&mut alice, &history[2..])[0], Event::Room(Told::Logged(line)) if line.is_topic)
    );
    enters(&mut alice, 1);
    assert_eq!(events(&mut alice, &history), [], "not again after a reconnect");
    let asked = wishes(&mut alice, Wish::History(None)).expect("a request");
    assert_eq!(spoken(&asked)[0].1, command::HISTORY);
    assert_eq!(spoken(&asked)[0].3, b"\x03den");
    let uid = uid(&asked);
    let head = Packet { uid, command: command::RESP_OK, p1: 2, p2: 1, data: b"" }.print();
    let heard = events(
        &mut alice,
        &[
            head,
            line(5, 0, 0, "bob", "earlier", uid),
            line(9, 0, 0, "eve", "later", UNASKED),
            line(8, 0, 0, "", "x", uid),
        ],
    );
    let [_, Event::Room(Told::History { room, lines, more: true })] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!((room.as_str(), lines.len(), &lines[0].text[..]), ("den", 2, "earlier"));
    assert_eq!(lines[1].by, None);
}

#[test]
fn a_first_server_repeats_what_was_shown_and_only_the_rest_is_new() {
    let mut alice = inside(0);
    let log = |text: &str| unasked(command::LOGGED_MSG, 0, text);
    let shown =
        |text: &str| told(Told::Logged(Logged { by: None, at_ms: None, text: text.into(), is_topic: false }));
    assert_eq!(events(&mut alice, &[log("bob: hi"), log("bob: hi")]), [shown("bob: hi"), shown("bob: hi")]);
    events(&mut alice, &[unasked(command::NEW_MSG, 0x1000, "later")]);
    let heard = enters(&mut alice, 0);
    assert_eq!(heard[0], told(Told::Entered { room: "den".into(), again: true }));
    assert_eq!(listed(&heard[1]), (vec!["alice", "bob"], vec![], vec![]), "nobody has come");
    let repeated = ["bob: hi", "bob: hi", "bob: later", "bob: while you were away", "bob: hi"].map(log);
    assert_eq!(events(&mut alice, &repeated), [shown("bob: while you were away"), shown("bob: hi")]);
}

#[test]
fn the_first_servers_get_no_text_that_breaks_them() {
    let mut alice = inside(0);
    let lengths = |alice: &mut Session, length: usize| -> Vec<usize> {
        spoken(&says(alice, &"x".repeat(length))).iter().map(|(.., data)| data.len()).collect()
    };
    // With "alice: " in front an entry may have 255 bytes, but not 102 to 125.
    for (length, expected) in [
        (1, &[1][..]),
        (94, &[94]),
        (95, &[94, 1]),
        (118, &[94, 24]),
        (119, &[119]),
        (248, &[248]),
        (249, &[248, 1]),
        (348, &[248, 94, 6]),
    ] {
        assert_eq!(lengths(&mut alice, length), expected, "{length}");
    }
    assert_eq!(alice.say(&Say::Public("x".repeat(5_000))), Err(SayError::TooLong));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_are_whole_and_within_bounds(text in "\\PC{1,600}") {
        let mut alice = inside(0);
        let frames = spoken(&says(&mut alice, &text));
        let mut whole: Vec<u8> = Vec::new();
        for (.., data) in &frames {
            let entry = "alice: ".len() + data.len();
            prop_assert!(entry <= 255 && !(102..=125).contains(&entry), "{}", entry);
            prop_assert!(std::str::from_utf8(data).is_ok() && !data.is_empty());
            whole.extend(data.as_slice());
        }
        prop_assert_eq!(whole, text.into_bytes());
    }

    #[test]
    fn no_server_can_break_a_session(messages in prop::collection::vec(
        (0..24_u32, 0x0ff0..0x1010_u32, -12..0x1004_i32, prop::collection::vec(any::<u8>(), 0..80)), 0..40,
    ), version in 0..2) {
        let mut alice = inside(version);
        let _ = wishes(&mut alice, Wish::Rooms);
        let _ = wishes(&mut alice, Wish::History(None));
        let mut out = Vec::new();
        for (command, uid, p1, data) in &messages {
            let uid = if uid % 3 == 0 { UNASKED } else { *uid };
            alice.receive(&packet(uid, *command, *p1, data), NOW, &mut out);
            alice.receive(&Frame::Binary(data.clone().into()), NOW, &mut out);
        }
        for _ in 0..3 {
            if let Some(at_ms) = alice.wakes_at() {
                Voice::wake(&mut alice, at_ms, &mut out);
            }
        }
        prop_assert_eq!(alice.wakes_at(), None, "nothing is waited for again and again");
        let greeting = alice.greet();
        let (mut asked, _) = hears(&mut alice, &[packet(uid(&greeting), command::RESP_OK, version, b"")]);
        if asked.is_empty() {
            asked = wishes(&mut alice, Wish::Join("den".into())).expect("a request");
        }
        hears(&mut alice, &[packet(uid(&asked), command::RESP_OK, 0, b"")]);
        prop_assert!(alice.say(&Say::Public("still here".into())).is_ok());
    }
}

#[test]
fn a_listing_is_asked_for_again_and_only_of_servers_that_know_it() {
    let mut alice = inside(1);
    let at: Endpoint = "10.0.0.1:5".parse().expect("an address");
    let ask =
        |alice: &mut Session, wish| alice.say(&Say::Wish(wish)).map(|frames| spoken(&frames)[0].clone());
    let asked = ask(&mut alice, Wish::Introduce(at)).expect("a request");
    assert_eq!((asked.1, asked.3.as_slice()), (command::REGISTER, &b"10.0.0.1:5"[..]));
    let heard = events(&mut alice, &[packet(asked.0, command::RESP_OK, 0, b"")]);
    assert_eq!(heard, [told(Told::Introduced(at))]);
    let asked = ask(&mut alice, Wish::Introductions).expect("a request");
    let entry = [&[9, 0, 0, 0, 0, 0, 0, 0][..], &[7; 32], b"10.0.0.1:5"].concat();
    let heard = events(
        &mut alice,
        &[
            packet(asked.0, command::RESP_OK, 2, &[0; 16]),
            packet(asked.0, command::DIRECTORY, 4, &entry),
            packet(asked.0, command::DIRECTORY, 2, b"too short"),
        ],
    );
    let (home, member) = (None, Some(KeyId([7; 32])));
    let entry = Entry { at, undialable: false, home, member };
    assert_eq!(heard, [told(Told::Introductions(vec![entry]))]);
    for (version, commands) in [(1, &[command::REGISTER, command::SET_ROOM][..]), (0, &[command::SET_ROOM])] {
        let greeting = alice.greet();
        let (sent, heard) = hears(&mut alice, &[packet(uid(&greeting), command::RESP_OK, version, b"")]);
        assert_eq!(spoken(&sent).iter().map(|packet| packet.1).collect::<Vec<_>>(), commands);
        let gone = told(Told::Refused { what: Some(Wish::Introduce(at)), why: Why::NoDirectory });
        assert_eq!(heard.contains(&gone), version == 0, "{heard:?}");
    }
    for wish in [Wish::Introduce(at), Wish::Hide, Wish::Introductions] {
        assert_eq!(ask(&mut alice, wish), Err(SayError::NoDirectory));
    }
}

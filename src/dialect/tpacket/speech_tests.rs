//! What clients of either version hear, byte for byte.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;

use super::*;
use crate::{
    dialect::{
        errand::Reply,
        tpacket::{LONGEST_NICK, directory, id_of},
    },
    domain::{
        dialect::Dialect,
        directory::listed::{Directory, Listed},
        id::{HomeId, KeyId},
        rooms::{LineId, Objection, RoomCard, Speaker, Stamp},
    },
};

fn guest(number: u32, name: &str) -> Arc<Guest> {
    let (member, dialect) = (id_of(name), Some(Dialect::Tpacket));
    Arc::new(Guest { number, member, name: name.into(), dialect, home: HomeId::OWN })
}

fn lobby() -> RoomName {
    RoomName::new("lobby").expect("a name")
}

fn id() -> LineId {
    let home = std::array::from_fn(|at| u8::try_from(at).expect("small"));
    LineId { stamp: Stamp(0x019a_a000_0000_0001), home: KeyId(home) }
}

fn line(by: Option<&str>, deed: Deed) -> Arc<Line> {
    let by = by.map(|name| {
        let guest = guest(0, name);
        Speaker { member: guest.member, name: Arc::clone(&guest.name), dialect: guest.dialect }
    });
    Arc::new(Line { id: id(), room: lobby(), by, deed, was_letter: false })
}

fn said(by: &str, text: &str) -> Arc<Line> {
    line(Some(by), Deed::Said(text.into()))
}

/// Packets as `uid command p1 data`.
fn told(frames: &[Frame]) -> Vec<String> {
    let told = |frame: &Frame| {
        let Frame::Binary(bytes) = frame else { panic!("text") };
        let packet = Packet::read(bytes).expect("a packet");
        assert_eq!(packet.p2, 0, "the first programs know no p2");
        let data = String::from_utf8_lossy(packet.data);
        format!("{} {} {:x} {data}", packet.uid.cast_signed(), packet.command, packet.p1)
    };
    frames.iter().map(told).collect()
}

fn scene(topic: Option<&str>) -> Scene {
    let guests = vec![guest(0x1000, "alice"), guest(0x1002, "carol"), guest(0x1001, "bob")];
    let history = vec![
        said("alice", "one"),
        line(None, Deed::Topic("tea".into())),
        said("carol", &"é".repeat(200)),
        line(Some("carol"), Deed::Withdrew { line: id(), bytes: 3 }),
    ];
    Scene { room: lobby(), topic: topic.map(Into::into), you: guest(0x1001, "bob"), guests, history }
}

#[test]
fn whoever_enters_hears_the_answer_then_everybody_newest_first_then_the_history_oldest_first() {
    let entered = answer(Ticket(7), &Answer::Entered(scene(None)), Version::Seed);
    assert_eq!(
        told(&entered),
        [
            "7 3 0 ".to_owned(),
            "-1 5 1001 bob".to_owned(),
            "-1 5 1002 carol".to_owned(),
            "-1 5 1000 alice".to_owned(),
            "-1 8 0 alice: one".to_owned(),
            format!("-1 8 0 carol: {}", "é".repeat(124)),
            format!("-1 8 0 carol: {}", "é".repeat(76)),
        ]
    );
    let entered = answer(Ticket(7), &Answer::Entered(scene(Some("tea"))), Version::Seed);
    assert_eq!(told(&entered)[1], "-1 8 0 *** this room is about: tea");
}

#[test]
fn answers_to_the_first_clients_are_those_of_the_first_server() {
    let seed = |wish| told(&answer(Ticket(7), &wish, Version::Seed));
    for done in [Answer::Stayed(lobby()), Answer::Left(lobby()), Answer::Renamed("bob".into())] {
        assert_eq!(seed(done), ["7 3 0 "]);
    }
    assert!(seed(Answer::Said(id())).is_empty(), "there is no answer to words");
    for (objection, code) in [
        (Objection::Unsupported, -1),
        (Objection::NickInUse, -2),
        (Objection::BadNick, -3),
        (Objection::BadRoom, -4),
        (Objection::Closed, -4),
        (Objection::NoRoom, -5),
        (Objection::TooLong, -6),
        (Objection::TooManyRooms, -10),
        (Objection::Full, -10),
        (Objection::Unknown, -1),
        (Objection::Muted, -1),
        (Objection::Banned, -1),
    ] {
        assert_eq!(seed(Answer::Refused(objection)), [format!("7 4 {code:x} ")], "{objection:?}");
    }
}

#[test]
fn what_happens_in_a_room_is_told_in_the_words_of_the_first_server() {
    let seed = |what| told(&event(&lobby(), &what, Version::Seed));
    let bob = || guest(0x1001, "bob");
    assert_eq!(seed(Event::Came(bob())), ["-1 5 1001 bob"]);
    assert_eq!(seed(Event::Went(bob())), ["-1 6 1001 bob"]);
    assert_eq!(seed(Event::Expelled(bob())), ["-1 6 1001 bob"]);
    let robert = guest(0x1001, "robert");
    assert_eq!(seed(Event::Renamed(bob(), robert)), ["-1 6 1001 bob", "-1 5 1001 robert"]);
    assert_eq!(seed(Event::Said(bob(), said("bob", "hi"))), ["-1 7 1001 hi"]);
    assert_eq!(seed(Event::Said(bob(), said("bob", ""))), ["-1 7 1001 "]);
    let late = said("carol", "from a neighbour that was away");
    assert_eq!(seed(Event::Recalled(late)), ["-1 8 0 carol: from a neighbour that was away"]);
    assert!(seed(Event::Withdrawn(id())).is_empty());
    assert_eq!(seed(Event::Topic(Some("tea".into()))), ["-1 8 0 *** this room is about: tea"]);
    assert_eq!(seed(Event::Topic(None)), ["-1 8 0 *** this room has no topic any more"]);
    assert_eq!(seed(Event::Closed), ["-1 8 0 *** an operator has closed this room"]);
}

/// The first client has 256 bytes for a text and 64 for a nick, and breaks on more.
#[test]
fn nothing_that_the_first_clients_hear_is_longer_than_they_survive() {
    let long = guest(0x1001, &"ab日".repeat(40));
    let words = "日本語のテキスト".repeat(600);
    let spoken = said(&long.name, &words);
    let live = event(&lobby(), &Event::Said(Arc::clone(&long), Arc::clone(&spoken)), Version::Seed);
    let scene = Scene { guests: vec![Arc::clone(&long)], history: vec![spoken], ..scene(Some(&words)) };
    let mut frames = live.clone();
    frames.extend(answer(Ticket(1), &Answer::Entered(scene), Version::Seed));
    frames.extend(event(&lobby(), &Event::Came(Arc::clone(&long)), Version::Seed));
    frames.extend(event(&lobby(), &Event::Renamed(Arc::clone(&long), long), Version::Seed));
    for frame in &frames {
        let Frame::Binary(bytes) = frame else { panic!("text") };
        let packet = Packet::read(bytes).expect("a packet");
        let most = match packet.command {
            command::NEW_USER | command::DEL_USER => LONGEST_NICK,
            _ => split::LONGEST_TEXT,
        };
        assert!(packet.data.len() <= most && std::str::from_utf8(packet.data).is_ok(), "{packet:?}");
    }
    let whole: String = live
        .iter()
        .map(|frame| match frame {
            Frame::Binary(bytes) => String::from_utf8_lossy(bytes.get(24..).expect("data")).into_owned(),
            Frame::Text(_) => panic!("text"),
        })
        .collect();
    assert_eq!(whole, words, "and nothing is lost");
}

#[test]
fn version_one_is_printed_as_its_document_says() {
    let vectors = include_str!("../../../tests/vectors/tpacket/v1.jsonl");
    let vectors: HashMap<String, String> = vectors
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .map(|line| (line["name"].to_string(), line["packet"].as_str().expect("digits").to_owned()))
        .collect();
    let holds = |name: &str, frame: &Frame| {
        let Frame::Binary(bytes) = frame else { panic!("text") };
        let printed: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(Some(&printed), vectors.get(&format!("{name:?}")), "{name}");
    };
    let one = |what| event(&lobby(), &what, Version::One).remove(0);
    let (alice, hi) = (guest(0x1000, "alice"), said("alice", "hi"));
    holds("the nick is taken up, and version 1 is spoken", &welcome(Ticket(2), Version::One));
    let receipt = answer(Ticket(3), &Answer::Said(id()), Version::One);
    holds("receipt", &receipt[0]);
    holds("line, live", &one(Event::Said(alice, Arc::clone(&hi))));
    holds("topic", &one(Event::Topic(Some("tea".into()))));
    holds("withdrawn", &one(Event::Withdrawn(id())));
    holds("closed", &one(Event::Closed));
    let card = RoomCard { name: lobby(), topic: Some("tea".into()), guests: 2 };
    let rooms = answer(Ticket(4), &Answer::Rooms(vec![card], false), Version::One);
    holds("rooms: how many", &rooms[0]);
    holds("rooms: one of them", &rooms[1]);
    let page = |lines, more| answer(Ticket(5), &Answer::History { room: lobby(), lines, more }, Version::One);
    holds("page: how many, and there are more", &page(vec![Arc::clone(&hi)], true)[0]);
    let by_operator = line(None, Deed::Topic("tea".into()));
    let taken_back = line(Some("alice"), Deed::Withdrew { line: id(), bytes: 3 });
    let lines = answer(
        Ticket(9),
        &Answer::History { room: lobby(), lines: vec![hi, by_operator, taken_back], more: false },
        Version::One,
    );
    holds("line, from the history", &lines[1]);
    holds("topic in the history, by an operator", &lines[2]);
    holds("withdrawal in the history", &lines[3]);
    let at = "192.0.2.1:50000".parse().expect("an address");
    let member = Some(KeyId(std::array::from_fn(|at| u8::try_from(at).expect("a byte"))));
    let (undialable, relayed, home) = (false, false, None);
    let members = vec![Listed { seq: 1_795_216_307_176, at, undialable, relayed, home, member }];
    let shown = Directory { epoch: 1_795_216_300_000, version: 7, members };
    let shown = directory::answer(Ticket(10), &Reply::Directory(Arc::new(shown)));
    holds("directory: how many", &shown[0]);
    holds("directory: one entry", &shown[1]);
}

#[test]
fn version_one_hears_long_texts_and_names_as_they_are() {
    let words = "日本語のテキスト".repeat(600);
    let long = guest(0x1001, &"ab日".repeat(40));
    let live = event(&lobby(), &Event::Said(Arc::clone(&long), said(&long.name, &words)), Version::One);
    let Some(Frame::Binary(bytes)) = live.first() else { panic!("a packet") };
    assert!(live.len() == 1 && bytes.ends_with(words.as_bytes()));
    let Some(Frame::Binary(bytes)) = event(&lobby(), &Event::Came(Arc::clone(&long)), Version::One).pop()
    else {
        panic!("a packet")
    };
    assert!(bytes.ends_with(long.name.as_bytes()));
}

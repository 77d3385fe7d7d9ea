//! A client, level by level, and all that it should not say.

use bytes::Bytes;

use super::*;
use crate::{
    dialect::{
        kith, socp,
        tpacket::{id_of, packet::HEAD},
    },
    domain::{
        dialect::Dialect,
        id::KeyId,
        rooms::{LineId, Page, RoomName, Stamp},
    },
};

fn packet(uid: u32, command: u32, data: &[u8]) -> Frame {
    Packet { uid, command, p1: 0, p2: 0, data }.print()
}

fn magic(version: i32) -> Frame {
    Packet { uid: 1, command: command::NOP, p1: version, p2: 0, data: MAGIC }.print()
}

fn raw(bytes: &[u8]) -> Frame {
    Frame::Binary(Bytes::copy_from_slice(bytes))
}

/// A session, and all that it wished for, in words that can be compared.
struct Scene(Session);

impl Scene {
    fn new(is_strict: bool) -> Self {
        let terms = Terms { tpacket_strict_seed: is_strict, ..Terms::clone(&socp::testing::terms(false)) };
        Self(Session::new(ConnectionId(7), Arc::new(terms)))
    }

    /// One that has a nick.
    fn named(version: i32, is_strict: bool) -> Self {
        let mut scene = Self::new(is_strict);
        assert!(scene.say(magic(version)).is_empty());
        assert_eq!(scene.say(packet(2, command::SET_USER_NICK, b"alice")), ["join alice"]);
        assert_eq!(scene.joined(Ok("alice")), [format!("2 ok {version}")]);
        scene
    }

    fn handle(&mut self, input: Input) -> Vec<String> {
        let mut out = Vec::new();
        self.0.handle(input, &mut out);
        assert!(out.len() <= 2, "{out:?}");
        out.iter().map(words).collect()
    }

    fn say(&mut self, frame: Frame) -> Vec<String> {
        self.handle(Input::Frame(frame))
    }

    fn joined(&mut self, answer: Result<&str, Refusal>) -> Vec<String> {
        let member = |name: &str| {
            Arc::new(Member {
                key: id_of(name),
                name: Some(name.into()),
                number: 1,
                dialect: Dialect::Tpacket,
                public_key: "".into(),
                spelled: socp::heard::spelled(name, "", None),
                fingerprint: None,
                sealing_key: None,
                display_name: None,
            })
        };
        self.handle(Input::Joined(answer.map(member)))
    }
}

fn words(output: &Output) -> String {
    match output {
        Output::Send(Frame::Binary(bytes)) => {
            let packet = Packet::read(bytes).expect("a packet");
            match packet.command {
                command::RESP_OK => format!("{} ok {}", packet.uid.cast_signed(), packet.p1),
                command::RESP_ERROR => format!("{} no {}", packet.uid.cast_signed(), packet.p1),
                other => panic!("a session does not say {other}"),
            }
        }
        Output::Join(newcomer, Ear::Tpacket(_)) => {
            let named = newcomer.named.as_ref().expect("a name");
            assert_eq!((newcomer.key, newcomer.dialect), (id_of(&named.name), Dialect::Tpacket));
            assert_eq!((named.key, named.proven, &*newcomer.public_key), (None, false, ""));
            format!("join {}", named.name)
        }
        Output::Room(Ticket(uid), wish) => format!("{uid} wish {wish:?}"),
        Output::Errand(Ticket(uid), errand) => format!("{uid} errand {errand:?}"),
        Output::Note(violation) => format!("note {}", violation.code()),
        Output::Close(ending) => format!("close {}", ending.code()),
        other => panic!("a client does not wish for {other:?}"),
    }
}

#[test]
fn a_client_rises_from_level_to_level() {
    let mut alice = Scene::named(0, false);
    assert_eq!(
        alice.say(packet(3, command::SET_ROOM, b"lobby")),
        [format!("3 wish {:?}", Wish::Move(RoomName::new("lobby").expect("a name")))]
    );
    assert_eq!(
        alice.say(packet(4, command::NEW_MSG, "hé".as_bytes())),
        [format!("4 wish {:?}", Wish::Say(None, "hé".into()))]
    );
    assert_eq!(
        alice.say(packet(5, command::SET_USER_NICK, b" bob ")),
        [format!("5 wish {:?}", Wish::Rename("bob".into()))]
    );
    assert!(alice.say(packet(6, command::NOP, b"")).is_empty());
}

/// Weakness 9: the first server looked at no command below its highest level.
#[test]
fn nothing_is_followed_before_its_level_of_trust() {
    let early = [command::SET_USER_NICK, command::SET_ROOM, command::NEW_MSG];
    for command in early {
        let mut stranger = Scene::new(false);
        let mut data = MAGIC.to_vec();
        assert_eq!(stranger.say(packet(9, command, &data)), ["9 no -1", "note out_of_order"], "{command}");
        data.push(b'!');
        assert!(stranger.say(packet(9, command::NOP, &data)).is_empty(), "not exactly the magic string");
        assert!(stranger.say(packet(9, command::NOP, b"")).is_empty());
        assert_eq!(stranger.say(packet(9, command::SET_USER_NICK, b"a")), ["9 no -1", "note out_of_order"]);
    }
    for command in [command::SET_ROOM, command::NEW_MSG] {
        let mut stranger = Scene::new(false);
        stranger.say(magic(0));
        assert_eq!(stranger.say(packet(9, command, b"x")), ["9 no -1", "note out_of_order"]);
        assert!(stranger.say(magic(0)).is_empty(), "once more is nothing");
    }
}

#[test]
fn what_the_server_says_is_no_command_and_neither_is_what_nobody_knows() {
    for command in [3, 4, 5, 6, 8, 9, 15, 16, 20, 21, 22, 26, u32::MAX, 1 << 31] {
        for mut scene in [Scene::new(false), Scene::named(0, false), Scene::named(1, false)] {
            assert_eq!(scene.say(packet(9, command, b"")), ["9 no -9", "note malformed"], "{command}");
        }
    }
    for command in
        [command::ROOMS, command::HISTORY, command::LEAVE_ROOM, command::REGISTER, command::DIRECTORY]
    {
        for mut scene in [Scene::new(false), Scene::named(0, false)] {
            assert_eq!(
                scene.say(packet(9, command, b"")),
                ["9 no -9", "note malformed"],
                "for version 1 only"
            );
        }
        let mut early = Scene::new(false);
        early.say(magic(1));
        let refused = early.say(packet(9, command, b""));
        assert_eq!(refused, ["9 no -1", "note out_of_order"]);
    }
}

#[test]
fn the_third_packet_that_is_none_ends_the_connection() {
    let good = match packet(0x1234, command::NOP, b"") {
        Frame::Binary(bytes) => bytes.to_vec(),
        Frame::Text(_) => unreachable!(),
    };
    for mut scene in [Scene::new(false), Scene::named(0, false)] {
        assert_eq!(scene.say(raw(&good[..HEAD - 1])), ["-1 no -8", "note malformed"]);
        assert_eq!(scene.say(raw(&[&good[..], b"x"].concat())), ["4660 no -8", "note malformed"]);
        assert_eq!(scene.say(raw(b"")), ["-1 no -8", "close too_many_faults"]);
        assert!(scene.say(magic(0)).is_empty(), "after the end");
    }
}

#[test]
fn text_is_not_spoken_here() {
    for mut scene in [Scene::new(false), Scene::named(0, false)] {
        assert_eq!(scene.say(Frame::Text("Ej8@".into())), ["close not_binary"]);
        assert!(scene.say(magic(0)).is_empty());
    }
}

#[test]
fn a_nick_is_asked_for_until_one_is_free() {
    let mut scene = Scene::new(false);
    scene.say(magic(0));
    for bad in [&b""[..], b"  ", b"a\0", &[b'x'; 49], b"\xff"] {
        assert_eq!(scene.say(packet(2, command::SET_USER_NICK, bad)), ["2 no -3"], "{bad:?}");
    }
    for (uid, refusal, code) in [
        (3, Refusal::NameInUse, -2),
        (4, Refusal::ServerFull, -10),
        (5, Refusal::TooManyHellos, -7),
        (6, Refusal::Unproven, -1),
    ] {
        assert_eq!(scene.say(packet(uid, command::SET_USER_NICK, b"alice")), ["join alice"]);
        assert!(scene.say(packet(9, command::SET_USER_NICK, b"bob")).is_empty(), "nothing is read meanwhile");
        assert_eq!(scene.joined(Err(refusal)), [format!("{uid} no {code}")]);
        assert!(scene.joined(Ok("alice")).is_empty(), "nobody has asked");
    }
    assert_eq!(scene.say(packet(6, command::SET_USER_NICK, b"bob")), ["join bob"]);
    assert_eq!(scene.joined(Ok("bob")), ["6 ok 0"]);
}

#[test]
fn each_question_about_a_nick_is_another_one() {
    let mut scene = Scene::new(false);
    scene.say(magic(0));
    let mut traces = std::collections::HashSet::new();
    for _ in 0..3 {
        let mut out = Vec::new();
        scene.0.handle(Input::Frame(packet(2, command::SET_USER_NICK, b"alice")), &mut out);
        let [Output::Join(newcomer, _)] = &out[..] else { panic!("{out:?}") };
        assert!(traces.insert(newcomer.trace), "it would be taken for a replay");
        scene.joined(Err(Refusal::NameInUse));
    }
}

#[test]
fn whoever_is_refused_outright_hears_why() {
    let mut scene = Scene::new(false);
    scene.say(magic(0));
    scene.say(packet(2, command::SET_USER_NICK, b"alice"));
    let last = |scene: &Scene, ending| scene.0.last_words(ending).map(|frame| words(&Output::Send(frame)));
    assert_eq!(last(&scene, Ending::Refused(Refusal::TooManyHellos)).as_deref(), Some("2 no -7"));
    let nobody = Scene::new(false);
    assert_eq!(last(&nobody, Ending::Refused(Refusal::ServerFull)).as_deref(), Some("-1 no -10"));
    for ending in [Ending::Left, Ending::Kicked, Ending::Silent, Ending::Draining] {
        assert_eq!(last(&nobody, ending), None);
    }
}

#[test]
fn rooms_and_words_must_be_what_they_should_be_and_that_is_no_fault() {
    let mut alice = Scene::named(0, false);
    for bad in [&b""[..], &[b'x'; 65], b"a\tb", b"\xc3"] {
        for _ in 0..3 {
            assert_eq!(alice.say(packet(5, command::SET_ROOM, bad)), ["5 no -4"], "{bad:?}");
        }
    }
    assert_eq!(alice.say(packet(5, command::NEW_MSG, b"caf\xe9")), ["5 no -8"]);
    assert_eq!(alice.say(packet(5, command::SET_USER_NICK, b"")), ["5 no -3"]);
    assert_eq!(alice.say(packet(5, command::SET_ROOM, &[b'x'; 64])).len(), 1);
}

#[test]
fn the_strict_seed_lets_nobody_change_the_nick_and_asks_about_rooms() {
    let mut alice = Scene::named(0, true);
    assert_eq!(alice.say(packet(3, command::SET_USER_NICK, b"bob")), ["3 no -1"]);
    assert_eq!(alice.say(packet(4, command::SET_ROOM, b"")), ["4 no -4"]);
    assert_eq!(alice.say(packet(5, command::SET_ROOM, b"lobby")).len(), 1);
    assert_eq!(alice.say(packet(6, command::SET_ROOM, b"attic")).len(), 1, "the first one may be refused");
    assert_eq!(alice.say(packet(7, command::NEW_MSG, b"hi")).len(), 1);
}

#[test]
fn the_first_version_asks_for_rooms_and_pages() {
    for (asked, agreed) in [(i32::MIN, 0), (-1, 0), (0, 0), (1, 1), (2, 1), (i32::MAX, 1)] {
        assert_eq!(Version::agreed(asked).number(), agreed, "{asked}");
    }
    let mut alice = Scene::named(1, false);
    let lobby = RoomName::new("lobby").expect("a name");
    let id = [&77_u64.to_le_bytes()[..], &[9; 32]].concat();
    let before = Some(LineId { stamp: Stamp(77), home: KeyId([9; 32]) });
    let page = |before, most| Wish::Page(Page { room: lobby.clone(), before, most });
    for (command, p1, data, wish) in [
        (command::ROOMS, 0, Vec::new(), Wish::List(None)),
        (command::ROOMS, 0, b"lobby".to_vec(), Wish::List(Some(lobby.clone()))),
        (command::LEAVE_ROOM, 0, b"lobby".to_vec(), Wish::Leave(lobby.clone())),
        (command::HISTORY, 0, b"\x05lobby".to_vec(), page(None, 100)),
        (command::HISTORY, 7, [b"\x05lobby", &id[..]].concat(), page(before, 7)),
        (command::HISTORY, i32::MAX, b"\x05lobby".to_vec(), page(None, u16::MAX)),
    ] {
        let asked = Packet { uid: 9, command, p1, p2: 0, data: &data }.print();
        assert_eq!(alice.say(asked), [format!("9 wish {wish:?}")]);
    }
    for (command, p1, data) in [
        (command::ROOMS, 0, &b"\t"[..]),
        (command::LEAVE_ROOM, 0, b""),
        (command::HISTORY, 0, b""),
        (command::HISTORY, 0, b"\x06lobby"),
        (command::HISTORY, 0, b"\x05lobbyx"),
        (command::HISTORY, -1, b"\x05lobby"),
    ] {
        let mut alice = Scene::named(1, false);
        let asked = Packet { uid: 9, command, p1, p2: 0, data }.print();
        assert_eq!(alice.say(asked), ["9 no -8", "note malformed"], "{command} {data:?}");
    }
}

/// Letters of other protocols are not heard here, and their members are listed as they are told.
#[test]
fn neighbours_list_nicks_that_can_be_nicks() {
    let member = |name: &str, key| Member {
        key,
        name: Some(name.into()),
        number: 1,
        dialect: Dialect::Tpacket,
        public_key: "".into(),
        spelled: socp::heard::spelled(name, "", None),
        fingerprint: None,
        sealing_key: None,
        display_name: None,
    };
    let read = |member: &Member| {
        let Frame::Binary(bytes) = kith::wire::change(1, member, true) else { panic!("binary") };
        kith::wire::read_news(&bytes).is_ok()
    };
    assert!(read(&member("Alice", id_of("alice"))));
    assert!(!read(&member("Alice", socp::id_of("Alice"))), "the name of another one");
    assert!(!read(&member(" Alice", id_of(" Alice"))));
    assert!(!read(&member("", id_of(""))));
}

/// What a client of version one says, in the bytes that its document gives.
#[test]
fn the_requests_of_the_document_are_understood() {
    let vectors = include_str!("../../../tests/vectors/tpacket/v1.jsonl");
    let mut alice = Scene::named(1, false);
    for (name, said) in [
        ("magic with version 1", ""),
        ("rooms asked for", "4 wish List"),
        ("page asked for", "5 wish Page(Page { room: RoomName(\"lobby\"), before: Some(LineId"),
        ("leave", "6 wish Leave(RoomName(\"lobby\"))"),
        ("to be listed", "7 errand Register(Endpoint(192.0.2.1:50000))"),
        ("to be listed no more", "8 errand Unregister(Endpoint(192.0.2.1:50000))"),
        ("directory asked for", "10 errand Read"),
    ] {
        let vector =
            vectors.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        let vector = vector.into_iter().find(|vector| vector["name"] == name).expect(name);
        let digits = vector["packet"].as_str().expect("digits").as_bytes().chunks(2);
        let bytes: Vec<u8> = digits
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("a byte"))
            .collect();
        let wished = alice.say(raw(&bytes));
        assert!(
            wished.concat().starts_with(said) && wished.len() == usize::from(!said.is_empty()),
            "{wished:?}"
        );
    }
}

//! Guests who talk to servers that are not there: one of our own version, and one of the first.

mod words;

use super::{Session, Unsuitable};
use crate::{
    client::{
        event::{Event, Output, SayError},
        person::PersonId,
        room::{Card, Logged, Told, Why, Wish},
        voice::{FilePost, Say, Voice},
    },
    dialect::tpacket::packet::{MAGIC, Packet, UNASKED, command},
    domain::{letter::Frame, rooms::Stamp},
};

const NOW: i64 = 1_795_216_307_176;

fn person(nick: &str) -> PersonId {
    PersonId::nick(nick)
}

/// What the session says: the number, the command, the first parameter and the data of each packet.
fn spoken(frames: &[Frame]) -> Vec<(u32, u32, i32, Vec<u8>)> {
    let read = |frame: &Frame| {
        let Frame::Binary(bytes) = frame else { panic!("a packet in text: {frame:?}") };
        let packet = Packet::read(bytes).expect("a packet");
        (packet.uid, packet.command, packet.p1, packet.data.to_vec())
    };
    frames.iter().map(read).collect()
}

fn packet(uid: u32, command: u32, p1: i32, data: &[u8]) -> Frame {
    Packet { uid, command, p1, p2: 0, data }.print()
}

fn unasked(command: u32, p1: i32, data: &str) -> Frame {
    packet(UNASKED, command, p1, data.as_bytes())
}

fn hears(session: &mut Session, frames: &[Frame]) -> (Vec<Frame>, Vec<Event>) {
    let mut out = Vec::new();
    frames.iter().for_each(|frame| session.receive(frame, NOW, &mut out));
    sorted(out)
}

fn sorted(out: Vec<Output>) -> (Vec<Frame>, Vec<Event>) {
    let (mut sent, mut told) = (Vec::new(), Vec::new());
    for output in out {
        match output {
            Output::Send(frame) => sent.push(frame),
            Output::Event(event) => told.push(event),
        }
    }
    (sent, told)
}

fn events(session: &mut Session, frames: &[Frame]) -> Vec<Event> {
    hears(session, frames).1
}

/// It is quiet for a while.
fn quiet(session: &mut Session) -> Vec<Event> {
    let mut out = Vec::new();
    let at_ms = session.wakes_at().expect("something to wait for");
    Voice::wake(session, at_ms - 1, &mut out);
    assert_eq!(out, [], "not yet");
    Voice::wake(session, at_ms, &mut out);
    assert_eq!(session.wakes_at(), None);
    sorted(out).1
}

fn told(told: Told) -> Event {
    Event::Room(told)
}

/// Who is here, who came, who went.
fn listed(event: &Event) -> (Vec<&str>, Vec<&str>, Vec<&str>) {
    let Event::Listed { members, joined, left } = event else { panic!("a list, not {event:?}") };
    (
        members.iter().map(|present| present.id.as_str()).collect(),
        joined.iter().map(PersonId::as_str).collect(),
        left.iter().map(PersonId::as_str).collect(),
    )
}

/// The number of the last request.
fn uid(frames: &[Frame]) -> u32 {
    spoken(frames).last().expect("a request").0
}

/// Alice in the room `den` with Bob, on a server of this version; her number is 0x1001, his is 0x1000.
fn inside(version: i32) -> Session {
    let mut alice = Session::new("alice", "den").expect("a session");
    enters(&mut alice, version);
    alice
}

/// Takes nick and room; says what was told.
fn enters(alice: &mut Session, version: i32) -> Vec<Event> {
    let greeting = alice.greet();
    let (room, mut heard) = hears(alice, &[packet(uid(&greeting), command::RESP_OK, version, b"")]);
    assert_eq!(spoken(&room)[0].1, command::SET_ROOM);
    let entered = [
        packet(uid(&room), command::RESP_OK, 0, b""),
        unasked(command::NEW_USER, 0x1001, "alice"),
        unasked(command::NEW_USER, 0x1000, "bob"),
    ];
    let (roster, more) = hears(alice, &entered);
    heard.extend(more);
    if version == 0 {
        assert_eq!(roster, [], "a first server is asked nothing that it would refuse");
        heard.extend(quiet(alice));
    } else {
        heard.extend(events(alice, &[packet(uid(&roster), command::RESP_OK, 0, b"")]));
        assert_eq!(alice.wakes_at(), None);
    }
    heard
}

/// A line of our own version.
fn line(stamp: u64, number: i32, deed: i32, by: &str, text: &str, uid: u32) -> Frame {
    let length = u8::try_from(by.len()).expect("a name");
    let id = [&(stamp << 16).to_le_bytes()[..], &[7; 32]].concat();
    let data = [&id[..], &[length], by.as_bytes(), text.as_bytes()].concat();
    Packet { uid, command: command::LINE, p1: number, p2: deed, data: &data }.print()
}

fn says(session: &mut Session, text: &str) -> Vec<Frame> {
    session.say(&Say::Public(text.into())).expect("something that can be said")
}

fn wishes(session: &mut Session, wish: Wish) -> Result<Vec<Frame>, SayError> {
    session.say(&Say::Wish(wish))
}

#[test]
fn the_greeting_is_that_of_the_first_client_with_our_version_in_it() {
    let mut alice = Session::new(" alice ", "den").expect("a session");
    let greeting = alice.greet();
    let expected =
        [(0x1000, command::NOP, 1, MAGIC.to_vec()), (0x1001, command::SET_USER_NICK, 0, b"alice".to_vec())];
    assert_eq!(spoken(&greeting), expected);
    assert_eq!(alice.say(&Say::Public("x".into())), Err(SayError::Nameless));
    assert_eq!(Session::new("", "den").expect_err("no nick"), Unsuitable::Nick(String::new()));
    assert_eq!(Session::new("a\nb", "den").expect_err("no nick"), Unsuitable::Nick("a\nb".into()));
    let long = "a".repeat(49);
    assert_eq!(Session::new(&long, "den").expect_err("too long"), Unsuitable::Nick(long));
    assert_eq!(Session::new("a", "").expect_err("no room"), Unsuitable::Room(String::new()));
    assert_eq!((alice.fingerprint(), alice.files()), (None, FilePost::None));
}

#[test]
fn whoever_enters_is_told_who_is_there_and_then_what_changes() {
    for version in [0, 1] {
        let mut alice = Session::new("alice", "den").expect("a session");
        let heard = enters(&mut alice, version);
        assert_eq!(heard[0], told(Told::Entered { room: "den".into(), again: false }));
        assert_eq!(listed(&heard[1]), (vec!["alice", "bob"], vec!["bob"], vec![]));
        assert_eq!(heard.len(), 2, "{heard:?}");
        let came = events(&mut alice, &[unasked(command::NEW_USER, 0x1002, "eve")]);
        assert_eq!(listed(&came[0]), (vec!["alice", "bob", "eve"], vec!["eve"], vec![]));
        assert_eq!(events(&mut alice, &[unasked(command::DEL_USER, 0x1000, "bob")]), []);
        assert_eq!(listed(&quiet(&mut alice)[0]), (vec!["alice", "eve"], vec![], vec!["bob"]));
        assert_eq!(events(&mut alice, &[unasked(command::DEL_USER, 0x1000, "bob")]), [], "nobody twice");
    }
}

#[test]
fn somebody_with_another_nick_is_one_person_and_not_two() {
    let renamed = |heard: &[Event]| {
        let names = Told::Renamed { before: person("bob"), after: person("rob") };
        assert_eq!(heard[0], told(names));
        assert_eq!(listed(&heard[1]), (vec!["alice", "rob"], vec![], vec![]));
        assert_eq!(heard.len(), 2, "{heard:?}");
    };
    let mut alice = inside(1);
    renamed(&events(
        &mut alice,
        &[unasked(command::DEL_USER, 0x1000, "bob"), unasked(command::NEW_USER, 0x1000, "rob")],
    ));
    // The first client understands this, too.
    let mut alice = inside(0);
    renamed(&events(&mut alice, &[unasked(command::NEW_USER, 0x1000, "rob")]));
    // Somebody else comes while it is not sure whether Rob has gone.
    let both = [unasked(command::DEL_USER, 0x1000, "rob"), unasked(command::NEW_USER, 0x1009, "rob")];
    let heard = events(&mut alice, &both);
    assert_eq!(listed(&heard[0]).2, ["rob"]);
    assert_eq!(listed(&heard[1]).1, ["rob"]);
}

#[test]
fn our_own_nick_changes_when_the_server_says_so() {
    let mut alice = inside(1);
    let asked = wishes(&mut alice, Wish::Nick("  alicia ".into())).expect("a request");
    assert_eq!(spoken(&asked)[0].3, b"alicia");
    assert_eq!(alice.me(), &person("alice"), "not yet");
    let heard = events(
        &mut alice,
        &[
            packet(uid(&asked), command::RESP_OK, 0, b""),
            unasked(command::DEL_USER, 0x1001, "alice"),
            unasked(command::NEW_USER, 0x1001, "alicia"),
        ],
    );
    assert_eq!(heard[0], told(Told::Renamed { before: person("alice"), after: person("alicia") }));
    assert_eq!(listed(&heard[1]), (vec!["alicia", "bob"], vec![], vec![]));
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert_eq!(spoken(&alice.greet())[1].3, b"alicia", "and is kept over a reconnect");
    assert_eq!(wishes(&mut alice, Wish::Nick("a".repeat(49))), Err(SayError::BadNick));
    let mut alice = inside(0);
    let asked = wishes(&mut alice, Wish::Nick("alicia".into())).expect("a request");
    let heard = events(&mut alice, &[packet(uid(&asked), command::RESP_ERROR, -1, b"")]);
    assert_eq!(heard, [told(Told::Refused { what: Some(Wish::Nick("alicia".into())), why: Why::NickStays })]);
}

#[test]
fn a_nick_that_is_taken_is_said_and_the_next_one_goes_on_the_same_connection() {
    for (version, code) in [(0, -1), (1, -2)] {
        let mut alice = Session::new("alice", "den").expect("a session");
        let greeting = alice.greet();
        let (sent, heard) = hears(&mut alice, &[packet(uid(&greeting), command::RESP_ERROR, code, b"")]);
        let refused = Told::Refused { what: Some(Wish::Nick("alice".into())), why: Why::NickInUse };
        assert_eq!((sent, heard), (vec![], vec![told(refused)]), "nothing is tried by itself");
        assert_eq!(wishes(&mut alice, Wish::Join("x".into())), Err(SayError::Nameless));
        let asked = wishes(&mut alice, Wish::Nick("carol".into())).expect("a request");
        let (sent, heard) = hears(&mut alice, &[packet(uid(&asked), command::RESP_OK, version, b"")]);
        assert_eq!(spoken(&sent)[0].3, b"den");
        assert_eq!(heard, [told(Told::Renamed { before: person("alice"), after: person("carol") })]);
    }
}

#[test]
fn rooms_are_listed_joined_and_left_where_the_server_can() {
    let mut alice = inside(1);
    let asked = wishes(&mut alice, Wish::Rooms).expect("a request");
    // A long list comes in parts, and the next one is asked for.
    let head = Packet { uid: uid(&asked), command: command::RESP_OK, p1: 1, p2: 1, data: b"" }.print();
    let card = packet(uid(&asked), command::ROOMS, 2, b"\x03dentea");
    let (asked, heard) = hears(&mut alice, &[head, card]);
    assert_eq!(
        (&heard[..], spoken(&asked)[0].1, &spoken(&asked)[0].3[..]),
        (&[][..], command::ROOMS, &b"den"[..])
    );
    let rest = [
        packet(uid(&asked), command::RESP_OK, 1, b""),
        packet(uid(&asked), command::ROOMS, 0, b"\x06public"),
    ];
    let heard = events(&mut alice, &rest);
    let card = |name: &str, topic: Option<&str>, guests| Card {
        name: name.into(),
        topic: topic.map(str::to_owned),
        guests,
    };
    assert_eq!(heard, [told(Told::Rooms(vec![card("den", Some("tea"), 2), card("public", None, 0)]))]);
    assert_eq!(wishes(&mut alice, Wish::Join("den".into())), Err(SayError::Inside));
    assert_eq!(wishes(&mut alice, Wish::Join("x".repeat(65))), Err(SayError::BadRoom));
    let asked = wishes(&mut alice, Wish::Join("closed".into())).expect("a request");
    let heard = events(&mut alice, &[packet(uid(&asked), command::RESP_ERROR, -4, b"")]);
    assert_eq!(heard, [told(Told::Refused { what: Some(Wish::Join("closed".into())), why: Why::BadRoom })]);
    let asked = wishes(&mut alice, Wish::Leave(None)).expect("a request");
    assert_eq!(spoken(&asked)[0].3, b"den");
    let heard = events(&mut alice, &[packet(uid(&asked), command::RESP_OK, 0, b"")]);
    assert_eq!(heard[0], told(Told::Left("den".into())));
    assert_eq!(listed(&heard[1]), (vec!["alice"], vec![], vec![]));
    assert_eq!(alice.say(&Say::Public("x".into())), Err(SayError::Outside));
    let greeting = alice.greet();
    let (sent, _) = hears(&mut alice, &[packet(uid(&greeting), command::RESP_OK, 1, b"")]);
    assert_eq!(sent, [], "whoever has left is not brought back");
}

#[test]
fn what_a_first_server_cannot_do_is_said_and_not_tried() {
    let mut alice = inside(0);
    assert_eq!(wishes(&mut alice, Wish::Rooms), Err(SayError::NoList));
    assert_eq!(wishes(&mut alice, Wish::History(None)), Err(SayError::NoHistory));
    assert_eq!(wishes(&mut alice, Wish::Leave(None)), Err(SayError::NoLeaving));
    for mut alice in [alice, inside(1)] {
        assert_eq!(alice.say(&Say::Private(vec![person("bob")], "x".into())), Err(SayError::NoPrivate));
    }
}

#[test]
fn a_room_that_is_refused_and_entered_all_the_same_is_entered() {
    let mut alice = inside(0);
    let asked = wishes(&mut alice, Wish::Join("attic".into())).expect("a request");
    let (_, heard) = hears(
        &mut alice,
        &[
            packet(uid(&asked), command::RESP_ERROR, -1, b""),
            packet(uid(&asked), command::RESP_OK, 0, b""),
            unasked(command::NEW_USER, 0x1001, "alice"),
            unasked(command::LOGGED_MSG, 0, "eve: hm"),
        ],
    );
    assert_eq!(heard[0], told(Told::Refused { what: Some(Wish::Join("attic".into())), why: Why::Refused }));
    assert_eq!(heard[1], told(Told::Entered { room: "attic".into(), again: false }));
    assert_eq!(listed(&heard[2]), (vec!["alice"], vec![], vec![]));
    assert_eq!(heard.len(), 4, "{heard:?}");
}

#[test]
fn whoever_is_put_out_or_finds_the_room_closed_is_in_none() {
    let mut alice = inside(1);
    assert_eq!(events(&mut alice, &[unasked(command::DEL_USER, 0x1001, "alice")]), []);
    let heard = quiet(&mut alice);
    assert_eq!(heard[0], told(Told::PutOut("den".into())));
    assert_eq!(alice.say(&Say::Public("x".into())), Err(SayError::Outside));
    let mut alice = inside(1);
    let heard = events(&mut alice, &[unasked(command::ROOM_CLOSED, 0, "den")]);
    assert_eq!(heard[0], told(Told::Closed("den".into())));
    assert_eq!(listed(&heard[1]).0, ["alice"]);
    assert_eq!(alice.say(&Say::Public("x".into())), Err(SayError::Outside));
}

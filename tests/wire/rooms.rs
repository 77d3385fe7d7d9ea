//! Rooms for clients whose protocol has none: the conversation and the refusals in `tests/vectors/rooms` are
//! played through sessions, rooms and the press, and what everybody hears is compared as a whole.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kith::{
    crypto::signature::Salt,
    dialect::{
        Ear, Session, Terms,
        event::{Input, Output},
        olaf, press, rooms, socp, tpacket,
    },
    domain::{
        admission::Origin,
        dialect::Dialect,
        id::{ConnectionId, KeyId},
        letter::Frame,
        limits::Limits,
        member::Member,
        refusal::Violation,
        rooms::{Asker, LineId, Order, Outcome, RoomName, Rooms, Ticket, Wish},
    },
};
use serde_json::{Value, json};

use crate::{recordings::keys, terms::terms};

const CONVERSATION: &str = include_str!("../vectors/rooms/conversation.jsonl");
const DOORS: &str = include_str!("../vectors/rooms/doors.jsonl");
const REFUSED: &str = include_str!("../vectors/rooms/refused.jsonl");

/// A dialect's client that has said hello, by an oracle in the place of its signature.
pub(crate) fn joined(id: u64, dialect: Dialect) -> (Session, Ear) {
    joined_under(terms(4), id, dialect)
}

fn joined_under(terms: Arc<Terms>, id: u64, dialect: Dialect) -> (Session, Ear) {
    let mut session = Session::new(ConnectionId(id), Some(dialect), terms, None);
    let hello = match dialect {
        Dialect::Olaf => {
            let key = keys("ts").remove(0).0.canonical_pem();
            let data = json!({"type": "hello", "public_key": key}).to_string();
            let signature = STANDARD.encode([1; 256]);
            json!({"type": "signed_data", "data": data, "counter": 1, "signature": signature})
        }
        Dialect::Socp => {
            let read = |line| serde_json::from_str::<Value>(line).expect("JSON");
            let lines = include_str!("../vectors/socp/g17.jsonl").lines().map(read);
            let key = lines.map(|line| line["frame"]["payload"]["pubkey"].clone()).find(Value::is_string);
            json!({"type": "USER_HELLO", "from": "ben", "to": "", "ts": 1, "payload": {"pubkey": key}})
        }
        Dialect::Tpacket => panic!("it has rooms of its own"),
    };
    let mut inputs = vec![Input::Frame(Frame::Text(hello.to_string().into()))];
    while let Some(input) = inputs.pop() {
        let mut out = Vec::new();
        session.handle(input, Duration::ZERO, &mut out);
        match out.pop() {
            Some(Output::Check(_)) => inputs.push(Input::Checked(Some((0, Salt::Digest)))),
            Some(Output::Join(_, ear)) => return (session, ear),
            other => panic!("{other:?}"),
        }
    }
    panic!("nothing came of a hello")
}

/// Somebody in the conversation.
struct Client {
    name: &'static str,
    id: ConnectionId,
    ear: Ear,
    member: Arc<Member>,
    /// None for whom the vectors do not let speak in frames.
    session: Option<Session>,
    heard: VecDeque<Value>,
}

impl Client {
    fn new(name: &'static str, id: u64, dialect: Dialect) -> Self {
        let (session, ear, key, called) = match dialect {
            Dialect::Olaf => {
                let (session, ear) = joined(id, dialect);
                (Some(session), ear, KeyId([0xa1; 32]), None)
            }
            Dialect::Socp => {
                let (session, ear) = joined(id, dialect);
                (Some(session), ear, socp::id_of(name), Some(name.into()))
            }
            Dialect::Tpacket => {
                (None, Ear::Tpacket(tpacket::Version::Seed), tpacket::id_of(name), Some(name.into()))
            }
        };
        let member = Arc::new(Member {
            key,
            name: called,
            number: 1,
            dialect,
            public_key: "".into(),
            spelled: key,
            fingerprint: None,
            sealing_key: None,
            display_name: None,
        });
        Self { name, id: ConnectionId(id), ear, member, session, heard: VecDeque::new() }
    }

    fn hear(&mut self, frames: impl IntoIterator<Item = Frame>) {
        if self.session.is_some() {
            self.heard.extend(frames.into_iter().map(|frame| read(&frame)));
        }
    }
}

fn read(frame: &Frame) -> Value {
    let Frame::Text(text) = frame else { panic!("{frame:?}") };
    serde_json::from_str(text).expect("JSON")
}

struct House {
    rooms: Rooms,
    clients: Vec<Client>,
}

impl House {
    fn new() -> Self {
        let mut rooms = Rooms::new(KeyId([1; 32]), &Limits::default());
        let cast = [("anna", Dialect::Olaf), ("ben", Dialect::Socp), ("carl", Dialect::Tpacket)];
        let clients = (1..).zip(cast).map(|(id, (name, dialect))| Client::new(name, id, dialect));
        let clients: Vec<_> = clients.collect();
        for client in &clients {
            rooms.welcome(client.id, &client.member);
        }
        Self { rooms, clients }
    }

    fn client(&mut self, name: &str) -> &mut Client {
        self.clients.iter_mut().find(|client| client.name == name).expect("somebody of the cast")
    }

    fn says(&mut self, name: &str, text: &str, now_ms: i64) {
        let mut out = Vec::new();
        let session = self.client(name).session.as_mut().expect("a session");
        session.handle(Input::Frame(Frame::Text(text.into())), Duration::ZERO, &mut out);
        for output in out {
            match output {
                Output::Room(ticket, wish) => self.wish(name, ticket, wish, now_ms),
                Output::Send(frame) => self.client(name).hear([frame]),
                Output::Note(violation) => assert_eq!(violation, Violation::Malformed, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    fn wish(&mut self, name: &str, ticket: Ticket, wish: Wish, now_ms: i64) {
        if let Wish::Rename(nick) = &wish {
            let client = self.client(name);
            let (key, called) = (tpacket::id_of(nick), Some(Arc::clone(nick)));
            client.member = Arc::new(Member { key, name: called, ..(*client.member).clone() });
        }
        let client = self.client(name);
        let (connection, member) = (client.id, Arc::clone(&client.member));
        let outcome = self.rooms.ask(
            &Asker { connection, member: &member, from: Origin::V6(connection.0) },
            wish,
            now_ms,
        );
        if let Some(answer) = &outcome.answer {
            let client = self.client(name);
            client.hear(press::answer(ticket, answer, client.ear));
        }
        self.follow(&outcome);
    }

    fn follow(&mut self, outcome: &Outcome) {
        for (room, guests, event) in &outcome.events {
            for client in self.clients.iter_mut().filter(|client| guests.contains(&client.id)) {
                client.hear(press::room_event(room, event, client.ear));
            }
        }
    }

    fn does(&mut self, name: &str, what: &Value, now_ms: i64) {
        let (verb, to) = what.as_object().and_then(|what| what.iter().next()).expect("a verb");
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        let room = |value: &Value| RoomName::new(&text(value)).expect("a name");
        if name != "operator" {
            let wish = match verb.as_str() {
                "enter" => Wish::Enter(room(to)),
                "leave" => Wish::Leave(room(to)),
                "say" => Wish::Say(Some(room(&to[0])), text(&to[1]).into()),
                "rename" => Wish::Rename(text(to).into()),
                other => panic!("{other}"),
            };
            return self.wish(name, Ticket(0), wish, now_ms);
        }
        let order = match verb.as_str() {
            "topic" => Order::Topic(room(&to[0]), text(&to[1]).into()),
            "withdraw" => Order::Withdraw(LineId::parse(&text(to)).expect("an id")),
            "mute" => Order::Mute(self.client(&text(to)).member.key, true),
            "kick" => Order::Kick(room(&to[0]), u32::try_from(to[1].as_u64().expect("a number")).unwrap()),
            "close" => Order::Close(room(to)),
            other => panic!("{other}"),
        };
        let outcome = self.rooms.order(order, now_ms).expect("an operator may");
        self.follow(&outcome);
    }

    /// Nothing was said that nobody expected.
    fn is_quiet(&self, place: &str) {
        for client in &self.clients {
            assert!(client.heard.is_empty(), "{place}: {} hears {:?}, too", client.name, client.heard);
        }
    }
}

#[test]
fn the_conversation_is_heard_as_it_is_written() {
    let mut house = House::new();
    let mut heard = 0;
    for (number, line) in (1..).zip(CONVERSATION.lines()) {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let place = format!("line {number}");
        if let Some(name) = line["to"].as_str() {
            assert_eq!(house.client(name).heard.pop_front().as_ref(), Some(&line["frame"]), "{place}");
            heard += 1;
            continue;
        }
        house.is_quiet(&place);
        let (name, at) = (line["from"].as_str().expect("a name"), line["at"].as_i64().expect("a time"));
        match &line["does"] {
            Value::Null => house.says(name, &line["frame"].to_string(), at),
            does => house.does(name, does, at),
        }
    }
    house.is_quiet("the end");
    assert!(heard > 30, "{heard}");
}

#[test]
fn whoever_enters_a_room_hears_first_where_else_the_home_is_found() {
    let doors = ["ws://10.0.0.1:8080", "wss://house.example"].map(str::to_owned).to_vec();
    let terms = Arc::new(Terms { doors, ..Terms::clone(&terms(4)) });
    for dialect in [Dialect::Olaf, Dialect::Socp] {
        let (mut session, _) = joined_under(Arc::clone(&terms), 1, dialect);
        let mut heard = VecDeque::new();
        for line in DOORS.lines() {
            let line: Value = serde_json::from_str(line).expect("JSON");
            if line["to"].is_string() {
                assert_eq!(heard.pop_front().as_ref(), Some(&line["frame"]), "{line}");
                continue;
            }
            assert!(heard.is_empty(), "{heard:?}");
            let mut out = Vec::new();
            session.handle(
                Input::Frame(Frame::Text(line["frame"].to_string().into())),
                Duration::ZERO,
                &mut out,
            );
            assert!(matches!(out.last(), Some(Output::Room(..))), "the wish comes behind: {out:?}");
            let said = out.iter().filter_map(|output| match output {
                Output::Send(frame) => serde_json::from_str::<Value>(frame.text()?).ok(),
                _ => None,
            });
            heard.extend(said);
        }
        assert!(heard.is_empty(), "{heard:?}");
    }
}

#[test]
fn what_is_refused_is_refused_with_its_reason() {
    for line in REFUSED.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let request = line["request"].as_str().expect("a request");
        for name in ["anna", "ben"] {
            let mut house = House::new();
            house.says(name, request, 0);
            assert_eq!(house.client(name).heard.pop_front().as_ref(), Some(&line["answer"]), "{line}");
            house.is_quiet(request);
        }
    }
}

#[test]
fn nobody_is_heard_before_the_hello_and_no_server_at_all() {
    let request = json!({"kith": "enter", "ticket": 1, "room": "garden"}).to_string();
    let frame = || Input::Frame(Frame::Text(request.as_str().into()));
    // A first frame shows the protocol, and this one shows none.
    for pinned in [None, Some(Dialect::Olaf), Some(Dialect::Socp)] {
        let mut session = Session::new(ConnectionId(1), pinned, terms(4), None);
        let mut out = Vec::new();
        session.handle(frame(), Duration::ZERO, &mut out);
        assert!(matches!(out[..], [Output::Note(Violation::Malformed)]), "{pinned:?}: {out:?}");
    }
    // One that has shown it and has not said hello comes too early.
    let early = [
        Session::Olaf(olaf::session::Session::new(ConnectionId(1), terms(4), None)),
        Session::Socp(Box::new(socp::session::Session::new(ConnectionId(1), terms(4)))),
    ];
    for mut session in early {
        let mut out = Vec::new();
        session.handle(frame(), Duration::ZERO, &mut out);
        assert!(matches!(out.first(), Some(Output::Note(Violation::OutOfOrder))), "{out:?}");
        assert!(!out.iter().any(|output| matches!(output, Output::Room(..))), "{out:?}");
    }
    let servers = [
        Session::OlafPeer(Box::new(olaf::peer::Session::answering(terms(4)))),
        Session::SocpPeer(Box::new(socp::peer::Session::answering(terms(4)))),
    ];
    for mut session in servers {
        let mut out = Vec::new();
        session.handle(frame(), Duration::ZERO, &mut out);
        let is_heard = |output: &Output| matches!(output, Output::Room(..) | Output::Send(_));
        assert!(!out.iter().any(is_heard), "{out:?}");
    }
}

/// Whatever else it says, a frame with our key is no letter, for clients and for servers.
#[test]
fn a_letter_with_our_key_is_none() {
    let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let olaf = read(r#"{"type":"client_list_request"}"#);
    let socp = read(r#"{"type":"MSG_DIRECT","from":"ben","to":"x","ts":1,"payload":{"ciphertext":"aGk"}}"#);
    for (dialect, plain) in [(Dialect::Olaf, olaf), (Dialect::Socp, socp)] {
        let heard = |frame: &str| {
            let mut out = Vec::new();
            let (mut session, _) = joined(1, dialect);
            session.handle(Input::Frame(Frame::Text(frame.into())), Duration::ZERO, &mut out);
            out
        };
        assert!(matches!(heard(&plain.to_string())[..], [Output::WantList | Output::Route(_)]));
        for verb in [json!("rooms"), json!("no such"), json!(null), json!([1])] {
            let mut marked = plain.clone();
            marked["ticket"] = json!(1);
            marked["kith"] = verb;
            let marked = marked.to_string();
            for text in [&marked, &marked.replace("\"kith\"", "\"\\u006b\\u0069th\"")] {
                assert!(rooms::is_ours(text));
                let out = heard(text);
                let is_none = |output: &Output| {
                    matches!(output, Output::Room(..) | Output::Send(_) | Output::Note(Violation::Malformed))
                };
                assert!(out.iter().all(is_none) && !out.is_empty(), "{text}: {out:?}");
                let frame = Frame::Text(text.as_str().into());
                assert!(!olaf::wire::is_olaf(&frame) && !socp::is_socp(&frame), "{text}");
                assert!(olaf::wire::Message::read(text).is_err());
                assert!(socp::envelope::Envelope::read(text).is_err());
                // One program puts frames into strings.
                let twice = serde_json::to_string(text).expect("JSON");
                assert!(socp::envelope::Envelope::read(&twice).is_err());
            }
        }
    }
}

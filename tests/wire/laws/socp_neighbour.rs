//! Laws of a socket between servers that speak SOCP: any frames, answers and alarms, in any order.

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use kith::{
    crypto::{keys::PublicKey, signature::Salt},
    dialect::{
        Accent as AnyAccent, Session,
        event::{Input, Output, Standing},
        is_fatal,
        socp::{Accent, id_of, key, peer},
    },
    domain::{
        Moment,
        dialect::Dialect,
        id::{ConnectionId, HomeId},
        letter::{Author, Frame, Origin},
        member::Member,
        refusal::{Ending, Refusal},
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{cases, text::value};
use crate::terms::terms_where_unsigned;

/// Two keys of other people, as they write them.
static KEYS: LazyLock<Vec<(String, PublicKey)>> = LazyLock::new(|| {
    let read = |line| serde_json::from_str::<Value>(line).expect("JSON");
    let frames = include_str!("../../vectors/socp/g17.jsonl").lines().map(read);
    let keys = frames.filter_map(|line| line["frame"]["payload"]["pubkey"].as_str().map(str::to_owned));
    let keys = BTreeSet::from_iter(keys).into_iter().take(2);
    keys.map(|text| (text.clone(), key::read(&text).expect("a key").0)).collect()
});
const HOME: HomeId = HomeId(3);
/// Types that a server may say, that only a user may, and that nobody knows.
const KINDS: [&str; 20] = [
    "SERVER_HELLO_JOIN",
    "SERVER_HELLO_LINK",
    "PEER_HELLO_LINK",
    "SERVER_ANNOUNCE",
    "SERVER_WELCOME",
    "USER_ADVERTISE",
    "USER_REMOVE",
    "SERVER_DELIVER",
    "MSG_DIRECT",
    "MSG_PUBLIC_CHANNEL",
    "PUBLIC_CHANNEL_UPDATED",
    "FILE_START",
    "HEARTBEAT",
    "ACK",
    "ERROR",
    "CTRL_CLOSE",
    "USER_HELLO",
    "CMD_LIST",
    "STRANGE",
    "STRANGER",
];

#[derive(Clone, Debug)]
enum Event {
    Open,
    Rubbish(Vec<u8>, bool),
    Json(Value),
    /// A type, who says it, when, and what stands for a signature.
    Said(usize, u8, u8, u8),
    /// Answers, also when nothing was asked.
    Stands(bool, bool, Option<u8>),
    Checked(Option<u8>),
    Found(bool),
    Welcomed(bool),
    Woken,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        1 => Just(Event::Open),
        1 => (prop::collection::vec(any::<u8>(), 0..40), any::<bool>()).prop_map(|(bytes, text)| Event::Rubbish(bytes, text)),
        1 => value().prop_map(Event::Json),
        12 => (0..KINDS.len(), 0..5_u8, 0..4_u8, 0..3_u8)
            .prop_map(|(kind, from, ts, sig)| Event::Said(kind, from, ts, sig)),
        4 => (any::<bool>(), any::<bool>(), prop::option::weighted(0.3, any::<u8>()))
            .prop_map(|(key, unproven, accent)| Event::Stands(key, unproven, accent)),
        5 => prop_oneof![4 => Just(Some(0)), 1 => any::<u8>().prop_map(Some), 1 => Just(None)].prop_map(Event::Checked),
        4 => any::<bool>().prop_map(Event::Found),
        4 => prop::bool::weighted(0.9).prop_map(Event::Welcomed),
        2 => Just(Event::Woken),
    ]
}

/// A frame with everything that any type asks for.
fn said(kind: usize, from: u8, ts: u8, sig: u8) -> Value {
    let key = &KEYS[usize::from(from) % 2].0;
    let mut payload = json!({
        "host": "10.0.0.2", "port": 80, "pubkey": key, "meta": {"pubkey": key}, "sender_pub": key,
        "user_id": "anna", "server_id": "them", "sender": "anna", "ciphertext": "aGk", "file_id": "1",
        "assigned_id": "us", "servers": [{"server_id": "other", "host": "a", "port": 1, "pubkey": key}],
        "clients": [{"user_id": "ben", "pubkey": key}], "code": "X", "nonce": ts,
    });
    // What only servers say about themselves is in no letter.
    if !["USER_", "PEER_HELLO", "SERVER_HELLO", "SERVER_WELCOME", "SERVER_ANNOUNCE"]
        .iter()
        .any(|open| KINDS[kind].starts_with(open))
    {
        let fields = payload.as_object_mut().expect("an object");
        for name in ["server_id", "assigned_id", "servers", "clients", "host", "port"] {
            fields.remove(name);
        }
    }
    let from = ["them", "them", "anna", "other", ""][usize::from(from)];
    let to = ["public", "ben", "us"][kind % 3];
    let mut frame = json!({"type": KINDS[kind], "from": from, "to": to, "ts": ts, "payload": payload});
    match sig {
        0 => {}
        1 => frame["sig"] = json!("..."),
        _ => frame["sig"] = json!(URL_SAFE_NO_PAD.encode([7; 512])),
    }
    if ts == 3 {
        frame.as_object_mut().expect("an object").remove("ts");
    }
    frame
}

fn somebody() -> Arc<Member> {
    let public_key: Arc<str> = KEYS[0].0.as_str().into();
    let key = id_of("anna");
    let name = Some("anna".into());
    Arc::new(Member {
        key,
        name,
        number: 1,
        dialect: Dialect::Socp,
        public_key,
        spelled: key,
        sealing_key: None,
        display_name: None,
        fingerprint: None,
    })
}

fn input(event: &Event) -> Input {
    let value = match event {
        Event::Open => return Input::Opened,
        Event::Rubbish(bytes, true) => {
            return Input::Frame(Frame::Text(String::from_utf8_lossy(bytes).into_owned().into()));
        }
        Event::Rubbish(bytes, false) => return Input::Frame(Frame::Binary(Bytes::from(bytes.clone()))),
        Event::Stands(key, unproven, accent) => {
            let presets = ["text", "g2", "g45", "g40", "admiral", "pezhy"];
            let accent = accent.and_then(|at| Accent::parse(presets[usize::from(at) % presets.len()]).ok());
            let key = key.then(|| Arc::new(KEYS[0].1.clone()));
            return Input::Stands(Ok(Standing {
                key,
                accent: accent.map(AnyAccent::Socp),
                unproven: *unproven,
                servers: Vec::new(),
            }));
        }
        Event::Checked(at) => return Input::Checked(at.map(|at| (usize::from(at), Salt::Digest))),
        Event::Found(somebody_is) => {
            return Input::Found(if *somebody_is { [somebody()].into() } else { [].into() });
        }
        Event::Welcomed(true) => return Input::Welcomed(Ok(HOME)),
        Event::Welcomed(false) => return Input::Welcomed(Err(Refusal::TooManyPeers)),
        Event::Woken => return Input::Woken,
        Event::Json(value) => value.clone(),
        Event::Said(kind, from, ts, sig) => said(*kind, *from, *ts, *sig),
    };
    Input::Frame(Frame::Text(value.to_string().into()))
}

/// A session with the laws around it.
struct Watched {
    session: Session,
    /// The question that is open.
    asked: Option<&'static str>,
    claimed: bool,
    /// Whether the last signature was good, and whether any has to be for what comes now.
    proven: bool,
    unproven: bool,
    welcome: bool,
    over: bool,
    complaints: BTreeSet<String>,
    heard: (usize, usize),
}

impl Watched {
    fn new(dialled: bool, unsigned: bool) -> Self {
        let terms = terms_where_unsigned(unsigned);
        let session = if dialled {
            Session::SocpPeer(Box::new(peer::Session::dialling(terms, None, "10.0.0.2:80")))
        } else {
            Session::new(ConnectionId(1), None, terms, None)
        };
        Self {
            session,
            asked: None,
            claimed: false,
            proven: false,
            unproven: false,
            welcome: false,
            over: false,
            complaints: BTreeSet::new(),
            heard: (0, 0),
        }
    }

    /// Notes what an answer settles. Answers to nothing settle nothing.
    fn note(&mut self, event: &Event) {
        let name = match event {
            Event::Stands(..) => "claim",
            Event::Checked(_) => "check",
            Event::Found(_) => "find",
            Event::Welcomed(_) => "greet",
            _ => return,
        };
        if self.asked != Some(name) {
            return;
        }
        self.asked = None;
        match event {
            Event::Stands(_, unproven, _) => (self.claimed, self.unproven) = (true, *unproven),
            Event::Checked(at) => self.proven = at.is_some_and(|at| at < 20),
            Event::Welcomed(yes) => self.welcome = *yes,
            _ => {}
        }
    }

    fn ask(&mut self, question: &'static str) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.asked.replace(question), None, "two questions at once");
        Ok(())
    }

    fn meet(&mut self, event: &Event) -> Result<(), TestCaseError> {
        let mut out = Vec::new();
        let open = self.asked;
        self.note(event);
        let input = input(event);
        let is_frame = matches!(input, Input::Frame(_));
        self.session.handle(input, Moment::ZERO, &mut out);
        prop_assert!(!self.over || out.is_empty(), "something is wished for after the end: {out:?}");
        prop_assert!(open.is_none() || !is_frame || out.is_empty(), "a frame was taken before the answer");
        prop_assert!(out.len() <= 8, "{:?}", out);
        for output in out {
            self.judge(output)?;
        }
        Ok(())
    }

    fn judge(&mut self, output: Output) -> Result<(), TestCaseError> {
        match output {
            Output::Claim(claim) => {
                prop_assert_eq!(&claim.address, "10.0.0.2:80");
                self.ask("claim")?;
            }
            Output::Check(check) => {
                prop_assert!(self.claimed && (1..=10).contains(&check.question.texts.len()));
                self.ask("check")?;
            }
            Output::Find(_) => {
                prop_assert!(self.welcome, "asked about members before the welcome");
                self.ask("find")?;
            }
            Output::Greet(greeting) => {
                prop_assert!(self.claimed && !self.welcome);
                prop_assert!(greeting.proven || self.unproven, "nobody said that it may come in");
                self.ask("greet")?;
            }
            Output::Tell(_) => {
                prop_assert!(self.welcome, "told without a welcome");
                self.heard.0 += 1;
            }
            Output::Overheard => prop_assert!(self.welcome, "overheard without a welcome"),
            Output::Wraps(_) => prop_assert!(self.welcome, "a key without a welcome"),
            Output::Shown => prop_assert!(self.welcome, "shown without a welcome"),
            Output::Introduce(_) => prop_assert!(self.welcome, "introduced without a welcome"),
            Output::Route(letter) => {
                prop_assert!(self.welcome, "routed without a welcome");
                prop_assert_eq!(letter.from, Origin::Home(HOME));
                prop_assert!(!matches!(letter.author, Author::Proven(_)));
                self.heard.1 += 1;
            }
            Output::Send(Frame::Text(text)) => {
                prop_assert!(self.claimed, "said to a stranger");
                let frame: Value = serde_json::from_str(&text).expect("JSON");
                if frame["type"] == "ERROR" {
                    prop_assert!(self.welcome, "complained before the welcome");
                    let complaint = frame["payload"].to_string();
                    prop_assert!(self.complaints.insert(complaint), "complained twice: {}", text);
                    prop_assert!(self.complaints.len() <= 64);
                }
            }
            Output::Wake(_) => prop_assert!(self.welcome),
            Output::Step(..) => {}
            // Where there are words for it, a bad signature costs the frame that bears it.
            Output::Note(_) => {}
            Output::Close(ending) => {
                prop_assert!(is_fatal(ending) || ending == Ending::Left);
                self.over = true;
            }
            other => prop_assert!(false, "a session of SOCP may not wish for {:?}", other),
        }
        Ok(())
    }
}

const SIGNED: u8 = 2;

fn kind(name: &str) -> usize {
    KINDS.iter().position(|kind| *kind == name).expect("a type")
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_socket_keeps_the_laws(
        events in prop::collection::vec(event(), 1..80), dialled in any::<bool>(), unsigned in any::<bool>(),
    ) {
        let mut watched = Watched::new(dialled, unsigned);
        // Without these, hardly any of them would come far.
        watched.meet(&if dialled { Event::Open } else { Event::Said(0, 0, 0, SIGNED) })?;
        for event in &events {
            watched.meet(event)?;
        }
    }

    #[test]
    fn every_link_that_is_up_keeps_the_laws(events in prop::collection::vec(event(), 1..80)) {
        let mut watched = linked();
        for event in &events {
            watched.meet(event)?;
        }
    }
}

/// One that was let in.
fn linked() -> Watched {
    let mut watched = Watched::new(false, false);
    for event in [
        Event::Said(0, 0, 0, SIGNED),
        Event::Stands(false, false, None),
        Event::Checked(Some(0)),
        Event::Welcomed(true),
        Event::Found(true),
    ] {
        watched.meet(&event).expect("the laws");
    }
    assert!(watched.welcome);
    watched
}

/// The laws above would hold for a session that does nothing. This one gets through.
#[test]
fn an_honest_neighbour_is_heard() {
    let mut watched = linked();
    for name in ["USER_ADVERTISE", "SERVER_DELIVER", "USER_REMOVE"] {
        watched.meet(&Event::Said(kind(name), 0, 1, SIGNED)).expect("the laws");
        watched.meet(&Event::Checked(Some(0))).expect("the laws");
    }
    assert_eq!(watched.heard, (2, 1));
    for _ in 0..3 {
        watched.meet(&Event::Said(kind("STRANGE"), 0, 1, SIGNED)).expect("the laws");
    }
    assert_eq!(watched.complaints.len(), 1);
}

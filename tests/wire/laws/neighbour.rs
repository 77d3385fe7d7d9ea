//! Laws of a socket between servers that speak OLAF: any frames, answers and alarms, in any order.

use std::sync::{Arc, LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use kith::{
    crypto::{keys::PublicKey, signature::Salt},
    dialect::{
        Session,
        event::{Input, Output, Standing},
        is_fatal,
        olaf::peer::{self, Accent},
    },
    domain::{
        Moment,
        id::{ConnectionId, HomeId},
        letter::{Author, Frame, Origin},
        refusal::{Ending, Refusal},
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{cases, text::value};
use crate::{recordings::keys, terms::terms_where_unsigned};

static KEYS: LazyLock<Vec<PublicKey>> =
    LazyLock::new(|| keys("ts").into_iter().map(|(key, _)| key).take(2).collect());
const HOME: HomeId = HomeId(3);

#[derive(Clone, Debug)]
enum Event {
    Open,
    Rubbish(Vec<u8>, bool),
    Json(Value),
    /// Its kind, counter and what stands for a signature.
    Hello(u8, u64, u8),
    ClientHello,
    Letter(u8, usize),
    Update(Vec<u8>),
    Request,
    /// Answers, also when nothing was asked.
    Stands(bool, bool, Option<u8>),
    Checked(Option<u8>),
    Signed,
    Welcomed(bool),
    Woken,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        1 => Just(Event::Open),
        1 => (prop::collection::vec(any::<u8>(), 0..40), any::<bool>()).prop_map(|(bytes, text)| Event::Rubbish(bytes, text)),
        1 => value().prop_map(Event::Json),
        3 => (0..5_u8, 0..4_u64, 0..3_u8).prop_map(|(kind, counter, proof)| Event::Hello(kind, counter, proof)),
        1 => Just(Event::ClientHello),
        4 => (any::<u8>(), 0..6_usize).prop_map(|(signature, homes)| Event::Letter(signature, homes)),
        3 => prop::collection::vec(0..6_u8, 0..6).prop_map(Event::Update),
        2 => Just(Event::Request),
        4 => (any::<bool>(), any::<bool>(), prop::option::weighted(0.3, any::<u8>()))
            .prop_map(|(key, unproven, accent)| Event::Stands(key, unproven, accent)),
        3 => prop_oneof![4 => Just(Some(0)), 1 => any::<u8>().prop_map(Some), 1 => Just(None)].prop_map(Event::Checked),
        3 => Just(Event::Signed),
        4 => prop::bool::weighted(0.9).prop_map(Event::Welcomed),
        2 => Just(Event::Woken),
    ]
}

fn hello(kind: u8, counter: u64, proof: u8) -> Value {
    let (name, field) = match kind {
        0 => ("server_connect", "hostname"),
        1 => ("server_hello", "hostname"),
        _ => ("server_hello", "sender"),
    };
    let data = json!({"type": name, field: "10.0.0.2:80"});
    let shown = if kind == 2 { Value::from(data.to_string()) } else { data.clone() };
    let signature = |length: usize| STANDARD.encode(vec![7; length]);
    match proof {
        0 => json!({ "data": data }),
        1 => json!({"type": "signed_data", "data": shown, "counter": counter, "signature": signature(32)}),
        _ => json!({"type": "signed_data", "data": shown, "counter": counter, "signature": signature(256)}),
    }
}

fn member(kind: u8) -> Value {
    let key = |at: usize| KEYS[at].canonical_pem();
    match kind {
        0 => json!(key(0)),
        1 => json!({"client-id": 1, "public-key": key(1)}),
        2 => json!({"public_key": key(1)}),
        3 => json!("ABCDEF"),
        4 => json!(null),
        _ => json!({"client-id": [key(0)]}),
    }
}

fn input(event: &Event) -> Input {
    let signed = |data: Value, signature: u8| {
        let signature = STANDARD.encode([signature; 256]);
        json!({"type": "signed_data", "data": data, "counter": 1, "signature": signature})
    };
    let value = match event {
        Event::Open => return Input::Opened,
        Event::Rubbish(bytes, true) => {
            return Input::Frame(Frame::Text(String::from_utf8_lossy(bytes).into_owned().into()));
        }
        Event::Rubbish(bytes, false) => return Input::Frame(Frame::Binary(Bytes::from(bytes.clone()))),
        Event::Stands(key, unproven, accent) => {
            let presets = ["plain", "ts", "aeg0", "g8", "kat"];
            let accent = accent.and_then(|at| Accent::parse(presets[usize::from(at) % presets.len()]).ok());
            let key = key.then(|| Arc::new(KEYS[0].clone()));
            return Input::Stands(Ok(Standing {
                key,
                accent: accent.map(kith::dialect::Accent::Olaf),
                unproven: *unproven,
                servers: Vec::new(),
            }));
        }
        Event::Checked(at) => return Input::Checked(at.map(|at| (usize::from(at), Salt::Digest))),
        Event::Signed => return Input::Signed(vec![1; 256]),
        Event::Welcomed(true) => return Input::Welcomed(Ok(HOME)),
        Event::Welcomed(false) => return Input::Welcomed(Err(Refusal::TooManyPeers)),
        Event::Woken => return Input::Woken,
        Event::Json(value) => value.clone(),
        Event::Hello(kind, counter, proof) => hello(*kind, *counter, *proof),
        Event::ClientHello => signed(json!({"type": "hello", "public_key": KEYS[0].canonical_pem()}), 1),
        Event::Letter(signature, 0) => {
            signed(json!({"type": "public_chat", "sender": "x", "message": ""}), *signature)
        }
        Event::Letter(signature, homes) => {
            let homes = vec!["a:1"; *homes];
            let data = json!({"type": "chat", "destination_servers": homes, "symm_keys": homes, "iv": "", "chat": ""});
            signed(data, *signature)
        }
        Event::Update(kinds) => {
            let clients: Vec<Value> = kinds.iter().map(|kind| member(*kind)).collect();
            json!({"type": "client_update", "clients": clients})
        }
        Event::Request => json!({"type": "client_update_request"}),
    };
    Input::Frame(Frame::Text(value.to_string().into()))
}

/// A session with the laws around it.
struct Watched {
    session: Session,
    dialled: bool,
    unsigned: bool,
    /// The question that is open.
    asked: Option<&'static str>,
    stands: Option<(bool, bool, bool)>,
    proven: bool,
    welcome: bool,
    woken: bool,
    over: bool,
}

impl Watched {
    fn new(dialled: bool, unsigned: bool) -> Self {
        let terms = terms_where_unsigned(unsigned);
        let session = if dialled {
            Session::OlafPeer(Box::new(peer::Session::dialling(terms, None, "10.0.0.2:80")))
        } else {
            Session::new(ConnectionId(1), None, terms, None)
        };
        Self {
            session,
            dialled,
            unsigned,
            asked: None,
            stands: None,
            proven: false,
            welcome: false,
            woken: false,
            over: false,
        }
    }

    /// Notes what an answer settles. Answers to nothing settle nothing.
    fn note(&mut self, event: &Event) {
        let name = match event {
            Event::Stands(..) => "claim",
            Event::Checked(_) => "check",
            Event::Signed => "sign",
            Event::Welcomed(_) => "greet",
            Event::Woken => {
                self.woken = true;
                return;
            }
            _ => return,
        };
        if self.asked != Some(name) {
            return;
        }
        self.asked = None;
        match event {
            Event::Stands(key, unproven, accent) => self.stands = Some((*key, *unproven, accent.is_some())),
            Event::Checked(at) => self.proven = at.is_some_and(|at| at < 9),
            Event::Welcomed(yes) => self.welcome = *yes,
            _ => {}
        }
    }

    fn ask(&mut self, question: &'static str) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.asked.replace(question), None, "two questions at once");
        Ok(())
    }

    /// Whether what is said here may be believed.
    fn is_believed(&self) -> bool {
        let (_, unproven, _) = self.stands.unwrap_or_default();
        self.welcome && (self.proven || unproven)
    }

    fn meet(&mut self, event: &Event) -> Result<(), TestCaseError> {
        let mut out = Vec::new();
        let open = self.asked;
        self.note(event);
        let input = input(event);
        let is_frame = matches!(input, Input::Frame(_));
        self.session.handle(input, Moment::ZERO, &mut out);
        prop_assert!(out.len() <= 4, "{:?}", out);
        prop_assert!(!self.over || out.is_empty(), "something is wished for after the end");
        prop_assert!(open.is_none() || !is_frame || out.is_empty(), "a frame was taken before the answer");
        for output in &out {
            match output {
                Output::Claim(claim) => {
                    prop_assert_eq!(&claim.address, "10.0.0.2:80");
                    self.ask("claim")?;
                }
                Output::Check(check) => {
                    prop_assert!((1..=9).contains(&check.question.texts.len()));
                    prop_assert!(self.stands.is_some_and(|(key, ..)| key));
                    self.ask("check")?;
                }
                Output::Sign(..) => self.ask("sign")?,
                Output::Greet(greeting) => {
                    let (key, unproven, is_set) = self.stands.unwrap_or_default();
                    prop_assert_eq!(greeting.proven, self.proven);
                    prop_assert_eq!(greeting.trace.is_some(), self.proven);
                    let deaf = self.dialled && key && self.woken;
                    prop_assert!(self.proven || unproven || deaf, "nobody said that it may come in");
                    // On a socket that they dialled, a known key is proven, unless something else was set.
                    let may_leave_out = self.dialled || !key || (is_set && self.unsigned);
                    prop_assert!(self.proven || may_leave_out, "a known key was passed over");
                    self.welcome = false;
                    self.ask("greet")?;
                }
                Output::Tell(_) => prop_assert!(self.is_believed(), "told without a welcome"),
                Output::Route(letter) => {
                    prop_assert!(self.is_believed(), "routed without a welcome");
                    prop_assert_eq!(letter.from, Origin::Home(HOME));
                    prop_assert!(matches!(letter.author, Author::Claimed(_)));
                }
                Output::WantList => prop_assert!(self.welcome, "a list for a stranger"),
                Output::Send(_) => prop_assert!(self.stands.is_some(), "said to a stranger"),
                Output::Step(..) | Output::Wake(_) => {}
                Output::Note(violation) => prop_assert!(!is_fatal(Ending::Violated(*violation))),
                Output::Close(ending) => {
                    prop_assert!(is_fatal(*ending));
                    self.over = true;
                }
                other => prop_assert!(false, "a session of OLAF may not wish for {:?}", other),
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_socket_keeps_the_laws(
        events in prop::collection::vec(event(), 1..60), dialled in any::<bool>(), unsigned in any::<bool>(),
    ) {
        let mut watched = Watched::new(dialled, unsigned);
        // Without these, hardly any of them would come far.
        watched.meet(&if dialled { Event::Open } else { Event::Hello(2, 0, 2) })?;
        for event in &events {
            watched.meet(event)?;
        }
    }
}

/// The laws above would hold for a session that does nothing. This one gets through.
#[test]
fn an_honest_neighbour_is_heard() {
    let honest = [
        Event::Hello(2, 0, 2),
        Event::Stands(true, false, None),
        Event::Checked(Some(0)),
        Event::Signed,
        Event::Welcomed(true),
    ];
    let mut watched = Watched::new(false, false);
    for event in &honest {
        watched.meet(event).expect("the laws");
    }
    assert!(watched.is_believed());
    let mut out = Vec::new();
    for event in [Event::Update(vec![0, 1]), Event::Letter(1, 0), Event::Request] {
        watched.session.handle(input(&event), Moment::ZERO, &mut out);
    }
    assert!(matches!(out[..], [Output::Tell(_), Output::Route(_), Output::WantList]), "{out:?}");
}

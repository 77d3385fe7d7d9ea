//! A house around one session: it answers every question, with real keys.

mod heard;
mod links;
mod shapes;

use std::sync::{Arc, LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    Accent, Session,
    accent::{Data, Entries, Field, Greeting, Letters, Printer, Signed, Spelling, Updates},
    client_update, is_server, letter,
    session::BEFORE_ASKING,
    wire,
};
use crate::{
    crypto::{
        keys::{PrivateKey, PublicKey},
        sha256,
        signature::{Salt, Verifier, sign},
    },
    dialect::{
        Ear, Myself, Terms,
        event::{Greeting as Greeted, Input, Output, Standing},
        olaf::print,
    },
    domain::{
        Moment,
        dialect::Dialect,
        id::{HomeId, KeyId},
        letter::{Audience, Author, Frame, Origin},
        member::Member,
        neighbourhood::Sockets,
        news::News,
        refusal::{Ending, Refusal, Violation},
    },
};

/// Ours, theirs, and a stranger's.
static KEYS: LazyLock<[PrivateKey; 3]> =
    LazyLock::new(|| std::array::from_fn(|_| PrivateKey::generate(2048).expect("a key")));

fn ours() -> &'static PrivateKey {
    &KEYS[0]
}

fn theirs() -> &'static PrivateKey {
    &KEYS[1]
}

fn terms(unsigned: bool) -> Arc<Terms> {
    let key = Arc::new(ours().public().clone());
    let myself =
        Myself { takes_socp: true, id: "us".into(), address: "10.0.0.1:80".into(), name: "us".into(), key };
    Arc::new(Terms {
        doors: Vec::new(),
        recipients_per_letter: 2,
        detect_accents: true,
        socp_detect_accents: true,
        unsigned,
        peer_heartbeat_s: 5,
        peer_silence_s: 15,
        tpacket_strict_seed: false,
        myself,
    })
}

/// A house that knows what it is told here.
struct House {
    session: Session,
    standing: Result<Standing, Refusal>,
    welcome: Result<HomeId, Refusal>,
    greeted: Vec<Greeted>,
    /// Everything that was wished for, without the questions.
    seen: Vec<Output>,
}

const HOME: HomeId = HomeId(7);

impl House {
    fn new(session: Session, standing: Standing) -> Self {
        Self { session, standing: Ok(standing), welcome: Ok(HOME), greeted: Vec::new(), seen: Vec::new() }
    }

    fn answering(standing: Standing) -> Self {
        Self::new(Session::answering(terms(false)), standing)
    }

    fn dialling(standing: Standing) -> Self {
        let mut house = Self::new(Session::dialling(terms(false), None, "10.0.0.2:80"), standing);
        house.step(Input::Opened);
        house
    }

    /// Hands something in and answers every question that follows, as a house would.
    fn step(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let mut out = Vec::new();
            self.session.handle(input, Moment::from_secs(100), &mut out);
            for output in out {
                match output {
                    Output::Check(check) => {
                        let verifier = Verifier::new(&check.key).expect("a verifier");
                        inputs.push(Input::Checked(verifier.judge(&check.question)));
                    }
                    Output::Sign(_, text) => {
                        inputs.push(Input::Signed(sign(ours(), &text, Salt::Digest).expect("a signature")));
                    }
                    Output::Claim(_) => inputs.push(Input::Stands(self.standing.clone())),
                    Output::Greet(greeting) => {
                        self.greeted.push(greeting);
                        inputs.push(Input::Welcomed(self.welcome));
                    }
                    Output::Step(..) => {}
                    other => self.seen.push(other),
                }
            }
        }
    }

    fn hear(&mut self, text: &str) {
        self.step(Input::Frame(Frame::Text(text.into())));
    }

    fn seen(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.seen)
    }

    fn ending(&mut self) -> Option<Ending> {
        self.seen().into_iter().find_map(|output| match output {
            Output::Close(ending) => Some(ending),
            _ => None,
        })
    }

    fn accent(&self) -> Accent {
        match self.greeted.last().map(|greeting| greeting.ear) {
            Some(Ear::OlafPeer(accent)) => accent,
            other => panic!("greeted as {other:?}"),
        }
    }
}

fn known() -> Standing {
    Standing {
        key: Some(Arc::new(theirs().public().clone())),
        accent: None,
        unproven: false,
        ..Standing::default()
    }
}

fn unknown() -> Standing {
    Standing { key: None, accent: None, unproven: true, ..Standing::default() }
}

/// A hello as its author prints it.
fn hello(key: &PrivateKey, data: &Value, as_text: bool, counter: u64, print: fn(&Value) -> String) -> String {
    let text = print(data);
    let signature = sign(key, format!("{text}{counter}").as_bytes(), Salt::Digest).expect("a signature");
    let data = if as_text { Value::from(text) } else { data.clone() };
    let signature = STANDARD.encode(signature);
    print(&json!({"type": "signed_data", "data": data, "counter": counter, "signature": signature}))
}

fn usual(key: &PrivateKey) -> String {
    hello(key, &json!({"type": "server_hello", "sender": "10.0.0.2:80"}), true, 0, print::compact)
}

fn text(frame: &Frame) -> String {
    frame.text().expect("text").to_owned()
}

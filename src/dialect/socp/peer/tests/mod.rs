//! A house around one session: it answers every question, with an oracle in the place of RSA.

mod heard;
mod links;
mod welcomes;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{HEARTBEAT_S, Session};
use crate::{
    dialect::{
        Accent as AnyAccent, Ear, Terms,
        event::{Greeting, Input, Output, ServerCard, Standing},
        press,
        socp::{
            Accent, binary,
            canonical::canonical,
            id_of, relay,
            testing::{US, Who, judge, said, terms, unsigned, value},
        },
    },
    domain::{
        Moment,
        dialect::Dialect,
        id::{HomeId, KeyId},
        letter::{Audience, Author, Frame, Letter, Origin},
        member::{Member, Whom},
        news::{Change, Listed, News},
        refusal::{Ending, Refusal, Violation},
    },
};

const HOME: HomeId = HomeId(7);
const THEM: Who = Who("them");
const STRANGER: Who = Who("stranger");
/// A member of theirs, and one of ours.
const ANNA: Who = Who("anna");
const BEN: Who = Who("ben");

struct House {
    session: Session,
    standing: Result<Standing, Refusal>,
    welcome: Result<HomeId, Refusal>,
    members: Vec<Arc<Member>>,
    greeted: Vec<Greeting>,
    /// How often it has shown its key since it came in.
    shown: usize,
    /// How often it told what is not its to tell.
    overheard: usize,
    /// Everything that was wished for, without the questions.
    seen: Vec<Output>,
}

impl House {
    fn new(session: Session, standing: Standing) -> Self {
        Self {
            session,
            standing: Ok(standing),
            welcome: Ok(HOME),
            members: vec![BEN.member()],
            greeted: Vec::new(),
            shown: 0,
            overheard: 0,
            seen: Vec::new(),
        }
    }

    fn answering(standing: Standing) -> Self {
        Self::new(Session::answering(terms(true)), standing)
    }

    fn dialling(standing: Standing) -> Self {
        let mut house = Self::new(Session::dialling(terms(true), None, "10.0.0.2:80"), standing);
        house.step(Input::Opened);
        house
    }

    /// A link that is up.
    fn linked() -> Self {
        let mut house = Self::answering(Standing::default());
        house.hear(&join(THEM));
        house.seen();
        house
    }

    fn step(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let mut out = Vec::new();
            self.session.handle(input, Moment::from_secs(100), &mut out);
            for output in out {
                match output {
                    Output::Check(check) => inputs.push(Input::Checked(judge(&check))),
                    Output::Claim(_) => inputs.push(Input::Stands(self.standing.clone())),
                    Output::Greet(greeting) => {
                        self.greeted.push(greeting);
                        inputs.push(Input::Welcomed(self.welcome));
                    }
                    Output::Find(whom) => {
                        let wanted =
                            |other: &&Arc<Member>| !matches!(whom, Whom::One(key) if other.key != key);
                        inputs.push(Input::Found(self.members.iter().filter(wanted).cloned().collect()));
                    }
                    Output::Overheard => self.overheard += 1,
                    Output::Shown => self.shown += 1,
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

    /// What it says, as it goes out.
    fn said(&mut self) -> Vec<Value> {
        let stamp = self.session.stamp();
        let frames = self.seen.iter().filter_map(|output| match output {
            Output::Send(frame) => Some(frame),
            _ => None,
        });
        let stamped = frames.map(|frame| match stamp.unsigned(frame) {
            Some(unsigned) => said(unsigned),
            None => value(frame),
        });
        let said = stamped.collect();
        self.seen.retain(|output| !matches!(output, Output::Send(_)));
        said
    }

    fn ending(&mut self) -> Option<Ending> {
        self.seen().into_iter().find_map(|output| match output {
            Output::Close(ending) => Some(ending),
            _ => None,
        })
    }

    /// The words with which first words that cannot be followed are refused, and the connection with them.
    fn refuses_strange(&mut self) -> String {
        let said = self.said();
        assert_eq!(said[0]["payload"]["code"], "UNKNOWN_TYPE", "{said:?}");
        assert_eq!(self.ending(), Some(Ending::Violated(Violation::Malformed)));
        said[0]["payload"]["detail"].as_str().expect("words").to_owned()
    }

    /// What a frame is counted as, and with which code it is answered.
    fn refuses(&mut self, frame: &str) -> (Option<Violation>, Option<String>) {
        self.seen();
        self.hear(frame);
        let codes =
            self.said().first().map(|error| error["payload"]["code"].as_str().unwrap_or("").to_owned());
        let mut notes = self.seen().into_iter().map(|output| match output {
            Output::Note(violation) => violation,
            other => panic!("{frame} gives {other:?}"),
        });
        (notes.next(), codes)
    }

    /// What a frame brings.
    fn tells(&mut self, frame: &str) -> Vec<Output> {
        self.seen();
        self.hear(frame);
        assert!(self.said().is_empty(), "{frame} is complained about");
        self.seen()
    }
}

fn pinned() -> Standing {
    Standing { key: Some(Arc::new(THEM.key())), accent: None, unproven: false, ..Standing::default() }
}

fn introduction(who: Who) -> Value {
    json!({"host": "10.0.0.2", "port": 80, "pubkey": who.pubkey()})
}

fn join(who: Who) -> String {
    who.says("SERVER_HELLO_JOIN", who.0, "10.0.0.1:80", 1, &introduction(who))
}

fn advertise(user: Who, server: &str) -> Value {
    json!({"user_id": user.0, "server_id": server, "meta": {"pubkey": user.pubkey()}})
}

fn came(outputs: &[Output]) -> Option<KeyId> {
    match outputs {
        [Output::Tell(News::Single(Change::Came(listed))), ..] => Some(listed.key()),
        _ => None,
    }
}

fn letter(outputs: Vec<Output>) -> Letter {
    match outputs.into_iter().next_back() {
        Some(Output::Route(letter)) => letter,
        other => panic!("no letter but {other:?}"),
    }
}

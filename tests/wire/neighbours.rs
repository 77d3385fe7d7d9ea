//! Recorded links between servers are played as they were: each side's frames into a session of ours.
//!
//! A `server_hello` is signed with a key that never travels, so here nobody has to prove anything.

use std::collections::BTreeSet;

use kith::{
    crypto::keys::PublicKey,
    dialect::{
        Ear, Session,
        event::{Input, Output, Standing},
        olaf::peer,
    },
    domain::{
        Moment,
        id::{ConnectionId, HomeId},
        letter::{Author, Origin},
        news::News,
        refusal::Violation,
    },
};
use serde_json::Value;

use crate::{
    recordings::{Kind, Line, inside, lines},
    terms::terms_where_unsigned,
};

const HOME: HomeId = HomeId(2);

/// A session of ours with a house that welcomes everybody.
struct Link {
    session: Session,
    accents: Vec<String>,
    claims: BTreeSet<String>,
}

impl Link {
    fn new(session: Session) -> Self {
        Self { session, accents: Vec::new(), claims: BTreeSet::new() }
    }

    /// Hands something in and answers what is asked. Returns the rest of what is wished for.
    fn step(&mut self, input: Input) -> Vec<Output> {
        let (mut inputs, mut rest) = (vec![input], Vec::new());
        while let Some(input) = inputs.pop() {
            let mut out = Vec::new();
            self.session.handle(input, Moment::ZERO, &mut out);
            for output in out {
                match output {
                    Output::Claim(claim) => {
                        self.claims.insert(claim.address);
                        let standing = Standing { unproven: true, ..Standing::default() };
                        inputs.push(Input::Stands(Ok(standing)));
                    }
                    Output::Greet(greeting) => {
                        let Ear::OlafPeer(accent) = greeting.ear else { panic!("{greeting:?}") };
                        self.accents.push(accent.name());
                        inputs.push(Input::Welcomed(Ok(HOME)));
                    }
                    Output::Sign(_, text) => inputs.push(Input::Signed(text)),
                    Output::Step(..) | Output::Wake(_) | Output::Send(_) => {}
                    other => rest.push(other),
                }
            }
        }
        rest
    }

    fn hear(&mut self, line: &Line) -> Vec<Output> {
        self.step(Input::Frame(line.frame()))
    }
}

/// The members in a recorded list, and how many of its entries are no keys.
fn members(line: &Line) -> (BTreeSet<String>, usize) {
    let frame: Value = serde_json::from_str(&line.text).expect("JSON");
    let clients = frame["clients"].as_array().expect("members");
    let text = |entry: &Value| {
        let key = entry.get("public-key").or_else(|| entry.get("public_key")).unwrap_or(entry);
        key.as_str().expect("a text").to_owned()
    };
    let all: Vec<String> = clients.iter().map(text).collect();
    let keys: BTreeSet<String> = all.iter().filter(|text| PublicKey::read(text).is_ok()).cloned().collect();
    let unreadable = all.len() - keys.len();
    (keys, unreadable)
}

/// What must come of a frame on a link that is up.
fn judge(place: &str, line: &Line, out: &[Output]) {
    match (line.kind, out) {
        // A hello, and one more when ours was heard.
        (Kind::ServerHello | Kind::Unsigned, []) | (Kind::UpdateRequest, [Output::WantList]) => {}
        (Kind::Update, [Output::Tell(News::Whole(told)), rest @ ..]) => {
            let (keys, unreadable) = members(line);
            let told: BTreeSet<String> = told.iter().map(|member| member.public_key.to_string()).collect();
            assert_eq!(told, keys, "{place}");
            assert_eq!(rest.len(), unreadable.min(1), "{place}: {rest:?}");
            assert!(
                rest.iter().all(|output| matches!(output, Output::Note(Violation::Malformed))),
                "{place}"
            );
        }
        (Kind::PublicChat, [Output::Route(letter)]) => {
            assert_eq!((letter.from, &letter.original), (Origin::Home(HOME), &line.frame()), "{place}");
            assert!(matches!(letter.author, Author::Claimed(Some(_))), "{place}: {:?}", letter.author);
        }
        other => panic!("{place}: {other:?}"),
    }
}

fn sender(line: &Line) -> String {
    let frame: Value = serde_json::from_str(&line.text).expect("JSON");
    let data = inside(&frame["data"]).unwrap_or_default();
    data["sender"].as_str().unwrap_or_default().to_owned()
}

/// Each link of a recording: its frames up to the next one. Numbers of connections start again with every
/// scene of a recording.
fn scenes(name: &str) -> Vec<Vec<Line>> {
    let mut scenes: Vec<Vec<Line>> = Vec::new();
    let mut open = None;
    for line in lines(name) {
        let is_hello = matches!(line.kind, Kind::ServerHello | Kind::Unsigned) && !sender(&line).is_empty();
        let is_again = scenes.last().is_some_and(|scene| sender(&scene[0]) == sender(&line));
        if is_hello && line.to_server && !is_again {
            open = Some(line.connection);
            scenes.push(vec![line]);
        } else if open == Some(line.connection) {
            match (line.kind, scenes.last_mut()) {
                // A client has the number now.
                (Kind::Hello, _) => open = None,
                (_, Some(scene)) => scene.push(line),
                _ => {}
            }
        }
    }
    scenes
}

#[test]
fn every_recorded_link_is_played_from_both_sides() {
    // The address, the accent and the number of frames of each link.
    type Links = &'static [(&'static str, &'static str, usize)];
    let expected: [(&str, Links); 4] = [
        ("ts", &[("127.0.0.1:47101", "ts", 18)]),
        ("aegizz", &[("127.0.0.1:47203", "aeg", 4), ("127.0.0.1:47202", "aeg", 6)]),
        ("aegizz-early", &[("127.0.0.1:47223", "aeg0", 4), ("127.0.0.1:47222", "aeg0", 2)]),
        ("g8", &[("vm/127.0.0.1:47711", "g8", 5), ("vm/127.0.0.1:47701", "g8", 1)]),
    ];
    for (name, expected) in expected {
        let scenes = scenes(name);
        assert_eq!(scenes.len(), expected.len(), "{name}");
        for (scene, (address, accent, length)) in scenes.iter().zip(expected) {
            assert_eq!(scene.len(), *length, "{name}: {address}");
            let mut answering =
                Link::new(Session::new(ConnectionId(1), None, terms_where_unsigned(true), None));
            let mut dialling = Link::new(Session::OlafPeer(Box::new(peer::Session::dialling(
                terms_where_unsigned(true),
                None,
                "127.0.0.1:47100",
            ))));
            dialling.step(Input::Opened);
            for line in scene {
                let place = format!("{name}:{}", line.number);
                let link = if line.to_server { &mut answering } else { &mut dialling };
                let out = link.hear(line);
                judge(&place, line, &out);
            }
            assert_eq!(answering.accents, [*accent], "{name}: {address}");
            assert_eq!(answering.claims.iter().collect::<Vec<_>>(), [address], "{name}");
            let last = dialling.accents.last().map(String::as_str);
            assert_eq!(last, Some(if name == "ts" { "ts" } else { "plain" }), "{name}: learnt when heard");
        }
    }
}

/// Whoever does not allow servers without signatures does not even take them for servers.
#[test]
fn unsigned_links_are_refused_unless_they_are_allowed() {
    for name in ["aegizz-early", "g8"] {
        for scene in scenes(name) {
            let mut link = Link::new(Session::new(ConnectionId(1), None, terms_where_unsigned(false), None));
            for line in scene.iter().filter(|line| line.to_server) {
                for output in link.hear(line) {
                    assert!(matches!(output, Output::Note(_) | Output::Close(_)), "{name}: {output:?}");
                }
            }
            assert!(link.accents.is_empty(), "{name}");
        }
    }
}

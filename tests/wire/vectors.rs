//! What other people's programs really sent is read, believed and handed on untouched.
//!
//! Every line of every recording is named by kind and counted, so that none can be skipped in silence.
//! Frames between servers are read by `dialect::olaf::peer`; here it is made sure that a connection that
//! begins with one is taken for a server's, and that a client may say nothing of the kind.

use std::{collections::BTreeMap, time::Duration};

use kith::{
    crypto::{
        fingerprint::{self, Spelling, Text},
        keys::PublicKey,
        signature::{Question, Salt, Verifier},
    },
    dialect::{
        Ear, Session,
        event::{Check, Input, Output},
        olaf::{
            accent::{self, Form, Letters, Lists},
            print,
            wire::{Body, Message},
        },
        press,
    },
    domain::{
        id::ConnectionId,
        letter::Audience,
        refusal::{Ending, Refusal, Violation},
    },
};
use serde_json::Value;

use crate::{
    recordings::{Kind, Line, inside, keys, lines},
    terms::terms,
};

/// How the data of a recording looks as it was signed.
type Print = fn(&Value) -> String;

/// One recording, and what is known about it from its README.
struct Recording {
    name: &'static str,
    /// Lines of each kind, in the order of [`Kind`].
    counts: [usize; 9],
    /// What its clients sign: this printing of the data, then the counter.
    signed: Print,
    /// How its clients name themselves.
    fingerprint: (Text, Spelling),
    /// How its clients want to be written to.
    ear: accent::Ear,
}

const PLAIN: accent::Ear = accent::Ear { letters: Letters::AsSent, lists: Lists::Plain };
const NUMBERED: accent::Ear = accent::Ear { letters: Letters::AsSent, lists: Lists::Numbered };

fn sorted(data: &Value) -> String {
    print::compact(&print::sorted(data))
}

const RECORDINGS: [Recording; 6] = [
    Recording {
        name: "ts",
        counts: [5, 8, 5, 1, 7, 3, 9, 2, 0],
        signed: print::compact,
        fingerprint: (Text::Canonical, Spelling::Base64),
        ear: PLAIN,
    },
    Recording {
        name: "frew",
        counts: [2, 2, 2, 1, 2, 0, 0, 0, 0],
        signed: sorted,
        fingerprint: (Text::ColumnsAndNewline, Spelling::Base64),
        ear: PLAIN,
    },
    Recording {
        name: "kata",
        counts: [2, 2, 2, 1, 2, 0, 0, 0, 0],
        signed: print::python,
        fingerprint: (Text::Columns, Spelling::Base64Hex),
        ear: PLAIN,
    },
    Recording {
        name: "g8",
        counts: [1, 0, 0, 1, 1, 2, 2, 2, 0],
        signed: print::compact,
        // No public chat of it was recorded.
        fingerprint: (Text::Columns, Spelling::Base64),
        ear: PLAIN,
    },
    Recording {
        name: "aegizz",
        counts: [2, 3, 2, 1, 3, 2, 6, 1, 0],
        signed: sorted,
        fingerprint: (Text::ColumnsAndNewline, Spelling::Base64Hex),
        ear: NUMBERED,
    },
    Recording {
        name: "aegizz-early",
        counts: [0, 0, 0, 1, 4, 0, 3, 1, 4],
        signed: print::compact,
        fingerprint: (Text::Columns, Spelling::Base64),
        ear: PLAIN,
    },
];

#[test]
fn every_line_is_of_a_known_kind_and_none_is_skipped() {
    for recording in &RECORDINGS {
        let mut counts = [0; 9];
        for line in lines(recording.name) {
            counts[line.kind as usize] += 1;
        }
        assert_eq!(counts, recording.counts, "{}", recording.name);
    }
}

#[test]
fn client_messages_are_read_and_everything_else_is_no_client_message() {
    for Recording { name, .. } in &RECORDINGS {
        for line in lines(name) {
            let read = Message::read(&line.text);
            let body = match &read {
                Ok(Message::Signed(message)) => Some(message.body()),
                _ => None,
            };
            let as_expected = match line.kind {
                Kind::Hello => matches!(body, Some(Ok(Body::Hello { .. }))),
                Kind::PublicChat => matches!(body, Some(Ok(Body::PublicChat { .. }))),
                Kind::Chat => matches!(body, Some(Ok(Body::Chat { .. }))),
                Kind::ListRequest => matches!(read, Ok(Message::ListRequest)),
                Kind::ServerHello => matches!(body, Some(Err(_))),
                Kind::List | Kind::Update | Kind::UpdateRequest | Kind::Unsigned => read.is_err(),
            };
            assert!(as_expected, "{name}:{} {:?}: {read:?}, {body:?}", line.number, line.kind);
        }
    }
}

/// Who signed a recorded frame, and how: found among all keys of the recording.
fn signer(line: &Line, keys: &[(PublicKey, String)]) -> Vec<(Form, Salt, usize)> {
    let Ok(Message::Signed(message)) = Message::read(&line.text) else { return Vec::new() };
    let (forms, texts): (Vec<_>, Vec<_>) = Form::candidates(&message, None).into_iter().unzip();
    let question = Question { texts, signature: message.signature, salt: None };
    let judge = |key: &PublicKey| Verifier::new(key).ok()?.judge(&question);
    let hits = keys.iter().enumerate();
    hits.filter_map(|(who, (key, _))| judge(key).map(|(at, salt)| (forms[at], salt, who))).collect()
}

#[test]
fn every_client_signature_is_believed_in_the_form_in_which_it_was_made() {
    for Recording { name, signed, fingerprint: (text, spelling), .. } in &RECORDINGS {
        let keys = keys(name);
        for line in lines(name) {
            if !matches!(line.kind, Kind::Hello | Kind::PublicChat | Kind::Chat) {
                continue;
            }
            let place = format!("{name}:{}", line.number);
            let hits = signer(&line, &keys);
            let [(form, salt, who)] = hits[..] else { panic!("{place}: signed by {hits:?}") };
            assert_eq!(salt, Salt::Digest, "{place}");
            // One server prints public chats anew, so there the sender's own text is found, not the raw one.
            let printed_anew = *name == "frew" && line.kind == Kind::PublicChat && !line.to_server;
            assert_eq!(form, if printed_anew { Form::Compact } else { Form::Raw }, "{place}");
            // The last scene of "ts" is a test neighbour that plays through all printings.
            let is_test_neighbour = *name == "ts" && (28..=32).contains(&line.number);
            let frame: Value = serde_json::from_str(&line.text).expect("JSON");
            let data = inside(&frame["data"]).expect("data");
            if !is_test_neighbour && !printed_anew {
                let Ok(Message::Signed(message)) = Message::read(&line.text) else { panic!("{place}") };
                assert_eq!(*message.data, signed(&data), "{place}: not signed as its README says");
            }
            if let Some(claim) = data["sender"].as_str() {
                let (key, received) = &keys[who];
                let found = fingerprint::recognise(claim, key, received, None);
                let text = if is_test_neighbour { Text::ColumnsAndNewline } else { *text };
                assert_eq!(found, Some(fingerprint::Form { text, spelling: *spelling }), "{place}");
            }
        }
    }
}

/// What became of a frame.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Joined(accent::Ear),
    Routed { everyone: bool },
    ListWanted,
    Claimed,
    Refused(Violation),
}

fn answer(check: &Check) -> Input {
    Input::Checked(Verifier::new(&check.key).ok().and_then(|verifier| verifier.judge(&check.question)))
}

/// Plays one frame into a session, with real signature checks.
fn play(session: &mut Session, line: &Line) -> Fate {
    let mut out = Vec::new();
    session.handle(Input::Frame(line.frame()), Duration::ZERO, &mut out);
    if let [Output::Check(check)] = &out[..] {
        let answer = answer(check);
        out.clear();
        session.handle(answer, Duration::ZERO, &mut out);
    }
    out.retain(|output| !matches!(output, Output::Step(..)));
    assert_eq!(out.len(), 1, "{out:?}");
    match out.remove(0) {
        // One recorded server signs nothing that proves anything, which is seen before it is asked about.
        Output::Claim(_) | Output::Close(Ending::Refused(Refusal::Unproven)) => Fate::Claimed,
        Output::Join(_, Ear::Olaf(ear)) => Fate::Joined(ear),
        Output::Route(letter) => {
            assert_eq!(letter.original, line.frame(), "a letter must be handed on as it came");
            let heard = press::letter(&letter, Ear::Olaf(PLAIN));
            assert_eq!(heard, Some(line.frame()), "a listener must hear the author's own bytes");
            Fate::Routed { everyone: letter.audience == Audience::Everyone }
        }
        Output::WantList => Fate::ListWanted,
        Output::Note(violation) => Fate::Refused(violation),
        other => panic!("{other:?}"),
    }
}

#[test]
fn whole_conversations_are_played_and_servers_are_told_from_clients() {
    for Recording { name, ear, .. } in &RECORDINGS {
        let mut sessions: BTreeMap<u64, (Session, bool)> = BTreeMap::new();
        for line in lines(name).iter().filter(|line| line.to_server) {
            let opens = matches!(line.kind, Kind::Hello | Kind::ServerHello | Kind::Unsigned);
            if opens || !sessions.contains_key(&line.connection) {
                let session = Session::new(ConnectionId(line.connection), None, terms(256), None);
                sessions.insert(line.connection, (session, line.kind == Kind::Hello));
            }
            let (session, is_client) = sessions.get_mut(&line.connection).expect("a session");
            if session.is_peer() {
                // It waits to hear whether its claim stands.
                continue;
            }
            let fate = play(session, line);
            let expected = match line.kind {
                Kind::Hello => Fate::Joined(*ear),
                Kind::PublicChat if *is_client => Fate::Routed { everyone: true },
                Kind::Chat if *is_client => Fate::Routed { everyone: false },
                Kind::ListRequest if *is_client => Fate::ListWanted,
                // Nobody is present on these connections, and nothing gets through.
                Kind::PublicChat | Kind::Chat | Kind::ListRequest => Fate::Refused(Violation::OutOfOrder),
                Kind::ServerHello if !*is_client => Fate::Claimed,
                _ => Fate::Refused(Violation::Malformed),
            };
            assert_eq!(fate, expected, "{name}:{}", line.number);
        }
    }
}

/// The same frame with another counter.
fn recounted(text: &str) -> String {
    let (before, behind) = text.split_once("\"counter\":").expect("a counter");
    format!("{before}\"counter\":1{}", behind.trim_start())
}

#[test]
fn a_recorded_frame_with_anything_changed_is_not_believed() {
    for Recording { name, .. } in &RECORDINGS {
        let keys = keys(name);
        for line in lines(name).iter().filter(|line| matches!(line.kind, Kind::PublicChat | Kind::Chat)) {
            let changed = [
                recounted(&line.text),
                line.text.replacen("chat", "chaT", 1),
                line.text.replacen("type", "typo", 2),
            ];
            for text in changed {
                assert_ne!(text, *line.text);
                let changed = Line { text: text.into(), ..*line };
                assert_eq!(signer(&changed, &keys), [], "{name}:{}: {}", line.number, changed.text);
            }
        }
    }
}

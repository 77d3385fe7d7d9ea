//! Letters that the programs of others really sent, as our client shows them.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::Session;
use crate::{
    client::event::{Doubt, Event, Output},
    crypto::keys::PrivateKey,
    dialect::socp::KEY_BITS,
};

/// Every frame of a recording.
fn frames(name: &str) -> Vec<Value> {
    let path = format!("{}/tests/vectors/socp/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let lines = std::fs::read_to_string(path).expect("recorded frames");
    let line = |line: &str| serde_json::from_str::<Value>(line).expect("a line")["frame"].take();
    lines.lines().map(line).collect()
}

/// What somebody is told who knows the keys of all users and hears every public letter.
fn heard(session: &mut Session, frames: &[Value]) -> Vec<Event> {
    let mut out = Vec::new();
    session.greet(0).expect("a greeting");
    for hello in frames.iter().filter(|frame| frame["type"] == "USER_HELLO") {
        let payload = json!({"user_id": hello["from"], "meta": {"pubkey": hello["payload"]["pubkey"]}});
        let frame = json!({"type": "USER_ADVERTISE", "from": "s", "to": "*", "ts": 0, "payload": payload});
        session.receive(&frame.to_string(), 0, &mut out);
    }
    out.clear();
    for frame in frames.iter().filter(|frame| frame["type"] == "MSG_PUBLIC_CHANNEL") {
        session.receive(&frame.to_string(), 0, &mut out);
    }
    out.into_iter()
        .filter_map(|output| if let Output::Event(event) = output { Some(event) } else { None })
        .collect()
}

#[test]
fn public_letters_of_other_implementations_are_shown_for_what_they_are() {
    let key = Arc::new(PrivateKey::generate(KEY_BITS).expect("a key"));
    for (name, is_proven) in [("g45", true), ("g56", true), ("g2", false)] {
        let mut session = Session::new(Arc::clone(&key), "anna", &BTreeMap::new()).expect("a session");
        let told = heard(&mut session, &frames(name));
        let (mut proven, mut doubted) = (0, 0);
        for event in &told {
            match event {
                Event::Public { .. } => proven += 1,
                Event::Rejected { .. } => {}
                Event::Unverified { why: Doubt::NotSigned, text, .. } if !text.is_empty() => doubted += 1,
                other => panic!("{name}: {other:?}"),
            }
        }
        assert_eq!((proven > 0, doubted > 0), (is_proven, !is_proven), "{name}: {told:?}");
    }
}

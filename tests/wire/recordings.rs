//! The recorded frames, and what each of them is, told without the code under test.
//!
//! Kinds are read with a plain JSON parser, so that a frame which our own reader misses cannot vanish
//! from the count.

use std::{fs, path::PathBuf};

use bytestring::ByteString;
use kith::{crypto::keys::PublicKey, domain::letter::Frame};
use serde_json::Value;

/// What a recorded frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A client says who it is.
    Hello,
    /// A client speaks to all.
    PublicChat,
    /// A client speaks to some.
    Chat,
    /// A client wants the list.
    ListRequest,
    /// A server answers with the list.
    List,
    /// A server says who it is to another.
    ServerHello,
    /// A server tells another whom it has.
    Update,
    /// A server wants to be told.
    UpdateRequest,
    /// A prototype without signatures says anything.
    Unsigned,
}

/// One recorded frame.
pub(crate) struct Line {
    /// The place in the file, from one.
    pub(crate) number: usize,
    /// Whether it went from the dialling side to the server.
    pub(crate) to_server: bool,
    /// The connection it was seen on; numbers start again with every scene of a recording.
    pub(crate) connection: u64,
    /// The bytes.
    pub(crate) text: ByteString,
    /// What it is.
    pub(crate) kind: Kind,
}

impl Line {
    pub(crate) fn frame(&self) -> Frame {
        Frame::Text(self.text.clone())
    }
}

/// All lines of one recording.
pub(crate) fn lines(name: &str) -> Vec<Line> {
    read(name).lines().zip(1..).map(|(text, number)| line(text, number)).collect()
}

fn read(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/vectors/olaf/{name}.jsonl"));
    fs::read_to_string(path).expect("a recording")
}

fn line(text: &str, number: usize) -> Line {
    let line: Value = serde_json::from_str(text).expect("a line of JSON");
    let text = line["frame"].as_str().expect("a text frame");
    Line {
        number,
        to_server: match line["dir"].as_str() {
            Some("c>s") => true,
            Some("s>c") => false,
            other => panic!("line {number}: an unknown direction {other:?}"),
        },
        connection: line["conn"].as_u64().expect("a connection number"),
        kind: kind(text).unwrap_or_else(|| panic!("line {number}: a frame of no known kind: {text}")),
        text: text.into(),
    }
}

fn kind(text: &str) -> Option<Kind> {
    let frame: Value = serde_json::from_str(text).ok()?;
    match frame["type"].as_str() {
        None => frame["data"].is_object().then_some(Kind::Unsigned),
        Some("client_list_request") => Some(Kind::ListRequest),
        Some("client_list") => Some(Kind::List),
        Some("client_update") => Some(Kind::Update),
        Some("client_update_request") => Some(Kind::UpdateRequest),
        Some("signed_data") => match inside(&frame["data"])?["type"].as_str() {
            Some("hello") => Some(Kind::Hello),
            Some("public_chat") => Some(Kind::PublicChat),
            Some("chat") => Some(Kind::Chat),
            Some("server_hello") => Some(Kind::ServerHello),
            _ => None,
        },
        Some(_) => None,
    }
}

/// The value of `data`, whether it is an object or a string that holds one.
pub(crate) fn inside(data: &Value) -> Option<Value> {
    match data {
        Value::String(text) => serde_json::from_str(text).ok(),
        Value::Object(_) => Some(data.clone()),
        _ => None,
    }
}

/// Every public key that a recording shows anywhere, and how it is spelled there.
pub(crate) fn keys(name: &str) -> Vec<(PublicKey, String)> {
    let mut spellings = Vec::new();
    for line in lines(name) {
        let frame: Value = serde_json::from_str(&line.text).expect("JSON");
        collect(&frame, &mut spellings);
        collect(&inside(&frame["data"]).unwrap_or(Value::Null), &mut spellings);
    }
    spellings.sort();
    spellings.dedup();
    spellings.into_iter().filter_map(|text| Some((PublicKey::read(&text).ok()?, text))).collect()
}

fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) if text.starts_with("-----BEGIN") => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Object(object) => object.values().for_each(|item| collect(item, into)),
        _ => {}
    }
}

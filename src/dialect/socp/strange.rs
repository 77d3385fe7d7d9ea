//! First words that mean to be SOCP and cannot be followed.
//!
//! Some programs write a field of the envelope as nobody else does, or open a link with a type of their own. They can
//! not be let in, but they are told why, and so is whoever runs the house.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    envelope::{Envelope, Ts},
    kind::Kind,
    loose::text,
    payload::Text,
};
use crate::dialect::rooms;

/// How the types of first words between servers begin, also those that only one program has.
const HELLO: &str = "SERVER_HELLO";

/// Such a frame.
#[derive(Clone, Debug)]
pub struct Strange<'a> {
    /// The type as it is spelled.
    pub kind: Cow<'a, str>,
    /// Who says that it sends it; empty if it does not say.
    pub from: Cow<'a, str>,
    /// What is wrong with it, in words.
    pub why: &'static str,
}

/// As much of an envelope as tells what it was meant to be.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Heading<'a> {
    #[serde(borrow, rename = "type", deserialize_with = "text")]
    kind: Text<'a>,
    #[serde(borrow, deserialize_with = "text")]
    from: Text<'a>,
    /// Where one program says who it is.
    #[serde(borrow, deserialize_with = "text")]
    id: Text<'a>,
    #[serde(borrow)]
    ts: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    #[serde(rename = "kith", deserialize_with = "rooms::refuse")]
    _rooms: (),
}

impl<'a> Strange<'a> {
    /// What a frame was meant to be that cannot be followed; nothing, if it can be or was never meant to be SOCP.
    #[must_use]
    pub fn read(frame: &'a str) -> Option<Self> {
        if !frame.trim_start().starts_with('{') {
            return None;
        }
        let heading: Heading<'a> = serde_json::from_str(frame).ok()?;
        let kind = heading.kind?;
        let why = match Kind::from_name(&kind) {
            None if kind.starts_with(HELLO) => "a link is opened by SERVER_HELLO_JOIN or SERVER_HELLO_LINK",
            Some(_) if Envelope::read(frame).is_err() => fault(heading.ts, heading.payload),
            _ => return None,
        };
        Some(Self { kind, from: heading.from.or(heading.id).unwrap_or_default(), why })
    }

    /// Whether it was meant to be the first word of a server.
    #[must_use]
    pub fn opens_link(&self) -> bool {
        Kind::from_name(&self.kind).is_none_or(Kind::opens_link)
    }

    /// Whether it was meant to be the first word of anybody.
    #[must_use]
    pub fn is_hello(&self) -> bool {
        self.opens_link() || Kind::from_name(&self.kind) == Some(Kind::UserHello)
    }
}

/// What is wrong with an envelope that cannot be read.
fn fault(ts: Option<&RawValue>, payload: Option<&RawValue>) -> &'static str {
    if ts.is_some_and(|ts| Ts::read(ts.get()).is_err()) {
        "its ts is no number of milliseconds"
    } else if payload.is_some_and(|payload| !payload.get().starts_with('{')) {
        "its payload is no object"
    } else {
        "its envelope is none of SOCP"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(frame: &str) -> Option<(String, String, &'static str)> {
        Strange::read(frame).map(|strange| (strange.kind.into(), strange.from.into(), strange.why))
    }

    #[test]
    fn what_cannot_be_followed_is_called_by_its_name() {
        for (frame, from, why) in [
            (r#"{"type":"SERVER_HELLO_JOIN","from":"a","ts":[1795217276],"payload":{}}"#, "a", "its ts"),
            (r#"{"type":"SERVER_HELLO_JOIN","from":"a","ts":1,"payload":[]}"#, "a", "its payload"),
            (r#"{"type":"SERVER_HELLO_LINK","from":{},"ts":1}"#, "", "its envelope"),
            (r#"{"type":"USER_HELLO","from":"anna","ts":[1],"payload":{}}"#, "anna", "its ts"),
            (r#"{"type":"SERVER_HELLO","id":"SrvA"}"#, "SrvA", "a link is opened by"),
        ] {
            let (_, found, reason) = read(frame).expect(frame);
            assert!(found == from && reason.starts_with(why), "{frame}: {found} {reason}");
            assert!(Strange::read(frame).is_some_and(|strange| strange.is_hello()), "{frame}");
        }
        let welcome = Strange::read(r#"{"type":"SERVER_WELCOME","ts":[1]}"#).expect("a strange one");
        assert!(!welcome.is_hello());
    }

    #[test]
    fn what_can_be_followed_or_is_no_socp_is_not_strange() {
        for frame in [
            r#"{"type":"SERVER_HELLO_JOIN","from":"a","ts":1,"payload":{}}"#,
            r#"{"type":"hello","ts":[1]}"#,
            r#"{"type":"server_hello"}"#,
            r#"{"type":"USER_HELLO","ts":[1],"kith":"rooms"}"#,
            r#"["SERVER_HELLO"]"#,
            r#"{"ts":[1]}"#,
            "SERVER_HELLO",
            "",
        ] {
            assert_eq!(read(frame), None, "{frame}");
        }
    }
}

//! The shape of every frame: who says what kind of thing to whom, when, and signed how.
//!
//! Read as liberally as people write it. Only the payload is signed, so only its text is kept as it came;
//! everything else is what somebody claims.

use std::borrow::Cow;

use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny},
};
use serde_json::value::RawValue;

use super::{Malformed, canonical::quote, kind::Kind};
use crate::dialect::rooms;

/// What stands for a payload that is missing.
const EMPTY: &str = "{}";

/// A frame.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// The type as it is spelled.
    pub kind: Cow<'a, str>,
    /// Who sends it; empty if it does not say.
    pub from: Cow<'a, str>,
    /// Whom it is for; empty if it does not say.
    pub to: Cow<'a, str>,
    /// Whom it is for, of one implementation, in which `to` is the server.
    pub recipient: Option<Cow<'a, str>>,
    /// When it was sent, if it says so.
    pub ts: Option<Ts<'a>>,
    /// The signature; `None` if there is an empty one.
    pub sig: Option<Cow<'a, str>>,
    /// Whether it names an algorithm, which only one implementation does.
    pub has_alg: bool,
    payload: Option<Cow<'a, RawValue>>,
}

/// A time as it is written: a number, or a string that holds one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ts<'a>(Cow<'a, str>);

/// A string that borrows where it can.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    from: Option<Text<'a>>,
    #[serde(borrow)]
    to: Option<Text<'a>>,
    #[serde(borrow)]
    recipient: Option<Text<'a>>,
    #[serde(borrow)]
    ts: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    #[serde(borrow)]
    sig: Option<Text<'a>>,
    #[serde(default, deserialize_with = "is_there")]
    alg: bool,
    #[serde(default, rename = "kith", deserialize_with = "rooms::refuse")]
    _rooms: (),
}

impl<'a> Envelope<'a> {
    /// Reads a frame. One implementation puts some of its frames into a string of JSON.
    ///
    /// # Errors
    /// It is no frame.
    pub fn read(text: &'a str) -> Result<Self, Malformed> {
        if text.trim_start().starts_with('"') {
            let inner: String = serde_json::from_str(text).map_err(|_| Malformed)?;
            return Envelope::read_object(&inner).map(Envelope::into_owned);
        }
        Self::read_object(text)
    }

    fn read_object(text: &'a str) -> Result<Self, Malformed> {
        // A tuple would be read from an array, too.
        if !text.trim_start().starts_with('{') {
            return Err(Malformed);
        }
        let fields: Fields<'a> = serde_json::from_str(text).map_err(|_| Malformed)?;
        let payload = fields.payload.filter(|payload| payload.get() != "null");
        if payload.is_some_and(|payload| !payload.get().starts_with('{')) {
            return Err(Malformed);
        }
        let ts = fields.ts.filter(|ts| ts.get() != "null");
        let text = |text: Option<Text<'a>>| text.map_or(Cow::Borrowed(""), |Text(text)| text);
        Ok(Self {
            kind: fields.kind.0,
            from: text(fields.from),
            to: text(fields.to),
            recipient: fields.recipient.map(|Text(text)| text).filter(|text| !text.is_empty()),
            ts: ts.map(|ts| Ts::read(ts.get())).transpose()?,
            sig: Some(text(fields.sig)).filter(|sig| !sig.is_empty()),
            has_alg: fields.alg,
            payload: payload.map(Cow::Borrowed),
        })
    }

    /// The text of the payload as it came; it is an object, but not known to be readable.
    #[must_use]
    pub fn payload(&self) -> &str {
        self.payload.as_ref().map_or(EMPTY, |payload| payload.get())
    }

    /// The known type that it has, if it has one.
    #[must_use]
    pub fn known(&self) -> Option<Kind> {
        Kind::from_name(&self.kind)
    }

    /// The same frame, free of the text that it was read from.
    #[must_use]
    pub fn into_owned(self) -> Envelope<'static> {
        let text = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        Envelope {
            kind: text(self.kind),
            from: text(self.from),
            to: text(self.to),
            recipient: self.recipient.map(text),
            ts: self.ts.map(|Ts(ts)| Ts(text(ts))),
            sig: self.sig.map(text),
            has_alg: self.has_alg,
            payload: self.payload.map(|payload| Cow::Owned(payload.into_owned())),
        }
    }
}

impl<'a> Ts<'a> {
    /// Reads the text of a JSON value.
    ///
    /// # Errors
    /// It is neither a number nor a string that holds one.
    pub fn read(json: &'a str) -> Result<Self, Malformed> {
        let inside = json.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let number = inside.unwrap_or(json);
        // Longer ones are no times, whatever else they are.
        let short = number.len() <= 32;
        let is_number = number.starts_with(|first: char| first == '-' || first.is_ascii_digit())
            && number.ends_with(|last: char| last.is_ascii_digit())
            && serde_json::from_str::<IgnoredAny>(number).is_ok();
        if short && is_number { Ok(Self(Cow::Borrowed(number))) } else { Err(Malformed) }
    }

    /// The digits as they were written, which content signatures cover.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Milliseconds. A fraction that would be a moment of 1970 counts seconds: one implementation does.
    #[must_use]
    pub fn millis(&self) -> Option<i64> {
        /// The smallest number of milliseconds that is believed of a fraction: a day in 1973.
        const EARLIEST: f64 = 1e11;
        if let Ok(millis) = self.0.parse() {
            return Some(millis);
        }
        let number: f64 = self.0.parse().ok()?;
        let millis = if number.abs() < EARLIEST { number * 1000.0 } else { number };
        format!("{millis:.0}").parse().ok()
    }
}

/// Whether a field is there, whatever is in it.
fn is_there<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(from).map(|_| true)
}

/// Prints a frame, compact; the time as a JSON number. Without a signature the field is left out: an empty one is refused by some.
#[must_use]
pub fn print(kind: &str, from: &str, to: &str, ts: &str, payload: &str, sig: Option<&str>) -> String {
    let mut out = String::with_capacity(160 + payload.len() + sig.map_or(0, str::len));
    out.push_str("{\"type\":");
    quote(kind, &mut out);
    out.push_str(",\"from\":");
    quote(from, &mut out);
    out.push_str(",\"to\":");
    quote(to, &mut out);
    out.push_str(",\"ts\":");
    out.push_str(ts);
    out.push_str(",\"payload\":");
    out.push_str(payload);
    if let Some(sig) = sig {
        out.push_str(",\"sig\":");
        quote(sig, &mut out);
    }
    out.push('}');
    out
}

/// Whether a first frame can only be SOCP: of one of its types, and with more of an envelope than that.
#[must_use]
pub fn is_socp(text: &str) -> bool {
    Envelope::read(text).is_ok_and(|envelope| {
        let is_shaped = envelope.payload.is_some() || envelope.ts.is_some() || envelope.sig.is_some();
        is_shaped && envelope.known().is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ts(json: &str) -> Option<(String, Option<i64>)> {
        Ts::read(json).ok().map(|ts| (ts.text().to_owned(), ts.millis()))
    }

    #[test]
    fn times_are_read_as_everybody_writes_them() {
        for (json, text, millis) in [
            ("1795216307176", "1795216307176", Some(1_795_216_307_176)),
            ("0", "0", Some(0)),
            ("\"1795216307176\"", "1795216307176", Some(1_795_216_307_176)),
            ("1795216307.176", "1795216307.176", Some(1_795_216_307_176)),
            ("1795216307176.0", "1795216307176.0", Some(1_795_216_307_176)),
            ("1.795216307176e12", "1.795216307176e12", Some(1_795_216_307_176)),
            ("-1", "-1", Some(-1)),
            ("99999999999999999999", "99999999999999999999", None),
            ("1e300", "1e300", None),
        ] {
            assert_eq!(ts(json), Some((text.to_owned(), millis)), "{json}");
        }
        for wrong in ["[1795217276]", "true", "{}", "\"\"", "\"soon\"", "\"1 \"", "\"[1]\"", "NaN", "\"", ""]
        {
            assert_eq!(ts(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_missing_empty_or_unknown_does_no_harm() {
        let bare =
            Envelope::read(r#"{"type":"ACK","sig":"","ts":null,"payload":null,"x":[]}"#).expect("a frame");
        assert_eq!((&*bare.kind, &*bare.from, &*bare.to, bare.payload()), ("ACK", "", "", "{}"));
        assert!(bare.ts.is_none() && bare.sig.is_none() && !bare.has_alg);
        let full =
            r#" {"alg":"PS256","sig":"QQ","payload": {"b" :1},"ts":7,"to":"*","from":"a","type":"X"} "#;
        let full = Envelope::read(full).expect("a frame").into_owned();
        assert_eq!((&*full.from, &*full.to, full.payload()), ("a", "*", r#"{"b" :1}"#));
        assert!(full.sig.as_deref() == Some("QQ") && full.has_alg);
        for wrong in [
            "",
            "1",
            "[]",
            "{}",
            r#"["ACK"]"#,
            r#"{"type":1}"#,
            r#"{"type":"A","ts":[1]}"#,
            r#"{"type":"A","from":1}"#,
            r#"{"type":"A","payload":[]}"#,
            r#"{"type":"A","payload":"{}"}"#,
            r#"{"type":"A","sig":{}}"#,
            r#"{"type":"A","type":"B"}"#,
            r#"{"type":"A"} x"#,
        ] {
            assert!(Envelope::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_printed_is_read_also_inside_a_string() {
        let text = print("ERROR", "ä\"", "*", "5", "{\"code\":\"X\"}", Some("QQ"));
        assert_eq!(
            text,
            r#"{"type":"ERROR","from":"\u00e4\"","to":"*","ts":5,"payload":{"code":"X"},"sig":"QQ"}"#
        );
        assert!(!print("ERROR", "a", "b", "5", "{}", None).contains("sig"));
        let twice = serde_json::to_string(&text).expect("JSON");
        let thrice = serde_json::to_string(&twice).expect("JSON");
        for text in [&text, &twice] {
            let envelope = Envelope::read(text).expect("a frame");
            assert_eq!((&*envelope.from, envelope.payload()), ("ä\"", "{\"code\":\"X\"}"));
            assert_eq!(envelope.known(), Some(Kind::Error));
        }
        assert!(Envelope::read(&thrice).is_err());
    }

    #[test]
    fn only_its_own_first_frames_are_claimed() {
        assert!(is_socp(&print("USER_HELLO", "a", "", "1", "{}", None)));
        assert!(is_socp(r#"{"type":"CMD_LIST","payload":{}}"#));
        for other in [
            r#"{"type":"signed_data","data":{},"counter":1,"signature":"x"}"#,
            r#"{"type":"hello","payload":{}}"#,
            r#"{"type":"user_hello","payload":{}}"#,
            r#"{"type":"USER_HELLO"}"#,
            r#"{"type":"NEVER_HEARD","payload":{}}"#,
            r#"{"data":{"type":"USER_HELLO"}}"#,
        ] {
            assert!(!is_socp(other), "{other}");
        }
    }
}

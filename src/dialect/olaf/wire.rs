//! The shape of OLAF messages, read liberally and without copying what need not be copied.
//!
//! The text of `data` is kept as it came, because that is what was signed. Unknown keys are ignored
//! anywhere; known keys must have the right type. Depth is bounded by the parser, lengths by us.

use std::{borrow::Cow, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytestring::ByteString;
use serde::{
    Deserialize,
    de::{Deserializer, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    dialect::{rooms, sealed},
    domain::letter::Frame,
};

/// A message of a client.
#[derive(Debug)]
pub enum Message<'a> {
    /// Something signed.
    Signed(Signed<'a>),
    /// The client list is wanted.
    ListRequest,
}

/// The envelope.
#[derive(Debug)]
pub struct Signed<'a> {
    /// The text of `data`: the content of the string, or the slice of the object.
    pub data: Cow<'a, str>,
    /// Whether `data` was a string (v1.2) or an object (v1.1).
    pub data_is_string: bool,
    /// The counter; a decimal string is as good as a number.
    pub counter: u64,
    /// The signature.
    pub signature: Vec<u8>,
}

/// What is inside the envelope.
#[derive(Debug)]
pub enum Body {
    /// Who I am.
    Hello {
        /// The key in some spelling.
        public_key: String,
    },
    /// A sealed letter.
    Chat {
        /// The homes of its recipients.
        homes: Vec<String>,
        /// How many recipients it has, by the longer of its arrays.
        recipients: usize,
    },
    /// A letter for everyone.
    PublicChat {
        /// The fingerprint that the author claims.
        sender: String,
        /// What it says.
        message: String,
    },
}

/// The text is no message. What exactly is wrong is nobody's business but the metrics'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// What every message has outside.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) data: Option<&'a RawValue>,
    #[serde(borrow)]
    counter: Option<&'a RawValue>,
    #[serde(borrow)]
    signature: Option<Cow<'a, str>>,
    #[serde(default, rename = "kith", deserialize_with = "rooms::refuse")]
    _rooms: (),
}

#[derive(Deserialize)]
struct Inside<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    public_key: Option<String>,
    sender: Option<String>,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
    destination_servers: Option<Names>,
    symm_keys: Option<Count>,
}

/// The same frame as text. Whoever sends text as binary still gets text from everybody else, and so do
/// those who hear it.
#[must_use]
pub fn into_text(frame: Frame) -> Option<Frame> {
    match frame {
        Frame::Text(_) => Some(frame),
        Frame::Binary(bytes) => ByteString::try_from(bytes).ok().map(Frame::Text),
    }
}

/// Whether a first frame can only be OLAF: an object whose type is one of its message types.
#[must_use]
pub fn is_olaf(frame: &Frame) -> bool {
    frame.text().and_then(|text| serde_json::from_str::<Envelope<'_>>(text).ok()).is_some_and(|envelope| {
        matches!(envelope.kind.as_deref(), Some("signed_data" | "client_list_request"))
    })
}

impl<'a> Message<'a> {
    /// Reads a frame.
    ///
    /// # Errors
    /// It is no message that a client may send.
    pub fn read(text: &'a str) -> Result<Self, Malformed> {
        let envelope: Envelope<'a> = serde_json::from_str(text).map_err(|_| Malformed)?;
        match envelope.kind.as_deref() {
            Some("client_list_request") => Ok(Self::ListRequest),
            Some("signed_data") => Signed::read(&envelope).map(Self::Signed),
            _ => Err(Malformed),
        }
    }
}

impl<'a> Signed<'a> {
    /// Reads what the envelope of a signed message holds.
    pub(super) fn read(envelope: &Envelope<'a>) -> Result<Self, Malformed> {
        let raw = envelope.data.ok_or(Malformed)?.get();
        let (data, data_is_string) = if raw.starts_with('"') {
            (serde_json::from_str::<Text<'a>>(raw).map_err(|_| Malformed)?.0, true)
        } else {
            (Cow::Borrowed(raw), false)
        };
        // "data" followed by "counter" is only unambiguous because data ends in a brace.
        if !(data.starts_with('{') && data.ends_with('}')) {
            return Err(Malformed);
        }
        let counter = envelope.counter.ok_or(Malformed)?.get();
        let counter = counter.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(counter);
        let signature = envelope.signature.as_deref().ok_or(Malformed)?;
        Ok(Self {
            data,
            data_is_string,
            counter: decimal(counter).ok_or(Malformed)?,
            signature: STANDARD.decode(signature).map_err(|_| Malformed)?,
        })
    }

    /// Reads what is inside.
    ///
    /// # Errors
    /// It is nothing that a client may say.
    pub fn body(&self) -> Result<Body, Malformed> {
        Body::read(&self.data)
    }
}

impl Body {
    /// Reads what is inside an envelope.
    pub(super) fn read(data: &str) -> Result<Self, Malformed> {
        let inside: Inside<'_> = serde_json::from_str(data).map_err(|_| Malformed)?;
        match &*inside.kind {
            "hello" => Ok(Self::Hello { public_key: inside.public_key.ok_or(Malformed)? }),
            "chat" => {
                let homes = inside.destination_servers.unwrap_or_default();
                let keys = inside.symm_keys.ok_or(Malformed)?;
                Ok(Self::Chat { recipients: homes.count.max(keys.0), homes: homes.first })
            }
            "public_chat" => {
                let message = inside.message.ok_or(Malformed)?.into_owned();
                Ok(Self::PublicChat { sender: inside.sender.ok_or(Malformed)?, message })
            }
            _ => Err(Malformed),
        }
    }
}

/// Whether this is a private letter that nobody can read on its way: it has keys for somebody, and what is
/// inside is sealed, as a whole or (one program does so) the message alone.
#[must_use]
pub fn is_sealed(frame: &Frame) -> bool {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Content<'a> {
        Whole(#[serde(borrow)] Cow<'a, str>),
        Message { message: String },
    }
    #[derive(Deserialize)]
    struct Chat<'a> {
        #[serde(borrow, rename = "type")]
        kind: Cow<'a, str>,
        symm_keys: Option<Count>,
        #[serde(borrow)]
        chat: Option<Content<'a>>,
    }
    let Some(Ok(Message::Signed(signed))) = frame.text().map(Message::read) else { return false };
    let Ok(chat) = serde_json::from_str::<Chat<'_>>(&signed.data) else { return false };
    let is_for_somebody = chat.kind == "chat" && chat.symm_keys.is_some_and(|keys| keys.0 > 0);
    is_for_somebody
        && match chat.chat {
            Some(Content::Whole(text)) => sealed::is_sealed(&text),
            Some(Content::Message { message }) => sealed::is_sealed(&message),
            None => false,
        }
}

/// A string that borrows where it can.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Digits only, and no number that could not grow any more.
fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    (canonical && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// More names than this are counted but not kept; the limit on recipients is far below.
const MOST_KEPT: usize = 4096;

/// A list of strings of which only a bounded part is kept.
#[derive(Debug, Default)]
struct Names {
    first: Vec<String>,
    count: usize,
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Names;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list of strings")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Names, A::Error> {
                let mut names = Names::default();
                while let Some(name) = items.next_element::<String>()? {
                    names.count += 1;
                    if names.first.len() < MOST_KEPT {
                        names.first.push(name);
                    }
                }
                Ok(names)
            }
        }
        from.deserialize_seq(Reader)
    }
}

/// A list of strings of which only the length matters.
#[derive(Debug)]
struct Count(usize);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Count;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list of strings")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Count, A::Error> {
                let mut count = 0;
                while items.next_element::<Text<'de>>()?.is_some() {
                    count += 1;
                }
                Ok(Count(count))
            }
        }
        from.deserialize_seq(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_digits_that_mean_one_number() {
        for (text, value) in [("0", Some(0)), ("7", Some(7)), ("18446744073709551615", Some(u64::MAX))] {
            assert_eq!(decimal(text), value);
        }
        for wrong in ["", "-1", "1.0", "1e3", "00", "01", "+1", "18446744073709551616", "null", "１"] {
            assert_eq!(decimal(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn unknown_keys_are_ignored_and_known_ones_must_fit() {
        let envelope = |data: &str| {
            format!(r#"{{"type":"signed_data","data":{data},"counter":"2","signature":"AAAA","id":[1]}}"#)
        };
        let read = |data: &str| match Message::read(&envelope(data)) {
            Ok(Message::Signed(signed)) => signed.body().map_err(|_| "inside"),
            _ => Err("outside"),
        };
        let hello = r#"{"type":"hello","public_key":"k","username":"x"}"#;
        assert!(matches!(read(hello), Ok(Body::Hello { public_key }) if public_key == "k"));
        let quoted = serde_json::to_string(hello).unwrap_or_default();
        assert!(matches!(read(&quoted), Ok(Body::Hello { .. })));
        let chat =
            r#"{"type":"chat","destination_servers":["a","b"],"symm_keys":["1"],"chat":{"x":1},"iv":"0"}"#;
        assert!(matches!(read(chat), Ok(Body::Chat { recipients: 2, homes }) if homes == ["a", "b"]));
        assert!(matches!(read(r#"{"type":"hello","public_key":1}"#), Err("inside")));
        assert!(matches!(read(r#"{"type":"public_chat","sender":"s"}"#), Err("inside")));
        assert!(matches!(read(r#""[]""#), Err("outside")));
        assert!(matches!(read("null"), Err("outside")));
    }
}

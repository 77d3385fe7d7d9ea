//! What is remembered about one implementation: how it signs, and how it wants to be written to.
//!
//! An accent is learnt from the hello and kept for the connection. It only saves work and picks a
//! shape; it never decides what is true.

use serde_json::Value;

use super::{print, wire::Signed};
use crate::crypto::signature::Salt;

/// Which text a client signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// The data exactly as sent, then the counter. What v1.2 means.
    Raw,
    /// Printed again as JavaScript does, then the counter.
    Compact,
    /// Compact with ASCII escapes, then the counter.
    Ascii,
    /// Printed again as Python does, then the counter.
    Python,
    /// Compact with sorted keys, then the counter.
    CompactSorted,
    /// Compact with sorted keys and ASCII escapes, then the counter.
    AsciiSorted,
    /// Python with sorted keys, then the counter.
    PythonSorted,
    /// Sorted, compact, with ASCII escapes, counter and data in one object, nothing behind it.
    Wrapped,
    /// The same without escapes.
    WrappedRaw,
}

impl Form {
    /// In the order in which they are tried; for plain ASCII text half of them coincide.
    const ALL: [Self; 9] = [
        Self::Raw,
        Self::Compact,
        Self::Python,
        Self::CompactSorted,
        Self::PythonSorted,
        Self::Wrapped,
        Self::Ascii,
        Self::AsciiSorted,
        Self::WrappedRaw,
    ];

    fn text(self, message: &Signed<'_>, data: &Value) -> Vec<u8> {
        let followed = |mut text: String| {
            text.push_str(&message.counter.to_string());
            text.into_bytes()
        };
        match self {
            Self::Raw => followed(message.data.to_string()),
            Self::Compact => followed(print::compact(data)),
            Self::Ascii => followed(print::ascii(data)),
            Self::Python => followed(print::python(data)),
            Self::CompactSorted => followed(print::compact(&print::sorted(data))),
            Self::AsciiSorted => followed(print::ascii(&print::sorted(data))),
            Self::PythonSorted => followed(print::python(&print::sorted(data))),
            Self::Wrapped => wrapped(message.counter, &print::ascii(&print::sorted(data))),
            Self::WrappedRaw => wrapped(message.counter, &print::compact(&print::sorted(data))),
        }
    }

    /// The texts that may have been signed, the likeliest first, without repetitions.
    #[must_use]
    pub fn candidates(message: &Signed<'_>, likely: Option<Self>) -> Vec<(Self, Vec<u8>)> {
        let others = Self::ALL.into_iter().filter(|form| Some(*form) != likely);
        let Ok(data) = serde_json::from_str(&message.data) else {
            // A number beyond all range, for example: nothing to print again, so nothing else was signed.
            return vec![(Self::Raw, Self::Raw.text(message, &Value::Null))];
        };
        let mut candidates: Vec<(Self, Vec<u8>)> = Vec::new();
        for form in likely.into_iter().chain(others) {
            let text = form.text(message, &data);
            if !candidates.iter().any(|(_, known)| *known == text) {
                candidates.push((form, text));
            }
        }
        candidates
    }
}

fn wrapped(counter: u64, data: &str) -> Vec<u8> {
    format!("{{\"counter\":{counter},\"data\":{data}}}").into_bytes()
}

/// In which shape a client understands letters of others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Letters {
    /// As the author sent them.
    #[default]
    AsSent,
    /// With `data` as an object, even if the author sent a string.
    DataAsObject,
}

/// In which shape a client understands the client list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lists {
    /// Public keys as strings, as the specification says.
    #[default]
    Plain,
    /// Objects with small numbers for servers and clients.
    Numbered,
}

/// How a client wants to be written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ear {
    /// Letters of others.
    pub letters: Letters,
    /// Client lists.
    pub lists: Lists,
}

impl Ear {
    /// What a client may ask for in the URL: `?accent=plain`, `object-letters` or `numbered-list`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let plain = Self::default();
        match name {
            "plain" => Some(plain),
            "object-letters" => Some(Self { letters: Letters::DataAsObject, ..plain }),
            "numbered-list" => Some(Self { lists: Lists::Numbered, ..plain }),
            _ => None,
        }
    }

    /// The ear of an implementation that shows by its hello that it needs another shape.
    ///
    /// Two are known. One sends Python's printing inside a string, with the longest salt, and reads
    /// only objects. The other sorts all keys, inside and out, starts counting above zero, sends
    /// lines of 64 with a final newline, and reads only numbered lists.
    #[must_use]
    pub fn recognise(hello: &Signed<'_>, frame: &str, public_key: &str, salt: Salt) -> Self {
        let Ok(data) = serde_json::from_str::<Value>(&hello.data) else { return Self::default() };
        let plain = Self::default();
        if !hello.data_is_string {
            return plain;
        }
        if salt == Salt::Max && *hello.data == *print::python(&data) {
            return Self { letters: Letters::DataAsObject, ..plain };
        }
        let sorted = *hello.data == *print::compact(&print::sorted(&data))
            && frame.starts_with("{\"counter\":")
            && data.get("public_key").is_some();
        let columns =
            public_key.ends_with("-----\n") && public_key.lines().nth(1).is_some_and(|line| line.len() == 64);
        if sorted && columns && hello.counter > 0 {
            return Self { lists: Lists::Numbered, ..plain };
        }
        plain
    }
}

//! JSON as other people's programs print it, because their signatures cover the printed text.
//!
//! v1.1 signs "the serialised data" without saying which serialisation. In the world it is
//! JavaScript's (compact) or Python's default (spaces, ASCII escapes), in the order of insertion or
//! with sorted keys.

use std::io;

use serde::Serialize as _;
use serde_json::{
    Map, Value,
    ser::{Formatter, Serializer},
};

/// Compact, as `JSON.stringify` prints.
#[must_use]
pub fn compact(value: &Value) -> String {
    value.to_string()
}

/// Compact with ASCII escapes, as Python prints with narrow separators.
#[must_use]
pub fn ascii(value: &Value) -> String {
    print(value, Python { between: b",", behind_key: b":" })
}

/// As Python's `json.dumps` prints by default.
#[must_use]
pub fn python(value: &Value) -> String {
    print(value, Python { between: b", ", behind_key: b": " })
}

fn print(value: &Value, printer: Python) -> String {
    let mut text = Vec::new();
    // A Value always serialises, and a Vec always takes it.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut text, printer));
    String::from_utf8(text).unwrap_or_default()
}

/// The same value with the keys of every object in order.
#[must_use]
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            Value::Object(Map::from_iter(
                entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))),
            ))
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

struct Python {
    between: &'static [u8],
    behind_key: &'static [u8],
}

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        out.write_all(if first { b"" } else { self.between })
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        out.write_all(if first { b"" } else { self.between })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(self.behind_key)
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        let mut units = [0; 2];
        for letter in text.chars() {
            if letter.is_ascii() {
                out.write_all(letter.encode_utf8(&mut [0; 4]).as_bytes())?;
            } else {
                for unit in letter.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn prints_as_the_others_do() {
        // The expected texts were printed by Python 3.11 and Node 20.
        let value = json!({"b": [1, {"é": "\u{1d11e}\n\u{7f}"}], "a": {"z": null, "y": -2}});
        assert_eq!(compact(&value), "{\"b\":[1,{\"é\":\"\u{1d11e}\\n\u{7f}\"}],\"a\":{\"z\":null,\"y\":-2}}");
        assert_eq!(
            python(&value),
            "{\"b\": [1, {\"\\u00e9\": \"\\ud834\\udd1e\\n\u{7f}\"}], \"a\": {\"z\": null, \"y\": -2}}"
        );
        assert_eq!(
            ascii(&value),
            "{\"b\":[1,{\"\\u00e9\":\"\\ud834\\udd1e\\n\u{7f}\"}],\"a\":{\"z\":null,\"y\":-2}}"
        );
        assert_eq!(
            compact(&sorted(&value)),
            "{\"a\":{\"y\":-2,\"z\":null},\"b\":[1,{\"é\":\"\u{1d11e}\\n\u{7f}\"}]}"
        );
    }
}

//! Private letters: closed as the specification says, opened as the world writes them.
//!
//! Implementations differ in whether the initialisation vector and the sealed text are bytes or the
//! hexadecimal digits of bytes, and in whether the inside is wrapped in one more object (table 7.3 of
//! `docs/olaf-accents.md`). **Invariant:** nothing is opened without a valid tag.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

use super::hear::Letter;
use crate::crypto::sealing::{Opener, Sealed};

/// Wrapped keys that are tried. Each costs a private-key operation, and servers let no more pass.
const MOST_KEYS: usize = 256;
/// People a letter may name. More than that is not a list for people to read.
const MOST_PARTICIPANTS: usize = MOST_KEYS + 1;
/// What OAEP with a key of the prescribed size makes.
const WRAPPED_BYTES: usize = 256;
const VECTOR_BYTES: usize = 16;

/// What was inside.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened {
    /// The claimed author first.
    pub(super) participants: Vec<String>,
    pub(super) message: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Inside {
    Flat { participants: Vec<String>, message: String },
    Nested { chat: Flat },
}

#[derive(Deserialize)]
struct Flat {
    participants: Vec<String>,
    message: String,
}

/// Opens a letter that was sealed for us; nothing if it was not.
pub(super) fn open(opener: &Opener, letter: &Letter<'_>) -> Option<Opened> {
    let decoded = |text: &String| STANDARD.decode(text).ok().filter(|key| key.len() == WRAPPED_BYTES);
    let keys: Vec<_> = letter.symm_keys.iter().take(MOST_KEYS).filter_map(decoded).collect();
    let text = bytes(STANDARD.decode(letter.sealed_text()?).ok()?);
    let sealed = Sealed { vector: vector(letter.iv.as_deref()?)?, keys, text };
    inside(&opener.open(&sealed)?)
}

fn inside(plain: &[u8]) -> Option<Opened> {
    let (mut participants, message) = match serde_json::from_slice(plain).ok()? {
        Inside::Flat { participants, message } | Inside::Nested { chat: Flat { participants, message } } => {
            (participants, message)
        }
    };
    participants.truncate(MOST_PARTICIPANTS);
    Some(Opened { participants, message })
}

fn vector(text: &str) -> Option<Vec<u8>> {
    if text.len() == 2 * VECTOR_BYTES
        && let Some(bytes) = from_hex(text.as_bytes())
    {
        return Some(bytes);
    }
    let bytes = bytes(STANDARD.decode(text).ok()?);
    (bytes.len() == VECTOR_BYTES).then_some(bytes)
}

/// The bytes themselves, unless they are digits. Sealed bytes look like digits once in 10^27 times.
fn bytes(text: Vec<u8>) -> Vec<u8> {
    if text.len() < 2 * VECTOR_BYTES {
        return text;
    }
    from_hex(&text).unwrap_or(text)
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks_exact(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_as_the_bytes_they_mean() {
        let raw: Vec<u8> = (0..16).collect();
        let hex: String = raw.iter().map(|byte| format!("{byte:02X}")).collect();
        for text in [STANDARD.encode(&raw), hex.clone(), STANDARD.encode(&hex)] {
            assert_eq!(vector(&text), Some(raw.clone()), "{text}");
        }
        for text in ["", "0", "AAAA", "not base64"] {
            assert_eq!(vector(text), None, "{text}");
        }
        assert_eq!(bytes(raw.clone()), raw);
        assert_eq!(bytes(b"0a".to_vec()), b"0a", "too short to be a tag in digits");
    }

    #[test]
    fn the_inside_may_be_wrapped_once_more() {
        let expected = Opened { participants: vec!["a".into(), "b".into()], message: "hi".into() };
        for text in [
            r#"{"participants":["a","b"],"message":"hi"}"#,
            r#"{"chat":{"message":"hi","participants":["a","b"],"x":1}}"#,
        ] {
            assert_eq!(inside(text.as_bytes()).as_ref(), Some(&expected), "{text}");
        }
        assert_eq!(inside(b"{\"message\":\"hi\"}"), None);
        assert_eq!(inside(b"\xff"), None);
    }
}

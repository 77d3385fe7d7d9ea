//! What a public letter says to everybody, if it says it in words that were never sealed.
//!
//! The protocol seals what is public, and most programs do not. Whoever is told what a letter says must never be
//! told what was sealed, so there is no guessing: **a letter counts as readable only in the forms of this table**,
//! and everything else as sealed.
//!
//! | form | who writes it | readable if |
//! |---|---|---|
//! | `text` | g2, g45 | it is not empty |
//! | `ciphertext` is base64 of the text | g56, kith | it is UTF-8 without control characters and no container (see below) |
//! | `ciphertext` is the text | g40, by its accent | the same |
//! | one RSA block for each member | g17 | never |
//! | anything with a group, a version, keys or a vector beside it | the protocol, g17, g29 | never |
//!
//! A container is what has the length of whole RSA blocks, is an object or a list in JSON, or is one long word of
//! nothing but the letters of base64: something sealed that was written down once more.

use std::collections::BTreeMap;

use bytestring::ByteString;
use serde::de::IgnoredAny;

use super::{
    accent::{Accent, Clients},
    binary,
    envelope::Envelope,
    kind::Kind,
    payload::Letter,
};
use crate::domain::letter::Audience;

/// What stands beside a text that was sealed, and beside no other.
const OF_SEALED: [&str; 13] = [
    "wraps",
    "shares",
    "wrapped_key",
    "group_id",
    "public_version",
    "version",
    "key_version",
    "key",
    "iv",
    "nonce",
    "tag",
    "alg",
    "file_id",
];

/// The blocks of the two key sizes that are used.
const BLOCKS: [usize; 2] = [256, 512];

/// A longer word of nothing but the letters of base64 is no word.
const LONGEST_WORD: usize = 64;

/// What a letter says to everybody who hears it, however little its program knows.
#[must_use]
pub fn text(envelope: &Envelope<'_>, audience: &Audience, accent: Accent) -> Option<ByteString> {
    if envelope.known() != Some(Kind::MsgPublicChannel) || *audience != Audience::Everyone {
        return None;
    }
    let fields: BTreeMap<String, IgnoredAny> = serde_json::from_str(envelope.payload()).ok()?;
    if OF_SEALED.iter().any(|name| fields.contains_key(*name)) {
        return None;
    }
    let letter = Letter::read(envelope.payload()).ok()?;
    if let Some(text) = letter.text.filter(|text| !text.is_empty()) {
        return is_plain(&text).then(|| text.into_owned().into());
    }
    let ciphertext = letter.ciphertext?;
    // Only this program is known to write words there, and it never seals any.
    let is_words = accent.clients == Clients::Servers;
    let text = if is_words { ciphertext.into_owned() } else { decoded(&ciphertext)? };
    is_plain(&text).then(|| text.into())
}

fn decoded(ciphertext: &str) -> Option<String> {
    let bytes = binary::decode(ciphertext)?;
    String::from_utf8(bytes).ok()
}

/// Whether a text is words, and nothing sealed that was written down once more.
fn is_plain(text: &str) -> bool {
    // Of the length of what a key seals; but words have blanks between them.
    let has_blanks = text.contains(char::is_whitespace);
    let is_blocks = !has_blanks && BLOCKS.iter().any(|block| text.len().is_multiple_of(*block));
    let is_address = text.starts_with("http://") || text.starts_with("https://");
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "+/-_=.:,|$".contains(letter);
    let is_code = text.len() > LONGEST_WORD && !is_address && text.chars().all(is_letter);
    let is_json =
        text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok();
    let is_odd =
        text.is_empty() || text.chars().any(|letter| letter.is_control() && !"\n\r\t".contains(letter));
    !(is_odd || is_blocks || is_code || is_json)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::dialect::socp::{envelope::print, heard};

    fn read(payload: &Value, to: &str, accent: Accent) -> Option<String> {
        let text = print("MSG_PUBLIC_CHANNEL", "anna", to, "1", &payload.to_string(), None);
        let envelope = Envelope::read(&text).expect("a frame");
        let audience = heard::audience(Kind::MsgPublicChannel, &envelope, &[]).unwrap_or(Audience::Everyone);
        super::text(&envelope, &audience, accent).map(|text| text.to_string())
    }

    fn coded(bytes: &[u8]) -> Value {
        json!({"ciphertext": binary::encode(bytes, false), "content_sig": "x", "sender_pub": "y"})
    }

    #[test]
    fn words_are_read_in_the_forms_in_which_they_are_written() {
        for (payload, words) in [
            (json!({"text": "hello", "from": "anna", "to": "all", "ts": 1}), "hello"),
            (json!({"channel": "public", "text": "two\nlines", "content_sig": "x"}), "two\nlines"),
            (coded(b"hi"), "hi"),
            (coded("hello everyone: 日本".as_bytes()), "hello everyone: 日本"),
            (
                coded(format!("https://example.org/{}", "a".repeat(80)).as_bytes()),
                &format!("https://example.org/{}", "a".repeat(80)),
            ),
            (json!({"ciphertext": binary::encode(b"padded", true)}), "padded"),
            (coded("words ".repeat(128).as_bytes()), &"words ".repeat(128)),
        ] {
            for to in ["public", "all", "*", ""] {
                assert_eq!(read(&payload, to, Accent::default()).as_deref(), Some(words), "{payload}");
            }
        }
        let words = json!({"ciphertext": "hello", "content_sig": "..."});
        assert_eq!(read(&words, "public", Accent::G40).as_deref(), Some("hello"));
        assert_eq!(read(&words, "public", Accent::default()), None, "only this accent writes words there");
    }

    #[test]
    fn nothing_sealed_is_ever_taken_for_words() {
        let sealed: Vec<u8> = (0..512_u32).filter_map(|at| u8::try_from(at * 37 % 251).ok()).collect();
        let code = binary::encode(&sealed, false);
        for payload in [
            json!({}),
            json!({"text": ""}),
            coded(&sealed),
            coded(&sealed[..48]),
            coded(&[b'a'; 512]),
            coded(b"bell\x07"),
            coded(code.as_bytes()),
            coded(&code.as_bytes()[..120]),
            coded(format!("{}.{}", &code[..32], &code[32..80]).as_bytes()),
            coded(br#"{"iv": "abc", "ct": "def"}"#),
            json!({"ciphertext": code}),
            json!({"ciphertext": [7]}),
        ] {
            for accent in [Accent::default(), Accent::G40, Accent::G45] {
                let is_own = accent == Accent::G40
                    && payload["ciphertext"].as_str().is_some_and(|text| text.len() <= LONGEST_WORD);
                assert!(is_own || read(&payload, "public", accent).is_none(), "{payload} {accent}");
            }
        }
        for beside in OF_SEALED {
            for mut payload in [coded(b"hello"), json!({"text": "hello"})] {
                payload[beside] = json!(1);
                assert_eq!(read(&payload, "public", Accent::default()), None, "{beside}");
            }
        }
        // Nor is it in the other field, whatever stands beside it; and what is empty there says nothing.
        for text in [code.as_str(), &code[..120], &"a".repeat(512), "bell\x07", r#"{"iv":"abc"}"#, "[1]"] {
            let mut beside = coded(b"hello");
            beside["text"] = json!(text);
            for payload in [json!({"text": text}), beside] {
                for accent in [Accent::default(), Accent::G40, Accent::G45] {
                    assert_eq!(read(&payload, "public", accent), None, "{payload} {accent}");
                }
            }
        }
        let mut empty = coded(b"hello");
        empty["text"] = json!("");
        assert_eq!(read(&empty, "public", Accent::default()).as_deref(), Some("hello"));
        // One copy for each member is for that member alone.
        assert_eq!(read(&json!({"text": "hello", "group_id": "public"}), "ben", Accent::default()), None);
    }

    #[test]
    fn only_what_is_said_to_everybody_is_read() {
        let payload = json!({"text": "hello"}).to_string();
        for kind in [
            Kind::MsgDirect,
            Kind::UserDeliver,
            Kind::ServerDeliver,
            Kind::FileStart,
            Kind::PublicChannelUpdated,
        ] {
            let text = print(kind.name(), "anna", "public", "1", &payload, None);
            let envelope = Envelope::read(&text).expect("a frame");
            assert_eq!(super::text(&envelope, &Audience::Everyone, Accent::default()), None, "{kind:?}");
        }
    }
}

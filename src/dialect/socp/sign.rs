//! Transport signatures: which texts of a payload may have been signed, and the signature as text.
//!
//! A signature covers the payload and nothing else, so it says who made the payload, and neither what kind
//! of frame it was for nor when.

use super::{
    binary,
    canonical::{Form, Payload},
};
use crate::crypto::{
    sha256,
    signature::{Question, Salt},
};

/// The length of a signature with a key of this protocol.
const SIGNATURE_BYTES: usize = 512;
/// Longest text worth reading: a signature in base64 twice has 912 letters.
const LONGEST: usize = 2048;

/// How somebody signs payloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Way {
    /// How the payload is printed.
    pub form: Form,
    /// Whether the SHA-256 of that is signed, which the signature hashes once more.
    pub prehash: bool,
}

/// The texts that may have been signed, each of them once: the one that was signed before first, then the
/// likeliest. Texts that are hashed beforehand are among them only if that is allowed.
#[must_use]
pub fn candidates(payload: &str, known: Option<Way>, prehash: bool) -> Vec<(Way, Vec<u8>)> {
    let read = Payload::read(payload).ok();
    let mut ways: Vec<Way> = known.into_iter().filter(|way| prehash || !way.prehash).collect();
    let hashed = if prehash { &[false, true][..] } else { &[false] };
    for prehash in hashed {
        ways.extend(Form::ALL.map(|form| Way { form, prehash: *prehash }));
    }
    let mut found: Vec<(Way, Vec<u8>)> = Vec::new();
    for way in ways {
        let text = match (&read, way.form) {
            (Some(read), form) => read.print(form),
            (None, Form::Received) => payload.to_owned(),
            (None, _) => continue,
        };
        let text = signed(text, way.prehash);
        if !found.iter().any(|(_, known)| *known == text) {
            found.push((way, text));
        }
    }
    found
}

/// The bytes that are signed for a text.
#[must_use]
pub fn signed(text: String, prehash: bool) -> Vec<u8> {
    if prehash { sha256(text.as_bytes()).to_vec() } else { text.into_bytes() }
}

/// What is asked about a payload and its signature, and the way that each of the texts stands for. `None`
/// if the signature is none.
#[must_use]
pub fn question(
    payload: &str,
    sig: &str,
    known: Option<(Way, Salt)>,
    prehash: bool,
) -> Option<(Vec<Way>, Question)> {
    let signature = decode(sig)?;
    let candidates = candidates(payload, known.map(|(way, _)| way), prehash);
    let (ways, texts) = candidates.into_iter().unzip();
    Some((ways, Question { texts, signature, salt: known.map(|(_, salt)| salt) }))
}

/// The same for a payload of which every word counts: signatures in a form that says nothing about what is inside of
/// its fields are no proof of that.
#[must_use]
pub fn question_about_all(
    payload: &str,
    sig: &str,
    known: Option<(Way, Salt)>,
) -> Option<(Vec<Way>, Question)> {
    let (ways, mut question) = question(payload, sig, known, true)?;
    let texts = std::mem::take(&mut question.texts);
    let whole = ways.into_iter().zip(texts).filter(|(way, _)| covered(payload, *way).is_none());
    let (ways, texts) = whole.unzip();
    Some((ways, Question { texts, ..question }))
}

/// What a signature in this form covers of a payload, if that is not all of it.
#[must_use]
pub fn covered(payload: &str, way: Way) -> Option<String> {
    let read = Payload::read(payload).ok().filter(|_| way.form == Form::Trap)?;
    let text = read.print(Form::Trap);
    // Nothing but the order differs if nothing was left out.
    (text.len() != read.print(Form::Compact).len()).then_some(text)
}

/// Reads a signature: base64 in any spelling, or base64 of that, as one implementation writes it.
#[must_use]
pub fn decode(sig: &str) -> Option<Vec<u8>> {
    let is_signature = |bytes: &Vec<u8>| bytes.len() == SIGNATURE_BYTES;
    if sig.len() > LONGEST {
        return None;
    }
    let once = binary::decode(sig)?;
    if is_signature(&once) {
        return Some(once);
    }
    std::str::from_utf8(&once).ok().and_then(binary::decode).filter(is_signature)
}

/// Writes a signature.
#[must_use]
pub fn encode(signature: &[u8], padded: bool) -> String {
    binary::encode(signature, padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_payloads_give_one_text() {
        let plain = r#"{"host":"a","port":1}"#;
        let found = candidates(plain, None, false);
        assert_eq!(found, [(Way::default(), plain.as_bytes().to_vec())]);
        let found = candidates(plain, None, true);
        let hashed = Way { prehash: true, ..Way::default() };
        assert_eq!(found.last(), Some(&(hashed, sha256(plain.as_bytes()).to_vec())));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn what_was_found_before_is_tried_first_if_it_is_still_allowed() {
        let payload = r#"{"b" : [{"é":1}],"a":2}"#;
        let ways: Vec<Way> = candidates(payload, None, true).into_iter().map(|(way, _)| way).collect();
        assert_eq!(ways.len(), 10);
        for known in ways {
            let first = candidates(payload, Some(known), true).first().map(|(way, _)| *way);
            assert_eq!(first, Some(known));
            let first = candidates(payload, Some(known), false).first().map(|(way, _)| way.form);
            assert_eq!(first, Some(if known.prehash { Form::SortedAscii } else { known.form }));
        }
    }

    #[test]
    fn of_what_cannot_be_read_only_the_received_text_is_tried() {
        let half = r#"{"a":"\ud800"}"#;
        let ways: Vec<Way> = candidates(half, None, false).into_iter().map(|(way, _)| way).collect();
        assert_eq!(ways, [Way { form: Form::Received, prehash: false }]);
    }

    #[test]
    fn signatures_are_read_in_every_spelling() {
        let bytes: Vec<u8> = (0..=255).chain(0..=255).collect();
        let plain = encode(&bytes, false);
        let twice = encode(encode(&bytes, true).as_bytes(), false);
        assert_eq!((plain.len(), twice.len()), (683, 912));
        for text in [&plain, &encode(&bytes, true), &twice, &plain.replace('-', "+").replace('_', "/")] {
            assert_eq!(decode(text).as_ref(), Some(&bytes), "{text}");
        }
        for wrong in ["", "...", "AAAA", &encode(&[0; 511], false), &"A".repeat(100_000)] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}

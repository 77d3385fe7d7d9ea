//! The names that OLAF implementations derive from a key: one key, a dozen fingerprints.
//!
//! They differ in the text that is hashed (which PEM layout, with or without final newline, or the
//! base64 of it) and in how the digest is written (base64, hex, or base64 of the hex). A claim is
//! accepted if it is any of them; who makes which is told in `docs/olaf-accents.md`.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{keys::PublicKey, sha256};
use crate::domain::id::KeyId;

/// Which text is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Text {
    /// The one-line PEM without final newline, as v1.2 says.
    Canonical,
    /// Lines of 64 without final newline.
    Columns,
    /// Lines of 64 with final newline.
    ColumnsAndNewline,
    /// Whatever the member sent.
    Received,
    /// The base64 of whatever the member sent.
    ReceivedBase64,
}

impl Text {
    const ALL: [Self; 5] =
        [Self::Canonical, Self::Columns, Self::ColumnsAndNewline, Self::Received, Self::ReceivedBase64];

    fn of(self, key: &PublicKey, received: &str) -> String {
        match self {
            Self::Canonical => key.canonical_pem(),
            Self::Columns => key.column_pem(),
            Self::ColumnsAndNewline => format!("{}\n", key.column_pem()),
            Self::Received => received.to_owned(),
            Self::ReceivedBase64 => STANDARD.encode(received),
        }
    }
}

/// How the digest is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spelling {
    /// Base64 of the 32 bytes.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// Base64 of the hexadecimal digits.
    Base64Hex,
}

/// One way to make a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Form {
    /// Which text is hashed.
    pub text: Text,
    /// How the digest is written.
    pub spelling: Spelling,
}

/// The form that the specification prescribes since v1.2, and that ours uses.
pub const OFFICIAL: Form = Form { text: Text::Canonical, spelling: Spelling::Base64 };

impl Form {
    /// The fingerprint of a key in this form.
    #[must_use]
    pub fn of(self, key: &PublicKey, received: &str) -> String {
        spell(sha256(self.text.of(key, received).as_bytes()), self.spelling)
    }
}

fn spell(digest: [u8; 32], spelling: Spelling) -> String {
    let hex = || KeyId(digest).hex();
    match spelling {
        Spelling::Base64 => STANDARD.encode(digest),
        Spelling::Hex => hex(),
        Spelling::Base64Hex => STANDARD.encode(hex()),
    }
}

/// The form in which `claim` names `key`, if it does in any.
///
/// `likely` is tried first: a member keeps to the form it used before.
#[must_use]
pub fn recognise(claim: &str, key: &PublicKey, received: &str, likely: Option<Form>) -> Option<Form> {
    if let Some(form) = likely.filter(|form| form.of(key, received) == claim) {
        return Some(form);
    }
    let (digest, spelling) = read(claim)?;
    Text::ALL
        .into_iter()
        .find(|text| sha256(text.of(key, received).as_bytes()) == digest)
        .map(|text| Form { text, spelling })
}

/// The digest in a claim, if there is one: whom it names, as far as that is known without the key.
#[must_use]
pub fn digest(claim: &str) -> Option<KeyId> {
    read(claim).map(|(digest, _)| KeyId(digest))
}

/// The digest in a claim, and how it is written. The length alone tells the spelling.
fn read(claim: &str) -> Option<([u8; 32], Spelling)> {
    let from_hex = |hex: &str| KeyId::from_hex(&hex.to_ascii_lowercase());
    match claim.len() {
        44 => {
            let digest = STANDARD.decode(claim).ok()?;
            Some((digest.try_into().ok()?, Spelling::Base64))
        }
        64 => Some((from_hex(claim)?.0, Spelling::Hex)),
        88 => {
            let hex = String::from_utf8(STANDARD.decode(claim).ok()?).ok()?;
            Some((from_hex(&hex)?.0, Spelling::Base64Hex))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keys::PrivateKey;

    #[test]
    fn every_form_names_its_own_key_and_no_other() {
        let key = PrivateKey::generate(2048).expect("a key").public().clone();
        let other = PrivateKey::generate(2048).expect("a key").public().clone();
        let received = format!("{}\n", key.canonical_pem());
        for text in Text::ALL {
            for spelling in [Spelling::Base64, Spelling::Hex, Spelling::Base64Hex] {
                let form = Form { text, spelling };
                let claim = form.of(&key, &received);
                assert_eq!(recognise(&claim, &key, &received, None), Some(form), "{claim}");
                assert_eq!(recognise(&claim, &key, &received, Some(OFFICIAL)), Some(form), "{claim}");
                assert_eq!(recognise(&claim, &other, &other.column_pem(), Some(form)), None, "{claim}");
            }
        }
        for claim in ["", "x", &"é".repeat(22), &"=".repeat(44), &"A".repeat(88)] {
            assert_eq!(recognise(claim, &key, &received, None), None, "{claim}");
        }
    }
}

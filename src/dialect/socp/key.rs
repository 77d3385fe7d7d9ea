//! Public keys as they travel in this protocol, which does not say how.
//!
//! Three containers are in use, two of them in base64url with padding or without. Each implementation
//! reads its own only, so the form in which a partner writes its key is the form in which it hears ours.

use std::fmt;

use super::{KEY_BITS, binary};
use crate::crypto::keys::{KeyError, PublicKey};

/// How a PEM begins, in base64 of either alphabet.
const PEM_IN_BASE64: &str = "LS0tLS1CRUdJTi";
/// Longest text worth reading: a PEM of 8192 bits, in base64 once more, has less than 3 KiB.
const LONGEST: usize = 8 << 10;

/// The container of a public key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyForm {
    /// base64url of the DER.
    #[default]
    Der,
    /// base64url of the PEM.
    Base64Pem,
    /// The PEM itself.
    Pem,
}

/// How a key is spelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Spelling {
    /// The container.
    pub form: KeyForm,
    /// Whether the text ends in padding. That of a PEM is a matter of the PEM.
    pub padded: bool,
}

/// The text is no key that this protocol allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadKey(pub KeyError);

impl fmt::Display for BadKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl std::error::Error for BadKey {}

impl Spelling {
    /// How a text spells a key, if it is one.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text = text.trim();
        let form = if text.starts_with("-----BEGIN") {
            KeyForm::Pem
        } else if text.starts_with(PEM_IN_BASE64) {
            KeyForm::Base64Pem
        } else {
            KeyForm::Der
        };
        Self { form, padded: form != KeyForm::Pem && binary::is_padded(text) }
    }
}

/// Reads a key in any spelling.
///
/// # Errors
/// It is no RSA key, or not one of 4096 bits with the exponent 65537.
pub fn read(text: &str) -> Result<(PublicKey, Spelling), BadKey> {
    let spelling = Spelling::of(text);
    let unreadable = BadKey(KeyError::Unreadable);
    if text.len() > LONGEST {
        return Err(unreadable);
    }
    let key = match spelling.form {
        KeyForm::Pem => PublicKey::read(text),
        KeyForm::Base64Pem => {
            let pem = binary::decode(text).ok_or(unreadable)?;
            PublicKey::read(std::str::from_utf8(&pem).map_err(|_| unreadable)?)
        }
        KeyForm::Der => PublicKey::from_der(&binary::decode(text).ok_or(unreadable)?),
    };
    let key = key.and_then(|key| key.of_bits(KEY_BITS)).map_err(BadKey)?;
    Ok((key, spelling))
}

/// The second key of whoever names two, as it was written; `None` of whoever repeats the first one or has no other.
///
/// # Errors
/// It is not one that this protocol allows.
pub fn read_second<'a>(first: &PublicKey, second: Option<&'a str>) -> Result<Option<&'a str>, BadKey> {
    let Some(text) = second.filter(|text| !text.is_empty()) else { return Ok(None) };
    let (key, _) = read(text)?;
    Ok(Some(text).filter(|_| key.id() != first.id()))
}

/// Writes a key.
#[must_use]
pub fn write(key: &PublicKey, spelling: Spelling) -> String {
    // The line end behind the last line is what Python writes.
    let pem = || format!("{}\n", key.column_pem());
    match spelling.form {
        KeyForm::Der => binary::encode(key.spki(), spelling.padded),
        KeyForm::Base64Pem => binary::encode(pem().as_bytes(), spelling.padded),
        KeyForm::Pem => pem(),
    }
}

//! Public keys in every spelling the world uses, and private keys of our own.
//!
//! Read liberally: PEM with LF or CRLF, any line width, with or without the final newline, SPKI or
//! PKCS#1, also base64 of a PEM or of the DER. Write one form: SPKI. A key is a value; whether a
//! dialect allows its size is asked by the dialect.

use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeySize, PrivateDecryptingKey},
    signature::{KeyPair as _, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rsa::{
    RsaPublicKey,
    pkcs1::DecodeRsaPublicKey as _,
    pkcs8::{DecodePublicKey as _, EncodePublicKey as _},
    traits::PublicKeyParts as _,
};
use zeroize::Zeroizing;

use super::sha256;
use crate::domain::id::KeyId;

const PUBLIC: &str = "PUBLIC KEY";
const PRIVATE: &str = "PRIVATE KEY";
/// The only public exponent that any of the dialects allows.
pub const EXPONENT: u64 = 65_537;
/// Longest text worth reading: an 8192-bit key in PEM, base64 once more, has less than 3 KiB.
const LONGEST_TEXT: usize = 8 << 10;

/// Why a text is not a usable key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No known spelling of an RSA public key.
    #[error("the text is not an RSA public key")]
    Unreadable,
    /// Not the size that the dialect prescribes.
    #[error("the key has {0} bits, which this protocol does not allow")]
    WrongSize(u32),
    /// An exponent that makes the key weak or odd.
    #[error("the public exponent is not 65537")]
    WrongExponent,
    /// A private key that cannot be read.
    #[error("the private key cannot be read")]
    UnreadablePrivate,
    /// The system gave no randomness, or too little memory.
    #[error("a key could not be made")]
    NotMade,
}

/// An RSA public key, known to be well formed.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    spki: Box<[u8]>,
    bits: u32,
    id: KeyId,
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "PublicKey({} bits, {})", self.bits, self.id.short())
    }
}

impl PublicKey {
    /// Reads any spelling.
    ///
    /// # Errors
    /// The text is no RSA public key, or its exponent is not 65537.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        if text.len() > LONGEST_TEXT {
            return Err(KeyError::Unreadable);
        }
        match pem_body(text) {
            Some(der) => Self::from_der(&der),
            None => {
                let inner = STANDARD.decode(without_space(text)).map_err(|_| KeyError::Unreadable)?;
                match std::str::from_utf8(&inner).ok().and_then(pem_body) {
                    Some(der) => Self::from_der(&der),
                    None => Self::from_der(&inner),
                }
            }
        }
    }

    /// Reads SPKI or PKCS#1.
    ///
    /// # Errors
    /// The bytes are no RSA public key, or its exponent is not 65537.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let key = RsaPublicKey::from_public_key_der(der)
            .or_else(|_| RsaPublicKey::from_pkcs1_der(der))
            .map_err(|_| KeyError::Unreadable)?;
        if *key.e() != rsa::BoxedUint::from(EXPONENT) {
            return Err(KeyError::WrongExponent);
        }
        let spki = key.to_public_key_der().map_err(|_| KeyError::Unreadable)?;
        let spki: Box<[u8]> = spki.as_bytes().into();
        let id = KeyId(sha256(canonical_pem(&spki).as_bytes()));
        Ok(Self { spki, bits: key.n_bits_precision_exact(), id })
    }

    /// The same key, if it has the size that a dialect prescribes.
    ///
    /// # Errors
    /// It has another size.
    pub fn of_bits(self, bits: u32) -> Result<Self, KeyError> {
        if self.bits == bits { Ok(self) } else { Err(KeyError::WrongSize(self.bits)) }
    }

    /// The length of the modulus.
    #[must_use]
    pub const fn bits(&self) -> u32 {
        self.bits
    }

    /// Which key this is, however it was spelled.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The canonical PEM: the whole body on one line and no final newline.
    #[must_use]
    pub fn canonical_pem(&self) -> String {
        canonical_pem(&self.spki)
    }

    /// The PEM of most tools: lines of 64, no final newline.
    #[must_use]
    pub fn column_pem(&self) -> String {
        pem(PUBLIC, &wrapped(&STANDARD.encode(&self.spki)))
    }
}

/// The exact number of bits of a modulus.
trait ExactBits {
    fn n_bits_precision_exact(&self) -> u32;
}

impl ExactBits for RsaPublicKey {
    fn n_bits_precision_exact(&self) -> u32 {
        self.n().as_ref().bits_vartime()
    }
}

/// One of our own key pairs.
pub struct PrivateKey {
    signing: RsaKeyPair,
    pkcs8: Zeroizing<Vec<u8>>,
    public: PublicKey,
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "PrivateKey(of {:?})", self.public)
    }
}

impl PrivateKey {
    /// Makes a new pair of 2048 or 4096 bits.
    ///
    /// # Errors
    /// The system gave no randomness, or another size was asked for.
    pub fn generate(bits: u32) -> Result<Self, KeyError> {
        let size = match bits {
            2048 => KeySize::Rsa2048,
            4096 => KeySize::Rsa4096,
            other => return Err(KeyError::WrongSize(other)),
        };
        let pair = RsaKeyPair::generate(size).map_err(|_| KeyError::NotMade)?;
        let der = pair.as_der().map_err(|_| KeyError::NotMade)?;
        Self::from_pkcs8(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// Reads PKCS#8 PEM, as [`PrivateKey::to_pem`] writes it.
    ///
    /// # Errors
    /// The text is something else.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        let der = pem_body(text).ok_or(KeyError::UnreadablePrivate)?;
        Self::from_pkcs8(Zeroizing::new(der))
    }

    fn from_pkcs8(pkcs8: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        let signing = RsaKeyPair::from_pkcs8(&pkcs8).map_err(|_| KeyError::UnreadablePrivate)?;
        let public = PublicKey::from_der(signing.public_key().as_ref())?;
        Ok(Self { signing, pkcs8, public })
    }

    /// PKCS#8 PEM with lines of 64. Whoever writes it to a file gives the file mode 0600.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        let body = Zeroizing::new(STANDARD.encode(&*self.pkcs8));
        let mut text = pem(PRIVATE, &wrapped(&body));
        text.push('\n');
        Zeroizing::new(text)
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(super) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    pub(super) const fn signing(&self) -> &RsaKeyPair {
        &self.signing
    }

    pub(super) fn decrypting(&self) -> Option<PrivateDecryptingKey> {
        PrivateDecryptingKey::from_pkcs8(&self.pkcs8).ok()
    }
}

fn canonical_pem(spki: &[u8]) -> String {
    pem(PUBLIC, &STANDARD.encode(spki))
}

fn pem(label: &str, body: &str) -> String {
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----")
}

fn wrapped(body: &str) -> String {
    let mut lines = String::with_capacity(body.len() + body.len() / 64);
    for (at, letter) in body.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            lines.push('\n');
        }
        lines.push(letter);
    }
    lines
}

fn without_space(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect()
}

/// The bytes between a BEGIN and an END line.
fn pem_body(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (_label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    STANDARD.decode(without_space(body)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_the_same_key() {
        let key = PrivateKey::generate(2048).expect("a key").public().clone();
        let column = key.column_pem();
        let spellings = [
            key.canonical_pem(),
            column.clone(),
            format!("{column}\n"),
            column.replace('\n', "\r\n"),
            STANDARD.encode(&column),
            STANDARD.encode(key.spki()),
            format!("  {column}  \n\n"),
        ];
        for spelling in spellings {
            assert_eq!(PublicKey::read(&spelling), Ok(key.clone()), "{spelling}");
        }
        assert_eq!(key.bits(), 2048);
        assert_eq!(key.id().0, sha256(key.canonical_pem().as_bytes()));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let key = PrivateKey::generate(2048).expect("a key");
        for wrong in ["", "key", "-----BEGIN PUBLIC KEY-----", &key.to_pem(), &"A".repeat(100_000)] {
            assert_eq!(PublicKey::read(wrong), Err(KeyError::Unreadable), "{wrong}");
        }
        assert_eq!(key.public().clone().of_bits(4096), Err(KeyError::WrongSize(2048)));
    }

    #[test]
    fn a_private_key_survives_its_file() {
        let key = PrivateKey::generate(2048).expect("a key");
        let again = PrivateKey::read(&key.to_pem()).expect("the same key");
        assert_eq!(again.public(), key.public());
    }
}

//! RSA-PSS with SHA-256: verification of whatever salt a peer chose, signatures with salt 32.
//!
//! The dialects leave the length of the salt open or are ignored where they do not, so a signature is
//! tried with the two lengths of practice first, on the fast path, and then with any length at all.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{self, ParsedPublicKey, RsaParameters, RsaPssSaltLength, RsaSignatureEncoding},
};
use rsa::{RsaPublicKey, pkcs8::DecodePublicKey as _, pss, signature::Verifier as _};

use super::keys::{KeyError, PrivateKey, PublicKey};

static MAX_SALT: RsaParameters =
    signature::RSA_PSS_2048_8192_SHA256.with_pss_salt_length(RsaPssSaltLength::Max);
static SIGN_MAX_SALT: RsaSignatureEncoding =
    signature::RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Max);

/// The length of the salt in a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Salt {
    /// As long as the digest, 32 bytes: what OLAF prescribes.
    Digest,
    /// As long as fits: what Python's `PSS.MAX_LENGTH` makes.
    Max,
    /// Anything else.
    Other,
}

impl Salt {
    const ALL: [Self; 3] = [Self::Digest, Self::Max, Self::Other];
}

/// One question to a [`Verifier`].
#[derive(Clone, Debug)]
pub struct Question {
    /// The texts that may have been signed, the likeliest first.
    pub texts: Vec<Vec<u8>>,
    /// The signature.
    pub signature: Vec<u8>,
    /// The salt that the signer used before.
    pub salt: Option<Salt>,
}

/// The answer: which of the texts was signed, and with what salt.
pub type Verdict = Option<(usize, Salt)>;

/// A public key, parsed once, ready to verify.
pub struct Verifier {
    digest_salt: ParsedPublicKey,
    max_salt: ParsedPublicKey,
    key: PublicKey,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Verifier(of {:?})", self.key)
    }
}

impl Verifier {
    /// Parses a key.
    ///
    /// # Errors
    /// The key has fewer than 2048 or more than 8192 bits.
    pub fn new(key: &PublicKey) -> Result<Self, KeyError> {
        let wrong_size = |_| KeyError::WrongSize(key.bits());
        Ok(Self {
            digest_salt: ParsedPublicKey::new(&signature::RSA_PSS_2048_8192_SHA256, key.spki())
                .map_err(wrong_size)?,
            max_salt: ParsedPublicKey::new(&MAX_SALT, key.spki()).map_err(wrong_size)?,
            key: key.clone(),
        })
    }

    /// Finds the text that was signed.
    #[must_use]
    pub fn judge(&self, question: &Question) -> Verdict {
        let others = Salt::ALL.into_iter().filter(|salt| Some(*salt) != question.salt);
        question.salt.into_iter().chain(others).find_map(|salt| {
            let at = self.find(&question.texts, &question.signature, salt)?;
            Some((at, salt))
        })
    }

    /// The first text that carries this signature with that salt.
    fn find(&self, texts: &[Vec<u8>], signature: &[u8], salt: Salt) -> Option<usize> {
        match salt {
            Salt::Digest => {
                texts.iter().position(|text| self.digest_salt.verify_sig(text, signature).is_ok())
            }
            Salt::Max => texts.iter().position(|text| self.max_salt.verify_sig(text, signature).is_ok()),
            Salt::Other => {
                // Rare, and slow: the key is parsed once for all texts.
                let key = RsaPublicKey::from_public_key_der(self.key.spki()).ok()?;
                let key = pss::VerifyingKey::<rsa::sha2::Sha256>::new_with_auto_salt_len(key);
                let signature = pss::Signature::try_from(signature).ok()?;
                texts.iter().position(|text| key.verify(text, &signature).is_ok())
            }
        }
    }
}

/// Signs with one of our own keys.
///
/// # Errors
/// The system gave no randomness.
pub fn sign(key: &PrivateKey, text: &[u8], salt: Salt) -> Result<Vec<u8>, KeyError> {
    let encoding = match salt {
        Salt::Digest | Salt::Other => &signature::RSA_PSS_SHA256,
        Salt::Max => &SIGN_MAX_SALT,
    };
    let mut bytes = vec![0; key.signing().public_modulus_len()];
    key.signing().sign(encoding, &SystemRandom::new(), text, &mut bytes).map_err(|_| KeyError::NotMade)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(texts: &[&str], signature: Vec<u8>) -> Question {
        Question { texts: texts.iter().map(|text| text.as_bytes().to_vec()).collect(), signature, salt: None }
    }

    #[test]
    fn the_signed_text_and_the_salt_are_found() {
        let key = PrivateKey::generate(2048).expect("a key");
        let verifier = Verifier::new(key.public()).expect("a verifier");
        for salt in [Salt::Digest, Salt::Max] {
            let signature = sign(&key, b"right", salt).expect("a signature");
            assert_eq!(verifier.judge(&question(&["wrong", "right"], signature.clone())), Some((1, salt)));
            assert_eq!(verifier.judge(&question(&["wrong"], signature.clone())), None);
            let hinted = Question { salt: Some(salt), ..question(&["right"], signature) };
            assert_eq!(verifier.judge(&hinted), Some((0, salt)));
        }
    }

    #[test]
    fn an_odd_salt_is_accepted_too() {
        // The fast library signs with any length; the slow one must find it.
        static ODD: RsaSignatureEncoding =
            signature::RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Custom(17));
        let key = PrivateKey::generate(2048).expect("a key");
        let mut bytes = vec![0; 256];
        key.signing().sign(&ODD, &SystemRandom::new(), b"text", &mut bytes).expect("a signature");
        let verifier = Verifier::new(key.public()).expect("a verifier");
        assert_eq!(verifier.judge(&question(&["text"], bytes.clone())), Some((0, Salt::Other)));
        if let Some(byte) = bytes.first_mut() {
            *byte ^= 1;
        }
        assert_eq!(verifier.judge(&question(&["text"], bytes)), None);
    }

    #[test]
    fn rubbish_is_no_signature() {
        let key = PrivateKey::generate(2048).expect("a key");
        let verifier = Verifier::new(key.public()).expect("a verifier");
        for signature in [vec![], vec![0; 256], vec![255; 256], vec![1; 10_000]] {
            assert_eq!(verifier.judge(&question(&["text"], signature)), None);
        }
    }
}

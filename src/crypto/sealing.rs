//! Secrets for named recipients: a fresh AES key, sealed for each of them with RSA-OAEP.
//!
//! Only the client half uses this; a server never holds a key that opens a letter. OLAF prescribes
//! AES-128-GCM with an initialisation vector of 16 bytes and the tag behind the ciphertext.

use aes_gcm::{
    AesGcm, KeyInit as _,
    aead::{Aead as _, consts::U16},
    aes::Aes128,
};
use aws_lc_rs::{
    rand::{SecureRandom as _, SystemRandom},
    rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PublicEncryptingKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::keys::{PrivateKey, PublicKey};

/// AES-128 in Galois/Counter mode with the long vector of OLAF.
type Cipher = AesGcm<Aes128, U16>;

const KEY_BYTES: usize = 16;
const VECTOR_BYTES: usize = 16;

/// Something could not be sealed or opened. Deliberately says no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the letter could not be sealed or opened")]
pub struct SealError;

/// A sealed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The initialisation vector.
    pub vector: Vec<u8>,
    /// The AES key, once per recipient, in the order given.
    pub keys: Vec<Vec<u8>>,
    /// Ciphertext and tag.
    pub text: Vec<u8>,
}

/// Seals a text for some recipients.
///
/// # Errors
/// The system gave no randomness, or a recipient's key cannot encrypt.
pub fn seal<'a>(
    plain: &[u8],
    recipients: impl IntoIterator<Item = &'a PublicKey>,
) -> Result<Sealed, SealError> {
    let random = SystemRandom::new();
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    let mut vector = [0; VECTOR_BYTES];
    random.fill(&mut *key).map_err(|_| SealError)?;
    random.fill(&mut vector).map_err(|_| SealError)?;
    let cipher = Cipher::new_from_slice(&*key).map_err(|_| SealError)?;
    let text = cipher.encrypt(&vector.into(), plain).map_err(|_| SealError)?;
    let keys =
        recipients.into_iter().map(|recipient| seal_block(&*key, recipient)).collect::<Result<_, _>>()?;
    Ok(Sealed { vector: vector.to_vec(), keys, text })
}

/// Seals some bytes with RSA alone. A block holds 66 bytes less than the key is long.
///
/// # Errors
/// There are too many bytes, or the recipient's key cannot encrypt.
pub fn seal_block(plain: &[u8], recipient: &PublicKey) -> Result<Vec<u8>, SealError> {
    let public = PublicEncryptingKey::from_der(recipient.spki()).map_err(|_| SealError)?;
    let public = OaepPublicEncryptingKey::new(public).map_err(|_| SealError)?;
    let mut wrapped = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA256_MGF1SHA256, plain, &mut wrapped, None).map_err(|_| SealError)?;
    Ok(wrapped)
}

/// Opens what others sealed for one private key.
#[derive(Debug)]
pub struct Opener(OaepPrivateDecryptingKey);

impl Opener {
    /// An opener with this key.
    ///
    /// # Errors
    /// The key cannot decrypt.
    pub fn new(key: &PrivateKey) -> Result<Self, SealError> {
        let key = key.decrypting().ok_or(SealError)?;
        OaepPrivateDecryptingKey::new(key).map(Self).map_err(|_| SealError)
    }

    /// Tries every wrapped key, as OLAF wants it, and returns the text of the first that opens.
    #[must_use]
    pub fn open(&self, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        sealed.keys.iter().find_map(|wrapped| self.open_with(wrapped, sealed))
    }

    /// Opens what [`seal_block`] sealed.
    #[must_use]
    pub fn open_block(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut buffer = Zeroizing::new(vec![0; self.0.min_output_size()]);
        let plain = self.0.decrypt(&OAEP_SHA256_MGF1SHA256, sealed, &mut buffer, None).ok()?;
        let plain = plain.len();
        buffer.truncate(plain);
        Some(buffer)
    }

    fn open_with(&self, wrapped: &[u8], sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        let key = self.open_block(wrapped)?;
        let cipher = Cipher::new_from_slice(&aes_key(&key)?).ok()?;
        let vector: [u8; VECTOR_BYTES] = sealed.vector.as_slice().try_into().ok()?;
        cipher.decrypt(&vector.into(), sealed.text.as_slice()).ok().map(Zeroizing::new)
    }
}

/// The key in what was wrapped. Two implementations wrap its base64 or its hexadecimal digits.
fn aes_key(wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = || std::str::from_utf8(wrapped).ok();
    let key = match wrapped.len() {
        KEY_BYTES => wrapped.to_vec(),
        24 => STANDARD.decode(wrapped).ok()?,
        32 => {
            let pair = |at: usize| u8::from_str_radix(text()?.get(at..at + 2)?, 16).ok();
            (0..wrapped.len()).step_by(2).map(pair).collect::<Option<_>>()?
        }
        _ => return None,
    };
    (key.len() == KEY_BYTES).then(|| Zeroizing::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_recipients_open_a_letter() {
        let [anna, ben, eve] = std::array::from_fn(|_| PrivateKey::generate(2048).expect("a key"));
        let sealed = seal(b"at eight", [anna.public(), ben.public()]).expect("a letter");
        for (reader, reads) in [(&anna, true), (&ben, true), (&eve, false)] {
            let opened = Opener::new(reader).expect("an opener").open(&sealed);
            assert_eq!(opened.is_some_and(|text| **text == *b"at eight"), reads);
        }
        let mut forged = sealed;
        forged.text.truncate(forged.text.len() - 1);
        assert!(Opener::new(&anna).expect("an opener").open(&forged).is_none());
    }

    #[test]
    fn a_key_is_read_in_every_spelling_in_which_it_is_wrapped() {
        let key: Vec<u8> = (240..=255).collect();
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        for wrapped in [key.clone(), STANDARD.encode(&key).into_bytes(), hex.into_bytes()] {
            assert_eq!(aes_key(&wrapped).as_deref(), Some(&key));
        }
        for wrong in [&[0; 15][..], &[0; 24], &[b'g'; 32], &[0xff; 32], &[]] {
            assert_eq!(aes_key(wrong), None, "{wrong:?}");
        }
    }
}

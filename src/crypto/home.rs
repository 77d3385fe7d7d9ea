//! What only the nodes of one home can say to each other: marks under a key that follows from the home's own, and
//! what they alone can open.
//!
//! The nodes share the private key of their home, and nothing else has to be set up. The key made of it marks
//! messages between them, and another one seals what they keep in their common database; nobody learns from a mark or a
//! sealed text anything about the private key.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    hkdf, hmac,
};
use zeroize::Zeroizing;

use super::keys::{KeyError, PrivateKey};

/// The mark of one message: HMAC-SHA256.
pub type Mark = [u8; 32];

/// The key that the nodes of one home share.
pub struct HomeKey(hmac::Key);

impl std::fmt::Debug for HomeKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("HomeKey")
    }
}

impl HomeKey {
    /// The key that follows from the home's private key.
    ///
    /// # Errors
    /// It could not be made.
    pub fn of(private_key: &PrivateKey) -> Result<Self, KeyError> {
        Self::derive(private_key.pkcs8())
    }

    /// The key that follows from the home's private key, in the bytes (PKCS#8, DER) in which all its nodes have it.
    ///
    /// # Errors
    /// It could not be made.
    pub fn derive(private_key: &[u8]) -> Result<Self, KeyError> {
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, b"kith.succession.v1").extract(private_key);
        let expanded =
            secret.expand(&[b"marks of messages"], hmac::HMAC_SHA256).map_err(|_| KeyError::NotMade)?;
        Ok(Self(hmac::Key::from(expanded)))
    }

    /// Marks a message that is made of these parts.
    #[must_use]
    pub fn mark(&self, parts: &[&[u8]]) -> Mark {
        let tag = self.context(parts).sign();
        let mut mark = [0; 32];
        mark.copy_from_slice(tag.as_ref());
        mark
    }

    /// Whether this is the mark of that message. Takes the same time for every wrong one.
    #[must_use]
    pub fn is_mark(&self, parts: &[&[u8]], mark: &Mark) -> bool {
        let message = parts.concat();
        hmac::verify(&self.0, &message, mark).is_ok()
    }

    fn context(&self, parts: &[&[u8]]) -> hmac::Context {
        let mut context = hmac::Context::with_key(&self.0);
        parts.iter().for_each(|part| context.update(part));
        context
    }
}

/// Seals what lies in the database of the home.
#[derive(Debug)]
pub struct HomeSafe(RandomizedNonceKey);

impl HomeSafe {
    /// The safe of the home with this private key.
    ///
    /// # Errors
    /// Its key could not be made.
    pub fn of(private_key: &PrivateKey) -> Result<Self, KeyError> {
        Self::derive(private_key.pkcs8())
    }

    fn derive(private_key: &[u8]) -> Result<Self, KeyError> {
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, b"kith.home.v1").extract(private_key);
        let mut key = Zeroizing::new([0; 32]);
        let expanded = secret.expand(&[b"what lies in the database"], hkdf::HKDF_SHA256);
        expanded.and_then(|okm| okm.fill(&mut *key)).map_err(|_| KeyError::NotMade)?;
        RandomizedNonceKey::new(&AES_256_GCM, &*key).map(Self).map_err(|_| KeyError::NotMade)
    }

    /// Seals something. It can be opened under this name only.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn seal(&self, name: &str, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut sealed = plain.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(name), &mut sealed);
        let nonce = nonce.map_err(|_| KeyError::NotMade)?;
        Ok([nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// Opens what this home has sealed under this name.
    #[must_use]
    pub fn open(&self, name: &str, mut sealed: Vec<u8>) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, text) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.0.open_in_place(nonce, Aad::from(name), text).ok()?;
        Some(Zeroizing::new(plain.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_the_safe_is_for_this_home_and_under_its_name_only() {
        let safe = |key: &[u8]| HomeSafe::derive(key).expect("a key");
        let sealed = safe(b"one").seal("name", b"secret").expect("sealed");
        assert_eq!(
            safe(b"one").open("name", sealed.clone()).as_deref().map(Vec::as_slice),
            Some(&b"secret"[..])
        );
        assert!(safe(b"one").open("other", sealed.clone()).is_none());
        assert!(safe(b"two").open("name", sealed.clone()).is_none());
        assert!(safe(b"one").open("name", sealed[..20].to_vec()).is_none());
        assert!(safe(b"one").open("name", sealed[..5].to_vec()).is_none());
    }

    #[test]
    fn a_mark_is_one_of_this_message_and_this_home_only() {
        let (ours, theirs) =
            (HomeKey::derive(b"one").expect("a key"), HomeKey::derive(b"two").expect("a key"));
        let mark = ours.mark(&[b"yes", b" and no"]);
        assert!(ours.is_mark(&[b"yes and no"], &mark), "only the whole counts");
        assert!(!ours.is_mark(&[b"yes and yes"], &mark) && !theirs.is_mark(&[b"yes and no"], &mark));
        assert_eq!(
            HomeKey::derive(b"one").expect("a key").mark(&[b"yes and no"]),
            mark,
            "the same at every node"
        );
    }
}

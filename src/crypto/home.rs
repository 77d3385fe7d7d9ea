//! What only the nodes of one home can say to each other: marks under a key that follows from the home's own.
//!
//! The nodes share the private key of their home, and nothing else has to be set up. The key made of it marks
//! messages between them; nobody learns from a mark anything about the private key.

use aws_lc_rs::{hkdf, hmac};

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

#[cfg(test)]
mod tests {
    use super::*;

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

//! What the nodes of one home have in common and nobody else has: the home's private key.

use aws_lc_rs::{hkdf, hmac};

use super::keys::{KeyError, PrivateKey};

/// Proves that somebody is a node of this home. Made of the home's private key, for nothing else.
pub struct HomeSecret(hmac::Key);

impl std::fmt::Debug for HomeSecret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("HomeSecret")
    }
}

impl HomeSecret {
    /// The secret of the home whose key this is.
    ///
    /// # Errors
    /// The key could not be used, which no key of ours is known to do.
    pub fn of(home: &PrivateKey) -> Result<Self, KeyError> {
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, b"kith.home.v1").extract(home.pkcs8());
        let mut key = [0; 32];
        let purpose: [&[u8]; 1] = [b"nodes of one home"];
        let expanded = secret.expand(&purpose, hkdf::HKDF_SHA256).map_err(|_| KeyError::NotMade)?;
        expanded.fill(&mut key).map_err(|_| KeyError::NotMade)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// Proves these words.
    #[must_use]
    pub fn prove(&self, words: &[u8]) -> Vec<u8> {
        hmac::sign(&self.0, words).as_ref().to_vec()
    }

    /// Whether that is the proof of these words. Takes the same time for every wrong one.
    #[must_use]
    pub fn is_proof(&self, words: &[u8], proof: &[u8]) -> bool {
        hmac::verify(&self.0, words, proof).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_proves_the_same_words() {
        let key = PrivateKey::generate(2048).expect("a key");
        let (here, there) =
            (HomeSecret::of(&key).expect("a secret"), HomeSecret::of(&key).expect("a secret"));
        let stranger = HomeSecret::of(&PrivateKey::generate(2048).expect("a key")).expect("a secret");
        let proof = here.prove(b"words");
        assert!(there.is_proof(b"words", &proof));
        assert!(!there.is_proof(b"others", &proof));
        assert!(!there.is_proof(b"words", &stranger.prove(b"words")));
        assert!(!there.is_proof(b"words", &proof[..16]));
        assert_eq!(format!("{here:?}"), "HomeSecret");
    }
}

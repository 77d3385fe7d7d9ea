//! Keys, fingerprints, signatures and sealing: pure functions over bytes.
//!
//! `aws-lc-rs` does the hot path and every private-key operation, with keys parsed once. `rsa` does what
//! it is safe and good at: reading and writing every form of a public key, and verifying signatures
//! whose salt has an odd length. **Invariant:** no private key is ever handed to `rsa`
//! (RUSTSEC-2023-0071 has no patched version).

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::as_conversions)]

pub mod channel;
pub mod fingerprint;
pub mod home;
pub mod keys;
pub mod sealing;
pub mod signature;

/// SHA-256, the only digest of the dialects.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut digester = Digester::default();
    digester.add(bytes);
    digester.finish()
}

/// A SHA-256 of bytes that come in pieces.
#[derive(Clone)]
pub struct Digester(aws_lc_rs::digest::Context);

impl Default for Digester {
    fn default() -> Self {
        Self(aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256))
    }
}

impl std::fmt::Debug for Digester {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Digester")
    }
}

impl Digester {
    /// The next piece.
    pub fn add(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        let mut plain = [0; 32];
        plain.copy_from_slice(self.0.finish().as_ref());
        plain
    }
}

/// The first bytes of a SHA-256, where so many are enough to tell things apart.
#[must_use]
pub fn sha256_start<const BYTES: usize>(bytes: &[u8]) -> [u8; BYTES] {
    let mut start = [0; BYTES];
    for (to, from) in start.iter_mut().zip(sha256(bytes)) {
        *to = from;
    }
    start
}

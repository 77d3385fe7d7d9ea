//! Keys that cost nothing, and the oracle that stands in for RSA.
//!
//! A simulated run needs hundreds of distinct public keys and thousands of signatures, and proves nothing
//! about RSA. So a public key is a made-up modulus, well formed and never used to verify anything, and a
//! signature is a digest over the name of the key and the text: only the oracle can make one, and it makes
//! it only for the key's own server.

use std::sync::{Arc, LazyLock};

use fastrand::Rng;
use kith::{
    crypto::{
        keys::PublicKey,
        sha256,
        signature::{Salt, Verdict},
    },
    dialect::event::Check,
    domain::id::KeyId,
};

/// As many servers as a run may have, one that is hostile and one that nobody knows included.
const SERVERS: usize = 34;
/// As many people as a run may have.
pub(crate) const PEOPLE: usize = 64;

static KEYS: LazyLock<Vec<Arc<PublicKey>>> = LazyLock::new(|| {
    let mut chance = Rng::with_seed(2048);
    (0..SERVERS + PEOPLE).map(|_| Arc::new(made_up(&mut chance))).collect()
});

static PERSONAS: LazyLock<Vec<Persona>> =
    LazyLock::new(|| KEYS[SERVERS..].iter().map(|key| Persona::of(key)).collect());

/// The key of a server.
pub(crate) fn server(number: usize) -> Arc<PublicKey> {
    Arc::clone(&KEYS[number])
}

/// Somebody who may be a member somewhere.
#[derive(Debug)]
pub(crate) struct Persona {
    pub(crate) key: KeyId,
    /// The key in the canonical spelling, and in the one of most tools.
    pub(crate) spellings: [Arc<str>; 2],
    /// The digests of those.
    pub(crate) spelled: [KeyId; 2],
}

impl Persona {
    fn of(key: &PublicKey) -> Self {
        let spellings: [Arc<str>; 2] = [key.canonical_pem().into(), key.column_pem().into()];
        let spelled = [0, 1].map(|at| KeyId(sha256(spellings[at].as_bytes())));
        Self { key: key.id(), spellings, spelled }
    }
}

/// One of them.
pub(crate) fn persona(number: usize) -> &'static Persona {
    &PERSONAS[number]
}

/// The number of the person with this key.
pub(crate) fn person_with(key: KeyId) -> Option<usize> {
    PERSONAS.iter().position(|persona| persona.key == key)
}

/// A 2048-bit modulus of noise with the usual exponent, as SubjectPublicKeyInfo.
fn made_up(chance: &mut Rng) -> PublicKey {
    const HEAD: [u8; 33] = [
        0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
        0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00,
    ];
    let mut modulus = [0; 256];
    chance.fill(&mut modulus);
    modulus[0] |= 0x80;
    modulus[255] |= 1;
    let spki = [&HEAD[..], &modulus, &[0x02, 0x03, 0x01, 0x00, 0x01]].concat();
    PublicKey::from_der(&spki).expect("a well-formed key")
}

/// What the server with this key signs.
pub(crate) fn sign(key: KeyId, text: &[u8]) -> Vec<u8> {
    sha256(&[&key.0, text].concat()).to_vec()
}

/// Which of the texts was signed.
pub(crate) fn judge(check: &Check) -> Verdict {
    let texts = &check.question.texts;
    let at = texts.iter().position(|text| sign(check.key.id(), text) == check.question.signature)?;
    Some((at, Salt::Digest))
}

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
    dialect::socp::{heard, id_of, key::Spelling},
    domain::id::KeyId,
};

/// As many servers as a run may have, one that is hostile and one that nobody knows included.
const SERVERS: usize = 34;
/// As many people as a run may have.
pub(crate) const PEOPLE: usize = 64;
/// People who have names, behind the others: they speak SOCP.
pub(crate) const NAMED: usize = 16;
/// The length of a signature of the longer keys.
const SIGNATURE: usize = 512;

static KEYS: LazyLock<Vec<Arc<PublicKey>>> = LazyLock::new(|| {
    let mut chance = Rng::with_seed(2048);
    let bits = |at| if (SERVERS..SERVERS + PEOPLE).contains(&at) { 2048 } else { 4096 };
    (0..SERVERS + PEOPLE + NAMED).map(|at| Arc::new(made_up(&mut chance, bits(at)))).collect()
});

static PERSONAS: LazyLock<Vec<Persona>> = LazyLock::new(|| {
    let (bare, named) = KEYS[SERVERS..].split_at(PEOPLE);
    let named = named.iter().enumerate().map(|(at, key)| Persona::named(&format!("person-{at}"), key));
    bare.iter().map(|key| Persona::of(key)).chain(named).collect()
});

/// The key of a server.
pub(crate) fn server(number: usize) -> Arc<PublicKey> {
    Arc::clone(&KEYS[number])
}

/// Somebody who may be a member somewhere.
#[derive(Debug)]
pub(crate) struct Persona {
    pub(crate) key: KeyId,
    pub(crate) name: Option<&'static str>,
    /// The fingerprint of the key.
    pub(crate) hand: KeyId,
    /// The key in the canonical spelling, and in the one of most tools.
    pub(crate) spellings: [Arc<str>; 2],
    /// The digests of those.
    pub(crate) spelled: [KeyId; 2],
}

impl Persona {
    fn of(key: &PublicKey) -> Self {
        let spellings: [Arc<str>; 2] = [key.canonical_pem().into(), key.column_pem().into()];
        let spelled = [0, 1].map(|at| KeyId(sha256(spellings[at].as_bytes())));
        Self { key: key.id(), name: None, hand: key.id(), spellings, spelled }
    }

    fn named(name: &str, key: &PublicKey) -> Self {
        let spelling: Arc<str> = kith::dialect::socp::key::write(key, Spelling::default()).into();
        let spelled = heard::spelled(name, &spelling, None);
        let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
        let spellings = [Arc::clone(&spelling), spelling];
        Self { key: id_of(name), name: Some(name), hand: key.id(), spellings, spelled: [spelled; 2] }
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

/// A modulus of noise with the usual exponent, as SubjectPublicKeyInfo.
fn made_up(chance: &mut Rng, bits: usize) -> PublicKey {
    const RSA: [u8; 15] =
        [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let mut modulus = vec![0; bits / 8 + 1];
    chance.fill(&mut modulus[1..]);
    modulus[1] |= 0x80;
    modulus[bits / 8] |= 1;
    let tagged = |tag: u8, inside: &[u8]| {
        let length = u16::try_from(inside.len()).expect("a length").to_be_bytes();
        [&[tag, 0x82][..], &length, inside].concat()
    };
    let exponent = [0x02, 0x03, 0x01, 0x00, 0x01];
    let numbers = tagged(0x30, &[&tagged(0x02, &modulus)[..], &exponent].concat());
    let spki = tagged(0x30, &[&RSA[..], &tagged(0x03, &[&[0][..], &numbers].concat())].concat());
    PublicKey::from_der(&spki).expect("a well-formed key")
}

/// What the server with this key signs.
pub(crate) fn sign(key: KeyId, text: &[u8]) -> Vec<u8> {
    let digest = sha256(&[&key.0, text].concat());
    digest.repeat(SIGNATURE / digest.len())
}

/// Which of the texts was signed.
pub(crate) fn judge(check: &Check) -> Verdict {
    let texts = &check.question.texts;
    let at = texts.iter().position(|text| sign(check.key.id(), text) == check.question.signature)?;
    Some((at, Salt::Digest))
}

//! Keys that cost nothing, and an oracle in the place of RSA: who knows the text knows the signature.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{binary, canonical::canonical, id_of, key, key::Spelling, stamp::Unsigned};
use crate::{
    crypto::{
        keys::PublicKey,
        sha256,
        signature::{Salt, Verdict},
    },
    dialect::{Myself, Terms, event::Check},
    domain::{dialect::Dialect, letter::Frame, member::Member},
};

/// Whose name and key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dialect) struct Who(pub(in crate::dialect) &'static str);

/// A well-formed key of so many bits that nobody has, as SubjectPublicKeyInfo.
fn made_up(seed: &str, bits: usize, exponent: &[u8]) -> Vec<u8> {
    let mut modulus: Vec<u8> =
        (0..bits / 256).flat_map(|part| sha256(format!("{part} {seed}").as_bytes())).collect();
    modulus[0] |= 0x80;
    *modulus.last_mut().expect("a byte") |= 1;
    modulus.insert(0, 0);
    let length = |length: usize| match length {
        0..0x80 => vec![u8::try_from(length).expect("short")],
        _ => [&[0x82], &u16::try_from(length).expect("short").to_be_bytes()[..]].concat(),
    };
    let tagged = |tag: u8, inside: &[u8]| [&[tag][..], &length(inside.len()), inside].concat();
    let numbers = tagged(0x30, &[tagged(2, &modulus), tagged(2, exponent)].concat());
    let rsa = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let bits = tagged(3, &[&[0][..], &numbers].concat());
    tagged(0x30, &[&rsa[..], &bits].concat())
}

impl Who {
    pub(in crate::dialect) fn key(self) -> PublicKey {
        PublicKey::from_der(&made_up(self.0, 4096, &[1, 0, 1])).expect("a well-formed key")
    }

    /// As it is written in frames.
    pub(in crate::dialect) fn pubkey(self) -> String {
        key::write(&self.key(), Spelling::default())
    }

    /// A key of the wrong size, and one whose exponent is small.
    pub(in crate::dialect) fn weak_keys(self) -> [String; 2] {
        [(2048, &[1, 0, 1][..]), (4096, &[3])]
            .map(|(bits, exponent)| binary::encode(&made_up(self.0, bits, exponent), false))
    }

    pub(in crate::dialect) fn signs(self, text: &[u8]) -> Vec<u8> {
        sign(&self.key(), text)
    }

    /// A payload's signature, as it is written.
    pub(in crate::dialect) fn sig(self, payload: &Value) -> String {
        let text = canonical(&payload.to_string()).expect("a payload");
        binary::encode(&self.signs(text.as_bytes()), false)
    }

    /// A frame of this type, signed by this one and said in the name of another.
    pub(in crate::dialect) fn says(
        self,
        kind: &str,
        from: &str,
        to: &str,
        ts: i64,
        payload: &Value,
    ) -> String {
        json!({"type": kind, "from": from, "to": to, "ts": ts, "payload": payload, "sig": self.sig(payload)})
            .to_string()
    }

    pub(in crate::dialect) fn member(self) -> Arc<Member> {
        let (public_key, key) = (self.pubkey(), id_of(self.0));
        let spelled = super::heard::spelled(self.0, &public_key, None);
        let public_key = public_key.into();
        Arc::new(Member {
            key,
            name: Some(self.0.into()),
            number: 1,
            dialect: Dialect::Socp,
            public_key,
            spelled,
            fingerprint: None,
            sealing_key: None,
            display_name: None,
        })
    }
}

/// The same frame without a signature.
pub(in crate::dialect) fn unsigned(frame: &str) -> String {
    let mut frame: Value = serde_json::from_str(frame).expect("a frame");
    frame.as_object_mut().expect("an object").remove("sig");
    frame.to_string()
}

fn sign(key: &PublicKey, text: &[u8]) -> Vec<u8> {
    let digest = sha256(&[&key.id().0[..], text].concat());
    digest.repeat(16)
}

/// Which of the texts was signed.
pub(in crate::dialect) fn judge(check: &Check) -> Verdict {
    let texts = &check.question.texts;
    let at = texts.iter().position(|text| sign(&check.key, text) == check.question.signature)?;
    Some((at, Salt::Digest))
}

/// The house.
pub(in crate::dialect) const US: Who = Who("us");

/// Something of the house's as it goes out.
pub(in crate::dialect) fn said(unsigned: Unsigned) -> Value {
    let signature = US.signs(&unsigned.text());
    value(&unsigned.signed(&signature, 77))
}

pub(in crate::dialect) fn terms(unsigned: bool) -> Arc<Terms> {
    let myself = Myself {
        takes_socp: true,
        id: "us".into(),
        address: "10.0.0.1:80".into(),
        name: "us".into(),
        key: Arc::new(US.key()),
    };
    Arc::new(Terms {
        doors: Vec::new(),
        recipients_per_letter: 2,
        detect_accents: true,
        socp_detect_accents: true,
        unsigned,
        peer_heartbeat_s: 5,
        peer_silence_s: 15,
        tpacket_strict_seed: false,
        myself,
    })
}

pub(in crate::dialect) fn value(frame: &Frame) -> Value {
    serde_json::from_str(frame.text().expect("text")).expect("JSON")
}

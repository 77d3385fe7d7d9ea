//! Whether a text is sealed, as far as somebody can tell who cannot open it.
//!
//! Sealed bytes look like chance, and chance is next to never text. So what can be read as text once it is
//! taken out of its spelling (base64, and hexadecimal digits inside, as some write it) is not sealed.

use super::socp::binary;

/// Nothing is sealed into less: a block of RSA has 256 bytes and more, AES-GCM adds 16 to what is inside.
const SHORTEST: usize = 32;

/// Whether nobody can read this without a key.
#[must_use]
pub fn is_sealed(text: &str) -> bool {
    let Some(bytes) = binary::decode(text) else { return false };
    match std::str::from_utf8(&bytes) {
        Err(_) => bytes.len() >= SHORTEST,
        Ok(digits) => {
            unhex(digits).is_some_and(|bytes| bytes.len() >= SHORTEST && std::str::from_utf8(&bytes).is_err())
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;
    use crate::{crypto::sha256, domain::id::KeyId};

    #[test]
    fn what_can_be_read_is_not_sealed() {
        let sealed = [sha256(b"one"), sha256(b"two")].concat();
        let digits = [KeyId(sha256(b"one")).hex(), KeyId(sha256(b"two")).hex()].concat();
        for text in [STANDARD.encode(&sealed), binary::encode(&sealed, false), STANDARD.encode(digits)] {
            assert!(is_sealed(&text), "{text}");
        }
        let words = "meet me at noon behind the old mill, and bring a lamp";
        let dressed = KeyId(*b"meet me at noon behind the mill!").hex();
        for text in ["", "AAAA", words, &STANDARD.encode(words), &STANDARD.encode(dressed)] {
            assert!(!is_sealed(text), "{text}");
        }
        assert!(!is_sealed(&STANDARD.encode(&sealed[..16])), "too short to be anything");
    }
}

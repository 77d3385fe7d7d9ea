//! Bytes as text: base64url, read as liberally as people write it.
//!
//! The protocol wants it without padding. One implementation refuses what has none and another what has
//! some, so what we write follows the partner, and what we read may be either, in either alphabet.

use base64::{
    Engine as _,
    engine::{
        DecodePaddingMode::Indifferent, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE,
        general_purpose::URL_SAFE_NO_PAD,
    },
};

/// Takes everything that means bytes at all.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true).with_decode_padding_mode(Indifferent),
);

/// Writes bytes.
#[must_use]
pub fn encode(bytes: &[u8], padded: bool) -> String {
    if padded { URL_SAFE.encode(bytes) } else { URL_SAFE_NO_PAD.encode(bytes) }
}

/// Reads bytes: either alphabet, with padding or without, broken into lines or not.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let plain: String = text
        .chars()
        .filter(|letter| !letter.is_ascii_whitespace())
        .map(|letter| match letter {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    LENIENT.decode(plain).ok()
}

/// Whether a text ends in padding.
#[must_use]
pub fn is_padded(text: &str) -> bool {
    text.trim_end().ends_with('=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_means_the_same_bytes() {
        let bytes = [251, 239, 190, 0];
        assert_eq!(encode(&bytes, false), "----AA");
        assert_eq!(encode(&bytes, true), "----AA==");
        for text in ["----AA", "----AA==", "++++AA", "++++AA==", "++\n++AA\n", "----AB", " ----AA="] {
            assert_eq!(decode(text).as_deref(), Some(&bytes[..]), "{text}");
        }
        for wrong in ["A", "AA=A", "é", "----A", "{}", "AAAA\0"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
        assert_eq!(decode(""), Some(Vec::new()));
        assert!(is_padded("AA==\n") && !is_padded("AA"));
    }
}

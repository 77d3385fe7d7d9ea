//! Names of things, as types that cannot be mixed up.

use std::fmt;

/// One live connection of this process. Never used again once the connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

/// A home server, as this process numbers them: this one first, its neighbours in order of acquaintance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HomeId(pub u32);

impl HomeId {
    /// This very home.
    pub const OWN: Self = Self(1);
}

/// A member's identity: the SHA-256 digest of the public key in its canonical text form.
///
/// Two connections with the same key are the same member, however each of them spells the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 32]);

impl KeyId {
    /// Lower-case hexadecimal digits: the form used in URLs, logs and the store.
    #[must_use]
    pub fn hex(&self) -> String {
        digits(&self.0)
    }

    /// The first twelve digits: enough for a person, never enough for a decision.
    #[must_use]
    pub fn short(&self) -> String {
        self.hex().chars().take(12).collect()
    }

    /// Reads what [`KeyId::hex`] wrote.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        bytes(text).map(Self)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "KeyId({})", self.short())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.hex())
    }
}

/// A neighbour: the same across restarts, and short enough to be typed.
///
/// It names an entry of the list of neighbours and proves nothing; what proves a neighbour is its key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(pub [u8; 6]);

impl PeerId {
    /// Twelve lower-case hexadecimal digits: the form used in URLs, logs and the store.
    #[must_use]
    pub fn hex(&self) -> String {
        digits(&self.0)
    }

    /// Reads what [`PeerId::hex`] wrote.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        bytes(text).map(Self)
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PeerId({})", self.hex())
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.hex())
    }
}

fn digits(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Exactly as many bytes as asked for, or nothing.
fn bytes<const LENGTH: usize>(text: &str) -> Option<[u8; LENGTH]> {
    let text = text.as_bytes();
    if text.len() != LENGTH * 2 {
        return None;
    }
    let mut bytes = [0; LENGTH];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        // The parser below would take a sign, too.
        if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{KeyId, PeerId};

    #[test]
    fn hex_survives_a_round_trip_and_refuses_everything_else() {
        let id = KeyId(std::array::from_fn(|at| u8::try_from(at * 7).unwrap_or(255)));
        assert_eq!(KeyId::from_hex(&id.hex()), Some(id));
        assert_eq!(id.short(), id.hex()[..12]);
        for wrong in ["", "00", &"g".repeat(64), &"+1".repeat(32), &"é".repeat(32)] {
            assert_eq!(KeyId::from_hex(wrong), None, "{wrong}");
        }
    }
    #[test]
    fn a_peer_has_twelve_digits() {
        let id = PeerId([0x9f, 0x2c, 0x41, 0xaa, 0x03, 0xbe]);
        assert_eq!((id.to_string().as_str(), id.hex().as_str()), ("9f2c41aa03be", "9f2c41aa03be"));
        assert_eq!(PeerId::from_hex("9f2c41aa03be"), Some(id));
        for wrong in ["", "9f2c41aa03b", "9f2c41aa03be0", "+f2c41aa03be", "9f2c41aa03bg", "éééééé"] {
            assert_eq!(PeerId::from_hex(wrong), None, "{wrong}");
        }
    }
}

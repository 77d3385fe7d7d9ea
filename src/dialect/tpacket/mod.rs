//! tPacket: nicks and rooms in packets of 24 bytes and more, as `docs/tpacket.md` tells.
//!
//! `packet` is the shape of every message, `session` a client with its three levels of trust, `speech` all that
//! the server says, `extension` what it says to clients of our own version alone, `directory` the same of the rendezvous, and `split` how long texts go
//! to those that would break on them. What happens in rooms is decided elsewhere (`domain/rooms`); here it is
//! read and printed.

pub mod code;
pub mod directory;
mod extension;
pub mod packet;
pub mod session;
pub mod speech;
pub mod split;

use super::socp::heard;
use crate::{
    crypto::sha256,
    domain::{
        dialect::Dialect,
        id::KeyId,
        letter::Frame,
        member::{Named, Newcomer},
        nick::{Folded, is_hidden},
        replay::Trace,
    },
};

/// The longest nick, in bytes: the first client keeps nicks in buffers that break on more.
pub const LONGEST_NICK: usize = 48;

/// What a client is able to hear, as the number that it put into its magic packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// What the first server and its client speak. They put 0 there.
    #[default]
    Seed,
    /// Our first extension: long texts, time stamps, receipts, lists of rooms, pages of history.
    One,
}

impl Version {
    /// The highest version that both sides speak.
    #[must_use]
    pub const fn agreed(asked: i32) -> Self {
        if asked >= 1 { Self::One } else { Self::Seed }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::Seed => 0,
            Self::One => 1,
        }
    }

    /// Its name, for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::One => "v1",
        }
    }
}

/// Who is meant by a nick: the same for all spellings that people take for one.
#[must_use]
pub fn id_of(nick: &str) -> KeyId {
    KeyId(sha256(format!("tpacket\n{}", Folded::new(nick).as_str()).as_bytes()))
}

/// Who comes under a nick. There are no keys here, so nothing that is said proves anything.
#[must_use]
pub fn newcomer(nick: &str, trace: Trace) -> Newcomer {
    Newcomer {
        key: id_of(nick),
        named: Some(Named {
            name: nick.into(),
            key: None,
            proven: false,
            sealing_key: None,
            display_name: None,
        }),
        dialect: Dialect::Tpacket,
        public_key: "".into(),
        spelled: heard::spelled(nick, "", None),
        trace,
    }
}

/// Whether a first frame can only be one of this protocol.
#[must_use]
pub fn is_tpacket(frame: &Frame) -> bool {
    matches!(frame, Frame::Binary(bytes) if bytes.starts_with(&packet::SIGNATURE))
}

/// A nick as somebody wrote it, without the blanks around it, if one can be called so.
#[must_use]
pub fn nick(bytes: &[u8]) -> Option<&str> {
    let nick = std::str::from_utf8(bytes).ok()?.trim();
    // So are members of other protocols called where there are only nicks.
    let is_borrowed = Dialect::ALL.iter().any(|dialect| nick.ends_with(&format!("({dialect})")));
    let fits = (1..=LONGEST_NICK).contains(&nick.len()) && !is_borrowed && !nick.chars().any(is_hidden);
    fits.then_some(nick)
}

/// A nick that a neighbour lists, if it is what it should be. There are no keys here.
#[must_use]
pub fn named(name: &str, public_key: &str) -> Option<Named> {
    let fits = public_key.is_empty() && nick(name.as_bytes()) == Some(name);
    fits.then(|| Named { name: name.into(), key: None, proven: false, sealing_key: None, display_name: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nick_is_trimmed_and_measured_in_bytes() {
        let longest = "é".repeat(24);
        for (written, read) in [
            (&b"alice"[..], Some("alice")),
            (b"  alice\t", Some("alice")),
            ("\u{3000}日本".as_bytes(), Some("日本")),
            (longest.as_bytes(), Some(longest.as_str())),
            (b"a b", Some("a b")),
            (b"anna (olaf)", None),
            ("an\u{200b}na".as_bytes(), None),
            (b"", None),
            (b" \t ", None),
            (b"a\nb", None),
            (b"a\0b", None),
            (b"ali\xff", None),
            (&[b'a'; 49], None),
        ] {
            assert_eq!(nick(written), read, "{written:?}");
        }
        assert_eq!(named(" alice", ""), None, "a neighbour lists nicks as they are");
        assert_eq!(named("alice", "key"), None);
        assert_eq!(named("alice", "").map(|named| named.name), Some("alice".into()));
    }

    #[test]
    fn spellings_of_a_nick_are_one_member_and_a_prefix_is_another() {
        for other in ["ALICE", "ａｌｉｃｅ", "Alice"] {
            assert_eq!(id_of("alice"), id_of(other), "{other}");
        }
        assert_ne!(id_of("alice"), id_of("alic"));
        assert_ne!(id_of("alice"), crate::dialect::socp::id_of("alice"), "dialects share no names");
    }
}

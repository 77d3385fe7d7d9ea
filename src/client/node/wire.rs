//! What two nodes send each other once both know that the other one is no program of the first kind: frames of one byte that
//! says which, then its fields in the format of `postcard`. docs/rendezvous.md specifies them.

use serde::{Deserialize, Serialize};

use crate::dialect::{kith::wire, rendezvous::PAYLOAD_BYTES};

/// The versions that are spoken here, from the oldest to the newest.
pub(super) const VERSIONS: (u8, u8) = (1, 1);
/// The longest frame; so long that it can also be relayed.
pub(super) const FRAME_BYTES: usize = PAYLOAD_BYTES;
/// The longest text. Its kind and the tag of the seal must find room beside it.
pub const TEXT_BYTES: usize = 4000;

/// Kinds of frames before there is a seal.
pub(super) mod kind {
    /// Who dials asks for a link. Said on relayed links alone; on others the hello and the mark do it.
    pub(in crate::client::node) const HELLO: u8 = 0;
    /// Who was dialled describes itself.
    pub(in crate::client::node) const CARD: u8 = 1;
    /// Who dials describes itself and proves it.
    pub(in crate::client::node) const CLAIM: u8 = 2;
    /// Who was dialled proves itself.
    pub(in crate::client::node) const PROOF: u8 = 3;
    /// In the place of any of these: no.
    pub(in crate::client::node) const REFUSED: u8 = 4;
}

/// Kinds of what is sealed.
mod sealed {
    pub(super) const READY: u8 = 16;
    pub(super) const TEXT: u8 = 17;
    pub(super) const PING: u8 = 18;
    pub(super) const PONG: u8 = 19;
    pub(super) const BYE: u8 = 20;
    pub(super) const REFUSED: u8 = 21;
    pub(super) const PRIVATE: u8 = 22;
}

/// How one side describes itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Card {
    pub(super) versions: (u8, u8),
    /// What nobody could know before.
    pub(super) nonce: [u8; 32],
    /// Its half of the secret of this link.
    pub(super) ephemeral: [u8; 32],
    /// Where it listens.
    pub(super) at: String,
    /// Which address it has dialled; empty from who was dialled.
    pub(super) dialled: String,
    /// When it joined, as its rendezvous says; decides between two links.
    pub(super) seq: u64,
    /// Its key, as SubjectPublicKeyInfo.
    pub(super) key: Vec<u8>,
}

/// A card, with its first byte, and the signature of whoever it describes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claim {
    pub(super) card: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

/// A signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Proof {
    pub(super) signature: Vec<u8>,
}

/// Why a link is refused by one of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another key belongs to that address.
    #[error("another key belongs to that address")]
    WrongKey,
    /// It does not come from the address that it names.
    #[error("that address is elsewhere")]
    FromElsewhere,
    /// It names an address that is not in the list.
    #[error("that address is not in the list")]
    Unlisted,
    /// It meant another address.
    #[error("another address was meant")]
    Misdialled,
    /// No version in common.
    #[error("there is no version that both speak")]
    NoCommonVersion,
    /// Anything that a newer program may say.
    #[error("for a reason that is not known here")]
    Unknown,
}

impl Refusal {
    const WORDS: [(Self, &'static str); 5] = [
        (Self::WrongKey, "wrong_key"),
        (Self::FromElsewhere, "from_elsewhere"),
        (Self::Unlisted, "unlisted"),
        (Self::Misdialled, "misdialled"),
        (Self::NoCommonVersion, "no_common_version"),
    ];

    /// The frame that says so before there is a seal.
    pub(super) fn frame(self) -> Vec<u8> {
        wire::encode(kind::REFUSED, &self.word()).to_vec()
    }

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(known, _)| *known == self).map_or("unknown", |(_, word)| word)
    }

    /// Reads the fields of that frame.
    pub(super) fn read(body: &[u8]) -> Self {
        let word: String = wire::decode(body).unwrap_or_default();
        Self::WORDS.iter().find(|(_, known)| *known == word).map_or(Self::Unknown, |(refusal, _)| *refusal)
    }
}

/// What somebody has typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// What it says.
    pub words: String,
    /// Whether it was said to one reader alone.
    pub is_private: bool,
}

/// What is said under the seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The first word of who has dialled: it believes what it has been shown.
    Ready,
    /// Somebody has typed this; for everybody, or for the reader alone.
    Text(Text),
    /// Are you there?
    Ping,
    /// Yes.
    Pong,
    /// Nothing more will come.
    Bye,
    /// The link is not wanted.
    Refused(Refusal),
}

impl Word {
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Ready => vec![sealed::READY],
            Self::Text(Text { words, is_private }) => {
                let kind = if *is_private { sealed::PRIVATE } else { sealed::TEXT };
                [&[kind], words.as_bytes()].concat()
            }
            Self::Ping => vec![sealed::PING],
            Self::Pong => vec![sealed::PONG],
            Self::Bye => vec![sealed::BYE],
            Self::Refused(why) => wire::encode(sealed::REFUSED, &why.word()).to_vec(),
        }
    }

    /// Reads one. What newer programs may say beside these is nothing.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (kind, body) = bytes.split_first()?;
        match *kind {
            sealed::READY => Some(Self::Ready),
            sealed::TEXT | sealed::PRIVATE => Some(Self::Text(Text {
                words: String::from_utf8_lossy(body).into_owned(),
                is_private: *kind == sealed::PRIVATE,
            })),
            sealed::PING => Some(Self::Ping),
            sealed::PONG => Some(Self::Pong),
            sealed::BYE => Some(Self::Bye),
            sealed::REFUSED => Some(Self::Refused(Refusal::read(body))),
            _ => None,
        }
    }
}

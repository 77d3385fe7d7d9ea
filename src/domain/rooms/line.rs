//! What is kept of a conversation, and the order in which everybody keeps it.

use std::{fmt, sync::Arc};

use bytestring::ByteString;

use super::RoomName;
use crate::domain::{dialect::Dialect, id::KeyId};

/// When something was said, by the clock of the home where it was: unix milliseconds in the upper 48 bits, and a
/// number that tells apart what was said in the same millisecond. A home never gives one twice, and never one below
/// any that it has heard of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stamp(pub u64);

impl Stamp {
    /// The stamp before any line.
    pub const ZERO: Self = Self(0);

    /// The first stamp of this millisecond.
    #[must_use]
    pub fn at(unix_ms: i64) -> Self {
        const LAST_MS: u64 = u64::MAX >> 16;
        Self(u64::try_from(unix_ms).unwrap_or(0).min(LAST_MS) << 16)
    }

    /// The millisecond.
    #[must_use]
    pub fn unix_ms(self) -> i64 {
        i64::try_from(self.0 >> 16).unwrap_or(i64::MAX)
    }
}

/// Which line: when it was said, and at which home. Lines are in this order everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineId {
    /// When.
    pub stamp: Stamp,
    /// The fingerprint of the home's key.
    pub home: KeyId,
}

impl LineId {
    /// Reads its text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (stamp, home) = text.split_once('-')?;
        let id = Self { stamp: Stamp(u64::from_str_radix(stamp, 16).ok()?), home: KeyId::from_hex(home)? };
        // One id has one text.
        (id.to_string() == text).then_some(id)
    }
}

/// Sixteen digits of the stamp, a dash, and the fingerprint of the home.
impl fmt::Display for LineId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}-{}", self.stamp.0, self.home)
    }
}

/// Whoever said it, as the author's home describes her.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// Who.
    pub member: KeyId,
    /// What she was called then.
    pub name: Arc<str>,
    /// The protocol she speaks; none, if only newer programs than this one know it.
    pub dialect: Option<Dialect>,
}

/// One entry of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which one.
    pub id: LineId,
    /// Where.
    pub room: RoomName,
    /// By whom; nobody, if an operator did it.
    pub by: Option<Speaker>,
    /// What.
    pub deed: Deed,
    /// Whether it was said in a public letter: then everybody who speaks as its author does has read that.
    pub was_letter: bool,
}

/// What somebody did in a room that is worth remembering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Said something.
    Said(ByteString),
    /// Set the topic. The last one in the order of lines is in force.
    Topic(ByteString),
    /// Withdrew a line of the same home. What takes the place of a line that the operator of this very home has hidden
    /// withdraws itself, and is told to nobody.
    Withdrew {
        /// Which one.
        line: LineId,
        /// How much of the history's bytes it took. Its place stays taken, or it would depend on who heard of
        /// what first which lines still fit.
        bytes: u32,
    },
}

/// The longest name of whoever says something or is in a room, in bytes. Members choose shorter ones in every dialect.
pub(super) const LONGEST_NAME: usize = 256;
/// What a line takes beside its words.
const EACH: usize = 64;

impl Line {
    /// The most that a line can count for whose text is no longer than this.
    pub(super) const fn most_bytes(text: usize) -> usize {
        EACH + text + LONGEST_NAME
    }

    /// What it counts for among the bytes of a history.
    #[must_use]
    pub fn bytes(&self) -> usize {
        if let Deed::Withdrew { bytes, .. } = self.deed
            && self.is_hidden()
        {
            return usize::try_from(bytes).unwrap_or(usize::MAX);
        }
        EACH + self.text() + self.by.as_ref().map_or(0, |by| by.name.len())
    }

    /// Whether it is what is left of a line that is hidden.
    pub(super) fn is_hidden(&self) -> bool {
        matches!(self.deed, Deed::Withdrew { line, .. } if line == self.id)
    }

    /// What is left of it when it is hidden: nothing but its place.
    #[must_use]
    pub(super) fn hidden(&self) -> Self {
        let bytes = u32::try_from(self.bytes()).unwrap_or(u32::MAX);
        Self { by: None, room: self.room.clone(), deed: Deed::Withdrew { line: self.id, bytes }, ..*self }
    }

    /// How long its text is.
    #[must_use]
    pub(super) fn text(&self) -> usize {
        match &self.deed {
            Deed::Said(text) | Deed::Topic(text) => text.len(),
            Deed::Withdrew { .. } => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_text() {
        for stamp in [0, 1, u64::MAX] {
            let id = LineId { stamp: Stamp(stamp), home: KeyId([0xab; 32]) };
            let text = id.to_string();
            assert_eq!(LineId::parse(&text), Some(id));
            for wrong in [text.to_uppercase(), format!("+{text}"), format!("{text} ")] {
                assert_eq!(LineId::parse(&wrong), None, "{wrong}");
            }
        }
        for wrong in ["", "-", "0", "0000000000000000-", "0000000000000000-ab"] {
            assert_eq!(LineId::parse(wrong), None, "{wrong}");
        }
    }
}

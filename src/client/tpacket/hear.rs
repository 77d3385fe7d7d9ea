//! What comes in, read liberally: whatever does not fit is nothing at all.

use crate::{
    client::{
        introduction::Entry,
        person::PersonId,
        room::{Card, Logged, Why},
    },
    dialect::tpacket::{code, directory::mark, packet::Packet},
    domain::{id::KeyId, rooms::Stamp},
};

/// The bytes of a line's id: its stamp, and the home where it was said.
const ID: usize = 40;

/// Which line.
pub(super) type Id = [u8; ID];

/// A line of our own version.
#[derive(Debug)]
pub(super) struct Told {
    /// Which one.
    pub(super) id: Id,
    /// By whom; nobody, if an operator did it.
    by: Option<PersonId>,
    text: String,
    deed: Deed,
    at_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Said,
    Topic,
    /// Nothing that anybody must read.
    Other,
}

impl Told {
    pub(super) fn read(packet: &Packet<'_>) -> Option<Self> {
        let (id, rest) = packet.data.split_first_chunk::<ID>()?;
        let (stamp, _) = id.split_first_chunk::<8>()?;
        let (by, text) = named(rest)?;
        let deed = match packet.p2 {
            0 => Deed::Said,
            1 => Deed::Topic,
            _ => Deed::Other,
        };
        Some(Self {
            id: *id,
            by: (!by.is_empty()).then(|| PersonId::nick(&by)),
            text: words(text),
            deed,
            at_ms: Stamp(u64::from_le_bytes(*stamp)).unix_ms(),
        })
    }

    /// Who has just said what.
    pub(super) fn said(self) -> Option<(PersonId, String)> {
        let Self { by, text, deed, .. } = self;
        by.filter(|_| deed == Deed::Said).map(|by| (by, text))
    }

    /// The line of a history.
    pub(super) fn logged(self) -> Option<Logged> {
        let Self { by, text, deed, at_ms, .. } = self;
        let is_topic = deed == Deed::Topic;
        (deed != Deed::Other).then_some(Logged { by, at_ms: Some(at_ms), text, is_topic })
    }
}

/// A room of a list.
pub(super) fn card(packet: &Packet<'_>) -> Option<Card> {
    let (name, topic) = named(packet.data)?;
    let topic = words(topic);
    Some(Card {
        name,
        topic: (!topic.is_empty()).then_some(topic),
        guests: u32::try_from(packet.p1).unwrap_or_default(),
    })
}

/// An entry of the directory; nothing, if nobody could dial what it names.
pub(super) fn entry(packet: &Packet<'_>) -> Option<Entry> {
    let has = |mark| packet.p1 & mark != 0;
    let (_seq, rest) = packet.data.split_first_chunk::<8>()?;
    let (home, rest) = key(has(mark::HOME), rest)?;
    let (member, rest) = key(has(mark::MEMBER), rest)?;
    let at = std::str::from_utf8(rest).ok()?.parse().ok()?;
    Some(Entry { at, undialable: has(mark::UNDIALABLE), home, member })
}

/// A fingerprint, if one follows, and the rest.
fn key(follows: bool, bytes: &[u8]) -> Option<(Option<KeyId>, &[u8])> {
    if !follows {
        return Some((None, bytes));
    }
    let (key, rest) = bytes.split_first_chunk::<32>()?;
    Some((Some(KeyId(*key)), rest))
}

/// A name behind its length, and the rest.
fn named(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((words(name), rest))
}

/// The text in some bytes. The first programs never look at them.
pub(super) fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Why something is not done.
pub(super) const fn why(reason: i32) -> Why {
    match reason {
        code::NICK_IN_USE => Why::NickInUse,
        code::BAD_NICK => Why::BadNick,
        code::BAD_ROOM => Why::BadRoom,
        code::NO_ROOM => Why::NoRoom,
        code::TOO_LONG => Why::TooLong,
        code::TOO_OFTEN => Why::TooOften,
        code::MALFORMED | code::UNKNOWN_COMMAND => Why::NotUnderstood,
        code::FULL => Why::Full,
        code::FOREIGN => Why::Foreign,
        code::UNUSABLE => Why::Unusable,
        code::TAKEN => Why::Taken,
        code::NOT_REGISTERED => Why::NotListed,
        _ => Why::Refused,
    }
}

//! What somebody asks: read strictly where it says anything, and without a copy of what it does not.

use std::{borrow::Cow, fmt};

use bytestring::ByteString;
use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::KEY;
use crate::{
    dialect::errand::Errand,
    domain::{
        endpoint::Endpoint,
        rooms::{LineId, Objection, Page, RoomName, Ticket, Wish},
    },
};

/// Lines in an answer to somebody who does not say how many are wanted.
const A_PAGE: u16 = 100;

/// Why a request is not handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// Its number, if that can be told.
    pub(super) ticket: Option<Ticket>,
    why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Something is missing, or is not what it should be.
    Malformed,
    /// It is clear, and cannot be granted.
    Objected(Objection),
}

impl Refused {
    /// The stable name of the reason.
    pub(super) const fn code(self) -> &'static str {
        match self.why {
            Why::Malformed => "malformed",
            Why::Objected(objection) => objection.code(),
        }
    }

    /// Whether that is counted as a fault.
    pub(super) const fn is_malformed(self) -> bool {
        matches!(self.why, Why::Malformed)
    }
}

/// Whether a text is a request, good or bad: an object with our key.
#[must_use]
pub fn is_ours(text: &str) -> bool {
    // Most frames are long letters, and need not be read for this: a key is spelled out, or has an escape in it.
    let may_be = text.contains("kith\"") || text.contains("\\u");
    may_be && serde_json::from_str::<Keyed>(text).is_ok_and(|Keyed(is_there)| is_there)
}

/// Whether our key is among those of an object.
struct Keyed(bool);

impl<'de> Deserialize<'de> for Keyed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Keyed;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Keyed, A::Error> {
                let mut is_there = false;
                while let Some((Text(key), IgnoredAny)) = fields.next_entry::<Text<'de>, IgnoredAny>()? {
                    is_there |= key == KEY;
                }
                Ok(Keyed(is_there))
            }
        }
        from.deserialize_map(Reader)
    }
}

/// A string that borrows where it can.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Each value as it came, so that one that is wrong does not hide the number of the request.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    kith: Option<&'a RawValue>,
    #[serde(borrow)]
    ticket: Option<&'a RawValue>,
    #[serde(borrow)]
    at: Option<&'a RawValue>,
    #[serde(borrow)]
    room: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    after: Option<&'a RawValue>,
    #[serde(borrow)]
    before: Option<&'a RawValue>,
    #[serde(borrow)]
    most: Option<&'a RawValue>,
}

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Something of rooms.
    Room(Wish),
    /// Something of the directory.
    Directory(Errand),
}

/// Reads a request.
pub(super) fn read(text: &str) -> Result<(Ticket, Asked), Refused> {
    let malformed = Refused { ticket: None, why: Why::Malformed };
    let fields: Fields<'_> = serde_json::from_str(text).map_err(|_| malformed)?;
    let ticket = value(fields.ticket).map_err(|_| malformed)?.map(Ticket).ok_or(malformed)?;
    let asked = fields.asked().map_err(|why| Refused { ticket: Some(ticket), why })?;
    Ok((ticket, asked))
}

/// What a field holds; nothing, if it is null or not there.
fn value<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Result<Option<T>, Why> {
    raw.map(|raw| serde_json::from_str(raw.get())).transpose().map_err(|_| Why::Malformed)
}

/// A field that names a room, if it does.
fn room(raw: Option<&RawValue>) -> Result<Option<RoomName>, Why> {
    let named = |Text(name): Text<'_>| RoomName::new(&name).ok_or(Why::Objected(Objection::BadRoom));
    value(raw)?.map(named).transpose()
}

impl Fields<'_> {
    fn asked(&self) -> Result<Asked, Why> {
        let Text(verb) = value(self.kith)?.ok_or(Why::Malformed)?;
        Ok(Asked::Directory(match &*verb {
            "register" => Errand::Register(self.place()?),
            "unregister" => Errand::Unregister(self.place()?),
            "directory" => Errand::Read,
            verb => return self.wish(verb).map(Asked::Room),
        }))
    }

    fn place(&self) -> Result<Endpoint, Why> {
        let Text(at) = value(self.at)?.ok_or(Why::Malformed)?;
        at.parse().map_err(|_| Why::Malformed)
    }

    fn wish(&self, verb: &str) -> Result<Wish, Why> {
        Ok(match verb {
            "enter" => Wish::Enter(self.room()?),
            "leave" => Wish::Leave(self.room()?),
            "say" => {
                let text: String = value(self.text)?.ok_or(Why::Malformed)?;
                Wish::Say(Some(self.room()?), ByteString::from(text))
            }
            "rooms" => Wish::List(room(self.after)?),
            "history" => Wish::Page(self.page()?),
            _ => return Err(Why::Objected(Objection::Unsupported)),
        })
    }

    fn room(&self) -> Result<RoomName, Why> {
        room(self.room)?.ok_or(Why::Malformed)
    }

    fn page(&self) -> Result<Page, Why> {
        let before = value(self.before)?;
        let before = before.map(|Text(id)| LineId::parse(&id).ok_or(Why::Malformed)).transpose()?;
        let most = match value::<u64>(self.most)? {
            None => A_PAGE,
            Some(0) => return Err(Why::Malformed),
            Some(most) => u16::try_from(most).unwrap_or(u16::MAX),
        };
        Ok(Page { room: self.room()?, before, most })
    }
}

//! What comes in, read liberally: whatever does not fit is nothing at all.

use serde::Deserialize;

use crate::{
    client::{
        introduction::Entry,
        person::PersonId,
        room::{self, Logged, Why},
    },
    dialect::socp::payload::is_user_name,
    domain::{dialect::Dialect, id::KeyId, rooms::LineId},
};

/// Everything that a server says about rooms.
#[derive(Debug, Deserialize)]
#[serde(tag = "kith", rename_all = "lowercase")]
pub(super) enum Word {
    Entered(Entered),
    Stayed {
        ticket: u32,
    },
    Left {
        ticket: u32,
    },
    Said {
        ticket: u32,
    },
    Rooms {
        ticket: u32,
        rooms: Vec<Card>,
        #[serde(default)]
        unfinished: bool,
    },
    History {
        ticket: u32,
        lines: Vec<Line>,
        #[serde(default)]
        more: bool,
    },
    Registered {
        ticket: u32,
    },
    Unregistered {
        ticket: u32,
    },
    Directory {
        ticket: u32,
        entries: Vec<Listed>,
        #[serde(default)]
        unfinished: bool,
    },
    Refused {
        ticket: Option<u32>,
        code: String,
    },
    Event {
        room: String,
        #[serde(flatten)]
        happened: Happened,
    },
}

#[derive(Debug, Deserialize)]
pub(super) struct Entered {
    pub(super) ticket: u32,
    pub(super) topic: Option<String>,
    pub(super) you: u32,
    pub(super) guests: Vec<Guest>,
    #[serde(default)]
    pub(super) history: Vec<Line>,
    #[serde(default)]
    pub(super) more: bool,
    #[serde(default)]
    pub(super) unfinished: bool,
}

/// What happened in a room.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(super) enum Happened {
    Came { guest: Guest },
    Went { guest: Guest },
    Renamed { before: Guest, guest: Guest },
    Said { guest: u32, line: Line },
    Recalled { line: Line },
    Topic { topic: Option<String> },
    Withdrawn,
    Closed,
    Expelled { guest: Guest },
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Guest {
    pub(super) number: u32,
    #[serde(flatten)]
    who: Who,
}

#[derive(Clone, Debug, Deserialize)]
struct Who {
    name: String,
    dialect: Option<String>,
    member: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Line {
    id: String,
    at: i64,
    by: Option<Who>,
    kind: String,
    #[serde(default)]
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Card {
    room: String,
    topic: Option<String>,
    guests: u32,
}

#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    at: String,
    #[serde(default)]
    undialable: bool,
    home: Option<String>,
    member: Option<String>,
}

impl Listed {
    /// The entry; nothing, if nobody could dial what it names.
    pub(super) fn entry(&self) -> Option<Entry> {
        let id = |text: &Option<String>| text.as_deref().and_then(KeyId::from_hex);
        let (home, member) = (id(&self.home), id(&self.member));
        Some(Entry { at: self.at.parse().ok()?, undialable: self.undialable, home, member })
    }
}

impl Guest {
    /// Who it is, for somebody who speaks this dialect.
    pub(super) fn person(&self, ours: Dialect) -> PersonId {
        self.who.person(ours)
    }
}

impl Who {
    /// Only whoever speaks our dialect can be somebody whom we know. The others' names are what they call themselves, and
    /// are marked as such.
    fn person(&self, ours: Dialect) -> PersonId {
        let dialect = self.dialect.as_deref();
        match ours {
            _ if dialect != Some(ours.name()) => {}
            Dialect::Olaf => {
                if let Some(key) = KeyId::from_hex(&self.member) {
                    return key.into();
                }
            }
            Dialect::Socp if is_user_name(&self.name) => return PersonId::new(&self.name),
            Dialect::Socp | Dialect::Tpacket => {}
        }
        PersonId::nick(&format!("{} ({})", self.name, dialect.unwrap_or("?")))
    }
}

impl Line {
    /// Which line it is; nothing, if nobody can tell.
    pub(super) fn id(&self) -> Option<LineId> {
        LineId::parse(&self.id)
    }

    /// Who said it just now.
    pub(super) fn author(&self, ours: Dialect) -> Option<PersonId> {
        self.by.as_ref().filter(|_| self.kind == "said").map(|by| by.person(ours))
    }

    /// The line of a history; nothing, if its kind is not known.
    pub(super) fn logged(self, ours: Dialect) -> Option<Logged> {
        let is_topic = match self.kind.as_str() {
            "said" => false,
            "topic" => true,
            _ => return None,
        };
        let by = self.by.map(|by| by.person(ours));
        Some(Logged { by, at_ms: Some(self.at), text: self.text, is_topic })
    }
}

impl From<Card> for room::Card {
    fn from(Card { room, topic, guests }: Card) -> Self {
        Self { name: room, topic, guests }
    }
}

/// Why something is not done.
pub(super) fn why(code: &str) -> Why {
    match code {
        "malformed" | "unsupported" => Why::NotUnderstood,
        "bad_room" | "closed" => Why::BadRoom,
        "no_room" => Why::NoRoom,
        "too_long" => Why::TooLong,
        "too_many_rooms" | "full" | "too_many" => Why::Full,
        "too_often" => Why::TooOften,
        "foreign" => Why::Foreign,
        "unusable" => Why::Unusable,
        "taken" => Why::Taken,
        "not_registered" => Why::NotListed,
        "muted" => Why::Muted,
        "banned" => Why::Banned,
        _ => Why::Refused,
    }
}

//! How one implementation of OLAF's server side deviates, as a value with a name.
//!
//! A name is a preset, or words joined by `+` that each change one property: `kat+sockets-one`,
//! `object+python`. The default is what most programs accept, so it is what a stranger hears.

use std::{borrow::Cow, fmt};

use crate::{
    dialect::vocabulary::{UnknownAccent, Vocabulary, Word},
    domain::neighbourhood::Sockets,
};

/// How `data` stands in what we sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Data {
    /// As a string that holds JSON (v1.2).
    #[default]
    Text,
    /// As an object (v1.1).
    Object,
}

/// How we print what we sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Printer {
    /// Compact, keys in alphabetical order: whoever prints it again finds the same text.
    #[default]
    Sorted,
    /// Compact, the type first.
    Compact,
    /// As Python prints by default.
    Python,
}

/// The type of the first message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Greeting {
    /// `server_hello`.
    #[default]
    Hello,
    /// `server_connect`.
    Connect,
}

/// The field in it that names the sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Field {
    /// `sender`.
    #[default]
    Sender,
    /// `hostname`.
    Hostname,
}

/// The members in a `client_update`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Entries {
    /// Public keys.
    #[default]
    Plain,
    /// Objects with `client-id` and `public-key`.
    Dashed,
    /// Objects with `client_id` and `public_key`.
    Underscored,
}

/// How we spell our own address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Spelling {
    /// Host and port.
    #[default]
    Plain,
    /// With `ws://` before them.
    Ws,
    /// With `wss://` before them.
    Wss,
}

/// Whether a `client_update` says whose it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Updates {
    /// It does not; the socket says it.
    #[default]
    Nameless,
    /// Our address stands in `hostname`.
    Named,
}

/// In which shape letters are understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Letters {
    /// As their authors sent them.
    #[default]
    AsSent,
    /// With `data` as an object.
    Object,
    /// With `data` as a string: an object ends the program that needs this.
    Text,
}

/// What stands for a signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Signed {
    /// A signature.
    #[default]
    Rsa,
    /// Nothing: there is no envelope at all.
    None,
    /// The SHA-256 of the text, which anybody can make.
    Hash,
}

/// The accent of one neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Accent {
    /// How `data` stands in what we sign.
    pub data: Data,
    /// How we print it.
    pub printer: Printer,
    /// The type of the first message.
    pub greeting: Greeting,
    /// The field in it that names the sender.
    pub field: Field,
    /// The members in a `client_update`.
    pub entries: Entries,
    /// How we spell our own address.
    pub spelling: Spelling,
    /// Whether a `client_update` says whose it is.
    pub updates: Updates,
    /// In which shape letters are understood.
    pub letters: Letters,
    /// How many sockets there are between us.
    pub sockets: Sockets,
    /// What stands for a signature.
    pub signed: Signed,
}

/// What most programs accept.
const PLAIN: Accent = Accent {
    data: Data::Text,
    printer: Printer::Sorted,
    greeting: Greeting::Hello,
    field: Field::Sender,
    entries: Entries::Plain,
    spelling: Spelling::Plain,
    updates: Updates::Nameless,
    letters: Letters::AsSent,
    sockets: Sockets::Two,
    signed: Signed::Rsa,
};

/// Accents that have a name of their own: the short names of `docs/olaf-accents.md`.
const PRESETS: &[(&str, Accent)] = &[
    ("plain", PLAIN),
    ("ts", Accent::TS),
    ("tsc", Accent::TSC),
    ("frew", Accent::FREW),
    ("aeg", Accent::AEG),
    ("aeg0", Accent::AEG0),
    ("cam", Accent::CAM),
    ("kat", Accent::KAT),
    ("g17", Accent::G17),
    ("g8", Accent::G8),
];

/// Words that change one property each, in the order in which a name has them.
const WORDS: &[Word<Accent>] = &[
    ("string", |accent| accent.data = Data::Text),
    ("object", |accent| accent.data = Data::Object),
    ("sorted", |accent| accent.printer = Printer::Sorted),
    ("compact", |accent| accent.printer = Printer::Compact),
    ("python", |accent| accent.printer = Printer::Python),
    ("server_hello", |accent| accent.greeting = Greeting::Hello),
    ("server_connect", |accent| accent.greeting = Greeting::Connect),
    ("sender", |accent| accent.field = Field::Sender),
    ("hostname", |accent| accent.field = Field::Hostname),
    ("entries-plain", |accent| accent.entries = Entries::Plain),
    ("entries-client-id", |accent| accent.entries = Entries::Dashed),
    ("entries-client_id", |accent| accent.entries = Entries::Underscored),
    ("address-plain", |accent| accent.spelling = Spelling::Plain),
    ("address-ws", |accent| accent.spelling = Spelling::Ws),
    ("address-wss", |accent| accent.spelling = Spelling::Wss),
    ("update-plain", |accent| accent.updates = Updates::Nameless),
    ("update-hostname", |accent| accent.updates = Updates::Named),
    ("letters-as-sent", |accent| accent.letters = Letters::AsSent),
    ("letters-object", |accent| accent.letters = Letters::Object),
    ("letters-string", |accent| accent.letters = Letters::Text),
    ("sockets-one", |accent| accent.sockets = Sockets::One),
    ("sockets-two", |accent| accent.sockets = Sockets::Two),
    ("signed-rsa", |accent| accent.signed = Signed::Rsa),
    ("signed-none", |accent| accent.signed = Signed::None),
    ("signed-hash", |accent| accent.signed = Signed::Hash),
];

const NAMES: Vocabulary<Accent> = Vocabulary { presets: PRESETS, words: WORDS };

impl Default for Accent {
    fn default() -> Self {
        PLAIN
    }
}

impl Accent {
    pub(super) const TS: Self = Self { sockets: Sockets::One, ..PLAIN };
    pub(super) const TSC: Self = Self { data: Data::Object, ..Self::TS };
    pub(super) const FREW: Self = Self {
        data: Data::Object,
        greeting: Greeting::Connect,
        field: Field::Hostname,
        updates: Updates::Named,
        sockets: Sockets::One,
        ..PLAIN
    };
    pub(super) const AEG: Self = Self { entries: Entries::Dashed, letters: Letters::Text, ..PLAIN };
    pub(super) const AEG0: Self = Self {
        data: Data::Object,
        entries: Entries::Underscored,
        letters: Letters::Object,
        signed: Signed::None,
        ..PLAIN
    };
    pub(super) const CAM: Self = Self { printer: Printer::Python, letters: Letters::Object, ..PLAIN };
    pub(super) const KAT: Self =
        Self { data: Data::Object, printer: Printer::Python, spelling: Spelling::Ws, ..PLAIN };
    pub(super) const G17: Self = Self { data: Data::Object, printer: Printer::Python, ..PLAIN };
    pub(super) const G8: Self =
        Self { data: Data::Object, spelling: Spelling::Ws, signed: Signed::Hash, ..PLAIN };

    /// Reads a name.
    ///
    /// # Errors
    /// A part of it is neither a preset nor a word.
    pub fn parse(name: &str) -> Result<Self, UnknownAccent> {
        NAMES.parse(name)
    }

    /// The name of the preset that it is, or else the shortest one.
    #[must_use]
    pub fn name(&self) -> String {
        NAMES.name(*self)
    }
}

impl fmt::Display for Accent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name())
    }
}

/// Our own address in this spelling.
pub(super) fn spelled(address: &str, spelling: Spelling) -> Cow<'_, str> {
    let bare = address.split_once("://").map_or(address, |(_, rest)| rest).trim_end_matches('/');
    match spelling {
        Spelling::Plain => Cow::Borrowed(bare),
        Spelling::Ws => Cow::Owned(format!("ws://{bare}")),
        Spelling::Wss => Cow::Owned(format!("wss://{bare}")),
    }
}

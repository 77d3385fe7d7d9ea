//! How one implementation of SOCP deviates, as a value with a name.
//!
//! A name is a preset, or words joined by `+` that each change one property: `g56+link`, `key-pem+padded`.
//! The default is the text of the protocol taken literally, which is what a stranger hears. What all
//! implementations take, such as a welcome that says everything in every way, is no property here.

use std::fmt;

use super::{
    binary,
    envelope::Envelope,
    key::{KeyForm, Spelling},
    kind::Kind,
    payload::Introduction,
};
use crate::dialect::vocabulary::{UnknownAccent, Vocabulary, Word};

/// How servers are linked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LinkType {
    /// `SERVER_HELLO_JOIN`, answered with a welcome.
    #[default]
    Join,
    /// `SERVER_HELLO_LINK`.
    Link,
    /// `PEER_HELLO_LINK` of version 1.1. Who says this dies of an announcement.
    PeerLink,
}

impl LinkType {
    /// The type of the first message.
    #[must_use]
    pub const fn hello(self) -> Kind {
        match self {
            Self::Join => Kind::ServerHelloJoin,
            Self::Link => Kind::ServerHelloLink,
            Self::PeerLink => Kind::PeerHelloLink,
        }
    }
}

/// Who the sender of a public message is, between servers; and of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PublicFrom {
    /// The user who wrote it.
    #[default]
    User,
    /// Its server, with the user inside.
    Server,
}

/// Who the `clients` of a welcome are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Clients {
    /// Users.
    #[default]
    Users,
    /// Servers, each of which is dialled.
    Servers,
}

/// The accent of one partner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Accent {
    /// The container of public keys.
    pub key_form: KeyForm,
    /// Whether keys and signatures are padded.
    pub padding: bool,
    /// Whether signatures cover the SHA-256 of the text.
    pub prehash: bool,
    /// Whether the ids of servers begin with `server_` or `master_server_`.
    pub prefix: bool,
    /// How it is linked.
    pub link: LinkType,
    /// Who the sender of a public message is.
    pub public_from: PublicFrom,
    /// Who the `clients` of a welcome are.
    pub clients: Clients,
}

/// The text of the protocol, taken literally.
const TEXT: Accent = Accent {
    key_form: KeyForm::Der,
    padding: false,
    prehash: false,
    prefix: false,
    link: LinkType::Join,
    public_from: PublicFrom::User,
    clients: Clients::Users,
};

/// Accents that have a name of their own, by the people who speak them. Those who speak as the text has it
/// may be called by their names as well.
const PRESETS: &[(&str, Accent)] = &[
    ("text", TEXT),
    ("g2", Accent::G2),
    ("g56", Accent::G56),
    ("g45", Accent::G45),
    ("g17", TEXT),
    ("g29", TEXT),
    ("g40", Accent::G40),
    ("samlovat", TEXT),
    ("admiral", Accent::ADMIRAL),
    ("pezhy", Accent::PEZHY),
];

/// Words that change one property each, in the order in which a name has them.
const WORDS: &[Word<Accent>] = &[
    ("key-der", |accent| accent.key_form = KeyForm::Der),
    ("key-pem64", |accent| accent.key_form = KeyForm::Base64Pem),
    ("key-pem", |accent| accent.key_form = KeyForm::Pem),
    ("unpadded", |accent| accent.padding = false),
    ("padded", |accent| accent.padding = true),
    ("plain-hash", |accent| accent.prehash = false),
    ("prehash", |accent| accent.prehash = true),
    ("id-uuid", |accent| accent.prefix = false),
    ("id-prefix", |accent| accent.prefix = true),
    ("join", |accent| accent.link = LinkType::Join),
    ("link", |accent| accent.link = LinkType::Link),
    ("peer-link", |accent| accent.link = LinkType::PeerLink),
    ("public-user", |accent| accent.public_from = PublicFrom::User),
    ("public-server", |accent| accent.public_from = PublicFrom::Server),
    ("clients-users", |accent| accent.clients = Clients::Users),
    ("clients-servers", |accent| accent.clients = Clients::Servers),
];

const NAMES: Vocabulary<Accent> = Vocabulary { presets: PRESETS, words: WORDS };

impl Accent {
    pub(super) const G2: Self = Self { key_form: KeyForm::Pem, ..TEXT };
    pub(super) const G56: Self = Self { key_form: KeyForm::Base64Pem, ..TEXT };
    pub(super) const G45: Self = Self { prefix: true, public_from: PublicFrom::Server, ..TEXT };
    pub(super) const G40: Self =
        Self { key_form: KeyForm::Base64Pem, padding: true, clients: Clients::Servers, ..TEXT };
    pub(super) const ADMIRAL: Self = Self { link: LinkType::Link, ..TEXT };
    pub(super) const PEZHY: Self = Self { prehash: true, link: LinkType::PeerLink, ..TEXT };

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

    /// How a server that was linked before is dialled after so many failures. It has taken us in already; but
    /// every other time it is asked to do so again, because some do not take a link.
    #[must_use]
    pub const fn tried(self, failures: u32) -> Self {
        match self.link {
            // The loss of the link was the first one.
            LinkType::Join if failures == 0 || failures % 2 == 1 => Self { link: LinkType::Link, ..self },
            _ => self,
        }
    }

    /// How this partner spells keys.
    #[must_use]
    pub const fn spelling(&self) -> Spelling {
        Spelling { form: self.key_form, padded: self.padding }
    }

    /// The accent in which a first frame of a server or a user is written.
    #[must_use]
    pub fn recognise(first: &Envelope<'_>) -> Self {
        let introduction = Introduction::read(first.payload()).unwrap_or_default();
        let kind = first.known();
        let mut accent = TEXT;
        let pubkey = introduction.pubkey.as_deref();
        match pubkey {
            Some(key) => accent.key_form = Spelling::of(key).form,
            None if first.has_alg => accent.key_form = KeyForm::Pem,
            None => {}
        }
        let pads = |text: Option<&str>| text.is_some_and(binary::is_padded);
        accent.padding = accent.key_form != KeyForm::Pem && (pads(pubkey) || pads(first.sig.as_deref()));
        if accent.padding && accent.key_form == KeyForm::Base64Pem {
            accent.clients = Clients::Servers;
        }
        if kind.is_some_and(Kind::server_only) {
            accent.link = match kind {
                Some(Kind::ServerHelloLink) => LinkType::Link,
                Some(Kind::PeerHelloLink) => LinkType::PeerLink,
                _ => LinkType::Join,
            };
            accent.prehash = accent.link == LinkType::PeerLink;
            if has_prefix(&first.from) {
                accent.prefix = true;
                accent.public_from = PublicFrom::Server;
            }
        }
        accent
    }
}

/// Whether the id of a server is of the kind that says so.
#[must_use]
pub fn has_prefix(id: &str) -> bool {
    id.starts_with("server_") || id.starts_with("master_server_")
}

impl fmt::Display for Accent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name())
    }
}

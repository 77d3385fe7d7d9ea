//! Neighbours as an operator names them: one line of text, and the closed lists of names around it.
//!
//! A peer line is `URL [word=value ...]`, separated by spaces, in settings, on the command line and
//! in messages to people. What a key or an accent means is decided on floors above; here it is only
//! made sure that a line can be what it claims to be, and that it reads back as it was written.

use std::fmt;
use std::str::FromStr;

use super::address::Address;

/// Where a neighbour is reached, and what is known about it beforehand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PeerLine {
    /// Where it is dialled: `ws://` or `wss://`.
    pub url: String,
    /// The key it must prove: the fingerprint of a Kith server in 64 hexadecimal digits, or a public
    /// key as one line of base64.
    pub key: Option<String>,
    /// The protocol of the link, if it is not to be found out.
    pub dialect: Option<LinkDialect>,
    /// How the neighbour deviates from its protocol, if that is not to be found out.
    pub accent: Option<String>,
    /// What it calls itself in lists and letters, if not as the URL does.
    pub address: Option<String>,
    /// What people call it.
    pub name: Option<String>,
}

impl PeerLine {
    /// A neighbour of which nothing is known but its URL.
    #[must_use]
    pub fn new(url: &str) -> Self {
        let url = url.split_once("://").map_or_else(
            || url.to_owned(),
            |(scheme, rest)| format!("{}://{rest}", scheme.to_ascii_lowercase()),
        );
        Self { url, key: None, dialect: None, accent: None, address: None, name: None }
    }

    /// The address under which lists and letters know it.
    #[must_use]
    pub fn known_as(&self) -> Address {
        self.address.as_deref().map_or_else(|| self.door().0, Address::new)
    }

    /// The door behind the URL, and the path there: equal for two spellings of one URL.
    #[must_use]
    pub fn door(&self) -> (Address, &str) {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("ws", &self.url));
        let (authority, path) = split_authority(rest);
        // Only host and port: the rest of a URL could be mistaken for a spelling of an address.
        (Address::new(&format!("{scheme}://{authority}")), path.trim_end_matches('/'))
    }

    /// Whether every part is what it should be. A line that was read is; one that was put together
    /// from parts of other origin may not be, and then would not survive its text form.
    ///
    /// # Errors
    ///
    /// The first part that is not.
    pub fn check(&self) -> Result<(), PeerLineError> {
        check_url(&self.url)?;
        let words =
            [("key", &self.key), ("accent", &self.accent), ("address", &self.address), ("name", &self.name)];
        for (word, value) in words {
            let Some(value) = value else { continue };
            if value.is_empty() {
                return Err(PeerLineError::Empty(word));
            }
            if value.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
                return Err(PeerLineError::Blank(word));
            }
        }
        if self.key.as_deref().is_some_and(|key| !looks_like_key(key)) {
            return Err(PeerLineError::Key);
        }
        Ok(())
    }
}

impl FromStr for PeerLine {
    type Err = PeerLineError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split_whitespace();
        let mut line = Self::new(parts.next().ok_or(PeerLineError::Nothing)?);
        check_url(&line.url)?;
        let mut dialect = None;
        for part in parts {
            // Only the first one counts: base64 ends in them.
            let (word, value) =
                part.split_once('=').ok_or_else(|| PeerLineError::UnknownWord(part.to_owned()))?;
            let (known, place) = match word {
                "key" => ("key", &mut line.key),
                "dialect" => ("dialect", &mut dialect),
                "accent" => ("accent", &mut line.accent),
                "address" => ("address", &mut line.address),
                "name" => ("name", &mut line.name),
                _ => return Err(PeerLineError::UnknownWord(word.to_owned())),
            };
            if place.replace(value.to_owned()).is_some() {
                return Err(PeerLineError::Twice(known));
            }
        }
        line.dialect = dialect
            .map(|name| LinkDialect::from_name(&name).ok_or(PeerLineError::Dialect(name)))
            .transpose()?;
        line.check()?;
        Ok(line)
    }
}

impl fmt::Display for PeerLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.url)?;
        let words = [
            ("key", self.key.as_deref()),
            ("dialect", self.dialect.map(LinkDialect::name)),
            ("accent", self.accent.as_deref()),
            ("address", self.address.as_deref()),
            ("name", self.name.as_deref()),
        ];
        for (word, value) in words {
            if let Some(value) = value {
                write!(out, " {word}={value}")?;
            }
        }
        Ok(())
    }
}

/// Why a text is no peer line. A URL is never repeated, because a secret may stand in it by mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerLineError {
    /// There is nothing in it.
    Nothing,
    /// It begins with something else.
    Scheme,
    /// No host, or one that cannot be.
    Host,
    /// A port that cannot be.
    Port,
    /// A user name or password, which no neighbour asks for.
    UserInfo,
    /// A fragment, which is never sent.
    Fragment,
    /// A letter that must be written in another way inside a URL.
    Letter,
    /// A word that means nothing here.
    UnknownWord(String),
    /// A word that was said already.
    Twice(&'static str),
    /// A word without a value.
    Empty(&'static str),
    /// A value that would fall apart.
    Blank(&'static str),
    /// No key at all.
    Key,
    /// A link speaks something else.
    Dialect(String),
}

impl fmt::Display for PeerLineError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => out.write_str("a neighbour needs a URL"),
            Self::Scheme => out.write_str("the URL must begin with ws:// or wss://"),
            Self::Host => out.write_str("the URL names no usable host"),
            Self::Port => out.write_str("the port in the URL must be a number from 1 to 65535"),
            Self::UserInfo => out.write_str("the URL may not hold a user name or password"),
            Self::Fragment => out.write_str("the URL may not hold a fragment (#)"),
            Self::Letter => out.write_str("the URL holds a letter that must be percent-encoded"),
            Self::UnknownWord(word) => {
                write!(out, "unknown word {word:?}; known are key=, dialect=, accent=, address= and name=")
            }
            Self::Twice(word) => write!(out, "{word}= stands there twice"),
            Self::Empty(word) => write!(out, "{word}= has no value"),
            Self::Blank(word) => write!(out, "{word} may hold no spaces and no control characters"),
            Self::Key => out.write_str(
                "key is neither a fingerprint of 64 hexadecimal digits nor a public key in base64",
            ),
            Self::Dialect(name) => {
                let known = LinkDialect::ALL.map(LinkDialect::name).join(" or ");
                write!(out, "{name:?} is no dialect of a link; choose {known}")
            }
        }
    }
}

impl std::error::Error for PeerLineError {}

/// Host and port, and what comes after them.
fn split_authority(rest: &str) -> (&str, &str) {
    rest.find(['/', '?']).map_or((rest, ""), |end| rest.split_at(end))
}

fn check_url(url: &str) -> Result<(), PeerLineError> {
    let rest = url.strip_prefix("ws://").or_else(|| url.strip_prefix("wss://"));
    let rest = rest.ok_or(PeerLineError::Scheme)?;
    if rest.contains('#') {
        return Err(PeerLineError::Fragment);
    }
    let (authority, _) = split_authority(rest);
    if authority.contains('@') {
        return Err(PeerLineError::UserInfo);
    }
    let (host_is_fine, port) = match authority.strip_prefix('[') {
        Some(inside) => {
            let (host, port) = inside.split_once(']').ok_or(PeerLineError::Host)?;
            (looks_like_ipv6(host), port)
        }
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            (looks_like_name(host), port)
        }
    };
    if !host_is_fine {
        return Err(PeerLineError::Host);
    }
    if !port.is_empty() {
        let number = port.strip_prefix(':').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let number = number.and_then(|digits| digits.parse::<u16>().ok());
        number.filter(|number| *number > 0).ok_or(PeerLineError::Port)?;
    }
    let strange = |byte: u8| !byte.is_ascii_graphic() || b"\"<>\\^`{|}".contains(&byte);
    if url.bytes().any(strange) { Err(PeerLineError::Letter) } else { Ok(()) }
}

/// A name or an IPv4 address. Whether it exists is found out by dialling it.
fn looks_like_name(host: &str) -> bool {
    host.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

fn looks_like_ipv6(host: &str) -> bool {
    host.matches(':').count() > 1
        && host.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))
}

fn looks_like_key(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let base64 = text.trim_end_matches('=');
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    // The shortest public key in use has 44 letters. What is all hexadecimal digits and of another
    // length is a fingerprint that was copied badly.
    let key = text.len() >= 44 && !digits(base64) && base64.bytes().all(letter);
    key || (text.len() == 64 && digits(text))
}

/// A protocol between two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkDialect {
    /// Our own: both sides prove their key, presence travels as changes.
    Kith,
    /// OLAF / Neighbourhood, as everybody else speaks it.
    Olaf,
    /// SOCP v1.3.
    Socp,
}

impl LinkDialect {
    /// Every dialect of a link.
    pub const ALL: [Self; 3] = [Self::Kith, Self::Olaf, Self::Socp];

    /// The name used in settings, the store and the admin API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kith => "kith",
            Self::Olaf => "olaf",
            Self::Socp => "socp",
        }
    }

    /// The dialect of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }
}

impl fmt::Display for LinkDialect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// How we came to know a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// It stands in the settings.
    Settings,
    /// Somebody added it while the server ran.
    Api,
    /// A trusted neighbour named it.
    Introduced,
    /// It came to us.
    Inbound,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 4] = [Self::Settings, Self::Api, Self::Introduced, Self::Inbound];

    /// The name used in the store and the admin API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Api => "api",
            Self::Introduced => "introduced",
            Self::Inbound => "inbound",
        }
    }

    /// The source of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// How sure we are that a neighbour is who it says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trust {
    /// It proved the key that an operator named.
    Pinned,
    /// It proved the key that it showed at first contact.
    Tofu,
    /// It cannot prove anything, and has fewer rights.
    Legacy,
}

impl Trust {
    /// Every level, the surest first.
    pub const ALL: [Self; 3] = [Self::Pinned, Self::Tofu, Self::Legacy];

    /// The name used in the admin API and the metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::Tofu => "tofu",
            Self::Legacy => "legacy",
        }
    }

    /// The level of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trust| trust.name() == name)
    }
}

impl fmt::Display for Trust {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

#[cfg(test)]
#[path = "peer_tests.rs"]
mod tests;

//! Whom a ban is about, and how that is written.

use core::net::IpAddr;
use std::fmt;

use ipnet::IpNet;

use crate::domain::{address::Address, id::KeyId, nick::Folded};

/// The longest name or address that is taken, in bytes. Names of members are far shorter.
const LONGEST: usize = 255;
/// What one stranger controls of IPv6, as in `domain/admission`.
const STRANGER_V6: u8 = 64;
/// The widest networks that the list of a neighbour may shut out, of IPv4 and of IPv6.
const WIDEST_LISTED: (u8, u8) = (16, 32);

/// Whom a ban is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Members with this key, whatever they are called.
    Key(KeyId),
    /// Members of this name, whatever their key.
    Name(Folded),
    /// Whoever connects from this network.
    Address(IpNet),
    /// A server.
    Server(Server),
}

/// What a server is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Server {
    /// Its key.
    Key(KeyId),
    /// Its address: the one that it names, or at which it is dialled.
    Address(Address),
}

/// Why a text is no target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetError {
    /// There is no such kind.
    Kind,
    /// It is no fingerprint.
    Key,
    /// It is no name.
    Name,
    /// It is no IP address or network.
    Address,
    /// It is neither a fingerprint nor an address of a server.
    Server,
}

impl fmt::Display for TargetError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Kind => "a ban is about a key, a name, an address or a server",
            Self::Key => "key must be a fingerprint of 64 hexadecimal digits, or a public key",
            Self::Name => "name must have 1 to 255 bytes and no control characters",
            Self::Address => "address must be an IP address, or a network as in 10.1.0.0/16",
            Self::Server => "server must be a fingerprint of 64 hexadecimal digits, or host:port",
        })
    }
}

impl std::error::Error for TargetError {}

impl Target {
    /// The kinds, as they are written.
    pub const KINDS: [&'static str; 4] = ["key", "name", "address", "server"];

    /// Reads what [`Target::kind`] and [`Target::value`] wrote, and what people write.
    ///
    /// # Errors
    /// It means nothing.
    pub fn read(kind: &str, value: &str) -> Result<Self, TargetError> {
        let value = value.trim();
        match kind {
            "key" => KeyId::from_hex(value).map(Self::Key).ok_or(TargetError::Key),
            "name" if is_text(value) => {
                let folded = Folded::new(value);
                is_text(folded.as_str()).then_some(Self::Name(folded)).ok_or(TargetError::Name)
            }
            "name" => Err(TargetError::Name),
            "address" => network(value).map(Self::Address).ok_or(TargetError::Address),
            "server" => match KeyId::from_hex(value) {
                Some(key) => Ok(Self::Server(Server::Key(key))),
                None if is_text(value) && !value.contains(char::is_whitespace) => {
                    Ok(Self::Server(Server::Address(Address::new(value))))
                }
                None => Err(TargetError::Server),
            },
            _ => Err(TargetError::Kind),
        }
    }

    /// The name of its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Name(_) => "name",
            Self::Address(_) => "address",
            Self::Server(_) => "server",
        }
    }

    /// What stands behind the kind.
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            Self::Key(key) | Self::Server(Server::Key(key)) => key.hex(),
            Self::Name(name) => name.to_string(),
            Self::Address(network) if network.prefix_len() == network.max_prefix_len() => {
                match network.addr() {
                    address @ IpAddr::V4(_) => address.to_string(),
                    // Without its length it would be read as the network around it.
                    IpAddr::V6(_) => network.to_string(),
                }
            }
            Self::Address(network) => network.to_string(),
            Self::Server(Server::Address(address)) => address.as_str().to_owned(),
        }
    }

    /// Whether the list of a neighbour may say so: nobody else closes our doors to half the world.
    #[must_use]
    pub fn may_be_listed(&self) -> bool {
        match self {
            Self::Address(IpNet::V4(network)) => network.prefix_len() >= WIDEST_LISTED.0,
            Self::Address(IpNet::V6(network)) => network.prefix_len() >= WIDEST_LISTED.1,
            Self::Key(_) | Self::Name(_) | Self::Server(_) => true,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.kind(), self.value())
    }
}

fn is_text(value: &str) -> bool {
    (1..=LONGEST).contains(&value.len()) && !value.contains(char::is_control)
}

/// A network in its shortest form. One IPv6 address means the network that its owner chooses from.
fn network(value: &str) -> Option<IpNet> {
    if let Ok(address) = value.parse::<IpAddr>() {
        let address = address.to_canonical();
        let length = if address.is_ipv4() { 32 } else { STRANGER_V6 };
        return IpNet::new(address, length).ok().map(|network| network.trunc());
    }
    let network = value.parse::<IpNet>().ok()?.trunc();
    match (network.addr().to_canonical(), network.prefix_len().checked_sub(96)) {
        // IPv4 in IPv6 clothes is IPv4.
        (address @ IpAddr::V4(_), Some(length)) if network.addr().is_ipv6() => {
            IpNet::new(address, length).ok()
        }
        _ => Some(network),
    }
}

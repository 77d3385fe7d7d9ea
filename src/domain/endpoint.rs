//! Where somebody can be dialled: an IP address and a port, in the one spelling in which they are compared.
//!
//! The first clients of the rendezvous find themselves in a list by comparing texts, so what is printed must be,
//! letter for letter, what was registered. That is why other spellings of the same address are refused here and
//! not mended.

use core::net::{IpAddr, SocketAddr};
use std::{fmt, str::FromStr};

/// An IP address with a port that is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint(SocketAddr);

/// The text names no place that could be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointError;

impl fmt::Display for EndpointError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an address is written ip:port, or [ip]:port for IPv6, without leading zeros")
    }
}

impl std::error::Error for EndpointError {}

impl Endpoint {
    /// This address, if its port can be dialled. An IPv4 address inside an IPv6 one is the former.
    #[must_use]
    pub fn new(ip: IpAddr, port: u16) -> Option<Self> {
        (port != 0).then(|| Self(SocketAddr::new(ip.to_canonical(), port)))
    }

    /// The address without its port.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.0.ip()
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// Whether it fits into a list of the first kind, whose readers split at the first colon.
    #[must_use]
    pub fn is_v4(&self) -> bool {
        self.0.is_ipv4()
    }

    /// What sockets are opened with.
    #[must_use]
    pub fn socket(&self) -> SocketAddr {
        self.0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let socket: SocketAddr = text.parse().map_err(|_| EndpointError)?;
        let found = Self::new(socket.ip(), socket.port()).ok_or(EndpointError)?;
        match socket {
            SocketAddr::V4(_) if found.to_string() != text => Err(EndpointError),
            // A scope means something to one host alone.
            SocketAddr::V6(v6) if v6.scope_id() != 0 => Err(EndpointError),
            _ => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn what_is_read_is_printed_alike() {
        for text in ["127.0.0.1:50000", "192.0.2.255:1", "[2001:db8::1]:65535", "[::1]:8888"] {
            assert_eq!(text.parse::<Endpoint>().map(|found| found.to_string()), Ok(text.to_owned()));
        }
        let inside: Endpoint = "[::ffff:192.0.2.1]:80".parse().unwrap();
        assert_eq!(inside.to_string(), "192.0.2.1:80");
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "127.0.0.1",
            "127.0.0.1:",
            "127.0.0.1:0",
            "127.0.0.1:080",
            "127.0.0.1:65536",
            "127.0.0.01:80",
            "127.0.0.1:80 ",
            "localhost:80",
            "::1:80",
            "[fe80::1%3]:80",
            "[::1]",
            "127.0.0.1:50000127.0.0.1:9",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}

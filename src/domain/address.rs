//! Names of home servers, compared the way people mean them.
//!
//! Implementations write the same server as `host:port`, `ws://host:port/`, `hostname/ip:port` or
//! `localhost`. Two spellings that mean one door are equal here; the spelling itself is not kept.

/// A server address in the form in which addresses are compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(String);

impl Address {
    /// Reads any of the spellings found in the world. An address that names nothing stays unequal to
    /// every real one, so there is no error to handle.
    #[must_use]
    pub fn new(spelling: &str) -> Self {
        let text = spelling.trim().to_ascii_lowercase();
        let (rest, default_port) = match text.split_once("://") {
            Some(("wss" | "https", rest)) => (rest, "443"),
            Some((_, rest)) => (rest, "80"),
            None => (text.as_str(), "80"),
        };
        let rest = rest.trim_end_matches('/');
        // Java prints "hostname/ip:port"; a path, on the other hand, has no port behind its slash.
        let authority = match rest.split_once('/') {
            Some((_, behind)) if has_port(behind) && !behind.contains('/') => behind,
            Some((before, _)) => before,
            None => rest,
        };
        let authority = authority.trim();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if is_port(port) && !is_bare_ipv6(authority) => (host, port),
            _ => (authority, default_port),
        };
        let host = host
            .trim_start_matches(|letter: char| letter == '[' || letter.is_whitespace())
            .trim_end_matches(|letter: char| letter == ']' || letter.is_whitespace());
        Self(match host {
            "localhost" | "::1" => format!("127.0.0.1:{port}"),
            // Without brackets nobody could tell the last group from a port.
            host if host.contains(':') => format!("[{host}]:{port}"),
            host => format!("{host}:{port}"),
        })
    }

    /// The normal spelling, `host:port`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn has_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(_, port)| is_port(port))
}

fn is_bare_ipv6(text: &str) -> bool {
    !text.starts_with('[') && text.matches(':').count() > 1
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn spellings_of_one_door_are_equal() {
        let door = Address::new("127.0.0.1:9002");
        for spelling in [
            "ws://127.0.0.1:9002",
            "WS://127.0.0.1:9002/",
            "localhost:9002",
            "vm/127.0.0.1:9002",
            " http://localhost:9002/chat ",
            "[::1]:9002",
        ] {
            assert_eq!(Address::new(spelling), door, "{spelling}");
        }
    }

    #[test]
    fn a_missing_port_is_the_default_of_the_scheme() {
        assert_eq!(Address::new("example.org").as_str(), "example.org:80");
        assert_eq!(Address::new("wss://example.org").as_str(), "example.org:443");
        assert_eq!(Address::new("2001:db8::1").as_str(), "[2001:db8::1]:80");
        assert_eq!(Address::new("[2001:db8::1]:80"), Address::new("2001:db8::1"));
        assert_ne!(Address::new(""), Address::new("127.0.0.1:80"));
    }
}

//! What somebody says who has dialled: `Hello from:` and an address, without an end.

use crate::domain::endpoint::Endpoint;

/// How a hello begins.
const HEAD: &str = "Hello from:";
/// Longer than any hello: an IPv6 address in brackets has at most 41 bytes, its port six.
const MOST: usize = 64;

/// Prints the hello of somebody who listens there. As in the first clients, nothing ends it.
#[must_use]
pub fn print(from: Endpoint) -> String {
    format!("{HEAD}{from}")
}

/// What came of the first bytes of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Greeted {
    /// A hello, and the bytes behind it. Those belong to whatever is said next; the LF of a line of newer programs,
    /// or the NUL that ended the hello, is not among them.
    Hello(Endpoint, Vec<u8>),
    /// No hello.
    Nonsense(Vec<u8>),
}

/// Reads one hello.
#[derive(Debug, Default)]
pub struct FromDialler(Vec<u8>);

impl FromDialler {
    /// Takes bytes, however they are cut. Once something came of them, the reader has done its work.
    pub fn push(&mut self, bytes: &[u8]) -> Option<Greeted> {
        self.0.extend_from_slice(bytes);
        let known = self.0.len().min(HEAD.len());
        if self.0.get(..known) != HEAD.as_bytes().get(..known) {
            return Some(Greeted::Nonsense(std::mem::take(&mut self.0)));
        }
        let rest = self.0.get(HEAD.len()..)?;
        if rest.iter().any(|byte| !is_of_an_address(*byte)) || rest.len() > MOST {
            return self.end();
        }
        None
    }

    /// Nothing came for [`super::LIST_QUIET`], or nothing will come any more.
    pub fn end(&mut self) -> Option<Greeted> {
        let all = std::mem::take(&mut self.0);
        if all.is_empty() {
            return None;
        }
        let hello = all.strip_prefix(HEAD.as_bytes()).and_then(|rest| {
            let length = rest.iter().position(|byte| !is_of_an_address(*byte)).unwrap_or(rest.len());
            let (address, behind) = rest.split_at_checked(length)?;
            let at = std::str::from_utf8(address).ok()?.parse().ok()?;
            let behind = match behind.split_first() {
                Some((b'\n' | 0, behind)) => behind,
                _ => behind,
            };
            Some(Greeted::Hello(at, behind.to_vec()))
        });
        Some(hello.unwrap_or(Greeted::Nonsense(all)))
    }

    /// Whether bytes wait that silence would complete.
    #[must_use]
    pub fn waits_for_quiet(&self) -> bool {
        self.0.len() > HEAD.len()
    }
}

/// A line of newer programs begins with a letter that is none of these, so one may follow at once.
fn is_of_an_address(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':' | b'[' | b']')
}

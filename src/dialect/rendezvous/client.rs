//! What clients send, as a server reads it: registrations without an end, and lines.
//!
//! A registration is whole at LF, at NUL, when the client closes, or when nothing came for a moment. A line of newer
//! programs is whole at LF alone, so that a slow network cuts none.

use super::{KITH, LINE_BYTES, REGISTRATION_BYTES, line::Line};
use crate::domain::endpoint::Endpoint;

/// One thing that a client said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It listens there.
    Registration {
        /// Where.
        at: Endpoint,
        /// How the text ended.
        ended: Ended,
    },
    /// A line of newer programs.
    Line(Line),
    /// A line that is none of those, from which a later program may be known.
    Unknown,
    /// Something that means nothing.
    Nonsense,
}

/// How a registration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By LF: it is none of the first clients, which would have to be spared some things.
    Line,
    /// By a zero byte.
    Nul,
    /// Nothing came any more.
    Quiet,
    /// The client closed its side.
    Closed,
}

/// Reads what one client sends.
#[derive(Debug, Default)]
pub struct FromClient {
    text: Vec<u8>,
    is_overlong: bool,
}

impl FromClient {
    /// Takes bytes, however they are cut.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<Said>) {
        for byte in bytes {
            match byte {
                b'\n' => self.finish(Ended::Line, out),
                0 => self.finish(Ended::Nul, out),
                byte => self.keep(*byte),
            }
        }
    }

    /// Nothing came for [`super::REGISTRATION_QUIET`].
    pub fn quiet(&mut self, out: &mut Vec<Said>) {
        if self.waits_for_quiet() {
            self.finish(Ended::Quiet, out);
        }
    }

    /// Nothing will come any more.
    pub fn end(&mut self, out: &mut Vec<Said>) {
        self.finish(Ended::Closed, out);
    }

    /// Whether silence would mean something now.
    #[must_use]
    pub fn waits_for_quiet(&self) -> bool {
        let is_line = self.text.starts_with(KITH.as_bytes()) || KITH.as_bytes().starts_with(&self.text);
        !self.text.is_empty() && !is_line
    }

    fn keep(&mut self, byte: u8) {
        let most = if self.text.starts_with(KITH.as_bytes()) { LINE_BYTES } else { REGISTRATION_BYTES };
        if self.text.len() < most {
            self.text.push(byte);
        } else {
            self.is_overlong = true;
        }
    }

    fn finish(&mut self, ended: Ended, out: &mut Vec<Said>) {
        let (text, is_overlong) = (std::mem::take(&mut self.text), std::mem::take(&mut self.is_overlong));
        let text = text.trim_ascii();
        if text.is_empty() {
            return;
        }
        let text = std::str::from_utf8(text).ok().filter(|_| !is_overlong);
        out.push(match text {
            // What was cut off by the end of the connection was not said.
            Some(line) if line.starts_with(KITH) && ended != Ended::Closed => {
                line.parse().map_or(Said::Unknown, Said::Line)
            }
            Some(text) => text.parse().map_or(Said::Nonsense, |at| Said::Registration { at, ended }),
            None => Said::Nonsense,
        });
    }
}

//! What servers send, as a client reads it: lists in any of their spellings, the two words, and lines.
//!
//! A list begins at `list:`, wherever that stands, and ends where the next one begins, at NUL, at anything that is
//! no entry of it but has a meaning of its own, or when nothing came for a moment.

use std::collections::HashSet;

use super::{FULL, KITH, LINE_BYTES, LIST, LIST_BYTES, MEMBERS, TEARDOWN, line::Line};
use crate::domain::{directory::listed::Directory, endpoint::Endpoint};

/// Longer than any word that means something.
const WORD_BYTES: usize = 64;

/// One thing that a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A list, in its order, each entry once. What names no place is left out.
    List(Vec<Endpoint>),
    /// A directory in the new form, whole.
    Directory(Directory),
    /// The end, on purpose.
    Teardown,
    /// There is no room.
    Full,
    /// Any other line of a newer server.
    Line(Line),
    /// A line that means nothing here, or a directory that was not whole.
    Unknown,
}

/// Reads what one server sends.
#[derive(Debug, Default)]
pub struct FromServer {
    /// The word that is being read, or the end of one that is too long.
    word: Vec<u8>,
    is_long: bool,
    /// The line that is being read, behind its first word.
    line: Option<Vec<u8>>,
    list: Option<List>,
    directory: Option<(Directory, usize)>,
}

/// A list that has not ended.
#[derive(Debug, Default)]
struct List {
    entries: Vec<Endpoint>,
    known: HashSet<Endpoint>,
    bytes: usize,
}

impl FromServer {
    /// Takes bytes, however they are cut.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<Heard>) {
        for byte in bytes {
            match &mut self.line {
                Some(line) if *byte != b'\n' => {
                    // One byte more than is read tells that there were too many.
                    if line.len() <= LINE_BYTES {
                        line.push(*byte);
                    }
                }
                Some(_) => self.end_line(out),
                None => self.take(*byte, out),
            }
        }
    }

    /// Nothing came for [`super::LIST_QUIET`].
    pub fn quiet(&mut self, out: &mut Vec<Heard>) {
        if self.line.is_none() {
            // The head of a line may be cut as everything may.
            if !KITH.as_bytes().starts_with(&self.word) {
                self.end_word(out);
            }
            self.end_list(out);
        }
    }

    /// Nothing will come any more.
    pub fn end(&mut self, out: &mut Vec<Heard>) {
        self.line = None;
        self.end_word(out);
        self.end_list(out);
    }

    /// Whether silence would mean something now.
    #[must_use]
    pub fn waits_for_quiet(&self) -> bool {
        self.line.is_none() && (self.list.is_some() || !self.word.is_empty())
    }

    fn take(&mut self, byte: u8, out: &mut Vec<Heard>) {
        if let Some(list) = &mut self.list {
            list.bytes = list.bytes.saturating_add(1);
        }
        match byte {
            b' ' | b'\n' if self.word == KITH.as_bytes() => {
                self.word.clear();
                self.end_list(out);
                self.line = Some(Vec::new());
                if byte == b'\n' {
                    self.end_line(out);
                }
            }
            b'\n' | b'\r' | b' ' | b'\t' | b',' => self.end_word(out),
            0 => {
                self.end_word(out);
                self.end_list(out);
            }
            byte => self.keep(byte, out),
        }
    }

    fn keep(&mut self, byte: u8, out: &mut Vec<Heard>) {
        if self.word.len() >= WORD_BYTES {
            self.word.remove(0);
            self.is_long = true;
        }
        self.word.push(byte);
        // The form without an end in the last line has the next list right behind an entry.
        if let Some(before) = self.word.strip_suffix(LIST.as_bytes()) {
            self.word.truncate(before.len());
            self.end_word(out);
            self.end_list(out);
            self.list = Some(List::default());
        }
    }

    fn end_word(&mut self, out: &mut Vec<Heard>) {
        let (word, is_long) = (std::mem::take(&mut self.word), std::mem::take(&mut self.is_long));
        if word.is_empty() || is_long {
            return;
        }
        let told = [(TEARDOWN, Heard::Teardown), (FULL, Heard::Full)];
        if let Some((_, heard)) = told.into_iter().find(|(text, _)| text.as_bytes() == word) {
            self.end_list(out);
            out.push(heard);
        } else if let Some(list) = self.list.as_mut().filter(|list| list.bytes <= LIST_BYTES) {
            let entry = std::str::from_utf8(&word).ok().and_then(|text| text.parse().ok());
            let entry = entry.filter(|entry| list.known.insert(*entry));
            list.entries.extend(entry);
        }
    }

    fn end_list(&mut self, out: &mut Vec<Heard>) {
        out.extend(self.list.take().map(|list| Heard::List(list.entries)));
    }

    fn end_line(&mut self, out: &mut Vec<Heard>) {
        let Some(line) = self.line.take() else { return };
        let text = std::str::from_utf8(&line).ok().filter(|_| line.len() <= LINE_BYTES);
        let line = text.and_then(|text| format!("{KITH} {text}").parse().ok());
        out.extend(match line {
            Some(Line::Directory { epoch, version, members }) => {
                let is_cut = self.directory.take().is_some();
                let members = usize::try_from(members).unwrap_or(usize::MAX);
                self.directory = Some((Directory { epoch, version, members: Vec::new() }, members));
                is_cut.then_some(Heard::Unknown)
            }
            Some(Line::Member(listed)) => {
                let directory = self.directory.as_mut();
                if let Some((directory, _)) =
                    directory.filter(|(directory, _)| directory.members.len() < MEMBERS)
                {
                    directory.members.push(listed);
                }
                None
            }
            Some(Line::End { version }) => Some(self.end_directory(version)),
            Some(line) => Some(Heard::Line(line)),
            None => Some(Heard::Unknown),
        });
    }

    fn end_directory(&mut self, version: u64) -> Heard {
        match self.directory.take() {
            Some((directory, members))
                if directory.version == version && directory.members.len() == members.min(MEMBERS) =>
            {
                Heard::Directory(directory)
            }
            _ => Heard::Unknown,
        }
    }
}

//! The texts of a payload that people signed.
//!
//! The protocol says "keys sorted, no insignificant white space" and no more. So Python signs ASCII with
//! escapes, others raw UTF-8, JavaScript what it received or printed itself; and some of those who sort in
//! JavaScript lose every nested key that is not a key outside, too. Numbers are kept as they are written,
//! because no two languages print them alike.

use std::{borrow::Cow, cmp::Ordering, fmt::Write as _};

use serde::de::IgnoredAny;

use super::Malformed;

/// Deeper payloads are refused: as deep as the parser of everything else goes.
const DEEPEST: usize = 128;

/// How a payload is printed for a signature, the likeliest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Keys in order, everything but ASCII escaped: Python's default, and what we print.
    #[default]
    SortedAscii,
    /// Keys in order, text as it is.
    SortedUtf8,
    /// Exactly as it was received.
    Received,
    /// In the order in which it was received, compact: printed again by JavaScript.
    Compact,
    /// With the keys of the outermost object in order, and only those in all objects inside of it:
    /// JavaScript with a list of keys, by people who meant [`Form::SortedUtf8`].
    Trap,
}

impl Form {
    /// All of them, the likeliest first.
    pub const ALL: [Self; 5] =
        [Self::SortedAscii, Self::SortedUtf8, Self::Received, Self::Compact, Self::Trap];
}

/// A payload whose texts can be printed.
#[derive(Debug)]
pub struct Payload<'a> {
    text: &'a str,
    root: Node<'a>,
}

/// A value. Numbers and the three words stay as they are written.
#[derive(Debug)]
enum Node<'a> {
    Plain(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    /// In order of first appearance; no key comes twice.
    Object(Vec<(Cow<'a, str>, Self)>),
}

impl<'a> Payload<'a> {
    /// Reads a payload. Of keys that come twice, the last one counts.
    ///
    /// # Errors
    /// It is no JSON, it is too deep, or it holds half a surrogate.
    pub fn read(text: &'a str) -> Result<Self, Malformed> {
        let mut reader = Reader { rest: text };
        let root = reader.value(DEEPEST)?;
        reader.skip_space();
        if reader.rest.is_empty() { Ok(Self { text, root }) } else { Err(Malformed) }
    }

    /// The same payload without some of its own fields; as it was received, it never was.
    pub(super) fn drop_fields(&mut self, fields: &[&str]) {
        if let Node::Object(entries) = &mut self.root {
            entries.retain(|(key, _)| !fields.contains(&&**key));
        }
    }

    /// Its text in one form.
    #[must_use]
    pub fn print(&self, form: Form) -> String {
        let mut out = String::with_capacity(self.text.len());
        match form {
            Form::SortedAscii => print(&self.root, Keys::Sorted, true, &mut out),
            Form::SortedUtf8 => print(&self.root, Keys::Sorted, false, &mut out),
            Form::Received => out.push_str(self.text),
            Form::Compact => print(&self.root, Keys::Received, false, &mut out),
            Form::Trap => {
                let mut kept: Vec<&str> = match &self.root {
                    Node::Object(entries) => entries.iter().map(|(key, _)| &**key).collect(),
                    _ => Vec::new(),
                };
                kept.sort_by(|one, other| by_unit(one, other));
                print(&self.root, Keys::Only(&kept), false, &mut out);
            }
        }
        out
    }
}

/// The text of a payload in our own form.
///
/// # Errors
/// It is no payload.
pub fn canonical(text: &str) -> Result<String, Malformed> {
    Payload::read(text).map(|payload| payload.print(Form::SortedAscii))
}

/// Writes a text between quotation marks, with everything escaped that is not printable ASCII.
pub(super) fn quote(text: &str, out: &mut String) {
    print_text(text, true, out);
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Steps over this sign, if it comes next.
    fn eat(&mut self, sign: char) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, sign: char) -> Result<(), Malformed> {
        if self.eat(sign) { Ok(()) } else { Err(Malformed) }
    }

    /// Steps over so many bytes and hands them out.
    fn take(&mut self, bytes: usize) -> Result<&'a str, Malformed> {
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    fn value(&mut self, depth: usize) -> Result<Node<'a>, Malformed> {
        let inside = depth.checked_sub(1).ok_or(Malformed)?;
        self.skip_space();
        match self.rest.as_bytes().first() {
            Some(b'{') => self.object(inside),
            Some(b'[') => self.list(inside),
            Some(b'"') => self.text().map(Node::Text),
            Some(_) => self.plain(),
            None => Err(Malformed),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Node<'a>, Malformed> {
        self.expect('{')?;
        let mut entries = Vec::new();
        if !self.eat('}') {
            loop {
                self.skip_space();
                let key = self.text()?;
                self.expect(':')?;
                entries.push((key, self.value(depth)?));
                if self.eat('}') {
                    break;
                }
                self.expect(',')?;
            }
        }
        Ok(Node::Object(last_wins(entries)))
    }

    fn list(&mut self, depth: usize) -> Result<Node<'a>, Malformed> {
        self.expect('[')?;
        let mut items = Vec::new();
        if !self.eat(']') {
            loop {
                items.push(self.value(depth)?);
                if self.eat(']') {
                    break;
                }
                self.expect(',')?;
            }
        }
        Ok(Node::List(items))
    }

    fn text(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let inside = self.rest.strip_prefix('"').ok_or(Malformed)?;
        let mut escaped = false;
        let mut plain = true;
        let end = inside.bytes().position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            plain &= ends || (byte >= b' ' && byte != b'\\');
            ends
        });
        let token = self.take(end.ok_or(Malformed)? + 2)?;
        if plain {
            let inside = token.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
            return inside.map(Cow::Borrowed).ok_or(Malformed);
        }
        serde_json::from_str(token).map(Cow::Owned).map_err(|_| Malformed)
    }

    /// A number, or one of the three words.
    fn plain(&mut self) -> Result<Node<'a>, Malformed> {
        let within = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.');
        let end = self.rest.find(|letter| !within(letter)).unwrap_or(self.rest.len());
        let token = self.take(end)?;
        serde_json::from_str::<IgnoredAny>(token).map_err(|_| Malformed)?;
        Ok(Node::Plain(token))
    }
}

/// Of entries with the same key, the place of the first with the value of the last: so do Python and
/// JavaScript.
fn last_wins<'a>(entries: Vec<(Cow<'a, str>, Node<'a>)>) -> Vec<(Cow<'a, str>, Node<'a>)> {
    let mut order: Vec<(&str, usize)> =
        entries.iter().enumerate().map(|(at, (key, _))| (&**key, at)).collect();
    order.sort_unstable();
    let is_twice = |pair: &[(&str, usize)]| matches!(pair, [(one, _), (other, _)] if one == other);
    if !order.windows(2).any(is_twice) {
        return entries;
    }
    let mut place: Vec<usize> = (0..entries.len()).collect();
    let mut first = None;
    for (key, at) in order {
        match first {
            Some((known, start)) if known == key => {
                if let Some(place) = place.get_mut(at) {
                    *place = start;
                }
            }
            _ => first = Some((key, at)),
        }
    }
    let mut kept: Vec<Option<(Cow<'a, str>, Node<'a>)>> = Vec::new();
    kept.resize_with(entries.len(), || None);
    for (entry, at) in entries.into_iter().zip(place) {
        if let Some(slot) = kept.get_mut(at) {
            *slot = Some(entry);
        }
    }
    kept.into_iter().flatten().collect()
}

/// Which keys of an object are printed, and in which order.
#[derive(Clone, Copy)]
enum Keys<'a> {
    Received,
    Sorted,
    Only(&'a [&'a str]),
}

fn print(node: &Node<'_>, keys: Keys<'_>, ascii: bool, out: &mut String) {
    match node {
        Node::Plain(text) => out.push_str(text),
        Node::Text(text) => print_text(text, ascii, out),
        Node::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                print(item, keys, ascii, out);
            }
            out.push(']');
        }
        Node::Object(entries) => {
            out.push('{');
            for (at, (key, value)) in ordered(entries, keys).into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                print_text(key, ascii, out);
                out.push(':');
                print(value, keys, ascii, out);
            }
            out.push('}');
        }
    }
}

/// The entries of an object as they are printed. Text in Rust sorts by code point, as in Python.
fn ordered<'a>(entries: &'a [(Cow<'a, str>, Node<'a>)], keys: Keys<'_>) -> Vec<(&'a str, &'a Node<'a>)> {
    let mut chosen: Vec<_> = entries.iter().map(|(key, value)| (&**key, value)).collect();
    match keys {
        Keys::Received => {}
        Keys::Sorted => chosen.sort_unstable_by_key(|(key, _)| *key),
        Keys::Only(kept) => {
            chosen.retain(|(key, _)| kept.binary_search_by(|known| by_unit(known, key)).is_ok());
            chosen.sort_by(|(one, _), (other, _)| by_unit(one, other));
        }
    }
    chosen
}

/// The order of JavaScript.
fn by_unit(one: &str, other: &str) -> Ordering {
    one.encode_utf16().cmp(other.encode_utf16())
}

fn print_text(text: &str, ascii: bool, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            ' '..='~' => out.push(letter),
            other if other < ' ' || ascii => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    // A String takes everything.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

//! What is typed in a conversation: words to be said, and commands behind a slash.

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Empty,
    /// To be said. Behind two slashes, with one of them.
    Words(&'a str),
    /// A command, and what follows it.
    Command(&'a str, &'a str),
}

/// Reads a line.
pub(super) fn read(line: &str) -> Line<'_> {
    let line = line.trim();
    match line.strip_prefix('/') {
        None if line.is_empty() => Line::Empty,
        None => Line::Words(line),
        Some(words) if words.starts_with('/') => Line::Words(words),
        Some(command) => {
            let (name, rest) = cut(command);
            Line::Command(name, rest)
        }
    }
}

/// What to say about a command of which something is missing.
pub(super) fn incomplete(usage: &str) -> String {
    format!("that command needs more: {usage}")
}

/// The first word and what follows it.
pub(super) fn cut(text: &str) -> (&str, &str) {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (first, rest.trim_start())
}

/// What to say about a command that is none of the known ones.
pub(super) fn unknown(name: &str, known: &[&str]) -> String {
    match known.iter().find(|known| strsim::levenshtein(known, name) <= 1) {
        Some(near) => format!("there is no command /{name}; did you mean /{near}?"),
        None => format!("there is no command /{name}; /help shows all"),
    }
}

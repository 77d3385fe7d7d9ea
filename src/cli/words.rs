//! Words behind a slash, as they are typed in a conversation.

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

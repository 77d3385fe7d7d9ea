//! Lines `Key: value`, as both forms have them.

use super::Fault;

/// The lines of a message that have a key, each as key and value. The first of a key counts.
pub(super) struct Lines<'a>(&'a str);

impl<'a> Lines<'a> {
    pub(super) const fn of(text: &'a str) -> Self {
        Self(text)
    }

    /// What stands behind this key, if it is there. Keys are compared without regard to case.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        let lines = self.0.lines().filter_map(|line| line.split_once(':'));
        let mut values = lines.filter(|(known, _)| known.trim().eq_ignore_ascii_case(key));
        values.next().map(|(_, value)| value.trim())
    }

    /// What must stand behind this key.
    pub(super) fn need(&self, key: &'static str) -> Result<&'a str, Fault> {
        self.get(key).ok_or(Fault::Line(key))
    }

    /// What must stand behind this key and mean something.
    pub(super) fn read<T>(&self, key: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        self.get(key).and_then(read).ok_or(Fault::Line(key))
    }

    /// A number behind this key.
    pub(super) fn number(&self, key: &'static str) -> Result<u64, Fault> {
        self.read(key, number)
    }
}

/// A whole number that fits: digits and nothing else.
pub(super) fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// `yes` or `no`.
pub(super) fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// The word for it.
pub(super) const fn word(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

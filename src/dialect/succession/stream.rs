//! When a request is whole: its sender closes its half, or an empty line ends it, or the mark of a node does.

use super::MOST_BYTES;

/// Whether a request is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// There must be more.
    Open,
    /// It is whole, unless its sender is a node and the rest is still under way. Wait a moment, then read it.
    Perhaps,
    /// It is whole.
    Whole,
    /// It will never be one.
    TooLong,
}

/// How far a request is, with all that has come of it, and whether its sender has closed its half.
#[must_use]
pub fn end_of_request(bytes: &[u8], closed: bool) -> End {
    if bytes.len() > MOST_BYTES {
        return End::TooLong;
    }
    if closed {
        return End::Whole;
    }
    let text = String::from_utf8_lossy(bytes).replace('\r', "");
    let Some((_, added)) = text.split_once("\n\n") else { return End::Open };
    let mark = added.split_inclusive('\n').find(|line| line.starts_with("Mac:"));
    match mark {
        Some(mark) if mark.ends_with('\n') => End::Whole,
        None if added.is_empty() => End::Perhaps,
        _ => End::Open,
    }
}

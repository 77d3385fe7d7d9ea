//! Lines from the keyboard or a pipe, read by a thread of their own.
//!
//! A thread that waits for a key cannot be called back, so it must be one that nobody waits for when
//! the program ends; the runtime's own reader would keep it alive until the next key.

use std::io::{self, BufRead, Read as _};

use tokio::sync::mpsc;

/// A server lets no message over 1 MiB pass, and sealing makes it a third longer.
const LONGEST_LINE: usize = 512 << 10;
/// Lines that wait. A pipe is only read as fast as its lines are obeyed.
const MOST_LINES: usize = 16;

/// Something that was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Text(String),
    /// Longer than any message may be.
    TooLong,
    /// Not UTF-8.
    NotText,
}

/// Starts to read. The channel ends with the input.
pub(super) fn start() -> mpsc::Receiver<Line> {
    let (lines, typed) = mpsc::channel(MOST_LINES);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Ok(Some(line)) = read(&mut input) {
            if lines.blocking_send(line).is_err() {
                break;
            }
        }
    });
    typed
}

fn read(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    if take(input, &mut bytes)? == 0 {
        return Ok(None);
    }
    if bytes.len() >= LONGEST_LINE && bytes.last() != Some(&b'\n') {
        let mut rest = Vec::new();
        while take(input, &mut rest)? > 0 && rest.last() != Some(&b'\n') {
            rest.clear();
        }
        return Ok(Some(Line::TooLong));
    }
    Ok(Some(String::from_utf8(bytes).map_or(Line::NotText, Line::Text)))
}

fn take(input: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<usize> {
    // The constant fits on every machine that runs this.
    input.take(u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX)).read_until(b'\n', bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_lines_are_named_and_skipped() {
        let long = "x".repeat(3 * LONGEST_LINE);
        let input = [b"one\n".as_slice(), long.as_bytes(), b"\n\xff\xfe\n", "zwölf".as_bytes()].concat();
        let mut input = io::Cursor::new(input);
        let lines: Vec<_> = std::iter::from_fn(|| read(&mut input).expect("memory")).collect();
        let text = |text: &str| Line::Text(text.to_owned());
        assert_eq!(lines, [text("one\n"), Line::TooLong, Line::NotText, text("zwölf")]);
    }
}

//! Long texts for clients whose buffers are short: cut at the edges of characters, and never shortened.

use std::borrow::Cow;

use super::LONGEST_NICK;
use crate::domain::{bridge::called, dialect::Dialect};

/// The longest text that the first client survives, in bytes. Its buffer has 256, and it breaks on more.
pub const LONGEST_TEXT: usize = 255;

/// The text in pieces of at most so many bytes; an empty text is one empty piece. No piece has room for less than
/// the longest character, which has four bytes.
pub fn pieces(text: &str, most: usize) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (piece, behind) = text.split_at(text.floor_char_boundary(most.max(4)));
        rest = (!behind.is_empty()).then_some(behind);
        Some(piece)
    })
}

/// What somebody said, as the log shows it: `nick: text`, in as many entries as it takes.
pub fn logged(name: &str, text: &str) -> impl Iterator<Item = String> {
    let name = short(name);
    pieces(text, LONGEST_TEXT - name.len() - ": ".len()).map(move |piece| format!("{name}: {piece}"))
}

/// A name as clients can hear it that know only short ones. Members of other protocols may have longer ones.
#[must_use]
pub fn short(name: &str) -> &str {
    cut(name, LONGEST_NICK)
}

/// Somebody who may be a member of another protocol, as everybody can hear it: with its name behind hers.
#[must_use]
pub fn shown(name: &str, dialect: Option<Dialect>) -> Cow<'_, str> {
    let Some(other) = dialect.filter(|dialect| *dialect != Dialect::Tpacket) else { return name.into() };
    let room = LONGEST_NICK.saturating_sub(called("", other).len());
    called(cut(name, room), other).into()
}

/// The beginning of a text.
#[must_use]
pub fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_that_fits_is_one_piece_and_an_empty_one_too() {
        for (length, sizes) in [
            (0, &[0][..]),
            (1, &[1]),
            (255, &[255]),
            (256, &[255, 1]),
            (510, &[255, 255]),
            (511, &[255, 255, 1]),
        ] {
            let text = "x".repeat(length);
            let found: Vec<_> = pieces(&text, LONGEST_TEXT).map(str::len).collect();
            assert_eq!(found, sizes, "{length} bytes");
        }
        let found: Vec<_> = pieces(&"é".repeat(128), LONGEST_TEXT).map(str::len).collect();
        assert_eq!(found, [254, 2], "no character is cut");
        assert_eq!(short(&"日".repeat(17)).len(), 48);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn pieces_put_together_are_the_text(text in "\\PC{0,700}", most in 0..300_usize) {
            let found: Vec<_> = pieces(&text, most).collect();
            prop_assert_eq!(found.concat(), text.as_str());
            prop_assert!(found.iter().all(|piece| piece.len() <= most.max(4)));
            prop_assert!(text.is_empty() || found.iter().all(|piece| !piece.is_empty()));
        }

        #[test]
        fn a_log_holds_the_whole_text_within_its_bounds(name in "\\PC{1,80}", text in "\\PC{0,700}") {
            let head = format!("{}: ", short(&name));
            let mut whole = String::new();
            for entry in logged(&name, &text) {
                prop_assert!(entry.len() <= LONGEST_TEXT);
                let piece = entry.strip_prefix(&head);
                prop_assert!(piece.is_some(), "every entry says who it was");
                whole.push_str(piece.unwrap_or_default());
            }
            prop_assert_eq!(whole, text);
        }
    }
}

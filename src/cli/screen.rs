//! The only way to the terminal: one whole line at a time, and nothing in it but letters.

use std::io::{self, IsTerminal as _, Write};

/// The length of a whole bar.
const BAR: usize = 20;

/// What kind of line it is; decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// About the connection and who is here.
    News,
    /// Somebody speaks.
    Speech,
    /// Somebody spoke before we came.
    Past,
    /// Somebody speaks to us only.
    Private,
    /// Somebody claims to be somebody.
    Doubtful,
    /// Something went wrong.
    Trouble,
}

impl Kind {
    const fn colour(self) -> &'static str {
        match self {
            Self::News | Self::Past => "\u{1b}[2m",
            Self::Speech => "",
            Self::Private => "\u{1b}[35m",
            Self::Doubtful => "\u{1b}[33m",
            Self::Trouble => "\u{1b}[31m",
        }
    }
}

/// Where lines are printed.
pub(super) struct Screen {
    out: Box<dyn Write>,
    has_colour: bool,
    has_prompt: bool,
    is_prompting: bool,
    is_gone: bool,
}

impl Screen {
    /// The terminal that standard output is, or the pipe. Says whether somebody types, too.
    pub(super) fn of_stdout(no_colour: bool) -> (Self, bool) {
        let (typed, shown) = (io::stdin().is_terminal(), io::stdout().is_terminal());
        let minds = no_colour || std::env::var_os("NO_COLOR").is_some_and(|no| !no.is_empty());
        (Self::new(Box::new(io::stdout()), shown && !minds, typed && shown), typed)
    }

    pub(super) fn new(out: Box<dyn Write>, has_colour: bool, has_prompt: bool) -> Self {
        Self { out, has_colour, has_prompt, is_prompting: false, is_gone: false }
    }

    /// Prints a line, whatever is in it.
    pub(super) fn line(&mut self, kind: Kind, text: &str) {
        let text = plain(text);
        let (before, behind) = match kind.colour() {
            colour if self.has_colour && !colour.is_empty() => (colour, "\u{1b}[0m"),
            _ => ("", ""),
        };
        // What was being typed is shown again by the terminal only after a key is pressed; the prompt
        // says that it is still there.
        let (wipe, prompt) = if self.has_prompt { ("\r\u{1b}[K", "> ") } else { ("", "") };
        self.write(&format!("{wipe}{before}{text}{behind}\n{prompt}"));
        self.is_prompting = self.has_prompt;
    }

    pub(super) fn news(&mut self, text: &str) {
        self.line(Kind::News, &format!("* {text}"));
    }

    pub(super) fn trouble(&mut self, text: &str) {
        self.line(Kind::Trouble, &format!("! {text}"));
    }

    /// How far something is. In a terminal the line is drawn again and again; in a pipe each quarter is said.
    pub(super) fn progress(&mut self, what: &str, percent: u64) {
        let filled = usize::try_from(percent / 5).unwrap_or(BAR).min(BAR);
        let bar = format!("[{}{}] {percent:>3} %", "#".repeat(filled), "-".repeat(BAR - filled));
        let text = plain(&format!("* {bar} {what}"));
        if self.has_prompt {
            self.write(&format!("\r\u{1b}[K{text}"));
            self.is_prompting = false;
        } else if percent.is_multiple_of(25) && percent > 0 && percent < 100 {
            self.write(&format!("{text}\n"));
        }
    }

    /// A line was typed, so the prompt is used up.
    pub(super) const fn typed(&mut self) {
        self.is_prompting = false;
    }

    /// The prompt alone, if nothing was printed since the last line was typed.
    pub(super) fn prompt(&mut self) {
        if self.has_prompt && !self.is_prompting {
            self.write("> ");
            self.is_prompting = true;
        }
    }

    /// Nobody reads any more.
    pub(super) const fn is_gone(&self) -> bool {
        self.is_gone
    }

    fn write(&mut self, text: &str) {
        let written: io::Result<()> = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        self.is_gone |= written.is_err();
    }
}

/// The same text on one line, without anything that moves the cursor or turns the writing round.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.trim_end_matches(['\r', '\n']).chars() {
        match letter {
            '\n' => plain.push_str(" \u{23ce} "),
            '\r' => {}
            '\t' => plain.push(' '),
            letter if letter.is_control() || turns(letter) => plain.push('\u{fffd}'),
            letter => plain.push(letter),
        }
    }
    plain
}

/// Direction marks and line separators, with which a text can look like another one.
const fn turns(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_do_not_pass() {
        assert_eq!(plain("a\u{1b}[2Jb\u{9b}c\u{7}\u{7f}"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\u{fffd}");
        assert_eq!(plain("one\r\n! two\n"), "one \u{23ce} ! two");
        assert_eq!(plain("\u{202e}txt.exe"), "\u{fffd}txt.exe");
        assert_eq!(plain("grüße \u{1f468}\u{200d}\u{1f469}"), "grüße \u{1f468}\u{200d}\u{1f469}");
    }

    proptest! {
        #[test]
        fn a_line_is_one_line(text in any::<String>()) {
            prop_assert!(!plain(&text).contains(char::is_control));
        }
    }
}

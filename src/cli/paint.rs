//! Colours for people at a terminal, and none for anybody else.

use std::io::{self, IsTerminal as _};

/// Whether there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint(bool);

/// The colours there are, each as the terminal's own palette has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
    Dim,
    Bold,
}

impl Colour {
    const fn code(self) -> &'static str {
        match self {
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Blue => "34",
            Self::Magenta => "35",
            Self::Cyan => "36",
            Self::Dim => "2",
            Self::Bold => "1",
        }
    }
}

impl Paint {
    /// Colours if standard output is a terminal, and the user does not mind (see no-color.org).
    pub(crate) fn of_stdout() -> Self {
        let minds = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(io::stdout().is_terminal() && !minds)
    }

    /// No colours.
    #[cfg(test)]
    pub(crate) const NONE: Self = Self(false);

    /// Whether there are any.
    pub(crate) const fn is_on(self) -> bool {
        self.0
    }

    /// A text in a colour.
    pub(crate) fn on(self, colour: Colour, text: &str) -> String {
        if self.0 && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", colour.code())
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Colour, Paint};

    #[test]
    fn a_text_is_coloured_or_left_alone() {
        assert_eq!(Paint::NONE.on(Colour::Red, "x"), "x");
        assert_eq!(Paint(true).on(Colour::Red, "x"), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(Paint(true).on(Colour::Red, ""), "");
    }
}

//! What a line that somebody typed at a node means.

use crate::{
    cli::words::{self, Line, cut, incomplete, unknown},
    domain::endpoint::Endpoint,
};

/// All commands.
const KNOWN: [&str; 9] = ["all", "tell", "list", "who", "nick", "trust", "whoami", "help", "quit"];

/// Help, as it is printed.
pub(super) const HELP: [&str; 7] = [
    "TEXT or /all TEXT    say something to everybody there is a link to",
    "/tell WHO TEXT       say something to WHO alone: an address, a nickname, or the beginning of a fingerprint",
    "/list or /who        who is here, how, and who is in the list and away",
    "/nick WHO NAME       give the bearer of a key a nickname, for your eyes only",
    "/trust IP:PORT       forget the key that was met there, and keep the next one",
    "/whoami              your address, fingerprint and keyring",
    "/quit                leave",
];

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    Nothing,
    All(String),
    Tell { who: String, text: String },
    List,
    Nick { who: String, name: String },
    Trust(Endpoint),
    WhoAmI,
    Help,
    Quit,
    Wrong(String),
}

impl Typed {
    pub(super) fn read(line: &str) -> Self {
        match words::read(line) {
            Line::Empty => Self::Nothing,
            Line::Words(words) => Self::All(words.to_owned()),
            Line::Command(name, rest) => Self::command(name, rest),
        }
    }

    fn command(name: &str, rest: &str) -> Self {
        let (first, second) = cut(rest);
        let more = |usage: &str| Self::Wrong(incomplete(usage));
        match name {
            "all" if rest.is_empty() => more("/all TEXT"),
            "all" => Self::All(rest.to_owned()),
            "tell" if second.is_empty() => more("/tell WHO TEXT"),
            "tell" => Self::Tell { who: first.to_owned(), text: second.to_owned() },
            "list" | "who" => Self::List,
            "nick" if second.is_empty() => more("/nick WHO NAME"),
            "nick" => Self::Nick { who: first.to_owned(), name: second.to_owned() },
            "trust" => rest.parse().map_or_else(|_| more("/trust IP:PORT"), Self::Trust),
            "whoami" => Self::WhoAmI,
            "help" => Self::Help,
            "quit" => Self::Quit,
            other => Self::Wrong(unknown(other, &KNOWN)),
        }
    }

    /// Whether it would send something.
    pub(super) const fn is_message(&self) -> bool {
        matches!(self, Self::All(_) | Self::Tell { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_mean_what_they_say() {
        for (line, meant) in [
            ("", Typed::Nothing),
            ("hello there\n", Typed::All("hello there".into())),
            ("//etc", Typed::All("/etc".into())),
            ("/tell anna  see  you", Typed::Tell { who: "anna".into(), text: "see  you".into() }),
            ("/who", Typed::List),
            ("/trust 10.0.0.1:5", Typed::Trust("10.0.0.1:5".parse().expect("an address"))),
            ("/trust anna", Typed::Wrong("that command needs more: /trust IP:PORT".into())),
            ("/quiz", Typed::Wrong("there is no command /quiz; did you mean /quit?".into())),
            ("/quit", Typed::Quit),
        ] {
            assert_eq!(Typed::read(line), meant, "{line:?}");
        }
        for name in KNOWN {
            assert!(HELP.iter().any(|help| help.contains(&format!("/{name}"))) || name == "help", "{name}");
        }
    }
}

//! What a line that somebody typed means.

use crate::{
    cli::words::{self, Line, cut, incomplete, unknown},
    client::room::Wish,
    domain::endpoint::EndpointError,
};

/// All commands.
const KNOWN: [&str; 18] = [
    "all",
    "tell",
    "list",
    "who",
    "nick",
    "join",
    "leave",
    "rooms",
    "history",
    "older",
    "introduce",
    "introductions",
    "file",
    "get",
    "trust",
    "whoami",
    "help",
    "quit",
];
/// How one is listed for those who mesh by themselves.
const INTRODUCE: &str = "/introduce IP:PORT, or /introduce off";

/// Help, as it is printed.
pub(super) const HELP: [&str; 20] = [
    "TEXT                 say something where you are: in your room, or else to everyone",
    "/all TEXT            say something to everyone, unless the protocol knows nothing but rooms",
    "/tell WHO TEXT       say something that only WHO can read; several: /tell anna,ben TEXT",
    "/list or /who        who is here",
    "/nick WHO NAME       give somebody a nickname, for your eyes only",
    "/nick NICK           be called so, in a protocol in which people choose nicks",
    "/join ROOM           be in that room and in no other, if the server has rooms",
    "/leave [ROOM]        leave it",
    "/rooms               which rooms there are",
    "/history [ROOM]      what was said there last",
    "/older               what was said before that",
    "/introduce IP:PORT   have it listed that you listen there, for those who mesh by themselves; /introduce off",
    "/introductions       who listens where",
    "/file WHO PATH       send a file, or upload it and tell WHO its address; WHO can be \"public\"",
    "/get URL             download a file",
    "/trust WHO           believe the key that WHO comes with now, if it has changed",
    "/whoami              your own fingerprint",
    "/quit                leave",
    "WHO is a nickname or the first four or more digits of a fingerprint or user id.",
    "A line that shall begin with a slash begins with two.",
];

/// A line that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    Nothing,
    /// Where the member is.
    Here(String),
    All(String),
    Tell {
        who: String,
        text: String,
    },
    List,
    /// Whose, depends on the dialect.
    Nick(String),
    /// Something about rooms.
    Ask(Wish),
    File {
        who: String,
        path: String,
    },
    Get(String),
    Trust(String),
    WhoAmI,
    Help,
    Quit,
    /// Not understood; says why.
    Wrong(String),
}

impl Typed {
    pub(super) fn read(line: &str) -> Self {
        match words::read(line) {
            Line::Empty => Self::Nothing,
            Line::Words(words) => Self::Here(words.to_owned()),
            Line::Command(name, rest) => Self::command(name, rest),
        }
    }

    fn command(name: &str, rest: &str) -> Self {
        let (first, second) = cut(rest);
        let two = |usage: &str, make: fn(String, String) -> Self| {
            if second.is_empty() {
                Self::Wrong(incomplete(usage))
            } else {
                make(first.to_owned(), second.to_owned())
            }
        };
        match name {
            "all" | "get" | "trust" | "nick" | "join" if rest.is_empty() => {
                Self::Wrong(format!("/{name} needs something behind it"))
            }
            "all" => Self::All(rest.to_owned()),
            "get" => Self::Get(rest.to_owned()),
            "trust" => Self::Trust(rest.to_owned()),
            "tell" => two("/tell WHO TEXT", |who, text| Self::Tell { who, text }),
            "nick" => Self::Nick(rest.to_owned()),
            "join" => Self::Ask(Wish::Join(rest.to_owned())),
            "leave" => Self::Ask(Wish::Leave(some(rest))),
            "rooms" => Self::Ask(Wish::Rooms),
            "history" => Self::Ask(Wish::History(some(rest))),
            "older" => Self::Ask(Wish::Older),
            "introduce" if rest.is_empty() => Self::Wrong(incomplete(INTRODUCE)),
            "introduce" if rest == "off" => Self::Ask(Wish::Hide),
            "introduce" => match rest.parse() {
                Ok(at) => Self::Ask(Wish::Introduce(at)),
                Err(EndpointError) => Self::Wrong(EndpointError.to_string()),
            },
            "introductions" => Self::Ask(Wish::Introductions),
            "file" => two("/file WHO PATH", |who, path| Self::File { who, path }),
            "list" | "who" => Self::List,
            "whoami" => Self::WhoAmI,
            "help" => Self::Help,
            "quit" => Self::Quit,
            other => Self::Wrong(unknown(other, &KNOWN)),
        }
    }

    /// Whether it can be obeyed without knowing who is here.
    pub(super) const fn is_immediate(&self) -> bool {
        matches!(self, Self::Nothing | Self::Get(_) | Self::WhoAmI | Self::Help | Self::Quit | Self::Wrong(_))
    }

    /// Whether it would send something.
    pub(super) const fn is_message(&self) -> bool {
        matches!(self, Self::Here(_) | Self::All(_) | Self::Tell { .. } | Self::File { .. })
    }
}

/// What follows a command that needs nothing behind it.
fn some(rest: &str) -> Option<String> {
    (!rest.is_empty()).then(|| rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood() {
        let tell = Typed::Tell { who: "a,b".into(), text: "x  y".into() };
        for (line, typed) in [
            ("", Typed::Nothing),
            ("   ", Typed::Nothing),
            ("hi there", Typed::Here("hi there".into())),
            ("/all hi", Typed::All("hi".into())),
            ("//etc", Typed::Here("/etc".into())),
            ("/tell a,b   x  y ", tell),
            ("/file public my cat.png", Typed::File { who: "public".into(), path: "my cat.png".into() }),
            ("/list", Typed::List),
            ("/quit now", Typed::Quit),
            ("/who", Typed::List),
            ("/nick  big  bob ", Typed::Nick("big  bob".into())),
            ("/join den", Typed::Ask(Wish::Join("den".into()))),
            ("/leave", Typed::Ask(Wish::Leave(None))),
            ("/rooms", Typed::Ask(Wish::Rooms)),
            ("/older", Typed::Ask(Wish::Older)),
            ("/history den", Typed::Ask(Wish::History(Some("den".into())))),
            ("/introduce off", Typed::Ask(Wish::Hide)),
            ("/introduce 10.0.0.1:5", Typed::Ask(Wish::Introduce("10.0.0.1:5".parse().expect("an address")))),
            ("/introductions", Typed::Ask(Wish::Introductions)),
        ] {
            assert_eq!(Typed::read(line), typed, "{line:?}");
        }
        for (line, words) in [
            ("/tell a", "that command needs more: /tell WHO TEXT"),
            ("/join", "/join needs something behind it"),
            ("/introduce", &incomplete(INTRODUCE)),
            ("/introduce me", "an address is written ip:port, or [ip]:port for IPv6, without leading zeros"),
            ("/romms", "there is no command /romms; did you mean /rooms?"),
            ("/all", "/all needs something behind it"),
            ("/lst", "there is no command /lst; did you mean /list?"),
            ("/dance", "there is no command /dance; /help shows all"),
            ("/", "there is no command /; /help shows all"),
        ] {
            assert_eq!(Typed::read(line), Typed::Wrong(words.into()), "{line:?}");
        }
    }
}

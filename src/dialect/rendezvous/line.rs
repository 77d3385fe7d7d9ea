//! Lines that only newer programs send and read: `kith/1`, a verb, and words `key=value` or alone.
//!
//! Words and verbs that nobody knows are ignored, so that later versions may add some.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{KITH, PAYLOAD_BYTES};
pub use crate::domain::directory::rules::{Refused, Unrelayed};
use crate::domain::{
    directory::listed::{Directory, Listed},
    endpoint::Endpoint,
    id::KeyId,
};

/// One such line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// No verb: the server's first words to somebody who registered without ending the line. They are shorter than any
    /// list, because the first clients read what an earlier message has left behind a shorter one.
    Greeting,
    /// `node`: the client's answer. From here on it is told directories in the new form.
    Node,
    /// `you at=`: where the server sees the client, as far as it can tell. The port is that of this socket.
    You {
        /// The client's end of the socket.
        at: Endpoint,
    },
    /// `directory epoch= version= members=`: so many lines with members follow.
    Directory {
        /// Which life of the server made it.
        epoch: u64,
        /// Which of that life's directories it is.
        version: u64,
        /// How many entries follow.
        members: u32,
    },
    /// `member seq= at= [undialable] [relayed] [home=] [member=]`: one entry.
    Member(Listed),
    /// `end version=`: the directory is whole.
    End {
        /// Which one.
        version: u64,
    },
    /// `ping n=`: are you there? From either side.
    Ping {
        /// Any number.
        n: u64,
    },
    /// `pong n=`: the answer, which repeats it.
    Pong {
        /// The number that was asked with.
        n: u64,
    },
    /// `relay to= data=`: from a node: hand this on.
    RelayTo {
        /// To whom.
        peer: Endpoint,
        /// What, in base64 on the wire. The server cannot read it.
        payload: Vec<u8>,
    },
    /// `relay from= data=`: to a node: this was handed on.
    RelayFrom {
        /// By whom.
        peer: Endpoint,
        /// What.
        payload: Vec<u8>,
    },
    /// `unrelayed to= why=`: to a node: this was not handed on.
    Unrelayed {
        /// To whom it was meant for.
        peer: Endpoint,
        /// Why not.
        why: Unrelayed,
    },
    /// `refused why=`: the registration does not count, and the server closes.
    Refused {
        /// Why.
        why: Refused,
    },
}

/// The line is none that is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(KITH)?;
        if *self != Self::Greeting {
            out.write_str(" ")?;
        }
        match self {
            Self::Greeting => Ok(()),
            Self::Node => out.write_str("node"),
            Self::You { at } => write!(out, "you at={at}"),
            Self::Directory { epoch, version, members } => {
                write!(out, "directory epoch={epoch} version={version} members={members}")
            }
            Self::Member(listed) => member(listed, out),
            Self::End { version } => write!(out, "end version={version}"),
            Self::Ping { n } => write!(out, "ping n={n}"),
            Self::Pong { n } => write!(out, "pong n={n}"),
            Self::RelayTo { peer, payload } => {
                write!(out, "relay to={peer} data={}", STANDARD.encode(payload))
            }
            Self::RelayFrom { peer, payload } => {
                write!(out, "relay from={peer} data={}", STANDARD.encode(payload))
            }
            Self::Unrelayed { peer, why } => write!(out, "unrelayed to={peer} why={}", why.word()),
            Self::Refused { why } => write!(out, "refused why={}", why.word()),
        }
    }
}

fn member(listed: &Listed, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(out, "member seq={} at={}", listed.seq, listed.at)?;
    for (is, word) in [(listed.undialable, " undialable"), (listed.relayed, " relayed")] {
        out.write_str(if is { word } else { "" })?;
    }
    for (key, id) in [("home", listed.home), ("member", listed.member)] {
        if let Some(id) = id {
            write!(out, " {key}={id}")?;
        }
    }
    Ok(())
}

impl Line {
    /// The lines of a whole directory.
    #[must_use]
    pub fn of(directory: &Directory) -> Vec<Self> {
        let Directory { epoch, version, ref members } = *directory;
        let count = u32::try_from(members.len()).unwrap_or(u32::MAX);
        let head = Self::Directory { epoch, version, members: count };
        let members = members.iter().copied().map(Self::Member);
        std::iter::once(head).chain(members).chain([Self::End { version }]).collect()
    }

    /// The bytes of the line with its end.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        format!("{self}\n").into_bytes()
    }
}

impl FromStr for Line {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        let mut words = text.split_ascii_whitespace();
        if words.next() != Some(KITH) {
            return Err(Unknown);
        }
        let words: Vec<_> = words.collect();
        let verb = words.first().copied().filter(|word| !word.contains('='));
        let words = Words(words.get(usize::from(verb.is_some())..).unwrap_or_default());
        read(verb, &words).ok_or(Unknown)
    }
}

fn read(verb: Option<&str>, words: &Words<'_>) -> Option<Line> {
    Some(match verb {
        None => Line::Greeting,
        Some("node") => Line::Node,
        Some("you") => Line::You { at: words.read("at")? },
        Some("directory") => Line::Directory {
            epoch: words.read("epoch")?,
            version: words.read("version")?,
            members: words.read("members")?,
        },
        Some("member") => Line::Member(Listed {
            seq: words.read("seq")?,
            at: words.read("at")?,
            undialable: words.has("undialable"),
            relayed: words.has("relayed"),
            home: words.id("home")?,
            member: words.id("member")?,
        }),
        Some("end") => Line::End { version: words.read("version")? },
        Some("ping") => Line::Ping { n: words.read("n")? },
        Some("pong") => Line::Pong { n: words.read("n")? },
        Some("relay") => match words.value("to") {
            Some(peer) => Line::RelayTo { peer: peer.parse().ok()?, payload: words.payload()? },
            None => Line::RelayFrom { peer: words.read("from")?, payload: words.payload()? },
        },
        Some("unrelayed") => {
            Line::Unrelayed { peer: words.read("to")?, why: Unrelayed::of(words.value("why")?)? }
        }
        Some("refused") => Line::Refused { why: Refused::of(words.value("why")?)? },
        Some(_) => return None,
    })
}

/// The words behind the verb.
struct Words<'a>(&'a [&'a str]);

impl<'a> Words<'a> {
    fn value(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find_map(|word| word.split_once('=').filter(|(found, _)| *found == key)).map(|(_, v)| v)
    }

    fn has(&self, flag: &str) -> bool {
        self.0.contains(&flag)
    }

    fn read<T: FromStr>(&self, key: &str) -> Option<T> {
        self.value(key)?.parse().ok()
    }

    /// A fingerprint that may be missing, but not be wrong.
    fn id(&self, key: &str) -> Option<Option<KeyId>> {
        self.value(key).map_or(Some(None), |text| KeyId::from_hex(text).map(Some))
    }

    fn payload(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.value("data")?).ok().filter(|payload| payload.len() <= PAYLOAD_BYTES)
    }
}

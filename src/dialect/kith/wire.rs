//! The messages of the Kith link: one byte that says which, then its fields in the format of `postcard`.
//!
//! Fields are only ever added at the end, and bytes behind the known ones are ignored; a message of an
//! unknown kind is ignored as a whole, once the link is up. So newer and older programs of one major version
//! understand each other.

pub mod kind;

pub use super::ping::Ping;

use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    crypto::{keys::PublicKey, sha256},
    dialect::{event::Pause, olaf, socp, tpacket},
    domain::{
        address::Address,
        dialect::Dialect,
        id::{HomeId, KeyId},
        letter::{Audience, Author, Frame, Letter},
        member::{Member, Resident},
        news::{Change, Digest, Listed, News},
        refusal::Violation,
    },
};

/// The first message of who dials. The answer has the same fields and a proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The oldest version of the protocol that the sender speaks, and the newest.
    pub versions: (u8, u8),
    /// What nobody could know before.
    pub nonce: [u8; 32],
    /// The sender's half of the secret of this connection.
    pub ephemeral: [u8; 32],
    /// The address under which its members are listed.
    pub address: String,
    /// Where the sender believes to have dialled, or been dialled at.
    pub dialled: String,
    /// What its operator calls it.
    pub name: String,
    /// Its key, as SubjectPublicKeyInfo.
    pub key: Vec<u8>,
}

/// A proof of who sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The signature of the transcript.
    pub signature: Vec<u8>,
}

/// The answer to a hello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The bytes of the answerer's own hello, which is part of what both sign.
    pub hello: Vec<u8>,
    /// The signature of the transcript.
    pub signature: Vec<u8>,
}

/// No, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The stable name of the reason.
    pub code: String,
}

/// How one link of the sender is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The address of the neighbour.
    pub address: String,
    /// What it calls itself.
    pub name: String,
    /// Where it can be dialled, if the sender knows.
    pub url: Option<String>,
    /// The fingerprint of its key, if it has proven one.
    pub key: Option<[u8; 32]>,
    /// The stable name of the state.
    pub state: String,
    /// Round-trip time in microseconds.
    pub round_trip: Option<u64>,
    /// How many members it has.
    pub members: u32,
    /// Whether the sender trusts it enough to introduce it.
    pub trusted: bool,
}

#[derive(Serialize, Deserialize)]
struct MemberWire<'a> {
    dialect: &'a str,
    public_key: &'a str,
    key: [u8; 32],
    /// Empty in dialects without names.
    name: &'a str,
    /// Another key, to seal letters with; empty if there is none.
    sealing_key: &'a str,
}

impl MemberWire<'_> {
    fn sealing_key(&self) -> Option<&str> {
        Some(self.sealing_key).filter(|key| !key.is_empty())
    }
}

#[derive(Serialize, Deserialize)]
struct PartWire<'a> {
    after: Option<[u8; 32]>,
    through: Option<[u8; 32]>,
    sequence: u64,
    #[serde(borrow)]
    members: Vec<MemberWire<'a>>,
}

#[derive(Serialize, Deserialize)]
enum ChangeWire<'a> {
    Came(#[serde(borrow)] MemberWire<'a>),
    Went([u8; 32]),
}

#[derive(Serialize, Deserialize)]
struct ChangesWire<'a> {
    first: u64,
    #[serde(borrow)]
    changes: Vec<ChangeWire<'a>>,
}

#[derive(Serialize, Deserialize)]
struct StandingWire {
    sequence: u64,
    digest: [u8; 16],
}

#[derive(Serialize, Deserialize)]
enum AudienceWire<'a> {
    Everyone,
    Homes(#[serde(borrow)] Vec<&'a str>),
}

#[derive(Serialize, Deserialize)]
struct LetterWire<'a> {
    trace: [u8; 16],
    author: [u8; 32],
    dialect: &'a str,
    #[serde(borrow)]
    audience: AudienceWire<'a>,
    is_text: bool,
    original: &'a [u8],
}

/// The longest public key that a member may have, as text: 4096 bits in PEM have less than 900 bytes.
const LONGEST_KEY: usize = 2048;

/// The bytes are no message of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// A message of this kind.
#[must_use]
pub fn encode<T: Serialize>(kind: u8, fields: &T) -> Bytes {
    // Plain structs always serialise into memory.
    postcard::to_extend(fields, vec![kind]).unwrap_or_default().into()
}

/// The fields of a message, whatever is behind them.
///
/// # Errors
/// They are not these.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Malformed> {
    split(body).map(|(fields, _)| fields)
}

/// The fields of a message, and what is behind them.
///
/// # Errors
/// They are not these.
pub fn split<T: DeserializeOwned>(body: &[u8]) -> Result<(T, &[u8]), Malformed> {
    postcard::take_from_bytes(body).map_err(|_| Malformed)
}

fn member_wire(member: &Member) -> MemberWire<'_> {
    MemberWire {
        dialect: member.dialect.name(),
        public_key: &member.public_key,
        key: member.key.0,
        name: member.name.as_deref().unwrap_or_default(),
        sealing_key: member.sealing_key.as_deref().unwrap_or_default(),
    }
}

/// A member as it is described. What a key is in a dialect that we do not know, nobody can say.
fn listed(wire: &MemberWire<'_>) -> Result<Listed, Malformed> {
    let (key, spelled) = (KeyId(wire.key), spelled(wire));
    let Some(dialect) = Dialect::from_name(wire.dialect) else {
        return Ok(Listed::Unknown { key, spelled });
    };
    // Nobody may list anything but a key, nor a key or a name under that of another one.
    let named = match dialect {
        Dialect::Olaf => PublicKey::read(wire.public_key).is_ok_and(|read| read.id() == key).then_some(None),
        Dialect::Socp => {
            let named = socp::named(wire.name, wire.public_key, wire.sealing_key());
            named.filter(|_| socp::id_of(wire.name) == key).map(Some)
        }
        Dialect::Tpacket => tpacket::named(wire.name, wire.public_key)
            .filter(|named| tpacket::id_of(&named.name) == key)
            .map(Some),
    };
    let longest = wire.public_key.len().max(wire.sealing_key.len());
    let named = named.filter(|_| longest <= LONGEST_KEY).ok_or(Malformed)?;
    Ok(Listed::Known(Resident { key, named, dialect, public_key: wire.public_key.into(), spelled }))
}

/// What an entry is compared by, in any dialect. Two names may share a key.
fn spelled(wire: &MemberWire<'_>) -> KeyId {
    if wire.name.is_empty() {
        return KeyId(sha256(wire.public_key.as_bytes()));
    }
    socp::heard::spelled(wire.name, wire.public_key, wire.sealing_key())
}

/// Part of our own list: everybody behind `after`, up to the last of these or to the end.
#[must_use]
pub fn part(after: Option<KeyId>, members: &[Arc<Member>], is_last: bool, sequence: u64) -> Frame {
    let through = members.last().filter(|_| !is_last).map(|member| member.key.0);
    let members = members.iter().map(|member| member_wire(member)).collect();
    let wire = PartWire { after: after.map(|key| key.0), through, sequence, members };
    Frame::Binary(encode(kind::PART, &wire))
}

/// One change of our own list.
#[must_use]
pub fn change(sequence: u64, member: &Member, came: bool) -> Frame {
    let change = if came { ChangeWire::Came(member_wire(member)) } else { ChangeWire::Went(member.key.0) };
    Frame::Binary(encode(kind::CHANGES, &ChangesWire { first: sequence, changes: vec![change] }))
}

/// Where our own list stands.
#[must_use]
pub fn standing(sequence: u64, digest: Digest) -> Frame {
    let wire = StandingWire { sequence, digest: digest.0.to_be_bytes() };
    Frame::Binary(encode(kind::STANDING, &wire))
}

/// The other side's whole list is wanted.
#[must_use]
pub fn want_list() -> Frame {
    Frame::Binary(Bytes::from_static(&[kind::WANT_LIST]))
}

/// A word about a home that is about to move.
#[must_use]
pub fn pause(pause: Pause) -> Frame {
    Frame::Binary(match pause {
        Pause::Hold(number) => encode(kind::HOLD, &number),
        Pause::Held(number) => encode(kind::HELD, &number),
        Pause::GoOn => Bytes::from_static(&[kind::GO_ON]),
    })
}

/// How our own links are doing.
#[must_use]
pub fn links(links: &[Link]) -> Frame {
    Frame::Binary(encode(kind::LINKS, &links))
}

/// A letter of one of our members.
#[must_use]
pub fn letter(letter: &Letter) -> Option<Frame> {
    // We answer only for those whom we have checked.
    let Author::Proven(author) = letter.author else { return None };
    let (is_text, original): (_, &[u8]) = match &letter.original {
        Frame::Text(text) => (true, text.as_bytes()),
        Frame::Binary(bytes) => (false, bytes),
    };
    let audience = match &letter.audience {
        Audience::Everyone => AudienceWire::Everyone,
        // Whoever can read the original finds its recipient there; for others there is nobody it could be for.
        Audience::Member(_) => AudienceWire::Homes(Vec::new()),
        Audience::Homes(homes) => AudienceWire::Homes(homes.iter().map(Address::as_str).collect()),
    };
    let (trace, author, dialect) = (letter.trace.0, author.0, letter.dialect.name());
    let wire = LetterWire { trace, author, dialect, audience, is_text, original };
    Some(Frame::Binary(encode(kind::LETTER, &wire)))
}

/// What a message about members says; `None` if it is about none.
///
/// # Errors
/// Its fields are wrong.
pub fn read_news(message: &[u8]) -> Result<Option<News>, Malformed> {
    let Some((kind, body)) = message.split_first() else { return Err(Malformed) };
    Ok(Some(match *kind {
        kind::PART => {
            let (part, _): (PartWire<'_>, _) = postcard::take_from_bytes(body).map_err(|_| Malformed)?;
            News::Part {
                after: part.after.map(KeyId),
                through: part.through.map(KeyId),
                sequence: part.sequence,
                members: part.members.iter().map(listed).collect::<Result<_, _>>()?,
            }
        }
        kind::CHANGES => {
            let (wire, _): (ChangesWire<'_>, _) = postcard::take_from_bytes(body).map_err(|_| Malformed)?;
            let changes = wire.changes.iter().map(|change| match change {
                ChangeWire::Came(member) => listed(member).map(Change::Came),
                ChangeWire::Went(key) => Ok(Change::Went(KeyId(*key))),
            });
            News::Changes { first: wire.first, changes: changes.collect::<Result<_, _>>()? }
        }
        kind::STANDING => {
            let (wire, _): (StandingWire, _) = postcard::take_from_bytes(body).map_err(|_| Malformed)?;
            let digest = Digest(u128::from_be_bytes(wire.digest));
            News::Standing { sequence: wire.sequence, digest }
        }
        _ => return Ok(None),
    }))
}

/// The letter in a message, without copying it; `None` if it is in a dialect that we do not know.
///
/// What the sender says about it besides its author is for programs that cannot read the original. We can:
/// audience and trace come from there, and nothing passes that is no letter. Only whether a name means everybody, which
/// the home knows whose name it is, is believed.
///
/// # Errors
/// Its fields are wrong. That the original is no letter is another thing: somebody else has written it.
pub fn read_letter(
    message: &Bytes,
    home: HomeId,
    most_recipients: u32,
) -> Result<Option<Result<Letter, Violation>>, Malformed> {
    let Some((author, original, dialect, is_for_all)) = unwrap_letter(message)? else { return Ok(None) };
    let letter = match dialect {
        Dialect::Olaf => olaf::peer::read_letter(original, home, most_recipients),
        Dialect::Socp => socp::heard::read_letter(&original, home, author, is_for_all),
        // All is said in rooms there.
        Dialect::Tpacket => Err(Violation::Malformed),
    };
    Ok(Some(letter.map(|letter| {
        let named = match letter.author {
            Author::Claimed(named) => named,
            _ => None,
        };
        Letter { author: Author::Vouched { author, named }, ..letter }
    })))
}

/// Its author, the original and its dialect, and whether its home says that it is for everybody.
type Wrapped = (KeyId, Frame, Dialect, bool);

fn unwrap_letter(message: &Bytes) -> Result<Option<Wrapped>, Malformed> {
    let body = message.get(1..).ok_or(Malformed)?;
    let (wire, _): (LetterWire<'_>, _) = postcard::take_from_bytes(body).map_err(|_| Malformed)?;
    let Some(dialect) = Dialect::from_name(wire.dialect) else { return Ok(None) };
    let original = message.slice_ref(wire.original);
    let original = if wire.is_text {
        Frame::Text(ByteString::try_from(original).map_err(|_| Malformed)?)
    } else {
        Frame::Binary(original)
    };
    let is_for_all = matches!(wire.audience, AudienceWire::Everyone);
    Ok(Some((KeyId(wire.author), original, dialect, is_for_all)))
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;

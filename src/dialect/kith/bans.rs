//! The bans of a server's operator, as it tells its neighbours: a list with a number, signed as a whole.
//!
//! The link seals what it says anyway. The signature is there so that a list says whose it is wherever it is
//! kept, and can be shown to others as evidence. **Invariants:** nothing of a list is read before its signature was
//! found good; what a list says that this program does not know is passed over; what it says wrongly spoils
//! all of it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::wire::{self, Malformed, kind};
use crate::{
    crypto::{
        keys::PublicKey,
        signature::{Question, Salt},
    },
    dialect::event::Check,
    domain::{
        bans::{Draft, Target, is_reason},
        letter::Frame,
    },
};

/// The words in front of what is signed, so that the signature is worth nothing anywhere else.
const WORDS: &[u8] = b"kith.bans.v1\n";
/// The longest list, in bytes. It fits into a message of any neighbour whose limits are sane.
pub const LONGEST_LIST: usize = 1 << 20;

/// A list as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The bytes of the list.
    pub list: Vec<u8>,
    /// The signature over the words and these bytes.
    pub signature: Vec<u8>,
}

/// What a list says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Each issue has a higher number than the one before.
    pub issue: u64,
    /// The bans. Times are the sender's.
    pub bans: Vec<Draft>,
}

#[derive(Serialize, Deserialize)]
struct BanWire<'a> {
    kind: &'a str,
    value: &'a str,
    until: Option<i64>,
    made: i64,
    reason: &'a str,
}

#[derive(Serialize, Deserialize)]
struct ListWire<'a> {
    issue: u64,
    #[serde(borrow)]
    bans: Vec<BanWire<'a>>,
}

/// The bytes of a list, and how many bans found no room in it. The first ones go first.
#[must_use]
pub fn write<'a>(issue: u64, bans: impl Iterator<Item = &'a Draft>) -> (Vec<u8>, usize) {
    /// What numbers and lengths take at most.
    const EACH: usize = 64;
    let all: Vec<(&Draft, String)> = bans.map(|ban| (ban, ban.target.value())).collect();
    let mut room = LONGEST_LIST - EACH;
    let fits = |(ban, value): &&(&Draft, String)| {
        let size = EACH + value.len() + ban.reason.len();
        let left = room.checked_sub(size);
        room = left.unwrap_or(0);
        left.is_some()
    };
    let bans: Vec<BanWire<'_>> = all
        .iter()
        .take_while(fits)
        .map(|(ban, value)| BanWire {
            kind: ban.target.kind(),
            value,
            until: ban.until,
            made: ban.made,
            reason: &ban.reason,
        })
        .collect();
    let left_out = all.len() - bans.len();
    // Plain structs always serialise into memory.
    (postcard::to_allocvec(&ListWire { issue, bans }).unwrap_or_default(), left_out)
}

/// What is signed.
#[must_use]
pub fn text(list: &[u8]) -> Vec<u8> {
    [WORDS, list].concat()
}

/// The message.
#[must_use]
pub fn frame(signed: &Signed) -> Frame {
    Frame::Binary(wire::encode(kind::BANS, signed))
}

impl Signed {
    /// What must be asked about it: whether this key has signed it.
    #[must_use]
    pub fn check(&self, key: std::sync::Arc<PublicKey>) -> Check {
        let (texts, signature) = (vec![text(&self.list)], self.signature.clone());
        Check { key, question: Question { texts, signature, salt: Some(Salt::Digest) } }
    }

    /// What it says, in at most so many bans.
    ///
    /// # Errors
    /// It is too long, or something in it is not what it should be.
    pub fn read(&self, most: usize) -> Result<List, Malformed> {
        if self.list.len() > LONGEST_LIST {
            return Err(Malformed);
        }
        let (wire, _): (ListWire<'_>, _) = postcard::take_from_bytes(&self.list).map_err(|_| Malformed)?;
        if wire.bans.len() > most {
            return Err(Malformed);
        }
        let known = wire.bans.iter().filter(|ban| Target::KINDS.contains(&ban.kind));
        let bans = known.map(|ban| {
            let target = Target::read(ban.kind, ban.value).map_err(|_| Malformed)?;
            if !target.may_be_listed() || !is_reason(ban.reason) {
                return Err(Malformed);
            }
            Ok(Draft { target, until: ban.until, reason: ban.reason.to_owned(), made: ban.made })
        });
        let mut bans = bans.collect::<Result<Vec<_>, _>>()?;
        let mut seen = HashSet::new();
        bans.retain(|ban| seen.insert(ban.target.clone()));
        Ok(List { issue: wire.issue, bans })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(kind: &str, value: &str) -> Draft {
        let target = Target::read(kind, value).expect("a target");
        Draft { target, until: Some(9), reason: "so it is".to_owned(), made: 7 }
    }

    fn signed(list: Vec<u8>) -> Signed {
        Signed { list, signature: Vec::new() }
    }

    fn wire(kind: &str, value: &str, reason: &str) -> Signed {
        let bans = vec![BanWire { kind, value, until: None, made: 0, reason }];
        signed(postcard::to_allocvec(&ListWire { issue: 1, bans }).expect("bytes"))
    }

    #[test]
    fn a_list_reads_back_and_bytes_behind_it_are_ignored() {
        let bans = vec![draft("name", "anna"), draft("address", "10.0.0.0/16"), draft("server", "a:1")];
        let (mut list, left_out) = write(12, bans.iter());
        assert_eq!((signed(list.clone()).read(3), left_out), (Ok(List { issue: 12, bans: bans.clone() }), 0));
        list.extend(b"what a newer program adds");
        assert_eq!(signed(list.clone()).read(3), Ok(List { issue: 12, bans }));
        assert_eq!(signed(list.clone()).read(2), Err(Malformed), "more than may be");
        list.truncate(9);
        assert_eq!(signed(list).read(3), Err(Malformed));
    }

    #[test]
    fn what_is_unknown_is_passed_over_and_what_is_wrong_spoils_the_list() {
        assert_eq!(wire("planet", "mars", "").read(9), Ok(List { issue: 1, bans: Vec::new() }));
        for (kind, value, reason) in [
            ("key", "no key", ""),
            ("address", "0.0.0.0/0", "shuts everybody out"),
            ("name", "anna", "a\nreason"),
            ("name", "anna", &"long ".repeat(99)),
        ] {
            assert_eq!(wire(kind, value, reason).read(9), Err(Malformed), "{kind} {value} {reason}");
        }
        let (list, _) = write(1, [draft("name", "ANNA"), draft("name", "anna")].iter());
        assert_eq!(signed(list).read(9).map(|list| list.bans.len()), Ok(1), "said twice is said once");
    }

    #[test]
    fn a_list_never_grows_beyond_its_bound() {
        let bans: Vec<Draft> = (0..5_000)
            .map(|number| Draft { reason: "x".repeat(256), ..draft("name", &format!("member {number}")) })
            .collect();
        let (list, left_out) = write(1, bans.iter());
        assert!(list.len() <= LONGEST_LIST && left_out > 0, "{} bytes, {left_out} left out", list.len());
        let read = signed(list).read(5_000).expect("a list");
        assert_eq!(read.bans[..], bans[..bans.len() - left_out]);
    }
}

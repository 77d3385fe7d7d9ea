//! The bridge: which lines of the public room are said again in other protocols, and to whom.
//!
//! The public conversations of all protocols are one room. A letter that says something to everybody becomes a line
//! of that room at its author's home; each home says the lines again to its own members of other protocols, in its
//! own name, since it cannot sign in theirs. **Invariants:** what this bridge says is never a line; a line is never said
//! again to those who have read it as a letter, nor to those who hear it in the room; a neighbour that knows no rooms
//! hears the lines of this home alone. So everybody reads everything once, however many homes are linked with whom.

use std::collections::HashMap;

use super::{
    Moment,
    dialect::Dialect,
    id::{ConnectionId, KeyId},
    letter::{Audience, Letter, Origin},
    limits::Limits,
    rate::Bucket,
    rooms::{Deed, Line},
};

/// Lines that are older when they are heard stay in the history: said again, they would look like said just now.
const FRESH_MS: i64 = 60_000;

/// One author gets this part of what goes one way, so that nobody can keep the others from being read.
const SHARE: u32 = 4;

/// How far a line is said again in one protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To the members of this home.
    Home,
    /// And to neighbours that know no rooms.
    Neighbours,
}

/// What is to be done with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is said again like this.
    Say(Reach),
    /// Not in this protocol: all who speak it have read it, or none can; or not any more.
    Leave,
    /// Too many are said already. Whether that should be told, which it should not for each.
    TooMany(bool),
}

/// The bridge of this home.
#[derive(Debug)]
pub struct Bridge {
    own: KeyId,
    into: Gauge,
    out: Gauge,
}

/// How much goes one way: of all authors together, and of each.
#[derive(Debug)]
struct Gauge {
    most: u32,
    whole: Bucket,
    /// Those who have said something lately.
    authors: HashMap<KeyId, Bucket>,
    /// How often it is told that there is too much.
    told: Bucket,
}

impl Gauge {
    fn new(limits: &Limits) -> Self {
        let most = limits.bridge_lines_per_second;
        let (whole, told) = (Bucket::new(most, most.saturating_mul(2)), Bucket::per_minute(1));
        Self { most, whole, authors: HashMap::new(), told }
    }

    /// Takes one of this author, or says whether that there is no room for it should be told.
    fn take(&mut self, author: KeyId, now: Moment) -> Result<(), bool> {
        let share = (self.most / SHARE).max(1);
        let mut own = self.authors.get(&author).copied();
        let bucket = own.get_or_insert_with(|| Bucket::new(share, share.saturating_mul(2)));
        // What is refused to one author takes nothing from the others.
        if bucket.take(1, now).is_err() || self.whole.take(1, now).is_err() {
            return Err(self.told.take(1, now).is_ok());
        }
        // Only those to whom something was granted are remembered, so they are few.
        let many = usize::try_from(self.most.saturating_mul(2 * SHARE)).unwrap_or(usize::MAX);
        if self.authors.len() >= many && !self.authors.contains_key(&author) {
            self.authors.retain(|_, bucket| !bucket.is_idle(now));
        }
        self.authors.extend(own.map(|bucket| (author, bucket)));
        Ok(())
    }
}

impl Bridge {
    /// The bridge of the home with this key.
    #[must_use]
    pub fn new(own: KeyId, limits: &Limits) -> Self {
        Self { own, into: Gauge::new(limits), out: Gauge::new(limits) }
    }

    /// The connection that stands for the bridge among the members of a protocol. No socket is ever numbered so high.
    #[must_use]
    pub const fn seat(dialect: Dialect) -> ConnectionId {
        ConnectionId(match dialect {
            Dialect::Olaf => u64::MAX,
            Dialect::Socp => u64::MAX - 1,
            Dialect::Tpacket => u64::MAX - 2,
        })
    }

    /// Whether a letter says something that may become a line here: to everybody, in words, and not by the bridge.
    #[must_use]
    pub fn may_carry(letter: &Letter) -> bool {
        let is_ours =
            matches!(letter.from, Origin::Here(id) if Dialect::ALL.iter().any(|of| Self::seat(*of) == id));
        !is_ours && letter.plain.is_some() && letter.audience == Audience::Everyone
    }

    /// One more letter of this author becomes a line.
    ///
    /// # Errors
    /// Too many do already. Whether that should be told.
    pub fn carry_in(&mut self, author: KeyId, now: Moment) -> Result<(), bool> {
        self.into.take(author, now)
    }

    /// Whether a line is said again in a protocol.
    pub fn carry_out(&mut self, line: &Line, dialect: Dialect, now_ms: i64, now: Moment) -> Turn {
        let Some(by) = &line.by else { return Turn::Leave };
        // Who speaks a protocol that only newer programs know cannot be named.
        let is_news = by.dialect.is_some() && !was_read(line, dialect);
        let is_said = matches!(line.deed, Deed::Said(_)) && line.room.is_public();
        // Its members hear all lines of a room.
        if dialect == Dialect::Tpacket || is_old(line, now_ms) || !is_news || !is_said {
            return Turn::Leave;
        }
        match self.out.take(by.member, now) {
            Ok(()) if line.id.home == self.own => Turn::Say(Reach::Neighbours),
            Ok(()) => Turn::Say(Reach::Home),
            Err(is_told) => Turn::TooMany(is_told),
        }
    }
}

/// Whether all who speak this protocol have read a line when it was a letter.
fn was_read(line: &Line, dialect: Dialect) -> bool {
    line.was_letter && line.by.as_ref().and_then(|by| by.dialect) == Some(dialect)
}

/// Whether somebody who is in the room need not hear a line there, because she reads it as a letter. Only what is
/// old comes without its letter: the link was down when that was sent.
#[must_use]
pub fn is_read_as_letter(line: &Line, dialect: Option<Dialect>, now_ms: i64) -> bool {
    dialect.is_some_and(|dialect| was_read(line, dialect)) && !is_old(line, now_ms)
}

fn is_old(line: &Line, now_ms: i64) -> bool {
    line.id.stamp.unix_ms() < now_ms.saturating_sub(FRESH_MS)
}

/// The words in which a line is said again.
#[must_use]
pub fn words(line: &Line) -> Option<String> {
    let (Deed::Said(text), Some(by)) = (&line.deed, &line.by) else { return None };
    // Whatever stands in a line of its own would look like said by somebody else.
    let text = text.split(['\n', '\r', '\u{2028}', '\u{2029}']).filter(|line| !line.is_empty());
    let text = text.collect::<Vec<_>>().join("\n    ");
    Some(format!("{}: {text}", called(&by.name, by.dialect?)))
}

/// Somebody, to members of other protocols.
#[must_use]
pub fn called(name: &str, dialect: Dialect) -> String {
    format!("{name} ({dialect})")
}

#[cfg(test)]
#[path = "bridge_tests.rs"]
mod tests;

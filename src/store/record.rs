//! What the store keeps, as plain values. Times are unix milliseconds, given by the caller.

use std::fmt;
use std::str::FromStr;

use crate::domain::dialect::Dialect;
use crate::domain::id::{KeyId, PeerId};
use crate::domain::member::Named;
use crate::domain::peer::{LinkDialect, Source};

/// A member who was seen, once or several times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who.
    pub key_id: KeyId,
    /// The protocol in which.
    pub dialect: Dialect,
    /// The name under which, in dialects that have names.
    pub named: Option<Named>,
    /// The public key as first received.
    pub public_key: String,
    /// The first of these times.
    pub first: i64,
    /// The last one.
    pub last: i64,
}

impl Seen {
    /// A member who is seen at this moment.
    #[must_use]
    pub fn now(key_id: KeyId, dialect: Dialect, public_key: String, at: i64) -> Self {
        Self { key_id, dialect, named: None, public_key, first: at, last: at }
    }

    /// The same member, known by a name.
    #[must_use]
    pub fn under(self, named: Option<Named>) -> Self {
        Self { named, ..self }
    }

    /// The same member, seen again. What was received first stays.
    pub fn again(&mut self, later: &Self) {
        match (&mut self.named, &later.named) {
            (Some(named), Some(later)) => named.proven |= later.proven && named.key == later.key,
            (None, named) => self.named.clone_from(named),
            (Some(_), None) => {}
        }
        self.last = self.last.max(later.last);
    }
}

/// A member who was seen at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRecord {
    /// Who: the fingerprint of its key, or the digest of its name.
    pub key_id: KeyId,
    /// Its name, in dialects that have names.
    pub name: Option<String>,
    /// The fingerprint of the key to which that name is held.
    pub name_key: Option<KeyId>,
    /// The name of the protocol at the first meeting. A newer program may have written a name that
    /// this one does not know, so it stays text.
    pub dialect: String,
    /// The public key as first received.
    pub public_key: String,
    /// The first meeting.
    pub first_seen: i64,
    /// The last one.
    pub last_seen: i64,
}

/// An uploaded file. Its bytes lie elsewhere, under the same id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRecord {
    /// The name in URLs and in the data folder.
    pub id: String,
    /// The name that the sender gave it.
    pub name: String,
    /// The media type to answer with.
    pub content_type: String,
    /// Its size.
    pub bytes: u64,
    /// When it came.
    pub uploaded_at: i64,
    /// When it may go.
    pub expires_at: i64,
    /// How often it was fetched.
    pub downloads: u64,
    /// The SHA-256 of its bytes; `None` for a file that is older than digests.
    pub digest: Option<[u8; 32]>,
}

/// A neighbour, present or not. Whether it is linked is never kept: that would be a lie after a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerRecord {
    /// Which one.
    pub id: PeerId,
    /// Where it is dialled; `None` if it only ever came to us.
    pub url: Option<String>,
    /// Where else it is dialled.
    pub doors: Vec<String>,
    /// The name under which lists and letters know it.
    pub address: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// The key it was pinned to, as in a peer line.
    pub key: Option<String>,
    /// The fingerprint of the key that it showed at first contact.
    pub seen_key: Option<KeyId>,
    /// The protocol of the link, if it is set.
    pub dialect: Option<LinkDialect>,
    /// How it deviates from its protocol, if that is set.
    pub accent: Option<String>,
    /// How we came to know it.
    pub source: Source,
    /// Whether somebody removed it. It is kept, because it is refused from then on.
    pub removed: bool,
    /// When we came to know it.
    pub added_at: i64,
    /// When it was last linked.
    pub linked_at: Option<i64>,
}

/// A place in a list that is ordered by time, newest first: the last item already seen.
///
/// It names the item and not a count, so that a page neither repeats nor skips what did not move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(super) at: i64,
    pub(super) id: String,
}

impl Cursor {
    /// The item that it names.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.at, self.id)
    }
}

/// Text that no page ever gave out as its cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this cursor was not given out by a page")]
pub struct BadCursor;

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (at, id) = text.split_once('.').ok_or(BadCursor)?;
        Ok(Self { at: at.parse().map_err(|_| BadCursor)?, id: id.to_owned() })
    }
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end of the list.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Makes a page of at most `limit` items out of a list that was read one item further.
    pub(super) fn cut(mut items: Vec<T>, limit: u32, place: impl Fn(&T) -> Cursor) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(place) } else { None };
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::{BadCursor, Cursor, Page};

    #[test]
    fn a_cursor_survives_its_text_form() {
        for cursor in [Cursor { at: -5, id: "a.b".into() }, Cursor { at: i64::MAX, id: String::new() }] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for wrong in ["", "5", "x.y", "99999999999999999999.a"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(BadCursor));
        }
    }

    #[test]
    fn only_a_page_with_more_behind_it_has_a_next_one() {
        let place = |item: &i64| Cursor { at: *item, id: String::new() };
        assert_eq!(Page::cut(vec![3, 2, 1], 3, place).next, None);
        let page = Page::cut(vec![3, 2, 1], 2, place);
        assert_eq!(page.items, [3, 2]);
        assert_eq!(page.next.map(|cursor| cursor.at), Some(2));
    }
}

//! Who is present: a key, the words in which it was introduced, and the dialect it speaks.
//!
//! Some dialects call their members by their key, others by a name that the member has chosen; whoever has a
//! name is told from others by it. The same value describes members of this home and those that neighbours tell us about.

use std::sync::Arc;

use super::{dialect::Dialect, id::KeyId};

/// Somebody present in the neighbourhood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who this is: the fingerprint of its key, however it is spelled, or the digest of its name if it has one.
    pub key: KeyId,
    /// What it is called, in dialects that do not call their members by their keys.
    pub name: Option<Arc<str>>,
    /// A small number for dialects that name members by one. Given in order of arrival.
    pub number: u32,
    /// The protocol of its first live connection.
    pub dialect: Dialect,
    /// The public key exactly as the member wrote it: others hash this very text.
    pub public_key: Arc<str>,
    /// The digest of that text. Most implementations call their members by it.
    pub spelled: KeyId,
    /// The fingerprint of the public key, by which people and bans know it; none if it came without one. The
    /// same as `key` unless it has a name.
    pub fingerprint: Option<KeyId>,
    /// Another key, as the member wrote it, with which letters to it are sealed, if it has two.
    pub sealing_key: Option<Arc<str>>,
    /// What it wants to be called by people, if it says so. Anybody may say anything there, so nothing depends on it.
    pub display_name: Option<Arc<str>>,
}

/// Which members who have names somebody looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// All, here and at neighbours.
    Everybody,
    /// Those of this very home.
    Ours,
    /// This one, wherever it is.
    One(KeyId),
}

/// A member as its home tells others about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resident {
    /// Who this is.
    pub key: KeyId,
    /// The name under which its home lists it, if its dialect has names.
    pub named: Option<Named>,
    /// The protocol it speaks at its home.
    pub dialect: Dialect,
    /// The public key as the member wrote it.
    pub public_key: Arc<str>,
    /// The digest of that text.
    pub spelled: KeyId,
}

impl Resident {
    /// The member, under the number that this home gives it.
    #[must_use]
    pub fn numbered(self, number: u32) -> Member {
        let fingerprint = self.fingerprint();
        let Self { key, named, dialect, public_key, spelled } = self;
        let [name, sealing_key, display_name] = Named::split(named.as_ref());
        Member { key, name, number, dialect, public_key, sealing_key, display_name, spelled, fingerprint }
    }

    /// The fingerprint of its public key, if it came with one.
    #[must_use]
    pub fn fingerprint(&self) -> Option<KeyId> {
        fingerprint(self.key, self.named.as_ref())
    }
}

/// Somebody whose hello was found good and who asks to be let in.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// Who this is.
    pub key: KeyId,
    /// The name under which it comes, if its dialect has names.
    pub named: Option<Named>,
    /// The protocol of the connection.
    pub dialect: Dialect,
    /// The public key as received.
    pub public_key: Arc<str>,
    /// The digest of that text.
    pub spelled: KeyId,
    /// What makes this hello recognisable if somebody plays it back.
    pub trace: super::replay::Trace,
}

impl Newcomer {
    /// The fingerprint of its public key, if it came with one.
    #[must_use]
    pub fn fingerprint(&self) -> Option<KeyId> {
        fingerprint(self.key, self.named.as_ref())
    }
}

/// Who has a name is called by the digest of it, and its key is another thing.
fn fingerprint(key: KeyId, named: Option<&Named>) -> Option<KeyId> {
    named.map_or(Some(key), |named| named.key)
}

/// A name, and how sure it is whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: Arc<str>,
    /// The fingerprint of the key that comes with it, if one does.
    pub key: Option<KeyId>,
    /// Whether that key has signed the hello.
    pub proven: bool,
    /// Another key, as it was written, with which letters to it are sealed, if it has two.
    pub sealing_key: Option<Arc<str>>,
    /// What it wants to be called by people, if it says so.
    pub display_name: Option<Arc<str>>,
}

/// Three texts that somebody may have.
type Texts = [Option<Arc<str>>; 3];

impl Named {
    /// The name, the second key and the display name of somebody who may have them.
    pub(super) fn split(named: Option<&Self>) -> Texts {
        named.map_or([const { None }; 3], |named| {
            [Some(Arc::clone(&named.name)), named.sealing_key.clone(), named.display_name.clone()]
        })
    }
}

//! Everybody who has a name, here and at neighbours, kept in the order of their names while they come and go.
//!
//! What changes costs as much as it is; who asks for all of them is handed the list that the last one got,
//! as long as nobody has come or gone since.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::people::is_person;
use crate::domain::{id::KeyId, member::Member};

/// Members in the order of their names.
pub(super) type List = Arc<[Arc<Member>]>;

/// Everybody who has a name.
#[derive(Debug, Default)]
pub(super) struct Known {
    names: HashMap<KeyId, Arc<str>>,
    members: BTreeMap<Arc<str>, Arc<Member>>,
    list: Option<List>,
    /// Those of this home, and when they were listed, by the roster's count of changes.
    ours: Option<(u64, List)>,
}

impl Known {
    /// This is how this one is listed now, if at all. Says how it was before.
    pub(super) fn put(&mut self, key: KeyId, now: Option<&Arc<Member>>) -> Option<Arc<Member>> {
        let before = self.names.remove(&key).and_then(|name| self.members.remove(&name));
        let now = now.and_then(|member| Some((member.name.clone()?, Arc::clone(member))));
        if before.is_some() || now.is_some() {
            self.list = None;
        }
        if let Some((name, member)) = now {
            self.names.insert(key, Arc::clone(&name));
            self.members.insert(name, member);
        }
        before
    }

    /// Everybody.
    pub(super) fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.values()
    }

    /// Everybody, as a list that is made once and shared.
    pub(super) fn list(&mut self) -> List {
        Arc::clone(self.list.get_or_insert_with(|| self.members.values().cloned().collect()))
    }

    /// Those of this home, who have not changed as long as this number has not.
    pub(super) fn ours<'a>(&mut self, sequence: u64, members: impl Iterator<Item = &'a Arc<Member>>) -> List {
        if let Some((known, list)) = &self.ours
            && *known == sequence
        {
            return Arc::clone(list);
        }
        let mut named: Vec<_> = members.filter(|member| is_person(member)).cloned().collect();
        named.sort_by(|one, other| one.name.cmp(&other.name));
        let list: List = named.into();
        self.ours = Some((sequence, Arc::clone(&list)));
        list
    }
}

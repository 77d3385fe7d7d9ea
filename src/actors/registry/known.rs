//! Everybody who has a name, here and at neighbours, kept in the order of their names while they come and go.
//!
//! What changes costs as much as it is; who asks for all of them is handed the list that the last one got,
//! as long as nobody has come or gone since. How somebody is announced is printed once, for all who come later.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{people::is_person, pressed::Pressed};
use crate::{
    dialect::Ear,
    domain::{id::KeyId, letter::Frame, member::Member},
};

/// Members in the order of their names.
pub(super) type List = Arc<[Arc<Member>]>;

/// Everybody who has a name.
#[derive(Debug, Default)]
pub(super) struct Known {
    names: HashMap<KeyId, Arc<str>>,
    members: BTreeMap<Arc<str>, Person>,
    list: Option<List>,
    /// Those of this home, and when they were listed, by the roster's count of changes.
    ours: Option<(u64, List)>,
}

/// One of them.
#[derive(Debug)]
struct Person {
    member: Arc<Member>,
    /// How newcomers are told.
    announced: Pressed<Option<Frame>>,
}

impl Known {
    /// This is how this one is listed now, if at all. Says how it was before.
    pub(super) fn put(&mut self, key: KeyId, now: Option<&Arc<Member>>) -> Option<Arc<Member>> {
        let before = self.names.remove(&key).and_then(|name| self.members.remove(&name));
        let before = before.map(|person| person.member);
        let now = now.and_then(|member| Some((member.name.clone()?, Arc::clone(member))));
        if before.is_some() || now.is_some() {
            self.list = None;
        }
        if let Some((name, member)) = now {
            self.names.insert(key, Arc::clone(&name));
            self.members.insert(name, Person { member, announced: Pressed::default() });
        }
        before
    }

    /// Announces everybody to somebody who hears like that, until that one takes no more.
    pub(super) fn announce(
        &mut self,
        ear: Ear,
        print: impl Fn(&Member) -> Option<Frame>,
        mut tell: impl FnMut(Frame) -> bool,
    ) {
        for Person { member, announced } in self.members.values_mut() {
            let frame = announced.hear(ear, || print(member));
            if frame.is_some_and(|frame| !tell(frame)) {
                return;
            }
        }
    }

    /// Everybody, as a list that is made once and shared.
    pub(super) fn list(&mut self) -> List {
        Arc::clone(
            self.list.get_or_insert_with(|| {
                self.members.values().map(|person| Arc::clone(&person.member)).collect()
            }),
        )
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

//! Members whom this house does not show, though their home lists them.
//!
//! They stay in the replica of their home, so that lists can be compared as before, and are there again in
//! the moment in which they may be shown.

use super::{Home, Mesh};
use crate::domain::{
    id::{HomeId, KeyId},
    member::Member,
    rooms::Standing,
};

impl Mesh {
    /// Whether this member of that home is not shown.
    #[must_use]
    pub fn is_hidden(&self, home: HomeId, key: KeyId) -> bool {
        !self.hidden.is_empty() && self.hidden.contains(&(home, key))
    }

    /// How somebody stands with this house of whom that home says that she is its member.
    #[must_use]
    pub fn standing(&self, home: HomeId, key: KeyId) -> Standing {
        let is_listed = |home: &Home| home.members.contains_key(&key) || home.unknown.contains_key(&key);
        match self.homes.get(&home) {
            _ if self.is_hidden(home, key) => Standing::Hidden,
            Some(home) if is_listed(home) => Standing::Listed,
            _ => Standing::Unlisted,
        }
    }

    /// Shows exactly those members for whom this does not hold. Says whether that changes what is shown.
    pub fn hide(&mut self, mut is_hidden: impl FnMut(&Member) -> bool) -> bool {
        let all = self.homes.iter().flat_map(|(id, home)| home.members.values().map(move |who| (*id, who)));
        let hidden = all.filter(|(_, member)| is_hidden(member)).map(|(id, who)| (id, who.key)).collect();
        let changes = self.hidden != hidden;
        self.moved.extend(self.hidden.symmetric_difference(&hidden).map(|(_, key)| *key));
        self.hidden = hidden;
        self.version += u64::from(changes);
        changes
    }

    /// The same for some members of one home, who have just been told of.
    pub fn hide_new(&mut self, id: HomeId, keys: &[KeyId], mut is_hidden: impl FnMut(&Member) -> bool) {
        let Some(home) = self.homes.get(&id) else { return };
        let known = keys.iter().filter_map(|key| home.members.get(key));
        self.hidden.extend(known.filter(|member| is_hidden(member)).map(|member| (id, member.key)));
    }
}

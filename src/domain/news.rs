//! What neighbours tell each other about their own members.

use super::{id::KeyId, member::Resident};

/// What two equal sets of members have in common: all their digests added without carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest(pub u128);

impl Digest {
    /// Somebody came or went.
    pub const fn toggle(&mut self, member: KeyId) {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = member.0;
        self.0 ^= u128::from_be_bytes([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]);
    }
}

/// One change of a home's members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Somebody came.
    Came(Resident),
    /// Somebody went.
    Went(KeyId),
}

/// What a neighbour says about its own members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// These are all of them. Said by neighbours that know no other way.
    Whole(Vec<Resident>),
    /// These are all of them between two keys, the first excluded and the last included.
    Part {
        /// Behind this key; from the beginning without one.
        after: Option<KeyId>,
        /// Up to this key; to the end without one.
        through: Option<KeyId>,
        /// The number of the last change that is in it.
        sequence: u64,
        /// Who is there.
        members: Vec<Resident>,
    },
    /// One change, from neighbours that do not count them.
    Single(Change),
    /// Changes, the first of which has this number.
    Changes {
        /// Its number.
        first: u64,
        /// The changes in order; `None` for one that means nothing to us.
        changes: Vec<Option<Change>>,
    },
    /// Where it stands.
    Standing {
        /// The number of the last change.
        sequence: u64,
        /// The digest of everybody there.
        digest: Digest,
    },
}

/// What follows from news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// The lists that we show have changed.
    pub changed: bool,
    /// We missed something: ask for the whole list.
    pub lost: bool,
    /// The neighbour lists more members than one may.
    pub excess: bool,
    /// The neighbour lists somebody under a name that is known to be another key's.
    pub impostor: Option<KeyId>,
}

impl News {
    /// Leaves out the members of whom this does not hold. Says who was left out first.
    pub fn retain(&mut self, mut holds: impl FnMut(&Resident) -> bool) -> Option<KeyId> {
        let mut first = None;
        let mut stays = |resident: &Resident| {
            let stays = holds(resident);
            if !stays {
                first.get_or_insert(resident.key);
            }
            stays
        };
        match self {
            Self::Whole(members) | Self::Part { members, .. } => members.retain(|member| stays(member)),
            Self::Single(change) => {
                if let Change::Came(resident) = change
                    && !stays(resident)
                {
                    *change = Change::Went(resident.key);
                }
            }
            Self::Changes { changes, .. } => {
                for change in changes {
                    if let Some(Change::Came(resident)) = change
                        && !stays(resident)
                    {
                        *change = None;
                    }
                }
            }
            Self::Standing { .. } => {}
        }
        first
    }

    /// About how much memory it takes while it waits.
    #[must_use]
    pub fn cost(&self) -> usize {
        const EACH: usize = 128;
        let each = |member: &Resident| member.public_key.len() + EACH;
        let of_change = |change: &Change| match change {
            Change::Came(member) => each(member),
            Change::Went(_) => EACH,
        };
        EACH + match self {
            Self::Whole(members) | Self::Part { members, .. } => members.iter().map(each).sum(),
            Self::Single(change) => of_change(change),
            Self::Changes { changes, .. } => changes.iter().flatten().map(of_change).sum(),
            Self::Standing { .. } => 0,
        }
    }
}

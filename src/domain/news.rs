//! What neighbours tell each other about their own members.

use super::{
    id::KeyId,
    member::{Named, Resident},
};

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

/// One entry of a neighbour's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// A member.
    Known(Resident),
    /// Somebody who speaks a dialect that only newer programs know. Nobody here can speak with it, but it
    /// counts when lists are compared.
    Unknown {
        /// The name under which it will go.
        key: KeyId,
        /// The digest of its key as it spells it.
        spelled: KeyId,
    },
}

impl Listed {
    /// The name under which it is listed.
    #[must_use]
    pub const fn key(&self) -> KeyId {
        match self {
            Self::Known(Resident { key, .. }) | Self::Unknown { key, .. } => *key,
        }
    }

    /// The digest of its spelling, if this is a member as we understand it.
    #[must_use]
    pub const fn known(&self) -> Option<KeyId> {
        match self {
            Self::Known(resident) => Some(resident.spelled),
            Self::Unknown { .. } => None,
        }
    }

    /// The digest of its spelling, if that is all we understand.
    #[must_use]
    pub const fn unknown(&self) -> Option<KeyId> {
        match self {
            Self::Known(_) => None,
            Self::Unknown { spelled, .. } => Some(*spelled),
        }
    }
}

/// One change of a home's members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Somebody came.
    Came(Listed),
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
        members: Vec<Listed>,
    },
    /// One change, from neighbours that do not count them.
    Single(Change),
    /// Changes, the first of which has this number.
    Changes {
        /// Its number.
        first: u64,
        /// The changes in order.
        changes: Vec<Change>,
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// The lists that we show have changed.
    pub changed: bool,
    /// We missed something: ask for the whole list.
    pub lost: bool,
    /// The neighbour lists more members than one may.
    pub excess: bool,
    /// The neighbour lists somebody like this, but the name is known to be another key's.
    pub impostor: Option<Named>,
}

impl News {
    /// Members of whom this does not hold are nobody to us, but still count when lists are compared. Says how
    /// the first of them is called.
    pub fn doubt(&mut self, mut holds: impl FnMut(&Resident) -> bool) -> Option<Named> {
        let mut first = None;
        let mut look = |listed: &mut Listed| {
            if let Listed::Known(resident) = listed
                && !holds(resident)
            {
                let (key, spelled) = (resident.key, resident.spelled);
                first = first.take().or_else(|| resident.named.take());
                *listed = Listed::Unknown { key, spelled };
            }
        };
        match self {
            Self::Part { members, .. } => members.iter_mut().for_each(look),
            Self::Single(Change::Came(listed)) => look(listed),
            Self::Changes { changes, .. } => {
                for change in changes {
                    if let Change::Came(listed) = change {
                        look(listed);
                    }
                }
            }
            // Whole lists come in dialects without names.
            Self::Single(Change::Went(_)) | Self::Whole(_) | Self::Standing { .. } => {}
        }
        first
    }

    /// The members whom it is about, those who go excluded.
    #[must_use]
    pub fn arrivals(&self) -> Vec<KeyId> {
        let came = |change: &Change| match change {
            Change::Came(listed) => Some(listed.key()),
            Change::Went(_) => None,
        };
        match self {
            Self::Whole(members) => members.iter().map(|member| member.key).collect(),
            Self::Part { members, .. } => members.iter().map(Listed::key).collect(),
            Self::Single(change) => came(change).into_iter().collect(),
            Self::Changes { changes, .. } => changes.iter().filter_map(came).collect(),
            Self::Standing { .. } => Vec::new(),
        }
    }

    /// About how much memory it takes while it waits.
    #[must_use]
    pub fn cost(&self) -> usize {
        const EACH: usize = 128;
        let second = |member: &Resident| member.named.as_ref()?.sealing_key.as_ref().map(|key| key.len());
        let each = |member: &Resident| member.public_key.len() + second(member).unwrap_or_default() + EACH;
        let listed = |listed: &Listed| match listed {
            Listed::Known(resident) => each(resident),
            Listed::Unknown { .. } => EACH,
        };
        let of_change = |change: &Change| match change {
            Change::Came(member) => listed(member),
            Change::Went(_) => EACH,
        };
        EACH + match self {
            Self::Whole(members) => members.iter().map(each).sum(),
            Self::Part { members, .. } => members.iter().map(listed).sum(),
            Self::Single(change) => of_change(change),
            Self::Changes { changes, .. } => changes.iter().map(of_change).sum(),
            Self::Standing { .. } => 0,
        }
    }
}

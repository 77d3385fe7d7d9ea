//! Who is present on this home, by key and by connection.
//!
//! A member with several connections is present once and gone with the last of them. The order of
//! arrival is kept, so that lists are stable and small numbers stay with their member.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    id::{ConnectionId, KeyId},
    member::{Member, Newcomer},
    refusal::Refusal,
};

#[derive(Debug)]
struct Present {
    member: Arc<Member>,
    connections: u32,
}

/// The members of this home.
#[derive(Debug, Default)]
pub struct Roster {
    by_key: HashMap<KeyId, Present>,
    by_number: BTreeMap<u32, KeyId>,
    by_connection: HashMap<ConnectionId, KeyId>,
    last_number: u32,
    version: u64,
}

/// The numbers of members start here: implementations that use numbers do the same.
const FIRST_NUMBER: u32 = 1001;

impl Roster {
    /// Grows whenever the set of members changes.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// How many members are present.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether nobody is present.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// The members in order of arrival.
    pub fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.by_number.values().filter_map(|key| self.by_key.get(key)).map(|present| &present.member)
    }

    /// The member behind a connection.
    #[must_use]
    pub fn member(&self, connection: ConnectionId) -> Option<&Arc<Member>> {
        let key = self.by_connection.get(&connection)?;
        self.by_key.get(key).map(|present| &present.member)
    }

    /// Lets a connection in, and says whether its member was not present before.
    ///
    /// # Errors
    /// The member holds as many connections as one may.
    pub fn join(
        &mut self,
        connection: ConnectionId,
        newcomer: &Newcomer,
        most_connections: u32,
    ) -> Result<(Arc<Member>, bool), Refusal> {
        if let Some(present) = self.by_key.get_mut(&newcomer.key) {
            if present.connections >= most_connections {
                return Err(Refusal::TooManyOfMember);
            }
            present.connections += 1;
            self.by_connection.insert(connection, newcomer.key);
            return Ok((Arc::clone(&present.member), false));
        }
        let number = self.last_number.max(FIRST_NUMBER - 1).wrapping_add(1);
        let member = Arc::new(Member {
            key: newcomer.key,
            number,
            dialect: newcomer.dialect,
            public_key: Arc::clone(&newcomer.public_key),
        });
        self.last_number = number;
        self.by_key.insert(newcomer.key, Present { member: Arc::clone(&member), connections: 1 });
        self.by_number.insert(number, newcomer.key);
        self.by_connection.insert(connection, newcomer.key);
        self.version += 1;
        Ok((member, true))
    }

    /// Takes a connection out, and says whose it was and whether that was the member's last one.
    pub fn leave(&mut self, connection: ConnectionId) -> Option<(Arc<Member>, bool)> {
        let key = self.by_connection.remove(&connection)?;
        let present = self.by_key.get_mut(&key)?;
        present.connections = present.connections.saturating_sub(1);
        let member = Arc::clone(&present.member);
        if present.connections > 0 {
            return Some((member, false));
        }
        self.by_key.remove(&key);
        self.by_number.remove(&member.number);
        self.version += 1;
        Some((member, true))
    }
}

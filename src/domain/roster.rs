//! Who is present on this home, by key and by connection.
//!
//! A member with several connections is present once and gone with the last of them. Members are kept
//! in the order of their keys, so that the list can be told in parts; small numbers follow the order of
//! arrival, so that they stay with their member.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use super::{
    id::{ConnectionId, KeyId},
    member::{Member, Named, Newcomer},
    news::Digest,
    refusal::Refusal,
};

#[derive(Debug)]
struct Present {
    member: Arc<Member>,
    connections: Vec<ConnectionId>,
}

/// The members of this home.
#[derive(Debug, Default)]
pub struct Roster {
    by_key: BTreeMap<KeyId, Present>,
    by_number: BTreeMap<u32, KeyId>,
    by_connection: HashMap<ConnectionId, Arc<Member>>,
    sequence: u64,
    digest: Digest,
}

impl Roster {
    /// Counts the changes of the set of members: one more for each who came or went.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// What two equal sets of members have in common.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
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

    /// The next members in the order of their keys, and whether those are the last ones.
    #[must_use]
    pub fn part(&self, after: Option<KeyId>, most: usize) -> (Vec<Arc<Member>>, bool) {
        let behind = self.by_key.range((after.map_or(Unbounded, Excluded), Unbounded));
        let mut members: Vec<_> =
            behind.take(most + 1).map(|(_, present)| Arc::clone(&present.member)).collect();
        let is_last = members.len() <= most;
        members.truncate(most);
        (members, is_last)
    }

    /// The connections of a member.
    #[must_use]
    pub fn connections(&self, key: KeyId) -> &[ConnectionId] {
        self.by_key.get(&key).map_or(&[], |present| &present.connections)
    }

    /// The member with this key.
    #[must_use]
    pub fn find(&self, key: KeyId) -> Option<&Arc<Member>> {
        self.by_key.get(&key).map(|present| &present.member)
    }

    /// The member behind a connection.
    #[must_use]
    pub fn member(&self, connection: ConnectionId) -> Option<&Arc<Member>> {
        self.by_connection.get(&connection)
    }

    /// Lets a connection in, and says whether its member was not present before. `number` is for a
    /// member that was not.
    ///
    /// # Errors
    /// The member holds as many connections as one may. One who is told by a name holds one.
    pub fn join(
        &mut self,
        connection: ConnectionId,
        newcomer: &Newcomer,
        most_connections: u32,
        number: u32,
    ) -> Result<(Arc<Member>, bool), Refusal> {
        if let Some(present) = self.by_key.get_mut(&newcomer.key) {
            if newcomer.named.is_some() {
                return Err(Refusal::NameInUse);
            }
            if present.connections.len() >= usize::try_from(most_connections).unwrap_or(usize::MAX) {
                return Err(Refusal::TooManyOfMember);
            }
            present.connections.push(connection);
            self.by_connection.insert(connection, Arc::clone(&present.member));
            return Ok((Arc::clone(&present.member), false));
        }
        let [name, sealing_key, display_name] = Named::split(newcomer.named.as_ref());
        let member = Arc::new(Member {
            key: newcomer.key,
            name,
            number,
            dialect: newcomer.dialect,
            public_key: Arc::clone(&newcomer.public_key),
            spelled: newcomer.spelled,
            fingerprint: newcomer.fingerprint(),
            sealing_key,
            display_name,
        });
        self.by_key
            .insert(newcomer.key, Present { member: Arc::clone(&member), connections: vec![connection] });
        self.by_number.insert(number, newcomer.key);
        self.by_connection.insert(connection, Arc::clone(&member));
        self.change(&member);
        Ok((member, true))
    }

    /// A connection is gone. Says whose it was and whether that was the member's last one.
    pub fn leave(&mut self, connection: ConnectionId) -> Option<(Arc<Member>, bool)> {
        let member = self.by_connection.remove(&connection)?;
        let present = self.by_key.get_mut(&member.key)?;
        present.connections.retain(|other| *other != connection);
        if !present.connections.is_empty() {
            return Some((member, false));
        }
        self.by_key.remove(&member.key);
        self.by_number.remove(&member.number);
        self.change(&member);
        Some((member, true))
    }

    const fn change(&mut self, member: &Member) {
        self.sequence += 1;
        self.digest.toggle(member.spelled);
    }
}

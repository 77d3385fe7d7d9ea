//! The members of this home who are in rooms, or may be soon: their numbers, and which of their connections is where.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{Guest, RoomName};
use crate::domain::id::{ConnectionId, KeyId};

/// A member of this home.
#[derive(Debug)]
pub(super) struct Visitor {
    /// As others see her, in every room.
    pub(super) guest: Arc<Guest>,
    connections: HashMap<ConnectionId, BTreeSet<RoomName>>,
}

impl Visitor {
    /// All rooms that she is in.
    pub(super) fn rooms(&self) -> BTreeSet<&RoomName> {
        self.connections.values().flatten().collect()
    }

    /// Those that this connection of hers is in.
    pub(super) fn rooms_of(&self, connection: ConnectionId) -> impl Iterator<Item = &RoomName> {
        self.connections.get(&connection).into_iter().flatten()
    }

    /// Those that she is in without this connection.
    pub(super) fn rooms_beside(&self, connection: ConnectionId) -> HashSet<&RoomName> {
        let others = self.connections.iter().filter(|(id, _)| **id != connection);
        others.flat_map(|(_, rooms)| rooms).collect()
    }

    /// A connection of hers is in a room from now on.
    pub(super) fn enter(&mut self, connection: ConnectionId, room: &RoomName) {
        self.connections.entry(connection).or_default().insert(room.clone());
    }

    /// It has left it. Says whether it was in.
    pub(super) fn leave(&mut self, connection: ConnectionId, room: &RoomName) -> bool {
        self.connections.get_mut(&connection).is_some_and(|rooms| rooms.remove(room))
    }

    /// All of hers are out of a room.
    pub(super) fn expel(&mut self, room: &RoomName) {
        for rooms in self.connections.values_mut() {
            rooms.remove(room);
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Visitors {
    members: HashMap<KeyId, Visitor>,
    connections: HashMap<ConnectionId, KeyId>,
}

impl Visitors {
    /// Whose connection this is.
    pub(super) fn of(&self, connection: ConnectionId) -> Option<&Visitor> {
        self.members.get(self.connections.get(&connection)?)
    }

    /// The same.
    pub(super) fn of_mut(&mut self, connection: ConnectionId) -> Option<&mut Visitor> {
        self.members.get_mut(self.connections.get(&connection)?)
    }

    /// This member, if she is here.
    pub(super) fn get(&self, member: KeyId) -> Option<&Visitor> {
        self.members.get(&member)
    }

    /// All of them, as others see them.
    pub(super) fn guests(&self) -> impl Iterator<Item = &Arc<Guest>> {
        self.members.values().map(|visitor| &visitor.guest)
    }

    /// All connections of this member are out of a room.
    pub(super) fn expel(&mut self, member: KeyId, room: &RoomName) {
        if let Some(visitor) = self.members.get_mut(&member) {
            visitor.expel(room);
        }
    }

    /// One more connection of a member, who is this guest if she has not been here before.
    pub(super) fn admit(&mut self, connection: ConnectionId, guest: Arc<Guest>) {
        let member = guest.member;
        let visitor =
            self.members.entry(member).or_insert_with(|| Visitor { guest, connections: HashMap::new() });
        visitor.connections.entry(connection).or_default();
        self.connections.insert(connection, member);
    }

    /// A connection is over. Who was in no room any more goes unheard.
    pub(super) fn dismiss(&mut self, connection: ConnectionId) {
        let Some(member) = self.connections.remove(&connection) else { return };
        if let Some(visitor) = self.members.get_mut(&member) {
            visitor.connections.remove(&connection);
            if visitor.connections.is_empty() {
                self.members.remove(&member);
            }
        }
    }

    /// Somebody is another guest from now on. Says who she was; nobody, if somebody else is called so.
    pub(super) fn rename(&mut self, connection: ConnectionId, guest: &Arc<Guest>) -> Option<Arc<Guest>> {
        let old = *self.connections.get(&connection)?;
        if old != guest.member && self.members.contains_key(&guest.member) {
            return None;
        }
        let visitor = self.members.remove(&old)?;
        for connection in visitor.connections.keys() {
            self.connections.insert(*connection, guest.member);
        }
        let before = visitor.guest;
        let connections = visitor.connections;
        self.members.insert(guest.member, Visitor { guest: Arc::clone(guest), connections });
        Some(before)
    }
}

//! What can be said to the registry about rooms.

use std::{collections::HashSet, sync::Arc};

use actix::Message;

use crate::domain::{
    id::{ConnectionId, HomeId, KeyId},
    rooms::{Guest, Line, LineId, Objection, Order, RoomName, RoomNews, RoomView, Ticket, Wish},
};

/// A member wants something of a room. The answer is delivered, in order with what happens there.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Room {
    /// The connection.
    pub connection: ConnectionId,
    /// The number that its client gave the wish.
    pub ticket: Ticket,
    /// What it wants.
    pub wish: Wish,
}

/// A neighbour has news of its rooms.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct RoomTold {
    /// Which one.
    pub home: HomeId,
    /// What it says.
    pub news: RoomNews,
}

/// These are all homes that are banned, by the keys under which their lines are kept.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Barred(pub HashSet<KeyId>);

/// An operator wants something. It is in force when this is answered, and on its way to the store.
#[derive(Message, Debug)]
#[rtype(result = "Result<(), Objection>")]
pub struct RoomOrder(pub Order);

/// Asks for a page of rooms, in the order of their names.
#[derive(Message, Debug)]
#[rtype(result = "Vec<RoomView>")]
pub struct ListRooms {
    /// Only behind this one.
    pub after: Option<RoomName>,
    /// At most so many.
    pub limit: usize,
}

/// Asks for one room, and who is in it.
#[derive(Message, Debug)]
#[rtype(result = "Option<Roster>")]
pub struct ShowRoom(pub RoomName);

/// One room as people see it.
#[derive(Clone, Debug)]
pub struct Roster {
    /// The room.
    pub room: RoomView,
    /// Its guests, in the order in which they came, with the address of their home, and whether they may say
    /// nothing here.
    pub guests: Vec<(Arc<Guest>, String, bool)>,
}

/// Asks for a page of a history, the newest lines or those right before one; oldest first, and whether there
/// are older ones.
#[derive(Message, Debug)]
#[rtype(result = "Option<(Vec<Arc<Line>>, bool)>")]
pub struct RoomHistory {
    /// Of which room.
    pub room: RoomName,
    /// Only lines before this one.
    pub before: Option<LineId>,
    /// At most so many.
    pub limit: usize,
}

/// Asks who may say nothing, in order.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Vec<KeyId>")]
pub struct Mutes;

/// Asks how many rooms there are, and how many guests they have.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "RoomTally")]
pub struct RoomCounts;

/// How many there are of what.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoomTally {
    /// Rooms.
    pub rooms: usize,
    /// Guests of all of them, those at neighbours included.
    pub guests: usize,
    /// Those of this home.
    pub own_guests: usize,
}

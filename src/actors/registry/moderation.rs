//! What operators ask of rooms and order in them.

use std::sync::Arc;

use actix::{Context, Handler, MessageResult};

use super::{ListRooms, Mutes, Registry, RoomCounts, RoomHistory, RoomOrder, RoomTally, Roster, ShowRoom};
use crate::{
    actors::{clock::unix_ms, event::Kind},
    domain::{
        id::{HomeId, KeyId},
        rooms::{Guest, Line, Objection, Order, RoomView},
    },
};

impl Registry {
    /// The address of a guest's home, as it spells it.
    fn address_of(&self, guest: &Guest) -> String {
        let elsewhere = || self.switchboard.mesh().home(guest.home).map(|home| home.address().to_owned());
        if guest.home == HomeId::OWN { self.home.clone() } else { elsewhere().unwrap_or_default() }
    }

    fn roster_of(&self, room: RoomView) -> Roster {
        let is_muted = |guest: &Guest| self.rooms.is_muted(guest.member);
        let guests =
            room.guests.iter().map(|guest| (Arc::clone(guest), self.address_of(guest), is_muted(guest)));
        let guests = guests.collect();
        Roster { room, guests }
    }
}

impl Handler<RoomOrder> for Registry {
    type Result = Result<(), Objection>;

    fn handle(&mut self, RoomOrder(order): RoomOrder, _: &mut Context<Self>) -> Self::Result {
        let kind = match &order {
            Order::Close(room) => Some(Kind::RoomClosed { room: room.clone() }),
            Order::Reopen(room) => Some(Kind::RoomOpened { room: room.clone() }),
            Order::Forget(room) => Some(Kind::RoomForgotten { room: room.clone() }),
            Order::Kick(room, number) => Some(Kind::Expelled { room: room.clone(), number: *number }),
            // These are told when they are written down, also those of neighbours.
            Order::Topic(..) | Order::Withdraw(_) | Order::Mute(..) => None,
        };
        let outcome = self.rooms.order(order, unix_ms())?;
        if let Some(kind) = kind.filter(|_| !outcome.is_empty()) {
            self.bulletin.publish(kind);
        }
        self.follow(outcome);
        Ok(())
    }
}

impl Handler<ListRooms> for Registry {
    type Result = MessageResult<ListRooms>;

    fn handle(&mut self, query: ListRooms, _: &mut Context<Self>) -> Self::Result {
        let ListRooms { after, limit } = query;
        MessageResult(self.rooms.rooms_behind(after.as_ref()).take(limit).collect())
    }
}

impl Handler<ShowRoom> for Registry {
    type Result = MessageResult<ShowRoom>;

    fn handle(&mut self, ShowRoom(name): ShowRoom, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.rooms.room(&name).map(|room| self.roster_of(room)))
    }
}

impl Handler<RoomHistory> for Registry {
    type Result = Option<(Vec<Arc<Line>>, bool)>;

    fn handle(&mut self, query: RoomHistory, _: &mut Context<Self>) -> Self::Result {
        self.rooms.history(&query.room, query.before, query.limit)
    }
}

impl Handler<Mutes> for Registry {
    type Result = Vec<KeyId>;

    fn handle(&mut self, _: Mutes, _: &mut Context<Self>) -> Self::Result {
        let mut muted: Vec<_> = self.rooms.muted().collect();
        muted.sort_unstable();
        muted
    }
}

impl Handler<RoomCounts> for Registry {
    type Result = MessageResult<RoomCounts>;

    fn handle(&mut self, _: RoomCounts, _: &mut Context<Self>) -> Self::Result {
        let own_guests = self.rooms.seats().filter(|home| *home == HomeId::OWN).count();
        MessageResult(RoomTally { rooms: self.rooms.count(), guests: self.rooms.seats().count(), own_guests })
    }
}

//! People and operators do things in rooms, and servers find what was written down.

use kith::domain::{
    Moment,
    id::HomeId,
    rooms::{Deed, Kept, LineId, Order, Wish},
};

use super::World;
use crate::{
    invariants::Broken,
    keys,
    rooms::{Act, room},
};

/// What clocks show that are right.
pub(super) fn unix_ms(now: Moment) -> i64 {
    const START: i64 = 1_700_000_000_000;
    START + i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

impl World {
    /// What a server finds that starts again.
    pub(super) fn kept(&self, place: usize) -> Kept {
        let mut kept = Kept::default();
        self.sites[place].store.iter().for_each(|(_, record)| kept.note(record.clone()));
        kept
    }

    pub(super) fn apply_room_act(&mut self, act: Act) -> Result<(), Broken> {
        match act {
            Act::Enter(person, at) => self.wish(person, &Wish::Enter(room(at))),
            Act::Move(person, at) => self.wish(person, &Wish::Move(room(at))),
            Act::Leave(person, at) => self.wish(person, &Wish::Leave(room(at))),
            Act::Say(person, at, bytes) => {
                self.wish(person, &Wish::Say(Some(room(at)), "x".repeat(bytes).into()))
            }
            Act::Topic(place, at) => {
                let topic = format!("{place} at {:?}", self.now());
                self.order(place, |_| Some(Order::Topic(room(at), topic.into())))
            }
            Act::Withdraw(place, pick) => self.order(place, |world| {
                let lines = world.own_lines(place);
                Some(Order::Withdraw(*lines.get(pick % lines.len().max(1))?))
            }),
            Act::Kick(place, at) => self.order(place, |world| {
                let guests = world.node(place)?.rooms().room(&room(at))?.guests;
                let guest = guests.iter().find(|guest| guest.home == HomeId::OWN)?;
                Some(Order::Kick(room(at), guest.number))
            }),
            Act::Rename(person, number) => self.wish(person, &Wish::Rename(format!("n{number}").into())),
            Act::Close(place, at) => self.order(place, |_| Some(Order::Close(room(at)))),
            Act::Reopen(place, at) => self.order(place, |_| Some(Order::Reopen(room(at)))),
            Act::Mute(..) | Act::Ban(..) | Act::Hide(..) => self.apply_against(act),
        }
    }

    /// What an operator orders against somebody elsewhere, and nobody there hears of. It is written down at once.
    fn apply_against(&mut self, act: Act) -> Result<(), Broken> {
        let (Act::Mute(place, ..) | Act::Ban(place, ..) | Act::Hide(place, _)) = act else { return Ok(()) };
        if self.is_stopped(place) || self.node(place).is_none() {
            return Ok(());
        }
        match act {
            Act::Mute(_, person, on) => {
                let member = keys::persona(person).key;
                self.ledger.rooms.1.mute(place, member, on);
                self.order(place, |_| Some(Order::Mute(member, on)))
            }
            Act::Ban(_, person, on) => {
                self.ledger.rooms.1.ban(place, keys::persona(person).key, on);
                let banned = self.ledger.rooms.1.banned(place);
                self.with(place, |node, now| node.ban(banned, now))?;
                Ok(())
            }
            Act::Hide(_, pick) => {
                let own = keys::server(place).id();
                let lines: Vec<_> = self.lines(place).into_iter().filter(|id| id.home != own).collect();
                let Some(line) = lines.get(pick % lines.len().max(1)).copied() else { return Ok(()) };
                self.ledger.rooms.1.hide(place, line);
                self.order(place, |_| Some(Order::Withdraw(line)))
            }
            _ => Ok(()),
        }
    }

    /// Somebody wants something of rooms on each of her connections.
    fn wish(&mut self, person: usize, wish: &Wish) -> Result<(), Broken> {
        let connections: Vec<_> =
            self.people[person].connections.iter().map(|(id, at)| (*id, at.0)).collect();
        for (connection, place) in connections {
            if self.is_stopped(place) {
                continue;
            }
            let (member, wanted) = (keys::persona(person).key, wish.clone());
            self.with(place, |node, now| node.ask(connection, member, wanted, now))?;
            if let Wish::Move(room) = wish {
                self.ledger.rooms.moved(connection, room);
            }
        }
        Ok(())
    }

    fn order(&mut self, place: usize, order: impl FnOnce(&Self) -> Option<Order>) -> Result<(), Broken> {
        if self.is_stopped(place) {
            return Ok(());
        }
        if let Some(order) = order(self) {
            self.with(place, |node, now| node.order(order, now))?;
        }
        Ok(())
    }

    fn own_lines(&self, place: usize) -> Vec<LineId> {
        let own = keys::server(place).id();
        self.lines(place).into_iter().filter(|id| id.home == own).collect()
    }

    fn lines(&self, place: usize) -> Vec<LineId> {
        let Some(node) = self.node(place) else { return Vec::new() };
        let names = node.rooms().rooms().map(|view| view.name);
        let histories = names.filter_map(|name| node.rooms().history(&name, None, usize::MAX));
        let lines = histories.flat_map(|(lines, _)| lines).filter(|line| matches!(line.deed, Deed::Said(_)));
        lines.map(|line| line.id).collect()
    }
}

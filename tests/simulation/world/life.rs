//! People do things.

use std::collections::BTreeMap;

use kith::domain::id::ConnectionId;

use super::{Deed, World};
use crate::{
    invariants::Broken,
    keys,
    member::{self, Act},
};

impl World {
    pub(super) fn apply_act(&mut self, act: Act) -> Result<(), Broken> {
        match act {
            Act::Join(person, place) => self.join(person, place),
            Act::Leave(person) => match self.some_connection(person) {
                Some(connection) => self.leave(person, connection),
                None => Ok(()),
            },
            Act::LeaveFrom(person, connection) => self.leave(person, connection),
            Act::Move(person, place, pause, leaves_first) => {
                let Some(connection) = self.some_connection(person) else { return Ok(()) };
                let (leave, join) = (Act::LeaveFrom(person, connection), Act::Join(person, place));
                let (first, second) = if leaves_first { (leave, join) } else { (join, leave) };
                self.plan(self.now() + pause, Deed::Person(second));
                self.apply_act(first)
            }
            Act::Say(person, homes, bytes) => self.say(person, homes.as_deref(), bytes),
            Act::Tell(person, to) => self.tell(person, to),
            Act::Repeat(person) => self.repeat(person),
        }
    }

    fn some_connection(&mut self, person: usize) -> Option<ConnectionId> {
        let connections: Vec<_> = self.people[person].connections.keys().copied().collect();
        self.chance.choice(connections)
    }

    fn join(&mut self, person: usize, place: usize) -> Result<(), Broken> {
        if self.is_stopped(place) {
            return Ok(());
        }
        self.serial += 1;
        let connection = ConnectionId(self.serial);
        let newcomer = member::hello(person, self.chance.usize(0..2), self.serial);
        self.ledger.may_join(place, newcomer.key);
        if self.with(place, |node, now| node.join(connection, &newcomer, now))? == Some(true) {
            self.people[person].connections.insert(connection, (place, 0));
        }
        Ok(())
    }

    fn leave(&mut self, person: usize, connection: ConnectionId) -> Result<(), Broken> {
        if let Some((place, _)) = self.people[person].connections.remove(&connection) {
            self.ledger.rooms.left(connection);
            self.with(place, |node, now| node.leave(connection, now))?;
        }
        Ok(())
    }

    fn say(&mut self, person: usize, homes: Option<&[usize]>, bytes: usize) -> Result<(), Broken> {
        let Some(connection) = self.some_connection(person) else { return Ok(()) };
        let Some((place, count)) = self.people[person].connections.get_mut(&connection) else {
            return Ok(());
        };
        *count += 1;
        let (place, from) = (*place, (connection, *count));
        if self.is_stopped(place) {
            return Ok(());
        }
        let hearers = self.hearers(place, homes);
        let number = self.ledger.written(Some(from), hearers);
        let letter = member::letter(number, person, connection, homes, bytes);
        self.ledger.worded(number, letter.original.clone());
        self.with(place, |node, now| node.route(&letter, now))?;
        Ok(())
    }

    /// One connection of somebody: where it is, and which letter it writes now.
    fn pen(&mut self, person: usize) -> Option<(usize, (ConnectionId, u64))> {
        let connection = self.some_connection(person)?;
        let (place, count) = self.people[person].connections.get_mut(&connection)?;
        *count += 1;
        Some((*place, (connection, *count)))
    }

    /// A letter for one person is heard wherever its author's home believes that person to be.
    fn tell(&mut self, person: usize, to: usize) -> Result<(), Broken> {
        let Some((place, from)) = self.pen(person).filter(|(place, _)| !self.is_stopped(*place)) else {
            return Ok(());
        };
        let key = keys::persona(to).key;
        let home = self.node(place).and_then(|node| {
            let is_here = node.house().roster().find(key).is_some();
            if is_here {
                Some(place)
            } else {
                node.house().mesh().whereabouts(key).map(|home| node.place(home))
            }
        });
        let at = |home: usize| self.node(home).map(|node| node.house().roster().connections(key).to_vec());
        let hearers = home.and_then(|home| Some((home, at(home)?))).into_iter().collect();
        let number = self.ledger.written(Some(from), hearers);
        let letter = member::named_letter(number, person, from.0, Some(to), 10);
        self.ledger.worded(number, letter.original.clone());
        self.with(place, |node, now| node.route(&letter, now))?;
        Ok(())
    }

    /// Whoever is not sure that a letter was heard sends the same bytes again, wherever it is.
    fn repeat(&mut self, person: usize) -> Result<(), Broken> {
        let connections = self.people[person].connections.iter();
        let homes = connections.map(|(connection, (place, _))| (*connection, *place));
        let homes: Vec<_> = homes.filter(|(_, place)| !self.is_stopped(*place)).collect();
        let Some((_, first)) = homes.first() else { return Ok(()) };
        let hearers = self.hearers(*first, None);
        let number = self.ledger.written(None, hearers);
        for (connection, place) in homes.iter().chain(&homes) {
            let letter = member::letter(number, person, *connection, None, 0);
            self.ledger.worded(number, letter.original.clone());
            self.with(*place, |node, now| node.route(&letter, now))?;
        }
        Ok(())
    }

    /// Who must hear a letter that is written at this home now, as far as its links reach.
    fn hearers(&self, place: usize, homes: Option<&[usize]>) -> BTreeMap<usize, Vec<ConnectionId>> {
        let reached = |home: &usize| {
            let is_linked =
                || self.node(place).and_then(|node| node.link(*home)).is_some_and(|(_, is_told)| is_told);
            homes.is_none_or(|homes| homes.contains(home)) && (*home == place || is_linked())
        };
        let connections = |home| self.node(home).map(|node| node.connections().iter().copied().collect());
        (0..self.servers())
            .filter(reached)
            .map(|home| (home, connections(home).unwrap_or_default()))
            .collect()
    }
}

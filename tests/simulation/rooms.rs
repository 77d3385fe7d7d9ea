//! Rooms: people in them say things on several homes, under everything that goes wrong. In the end all homes keep
//! the same, everybody knows who is really there, has missed nothing, and was told nothing twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use fastrand::Rng;
use kith::domain::{
    Moment,
    id::{ConnectionId, HomeId, KeyId},
    limits::{Limits, seconds},
    rooms::{Answer, Deed, Event, Guest, Line, LineId, RoomName},
};

use crate::{
    faults::Fault,
    invariants::{Broken, must},
    moderated::Orders,
    scenarios::{fault, links_up, pass, scene, told},
    world::{self, World},
};

const ROOMS: [&str; 3] = ["attic", "cellar", "hall"];

/// One of the rooms.
pub(crate) fn room(at: usize) -> RoomName {
    RoomName::new(ROOMS[at % ROOMS.len()]).expect("a name")
}

/// What people do in rooms, and operators at their homes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Enter(usize, usize),
    Move(usize, usize),
    Leave(usize, usize),
    /// So many bytes.
    Say(usize, usize, usize),
    Topic(usize, usize),
    Withdraw(usize, usize),
    Kick(usize, usize),
    /// Somebody is called by this number from now on.
    Rename(usize, u32),
    Close(usize, usize),
    Reopen(usize, usize),
    /// Somebody may speak there no more, or may again.
    Mute(usize, usize, bool),
    /// Somebody is banned there, or is not any more.
    Ban(usize, usize, bool),
    /// A line of another home is hidden.
    Hide(usize, usize),
}

/// What happens in rooms before `until`.
pub(crate) fn plan(people: usize, servers: usize, until: Moment, chance: &mut Rng) -> Vec<(Moment, Act)> {
    let length = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
    let acts = (0..people * 10).map(|_| {
        let (who, place, at) =
            (chance.usize(0..people), chance.usize(0..servers), chance.usize(0..ROOMS.len()));
        let act = match chance.u32(0..16) {
            0..5 => Act::Enter(who, at),
            5 => Act::Move(who, at),
            6 => Act::Leave(who, at),
            7 => Act::Topic(place, at),
            8 => Act::Withdraw(place, chance.usize(..)),
            9 => Act::Kick(place, at),
            _ => Act::Say(who, at, chance.usize(0..60)),
        };
        (Moment::from_millis(chance.u64(0..length)), act)
    });
    acts.collect()
}

/// A room as somebody who is in it was told about it.
#[derive(Debug)]
pub(crate) struct View {
    you: KeyId,
    pub(crate) roster: Vec<Arc<Guest>>,
    pub(crate) lines: BTreeSet<LineId>,
}

impl View {
    fn place(&self, guest: &Arc<Guest>) -> Result<usize, Broken> {
        let place = self.roster.iter().position(|known| known == guest);
        place.ok_or_else(|| Broken(format!("{} is not in the room", guest.name)))
    }

    fn hears(&mut self, line: &Line) -> Result<(), Broken> {
        must!(self.lines.insert(line.id), "{:?} was told before", line.id);
        Ok(())
    }

    fn plays(&mut self, event: &Event) -> Result<(), Broken> {
        match event {
            Event::Came(guest) => {
                let is_new = self.roster.iter().all(|known| known.number != guest.number);
                must!(is_new, "{} came twice", guest.name);
                self.roster.push(Arc::clone(guest));
            }
            Event::Went(guest) | Event::Expelled(guest) => {
                self.roster.remove(self.place(guest)?);
            }
            Event::Renamed(before, now) => {
                let place = self.place(before)?;
                self.roster[place] = Arc::clone(now);
            }
            Event::Said(guest, line) => {
                self.place(guest)?;
                self.hears(line)?;
            }
            Event::Recalled(line) => self.hears(line)?,
            Event::Withdrawn(id) => {
                self.lines.remove(id);
            }
            Event::Topic(_) | Event::Closed => {}
        }
        Ok(())
    }
}

/// What everybody was told of the rooms that she is in: by home, connection and room.
#[derive(Debug, Default)]
pub(crate) struct Views(BTreeMap<(usize, ConnectionId, RoomName), View>, pub(crate) Orders);

impl Views {
    /// Somebody is answered.
    pub(crate) fn answered(&mut self, place: usize, connection: ConnectionId, answer: &Answer) {
        match answer {
            Answer::Entered(scene) => {
                let lines = scene.history.iter().map(|line| line.id).collect();
                let view = View { you: scene.you.member, roster: scene.guests.clone(), lines };
                self.0.insert((place, connection, scene.room.clone()), view);
            }
            Answer::Left(room) => {
                self.0.remove(&(place, connection, room.clone()));
            }
            _ => {}
        }
    }

    /// Somebody has moved to this room, if she was let in.
    pub(crate) fn moved(&mut self, connection: ConnectionId, room: &RoomName) {
        if self.0.keys().any(|(_, known, place)| *known == connection && place == room) {
            self.0.retain(|(_, known, place), _| *known != connection || place == room);
        }
    }

    /// A connection is over.
    pub(crate) fn left(&mut self, connection: ConnectionId) {
        self.0.retain(|(_, known, _), _| *known != connection);
    }

    /// A server is no more.
    pub(crate) fn stopped(&mut self, place: usize) {
        self.0.retain(|(home, ..), _| *home != place);
    }

    /// What everybody at a server was told of the rooms that she is in.
    pub(crate) fn at(&self, place: usize) -> impl Iterator<Item = (&RoomName, &View)> {
        self.0.iter().filter(move |((home, ..), _)| *home == place).map(|((.., room), view)| (room, view))
    }

    /// Something happened, and these hear of it.
    pub(crate) fn happened(
        &mut self,
        place: usize,
        room: &RoomName,
        listeners: &[ConnectionId],
        event: &Event,
    ) -> Result<(), Broken> {
        self.1.allow(place, event)?;
        for listener in listeners {
            let view = self.0.get_mut(&(place, *listener, room.clone()));
            let Some(view) = view else {
                return Err(Broken(format!("{listener} hears of {room} and is not in it: {event:?}")));
            };
            view.plays(event).map_err(|Broken(what)| {
                Broken(format!("{listener} at server {place} hears {event:?} in {room}: {what}"))
            })?;
        }
        if *event == Event::Closed {
            self.0.retain(|(home, _, at), _| (*home, at) != (place, room));
        }
        if let Event::Expelled(guest) = event {
            self.0.retain(|(home, _, at), view| (*home, at) != (place, room) || view.you != guest.member);
        }
        Ok(())
    }
}

/// All homes keep the same lines, and everybody who is in a room knows who is and has missed nothing.
pub(crate) fn rooms_agree(world: &World) -> Result<(), Broken> {
    for name in (0..ROOMS.len()).map(room) {
        let views = || world.ledger().rooms.0.iter().filter(|((_, _, at), _)| *at == name);
        let truth: BTreeSet<(usize, KeyId)> = views().map(|((place, ..), view)| (*place, view.you)).collect();
        let mut first = None;
        for (place, node) in world.nodes() {
            let view = node.rooms().room(&name);
            let topic = view.as_ref().and_then(|view| view.topic.clone());
            let guests = view.map_or_else(Vec::new, |view| view.guests);
            let lines = node.rooms().history(&name, None, usize::MAX).unwrap_or_default().0;
            must!(lines.is_sorted_by(|one, next| one.id < next.id), "server {place} mixes up {name}");
            let home = |guest: &Guest| if guest.home == HomeId::OWN { place } else { node.place(guest.home) };
            let seen: BTreeSet<_> = guests.iter().map(|guest| (home(guest), guest.member)).collect();
            must!(
                seen == truth && seen.len() == guests.len(),
                "server {place} sees {seen:?} in {name}: {truth:?}"
            );
            for ((_, listener, _), view) in views().filter(|((home, ..), _)| *home == place) {
                must!(view.roster == guests, "{listener} at server {place} does not know who is in {name}");
                let said = lines.iter().filter(|line| matches!(line.deed, Deed::Said(_)));
                let missed = said.clone().find(|line| !view.lines.contains(&line.id));
                must!(missed.is_none(), "{listener} at server {place} has missed {missed:?}");
            }
            let (_, known, known_topic) = first.get_or_insert_with(|| (place, lines.clone(), topic.clone()));
            must!(*known == lines, "server {place} keeps {lines:?} of {name}, another one {known:?}");
            must!(
                *known_topic == topic,
                "server {place} calls {name} {topic:?}, another one {known_topic:?}"
            );
        }
    }
    Ok(())
}

fn act(world: &mut World, act: Act) -> Result<(), Broken> {
    world.apply_deed(world::Deed::Room(act))
}

/// Everybody who is at home in a world of two says something in the hall.
fn talk(world: &mut World) -> Result<(), Broken> {
    for person in 0..world.servers() {
        act(world, Act::Enter(person, 2))?;
        act(world, Act::Say(person, 2, 20))?;
    }
    Ok(())
}

#[test]
fn a_link_that_is_cut_at_any_step_leaves_nobody_with_a_gap() {
    let play = |step: u64, what: Fault, pause: Duration| {
        let mut world = scene(2, Limits::default(), step)?;
        // Who is in, and what was said before, is told when the link comes up, and then what is said meanwhile.
        talk(&mut world)?;
        talk(&mut world)?;
        while world.net().arrived() < step && world.step(seconds(1))? {}
        talk(&mut world)?;
        fault(&mut world, what)?;
        talk(&mut world)?;
        pass(&mut world, pause)?;
        talk(&mut world)?;
        fault(&mut world, Fault::Heal(0, 1))?;
        pass(&mut world, seconds(20))?;
        fault(&mut world, Fault::Retry)?;
        links_up(&mut world, seconds(5))?;
        pass(&mut world, seconds(5))?;
        rooms_agree(&world)
    };
    // Two greetings at once take fourteen packets; then come lists, seats, questions and lines.
    for step in 10..40 {
        for what in [Fault::Cut(0, 1), Fault::CutOneWay(0, 1), Fault::CutOneWay(1, 0), Fault::Reset(0, 1)] {
            for pause in [300, 30_000].map(Duration::from_millis) {
                told(play(step, what, pause), (step, what, pause));
            }
        }
    }
}

//! Operators at several homes who mute, ban, hide and close, while links are cut and servers crash: whoever may not be
//! seen or heard at a home never is there, everybody else is, and homes go on keeping the same.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};

use fastrand::Rng;
use kith::domain::{
    id::{HomeId, KeyId},
    limits::{Limits, seconds},
    rooms::{Event, Guest, Line, LineId, RoomName},
};

use crate::{
    faults::Fault,
    invariants::{Broken, must},
    member,
    rooms::{Act, room},
    scenarios::{self, fault, links_up, pass, scene, told},
    world::{Deed, World},
};

/// What operators have ordered against members and lines of other homes, by home.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    muted: BTreeMap<usize, BTreeSet<KeyId>>,
    banned: BTreeMap<usize, BTreeSet<KeyId>>,
    hidden: BTreeMap<usize, BTreeSet<LineId>>,
}

fn has<T: Ord>(at: &BTreeMap<usize, BTreeSet<T>>, place: usize, what: &T) -> bool {
    at.get(&place).is_some_and(|all| all.contains(what))
}

impl Orders {
    pub(crate) fn mute(&mut self, place: usize, member: KeyId, on: bool) {
        let muted = self.muted.entry(place).or_default();
        if on {
            muted.insert(member)
        } else {
            muted.remove(&member)
        };
    }

    pub(crate) fn ban(&mut self, place: usize, member: KeyId, on: bool) {
        let banned = self.banned.entry(place).or_default();
        if on {
            banned.insert(member)
        } else {
            banned.remove(&member)
        };
    }

    pub(crate) fn hide(&mut self, place: usize, line: LineId) {
        self.hidden.entry(place).or_default().insert(line);
    }

    /// Who is banned there.
    pub(crate) fn banned(&self, place: usize) -> HashSet<KeyId> {
        self.banned.get(&place).into_iter().flatten().copied().collect()
    }

    fn silences(&self, place: usize, line: &Line) -> bool {
        let by = line.by.as_ref().map(|by| by.member);
        by.is_some_and(|by| has(&self.muted, place, &by) || has(&self.banned, place, &by))
    }

    /// Whether guests of this home may hear this.
    pub(crate) fn allow(&self, place: usize, event: &Event) -> Result<(), Broken> {
        match event {
            Event::Came(guest) | Event::Renamed(_, guest) => {
                let is_banned = has(&self.banned, place, &guest.member);
                must!(!is_banned, "{} is banned at server {place}, and is seen: {event:?}", guest.name);
            }
            Event::Said(_, line) | Event::Recalled(line) => {
                must!(!self.silences(place, line), "server {place} lets somebody be heard: {event:?}");
                must!(!has(&self.hidden, place, &line.id), "server {place} shows a hidden line: {event:?}");
            }
            _ => {}
        }
        Ok(())
    }
}

const SERVERS: usize = 3;
const ROOMS: usize = 3;

/// What a server keeps of a room: its lines, how many they were, and how many bytes.
type Kept = (Vec<Arc<Line>>, usize, usize);

fn kept(world: &World, place: usize, name: &RoomName) -> Kept {
    let rooms = world.node(place).expect("it runs").rooms();
    let size = rooms.room(name).map_or((0, 0), |view| (view.lines, view.bytes));
    (rooms.history(name, None, usize::MAX).unwrap_or_default().0, size.0, size.1)
}

/// The guests of a room as a server sees them: where they are, who, and what they are called.
fn seen(world: &World, place: usize, name: &RoomName) -> BTreeSet<(usize, KeyId, Arc<str>)> {
    let node = world.node(place).expect("it runs");
    let guests = node.rooms().room(name).map_or_else(Vec::new, |view| view.guests);
    let home = |guest: &Guest| if guest.home == HomeId::OWN { place } else { node.place(guest.home) };
    guests.iter().map(|guest| (home(guest), guest.member, Arc::clone(&guest.name))).collect()
}

/// Everybody is seen and heard wherever she may be, and nowhere else; and all homes keep the same.
fn all_is_in_order(world: &World) -> Result<(), Broken> {
    let orders = &world.ledger().rooms.1;
    for name in (0..ROOMS).map(room) {
        let mut truth = BTreeSet::new();
        let mut lines = BTreeMap::new();
        for place in 0..SERVERS {
            truth.extend(seen(world, place, &name).into_iter().filter(|(home, ..)| *home == place));
            lines.extend(kept(world, place, &name).0.into_iter().map(|line| (line.id, line)));
        }
        let (_, count, bytes) = kept(world, 0, &name);
        for place in 0..SERVERS {
            let may_be_seen = |member: &KeyId| !has(&orders.banned, place, member);
            let wanted: BTreeSet<_> =
                truth.iter().filter(|(_, member, _)| may_be_seen(member)).cloned().collect();
            let there = seen(world, place, &name);
            must!(there == wanted, "server {place} sees {there:?} in {name}: {wanted:?}");
            let wanted = lines.values().filter(|line| !has(&orders.hidden, place, &line.id));
            let (there, own_count, own_bytes) = kept(world, place, &name);
            must!(there.iter().eq(wanted), "server {place} keeps {there:?} of {name}: {lines:?}");
            must!(
                (own_count, own_bytes) == (count, bytes),
                "server {place} keeps {own_count} lines and {own_bytes} bytes of {name}, another one {count} and {bytes}"
            );
            let rooms = world.node(place).expect("it runs").rooms();
            let is_closed = rooms.room(&name).is_some_and(|view| view.closed);
            for line in &there {
                let is_shown = !is_closed && !orders.silences(place, line);
                must!(rooms.shows(line) == is_shown, "server {place} shows {line:?}: {}", !is_shown);
            }
        }
    }
    for place in 0..SERVERS {
        for (name, view) in world.ledger().rooms.at(place) {
            let guests = world.node(place).and_then(|node| node.rooms().room(name)).expect("a room").guests;
            must!(view.roster == guests, "somebody at server {place} does not know who is in {name}");
            let shown = view.lines.iter().find(|line| has(&orders.hidden, place, line));
            must!(shown.is_none(), "somebody at server {place} still sees {shown:?}");
        }
    }
    Ok(())
}

/// Something that happens in rooms, or against somebody in them.
fn any(chance: &mut Rng) -> Act {
    let (who, at, place) = (chance.usize(0..SERVERS), chance.usize(0..ROOMS), chance.usize(0..SERVERS));
    let elsewhere = (place + chance.usize(1..SERVERS)) % SERVERS;
    match chance.u32(0..20) {
        0..4 => Act::Enter(who, at),
        4 => Act::Leave(who, at),
        5 => Act::Move(who, at),
        6 | 7 => Act::Rename(who, chance.u32(0..9)),
        8 => Act::Close(place, at),
        9 => Act::Reopen(place, at),
        10 => Act::Mute(place, elsewhere, chance.bool()),
        11 | 12 => Act::Ban(place, elsewhere, chance.bool()),
        13 => Act::Hide(place, chance.usize(..)),
        14 => Act::Withdraw(place, chance.usize(..)),
        _ => Act::Say(who, at, chance.usize(0..60)),
    }
}

fn trouble(chance: &mut Rng) -> Fault {
    let one = chance.usize(0..SERVERS);
    let other = (one + chance.usize(1..SERVERS)) % SERVERS;
    match chance.u32(0..6) {
        0 => Fault::Cut(one, other),
        1 => Fault::CutOneWay(one, other),
        2 => Fault::Reset(one, other),
        3 => Fault::Kill(one),
        4 => Fault::Start(one),
        _ => Fault::Heal(one, other),
    }
}

/// Whoever has lost her home comes again.
fn come_back(world: &mut World) -> Result<(), Broken> {
    for place in 0..SERVERS {
        if world.node(place).is_some() && world.people()[place].connections.is_empty() {
            scenarios::act(world, member::Act::Join(place, place))?;
        }
    }
    Ok(())
}

fn does(world: &mut World, act: Act) -> Result<(), Broken> {
    world.apply_deed(Deed::Room(act))
}

fn settles(world: &mut World) -> Result<(), Broken> {
    fault(world, Fault::Retry)?;
    links_up(world, seconds(30))?;
    pass(world, seconds(15))?;
    all_is_in_order(world)
}

fn play(seed: u64) -> Result<(), Broken> {
    let mut chance = Rng::with_seed(seed);
    let mut world = scene(SERVERS, Limits::default(), seed)?;
    for _ in 0..150 {
        if chance.u32(0..12) == 0 {
            fault(&mut world, trouble(&mut chance))?;
        } else {
            does(&mut world, any(&mut chance))?;
        }
        come_back(&mut world)?;
        let most = [1, 100, 1_000, 9_000][chance.usize(0..4)];
        pass(&mut world, Duration::from_millis(chance.u64(0..most)))?;
    }
    fault(&mut world, Fault::Mend)?;
    (0..SERVERS).try_for_each(|place| fault(&mut world, Fault::Start(place)))?;
    come_back(&mut world)?;
    pass(&mut world, seconds(20))?;
    settles(&mut world)?;
    // And when all is lifted, everybody is there again.
    for (place, person) in (0..SERVERS).flat_map(|place| (0..SERVERS).map(move |person| (place, person))) {
        does(&mut world, Act::Ban(place, person, false))?;
        does(&mut world, Act::Mute(place, person, false))?;
        does(&mut world, Act::Reopen(place, person % ROOMS))?;
    }
    settles(&mut world)
}

#[test]
fn whatever_operators_order_everybody_is_seen_and_heard_where_she_may_be_and_nowhere_else() {
    for seed in 0..60 {
        told(play(seed), seed);
    }
}

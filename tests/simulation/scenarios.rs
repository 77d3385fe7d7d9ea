//! Single stories: what is rare in the seeds, or so important that it has a name.

use std::{collections::BTreeMap, time::Duration};

use fastrand::Rng;
use kith::domain::limits::{Limits, seconds};

use crate::{
    faults::Fault,
    invariants::{Broken, must},
    keys,
    member::Act,
    node::{Links, Setup, Tie, Ties},
    settled::{all_heard, all_linked, one_socket_each, rosters_agree},
    world::{Deed, World, setup},
};

/// Everything that has to be noticed by its silence.
const NOTICED: Duration = Duration::from_secs(20);

/// A world of servers that know and dial each other, with a member at each, all of them running.
pub(crate) fn scene(servers: usize, limits: Limits, seed: u64) -> Result<World, Broken> {
    scene_over(Links::Kith, servers, limits, seed)
}

/// The same, over these links. Where some of them carry nobody else, the members have names.
pub(crate) fn scene_over(links: Links, servers: usize, limits: Limits, seed: u64) -> Result<World, Broken> {
    let tie = |to| Tie { dials: true, pinned: Some(keys::server(to).id()), seen: None };
    let others = |place| (0..servers).filter(move |other| *other != place);
    let ties: Vec<Ties> =
        (0..servers).map(|place| others(place).map(|other| (other, tie(other))).collect()).collect();
    let setup = Setup { links, ..setup(limits, 2, 1_000, 1_000) };
    let mut world = World::new(ties, keys::PEOPLE + keys::NAMED, setup, Rng::with_seed(seed));
    let first = if links == Links::Kith { 0 } else { keys::PEOPLE };
    for place in 0..servers {
        fault(&mut world, Fault::Start(place))?;
        act(&mut world, Act::Join(first + place, place))?;
    }
    Ok(world)
}

pub(crate) fn fault(world: &mut World, fault: Fault) -> Result<(), Broken> {
    world.apply_deed(Deed::Fault(fault))
}

pub(crate) fn act(world: &mut World, act: Act) -> Result<(), Broken> {
    world.apply_deed(Deed::Person(act))
}

pub(crate) fn pass(world: &mut World, span: Duration) -> Result<(), Broken> {
    world.run_until(world.now() + span)
}

/// All links come up in time. Returns how long it took.
pub(crate) fn links_up(world: &mut World, patience: Duration) -> Result<Duration, Broken> {
    let start = world.now();
    while !all_linked(world) {
        must!(world.now() < start + patience, "no link after {patience:?}");
        pass(world, Duration::from_millis(50))?;
    }
    Ok(world.now() - start)
}

/// Two heartbeats later everybody knows the same, and letters arrive.
pub(crate) fn all_is_well(world: &mut World) -> Result<(), Broken> {
    pass(world, seconds(world.setup().limits.peer_heartbeat_s) * 2)?;
    must!(all_linked(world), "a link is down again");
    rosters_agree(world)?;
    one_socket_each(world)?;
    let before = world.ledger().letters();
    for person in 0..world.people().len() {
        act(world, Act::Say(person, None, 10))?;
    }
    pass(world, seconds(5))?;
    all_heard(world, before)
}

/// Tells what was broken, and in which variant.
pub(crate) fn told(outcome: Result<(), Broken>, variant: impl std::fmt::Debug) {
    if let Err(Broken(what)) = outcome {
        panic!("{variant:?}: {what}");
    }
}

#[test]
fn both_dial_at_the_same_instant() {
    let play = |servers, seed| {
        let mut world = scene(servers, Limits::default(), seed)?;
        world.ledger_mut().is_calm = true;
        links_up(&mut world, seconds(2))?;
        all_is_well(&mut world)?;
        for one in 0..servers {
            for other in 0..servers {
                let dials = world.ledger().dials(one, other);
                must!(one == other || dials == 1, "{one} has dialled {other} {dials} times");
            }
        }
        Ok(())
    };
    for seed in 0..40 {
        told(play(2, seed), seed);
    }
    told(play(8, 0), "eight");
}

#[test]
fn a_greeting_that_is_cut_at_any_step_begins_anew() {
    let play = |step: u64, what: Fault, pause: Duration| {
        let mut world = scene(2, Limits::default(), step)?;
        while world.net().arrived() < step && world.step(seconds(1))? {}
        fault(&mut world, what)?;
        pass(&mut world, pause)?;
        fault(&mut world, Fault::Heal(0, 1))?;
        pass(&mut world, NOTICED)?;
        fault(&mut world, Fault::Retry)?;
        links_up(&mut world, seconds(5))?;
        all_is_well(&mut world)
    };
    // Two greetings at once take fourteen packets; then come the first lists.
    for step in 0..20 {
        for what in [Fault::Cut(0, 1), Fault::CutOneWay(0, 1), Fault::CutOneWay(1, 0), Fault::Reset(0, 1)] {
            for pause in [300, 4_000, 30_000].map(Duration::from_millis) {
                told(play(step, what, pause), (step, what, pause));
            }
        }
    }
}

#[test]
fn a_server_crashes_and_is_back_within_one_round_trip() {
    let play = |who: usize, age: Duration, vanishes: bool| {
        let mut world = scene(2, Limits::default(), 7)?;
        for (from, to) in [(0, 1), (1, 0)] {
            fault(&mut world, Fault::Stretch(from, to, 150))?;
        }
        pass(&mut world, age)?;
        must!(all_linked(&world), "no link to begin with");
        fault(&mut world, if vanishes { Fault::Vanish(who) } else { Fault::Kill(who) })?;
        pass(&mut world, Duration::from_millis(50))?;
        fault(&mut world, Fault::Start(who))?;
        act(&mut world, Act::Join(who, who))?;
        // The other side has to learn that its socket is dead, at the latest by its next heartbeat; until
        // then it may believe that the new dial crosses its own.
        pass(&mut world, seconds(1))?;
        links_up(&mut world, seconds(5 + 2 + 1))?;
        all_is_well(&mut world)
    };
    for who in [0, 1] {
        for age in [3, 8, 60].map(seconds) {
            for vanishes in [false, true] {
                told(play(who, age, vanishes), (who, age, vanishes));
            }
        }
    }
}

#[test]
fn a_cut_in_one_direction_is_a_cut_for_both_sides() {
    let play = |from: usize, to: usize| {
        let mut world = scene(3, Limits::default(), 3)?;
        links_up(&mut world, seconds(5))?;
        pass(&mut world, seconds(5))?;
        fault(&mut world, Fault::CutOneWay(from, to))?;
        pass(&mut world, NOTICED + seconds(1))?;
        for (one, other) in [(from, to), (to, from)] {
            let node = world.node(one).expect("it runs");
            must!(node.link(other).is_none(), "{one} believes to have a link to {other}");
            let seen = node.house().mesh().whereabouts(keys::persona(other).key);
            must!(seen.is_none(), "{one} still lists somebody at {other}");
        }
        must!(world.node(2).is_some_and(|node| node.house().mesh().homes().count() == 2), "2 lost a link");
        fault(&mut world, Fault::Heal(from, to))?;
        fault(&mut world, Fault::Retry)?;
        links_up(&mut world, seconds(15))?;
        all_is_well(&mut world)
    };
    for (from, to) in [(0, 1), (1, 0)] {
        told(play(from, to), (from, to));
    }
}

/// Where a person is listed, by server; nobody may be listed twice, which is watched all the time.
fn whereabouts(world: &World, person: usize) -> BTreeMap<usize, Option<usize>> {
    let key = keys::persona(person).key;
    world
        .nodes()
        .map(|(place, node)| {
            let own = node.house().roster().members().any(|member| member.key == key);
            let listed = node.house().mesh().whereabouts(key).map(|home| node.place(home));
            (place, if own { Some(place) } else { listed })
        })
        .collect()
}

#[test]
fn a_member_moves_back_and_forth() {
    let play = |seed: u64| {
        let mut world = scene(4, Limits::default(), seed)?;
        world.ledger_mut().is_calm = true;
        links_up(&mut world, seconds(5))?;
        pass(&mut world, seconds(2))?;
        let mut chance = Rng::with_seed(seed);
        for round in 1..=40 {
            let pause = Duration::from_millis(chance.u64(0..50));
            act(&mut world, Act::Move(0, round % 2, pause, chance.bool()))?;
            act(&mut world, Act::Say(0, None, 10))?;
            pass(&mut world, pause + Duration::from_millis(chance.u64(0..200)))?;
        }
        pass(&mut world, seconds(1))?;
        let there = whereabouts(&world, 0);
        must!(there.values().all(|home| *home == Some(0)), "it came to rest at 0, and is seen at {there:?}");
        all_heard(&world, 0)?;
        all_is_well(&mut world)
    };
    for seed in 0..10 {
        told(play(seed), seed);
    }
}

#[test]
fn a_member_moves_away_from_a_home_that_is_cut_off() {
    let play = || {
        let mut world = scene(3, Limits::default(), 5)?;
        links_up(&mut world, seconds(5))?;
        pass(&mut world, seconds(2))?;
        for other in [1, 2] {
            fault(&mut world, Fault::Cut(0, other))?;
        }
        // Its connection to the old home is still open there when it comes to the new one.
        act(&mut world, Act::Move(0, 1, seconds(40), false))?;
        pass(&mut world, seconds(1))?;
        let there = whereabouts(&world, 0);
        must!(there[&1] == Some(1) && there[&2] == Some(0), "at once: {there:?}");
        pass(&mut world, NOTICED)?;
        let there = whereabouts(&world, 0);
        must!(there == BTreeMap::from([(0, Some(0)), (1, Some(1)), (2, Some(1))]), "cut off: {there:?}");
        for other in [1, 2] {
            fault(&mut world, Fault::Heal(0, other))?;
        }
        pass(&mut world, seconds(20))?;
        fault(&mut world, Fault::Retry)?;
        links_up(&mut world, seconds(15))?;
        let there = whereabouts(&world, 0);
        must!(there.values().all(|home| *home == Some(1)), "afterwards: {there:?}");
        all_is_well(&mut world)
    };
    told(play(), "cut off");
}

#[test]
fn two_servers_that_know_no_key_find_each_other() {
    for seed in 0..20 {
        let play = || {
            let tie = |to| Ties::from([(to, Tie { dials: true, pinned: None, seen: None })]);
            let world = setup(Limits::default(), 2, 1_000, 1_000);
            let mut world = World::new(vec![tie(1), tie(0)], 2, world, Rng::with_seed(seed));
            fault(&mut world, Fault::Start(0))?;
            pass(&mut world, Duration::from_millis(700) * u32::try_from(seed % 3).unwrap_or(0))?;
            fault(&mut world, Fault::Start(1))?;
            links_up(&mut world, seconds(5))?;
            all_is_well(&mut world)?;
            let dials = world.ledger().dials(0, 1) + world.ledger().dials(1, 0);
            // One of them may have dialled in vain before the other one ran.
            must!(dials <= 7, "it took {dials} dials");
            Ok(())
        };
        told(play(), seed);
    }
}

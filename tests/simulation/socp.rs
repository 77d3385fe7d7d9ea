//! Servers that speak SOCP with each other, alone or beside others that speak the Kith link: the same stories,
//! told by people who have names.

use std::time::Duration;

use kith::domain::limits::{Limits, seconds};

use crate::{
    faults::Fault,
    invariants::{Broken, must},
    keys::PEOPLE,
    member::Act,
    node::Links,
    scenarios::{act, all_is_well, fault, links_up, pass, scene_over, told},
    settled::all_heard,
    world::World,
};

/// Silence is noticed after 45 seconds, and looked for when something should have come.
const NOTICED: Duration = Duration::from_secs(50);
/// Long enough for the longest pause between two dials.
const PATIENT: Duration = Duration::from_secs(70);
const KINDS: [Links; 2] = [Links::Socp, Links::Mixed];

/// Everybody writes to everybody, one by one and to all, and each of it is heard once.
fn everybody_talks(world: &mut World, servers: usize) -> Result<(), Broken> {
    let before = world.ledger().letters();
    for one in 0..servers {
        for other in 0..servers {
            act(world, Act::Tell(PEOPLE + one, PEOPLE + other))?;
        }
        act(world, Act::Say(PEOPLE + one, None, 10))?;
    }
    pass(world, seconds(5))?;
    must!(world.ledger().letters() == before + servers * (servers + 1), "somebody wrote nothing");
    must!(world.ledger().everybody_has_a_hearer(before), "somebody is believed to be nowhere");
    all_heard(world, before)
}

fn well(world: &mut World, servers: usize) -> Result<(), Broken> {
    all_is_well(world)?;
    everybody_talks(world, servers)
}

/// A scene with its links up.
fn up(links: Links, servers: usize, seed: u64) -> Result<World, Broken> {
    let mut world = scene_over(links, servers, Limits::default(), seed)?;
    world.ledger_mut().is_calm = true;
    links_up(&mut world, seconds(5))?;
    world.ledger_mut().is_calm = false;
    pass(&mut world, seconds(6))?;
    Ok(world)
}

fn for_all(seeds: u64, play: impl Fn(Links, usize, u64) -> Result<(), Broken>) {
    for links in KINDS {
        for servers in [3, 5] {
            for seed in 0..seeds {
                told(play(links, servers, seed), (links, servers, seed));
            }
        }
    }
}

#[test]
fn servers_that_all_dial_at_once_link_and_talk() {
    for_all(8, |links, servers, seed| {
        let mut world = scene_over(links, servers, Limits::default(), seed)?;
        world.ledger_mut().is_calm = true;
        links_up(&mut world, seconds(5))?;
        well(&mut world, servers)?;
        for one in 0..servers {
            for other in 0..servers {
                let dials = world.ledger().dials(one, other);
                must!(dials <= 1, "{one} has dialled {other} {dials} times");
            }
        }
        Ok(())
    });
}

#[test]
fn people_come_and_go_and_move() {
    for_all(4, |links, servers, seed| {
        let mut world = up(links, servers, seed)?;
        let guest = PEOPLE + servers;
        for round in 0..6 {
            act(&mut world, Act::Join(guest, round % servers))?;
            pass(&mut world, Duration::from_millis(300))?;
            for other in 0..servers {
                act(&mut world, Act::Tell(PEOPLE + other, guest))?;
            }
            pass(&mut world, Duration::from_millis(300))?;
            act(&mut world, Act::Leave(guest))?;
            pass(&mut world, Duration::from_millis(300))?;
        }
        all_heard(&world, 0)?;
        well(&mut world, servers)
    });
}

#[test]
fn a_link_that_is_cut_comes_back_with_everybody_on_it() {
    for_all(3, |links, servers, seed| {
        let mut world = up(links, servers, seed)?;
        fault(&mut world, Fault::Cut(0, 1))?;
        act(&mut world, Act::Leave(PEOPLE))?;
        act(&mut world, Act::Join(PEOPLE + servers, 1))?;
        pass(&mut world, NOTICED + seconds(15))?;
        let (one, other) = (world.node(0).expect("it runs"), world.node(1).expect("it runs"));
        must!(one.link(1).is_none() && other.link(0).is_none(), "nobody noticed the cut");
        fault(&mut world, Fault::Heal(0, 1))?;
        fault(&mut world, Fault::Retry)?;
        links_up(&mut world, PATIENT)?;
        act(&mut world, Act::Join(PEOPLE, 0))?;
        well(&mut world, servers)
    });
}

#[test]
fn a_server_that_is_started_anew_finds_its_neighbours() {
    for_all(3, |links, servers, seed| {
        for vanishes in [false, true] {
            let mut world = up(links, servers, seed)?;
            fault(&mut world, if vanishes { Fault::Vanish(1) } else { Fault::Kill(1) })?;
            pass(&mut world, seconds(1))?;
            fault(&mut world, Fault::Start(1))?;
            act(&mut world, Act::Join(PEOPLE + 1, 1))?;
            // Who lost its power leaves sockets behind that only their silence gives away.
            pass(&mut world, NOTICED + seconds(15))?;
            fault(&mut world, Fault::Retry)?;
            links_up(&mut world, PATIENT)?;
            well(&mut world, servers)?;
        }
        Ok(())
    });
}

#[test]
fn sockets_that_are_reset_at_any_step_are_opened_again() {
    for links in KINDS {
        for step in 0..30 {
            let play = || {
                let mut world = scene_over(links, 3, Limits::default(), step)?;
                while world.net().arrived() < step && world.step(seconds(1))? {}
                fault(&mut world, Fault::Reset(0, 1))?;
                pass(&mut world, seconds(20))?;
                fault(&mut world, Fault::Retry)?;
                links_up(&mut world, PATIENT)?;
                well(&mut world, 3)
            };
            told(play(), (links, step));
        }
    }
}

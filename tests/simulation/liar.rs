//! A neighbour that lies: it claims other homes' members, brings letters of authors that are not its own,
//! skips numbers and repeats what it has said before. Nobody is taken away from a home by it, nobody hears
//! what it forges, and when it stops, two heartbeats mend everything.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use kith::{
    dialect::kith::wire,
    domain::{
        dialect::Dialect,
        letter::{Author, Frame, Letter},
        limits::{Limits, seconds},
        member::Member,
        news::Digest,
    },
};

use crate::{
    invariants::{Broken, must},
    keys,
    member::{self, Act},
    scenarios::{act, all_is_well, pass, scene},
    world::World,
};

const SERVERS: usize = 4;
/// The last one lies.
const LIAR: usize = SERVERS - 1;
/// Honest people; one of them is at the liar's home.
const HONEST: usize = 9;

fn somebody(person: usize) -> Arc<Member> {
    let persona = keys::persona(person);
    Arc::new(Member {
        name: None,
        key: persona.key,
        number: 0,
        dialect: Dialect::Olaf,
        public_key: Arc::clone(&persona.spellings[1]),
        spelled: persona.spelled[1],
        fingerprint: Some(persona.key),
        sealing_key: None,
        display_name: None,
    })
}

/// Something about members that is not true.
fn lie_about_members(chance: &mut Rng) -> Frame {
    let most = [3, HONEST, keys::PEOPLE][chance.usize(0..3)];
    let mut some: Vec<_> = (0..chance.usize(0..5)).map(|_| somebody(chance.usize(0..most))).collect();
    some.sort_by_key(|member| member.key);
    let number = [0, 1, 2, chance.u64(..)][chance.usize(0..4)];
    match chance.u32(0..6) {
        0 => wire::change(number, &somebody(chance.usize(0..most)), true),
        1 => wire::change(number, &somebody(chance.usize(0..most)), false),
        2 => wire::part(None, &some, true, number),
        3 => wire::part(some.first().map(|member| member.key), &some, chance.bool(), number),
        4 => wire::standing(number, Digest(chance.u128(..))),
        _ => wire::want_list(),
    }
}

/// A letter of somebody else: a new one, or one that was really written.
fn forged(world: &World, chance: &mut Rng) -> Option<Frame> {
    let person = chance.usize(0..LIAR);
    let written = world.ledger().letters() as u64;
    let number = if chance.bool() { chance.u64(0..written.max(1)) } else { u64::MAX - chance.u64(0..9) };
    let letter = member::letter(number, person, kith::domain::id::ConnectionId(0), None, 10);
    wire::letter(&Letter { author: Author::Proven(keys::persona(person).key), ..letter })
}

fn say(world: &mut World, frame: &Frame) -> Result<(), Broken> {
    world.with(LIAR, |node, now| node.claim(frame, now))?;
    Ok(())
}

/// Everybody honest is still listed where they are, by everybody honest.
fn nobody_is_taken_away(world: &World) -> Result<(), Broken> {
    for (place, node) in world.nodes().filter(|(place, _)| *place != LIAR) {
        for (person, who) in world.people().iter().enumerate() {
            let Some((home, _)) = who.connections.values().find(|(home, _)| *home != LIAR && *home != place)
            else {
                continue;
            };
            let seen = node.house().mesh().whereabouts(keys::persona(person).key);
            let seen = seen.map(|home| node.place(home));
            must!(seen == Some(*home), "server {place} sees {person} at {seen:?} and not at {home}");
        }
    }
    Ok(())
}

fn play(seed: u64, forges: bool) -> Result<(), Broken> {
    let limits = Limits { peer_members: 24, ..Limits::default() };
    let mut world = scene(SERVERS, limits, seed)?;
    for person in SERVERS..HONEST {
        act(&mut world, Act::Join(person, person % LIAR))?;
    }
    pass(&mut world, seconds(5))?;
    world.ledger_mut().liar = Some(LIAR);
    let mut chance = Rng::with_seed(seed);
    let mut said: Vec<Frame> = Vec::new();
    for _ in 0..200 {
        let frame = match chance.u32(0..4) {
            0 if !said.is_empty() => Some(said[chance.usize(0..said.len())].clone()),
            1 => {
                act(&mut world, Act::Say(chance.usize(0..LIAR), None, 10))?;
                None
            }
            // Whoever claims somebody could speak for them, too: that is what their own key is for.
            _ if forges => forged(&world, &mut chance),
            _ => Some(lie_about_members(&mut chance)),
        };
        if let Some(frame) = frame {
            say(&mut world, &frame)?;
            said.push(frame);
        }
        pass(&mut world, Duration::from_millis(chance.u64(0..400)))?;
        nobody_is_taken_away(&world)?;
    }
    let met = if forges { "lie" } else { "lost" };
    must!(world.ledger().tally().contains_key(met), "nobody noticed anything");
    // It stops, and has a heartbeat to be called to order, or a little longer if it was shown the door.
    pass(&mut world, seconds(15))?;
    world.ledger_mut().liar = None;
    world.ledger_mut().is_calm = true;
    all_is_well(&mut world)
}

#[test]
fn a_liar_takes_nobody_away() {
    for seed in 0..20 {
        if let Err(Broken(what)) = play(seed, false) {
            panic!("seed {seed}: {what}");
        }
    }
}

#[test]
fn a_liar_speaks_for_nobody_else() {
    for seed in 0..20 {
        if let Err(Broken(what)) = play(seed, true) {
            panic!("seed {seed}: {what}");
        }
    }
}

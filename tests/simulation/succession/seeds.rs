//! Many seeds: each decides how large the home is, how its clocks run, what is slow and what goes wrong. Then part of
//! it stays away for good, and whoever is left must have a leader in time, and keep it.

use std::time::Duration;

use fastrand::Rng;
use kith::domain::{Moment, succession::numbers::Numbers};

use super::{
    faults::{Net, strike},
    machine::{Clock, figures},
    world::World,
};
use crate::{
    broken::{Broken, must},
    harvest::{none_broken, number, play_all, wanted},
    invariants::Tally,
};

/// Seeds that are played when nobody says how many.
const USUAL: u64 = 400;
/// How much longer than the takeover time it may take until somebody leads: every successor's turn, and some
/// elections in which two stood at once.
pub(crate) const ELECTION: Duration = Duration::from_secs(16);
/// What many seeds must have met.
const MET: [&str; 10] = [
    "elected",
    "hand-over by rank",
    "hand-over cancelled",
    "hand-over ordered",
    "handed",
    "higher-epoch",
    "lost-majority",
    "heard-leader",
    "leads by a hand-over",
    "leader-silent",
];

/// A home as a seed wants it.
fn world(seed: u64) -> World {
    // Neighbouring seeds must not tell similar stories.
    let mut chance = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let size = chance.usize(2..=7);
    let fallback = (size == 2 || chance.bool()).then(|| chance.usize(0..size));
    let tenure = Duration::from_secs([5, 60][chance.usize(0..2)]);
    let numbers = Numbers { tenure, by_ranking: chance.bool(), ..Numbers::default() };
    let mut world = World::new(size, fallback, numbers, chance.u64(..));
    let skew = [0, 1_000, 40_000][chance.usize(0..3)];
    for machine in &mut world.machines {
        let shows = Moment::from_secs([0, 60, 86_400][chance.usize(0..3)]);
        machine.clock = Clock { shows, gains: chance.i64(-skew..=skew) };
    }
    world.execs = chance.bool();
    let slowest = [20, 200, 1_200][chance.usize(0..3)];
    world.net = Net {
        loss: [0, 20, 200][chance.usize(0..3)],
        slowness: 1..slowest,
        disk: 1..[5, 300][chance.usize(0..2)],
        disk_fails: [0, 0, 100][chance.usize(0..3)],
        ..Net::default()
    };
    world
}

fn play(seed: u64) -> (Result<(), Broken>, World) {
    let mut world = world(seed);
    let outcome = run(&mut world);
    (outcome, world)
}

fn run(world: &mut World) -> Result<(), Broken> {
    // Together, or one after the other.
    if world.chance.bool() {
        world.start_all();
    }
    let pause = [500, 4_000, 12_000][world.chance.usize(0..3)];
    for _ in 0..30 {
        let span = Duration::from_millis(world.chance.u64(1..pause));
        world.run(span)?;
        strike(world)?;
    }
    settle(world)
}

/// Those who stay are enough, hear each other, and nothing else goes wrong.
fn settle(world: &mut World) -> Result<(), Broken> {
    let size = world.machines.len();
    world.net = Net::default();
    let most = (size - 1) / 2;
    let away: Vec<usize> = (0..size).filter(|_| world.chance.bool()).take(most).collect();
    for at in 0..size {
        world.machines[at].can_lead = true;
        match away.contains(&at) {
            true if world.chance.bool() => world.net.isolate(at, size),
            true => world.crash(at),
            false => world.start(at),
        }
    }
    let bound = world.numbers.takeover + ELECTION;
    let took = world.until(bound, |world| world.serving().iter().any(|at| !away.contains(at)))?;
    let name = match took.as_secs() {
        0..12 => "settled in 12 s",
        12..16 => "settled in 16 s",
        16..20 => "settled in 20 s",
        _ => "settled later",
    };
    *world.tally.entry(name).or_default() += 1;
    // And nobody loses the place again without a reason.
    for machine in &mut world.machines {
        machine.figures = figures(50);
    }
    world.run(Duration::from_secs(20))?;
    let leader = world.serving();
    world.run(Duration::from_secs(20))?;
    must!(leader.len() == 1 && world.serving().len() == 1, "nobody serves any more: {leader:?}");
    Ok(())
}

fn outcome(seed: u64) -> (Result<(), Broken>, Tally) {
    let (outcome, world) = play(seed);
    (outcome.map_err(|Broken(what)| Broken(format!("at {:?}: {what}", world.now))), world.tally)
}

#[test]
fn succession_seeds() {
    if let Some(seed) = number("KITH_SIMULATION_SEED") {
        let (outcome, world) = play(seed);
        for (at, node, output) in &world.heard {
            println!("{at:?} node {node}: {output:?}");
        }
        return outcome.unwrap_or_else(|Broken(what)| panic!("seed {seed} at {:?}: {what}", world.now));
    }
    let range = wanted(USUAL);
    let harvest = play_all(range.clone(), outcome);
    println!("{:?}", harvest.tally);
    none_broken(&harvest, "succession_seeds");
    let missing: Vec<_> = MET.iter().filter(|what| !harvest.tally.contains_key(*what)).collect();
    assert!(missing.is_empty() || range.end - range.start < USUAL, "it never came to {missing:?}");
}

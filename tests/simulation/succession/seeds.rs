//! Many seeds: each decides how large the home is, how its clocks run, what is slow and what goes wrong. Then whoever is
//! left must have a leader in time; then the leader goes, and the next one must serve within the takeover time; and in
//! the end every letter has arrived.

use std::time::Duration;

use fastrand::Rng;
use kith::domain::{
    Moment,
    succession::{election::Role, home::Fallback, numbers::Numbers},
};

use super::{
    faults::{Blow, DRIFT, Net, strike},
    machine::{Clock, figures},
    world::World,
};
use crate::{
    broken::{Broken, must},
    harvest::{none_broken, number, play_all, wanted},
    invariants::Tally,
};

/// Seeds that are played when nobody says how many.
const USUAL: u64 = 2_000;
/// How much longer than the takeover time it may take at the very most, if two stood at once again and again. Of ten
/// thousand takeovers about one is late at all.
const ELECTION: Duration = Duration::from_secs(2);
/// How long a home is left alone before and after its leader goes.
const CALM: Duration = Duration::from_secs(15);
/// What many seeds must have met.
const MET: [&str; 54] = [
    "a connection reset",
    "a leader whose disk refuses in a hand-over",
    "a message again",
    "a message from before a restart",
    "a message refused because it is old",
    "cancelled or conceded",
    "conceded",
    "crash before all was written",
    "disk-failed",
    "elected",
    "elected by half of the home",
    "fault: a clock jumps",
    "fault: a clock runs far too fast or slow",
    "fault: a clock runs otherwise",
    "fault: a clock stands still",
    "fault: cut one way",
    "fault: dark",
    "fault: dials nobody",
    "fault: frozen",
    "fault: isolated",
    "fault: killed",
    "fault: parts",
    "fault: stretched",
    "hand-over by rank",
    "hand-over cancelled",
    "hand-over cancelled, the candidate is dead",
    "hand-over ordered",
    "hand-over refused",
    "hand-over refused to one that is silent",
    "hand-over refused to one that lags",
    "handed",
    "handed-over",
    "heard-leader",
    "higher-epoch",
    "leader-silent",
    "leads by a hand-over",
    "letters again after a crash",
    "letters lost in a crash",
    "letters once",
    "lost-majority",
    "not-elected",
    "refused: a promise holds",
    "refused: lags",
    "refused: not yours",
    "refused: no disk",
    "refused: old epoch",
    "refused: unready",
    "refused: voted",
    "taken over",
    "taken over by half of the home",
    "taken over while others were away",
    "taken over with copies that lag",
    "two serve at once where clocks lie",
    "voted",
];

/// A home as a seed wants it.
fn world(seed: u64) -> World {
    // Neighbouring seeds must not tell similar stories.
    let mut chance = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let size = chance.usize(2..=7);
    let fallback = (size == 2 || chance.bool()).then(|| chance.usize(0..size));
    let tenure = Duration::from_secs([5, 60][chance.usize(0..2)]);
    let lag = [5, 1000][chance.usize(0..2)];
    let numbers = Numbers { tenure, lag, by_ranking: chance.bool(), ..Numbers::default() };
    let mut world = World::new(size, fallback, numbers, chance.u64(..));
    let skew = [0, 1_000, DRIFT][chance.usize(0..3)];
    for machine in &mut world.machines {
        let shows = Moment::from_secs([0, 60, 86_400][chance.usize(0..3)]);
        machine.clock = Clock::new(shows, chance.i64(-skew..=skew));
    }
    world.execs = chance.bool();
    world.clocks_lie = chance.u32(0..8) == 0;
    let slowest = [20, 200, 1_200][chance.usize(0..3)];
    world.net = Net {
        loss: [0, 20, 200][chance.usize(0..3)],
        twice: [0, 10][chance.usize(0..2)],
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
    let pause = [300, 2_000, 8_000][world.chance.usize(0..3)];
    for _ in 0..30 {
        let span = Duration::from_millis(world.chance.u64(1..pause));
        world.run(span)?;
        strike(world)?;
    }
    settle(world)?;
    leader_goes(world)?;
    let Some(Role::Leader(epoch)) = world.serving().first().and_then(|at| world.role(*at)) else {
        return Err(Broken("nobody leads at the end".to_owned()));
    };
    world.letters.check(epoch, &mut world.tally)
}

/// Nothing goes wrong any more, and clocks run as they should.
fn mend(world: &mut World) {
    world.net = Net::default();
    let now = world.now;
    world.is_calm = true;
    for at in 0..world.machines.len() {
        let skew = world.chance.i64(-DRIFT..=DRIFT);
        let machine = &mut world.machines[at];
        (machine.can_lead, machine.copies, machine.frozen) = (true, true, now);
        if world.clocks_lie {
            machine.clock.turn(now, skew);
            world.wind(at);
        }
        world.thaw(at);
    }
}

/// Those who stay are enough, hear each other, and nothing else goes wrong.
fn settle(world: &mut World) -> Result<(), Broken> {
    let size = world.machines.len();
    mend(world);
    let most = (size - 1) / 2;
    let away: Vec<usize> = (0..size).filter(|_| world.chance.bool()).take(most).collect();
    for at in 0..size {
        match away.contains(&at) {
            true if world.chance.bool() => world.net.isolate(at, size),
            true => world.crash(at),
            false => world.start(at),
        }
    }
    in_time(world, &SETTLED, &away)?;
    // And nobody loses the place again without a reason.
    for machine in &mut world.machines {
        machine.figures = figures(50);
    }
    world.run(CALM)?;
    let leader = world.serving();
    world.run(CALM)?;
    must!(leader.len() == 1 && world.serving().len() == 1, "nobody serves any more: {leader:?}");
    Ok(())
}

/// In how many tenths of a second somebody served, in words.
type Times = [(u128, &'static str); 5];
const SETTLED: Times = [
    (110, "settled in 11 s"),
    (115, "settled in 11.5 s"),
    (120, "settled in 12 s"),
    (125, "settled in 12.5 s"),
    (u128::MAX, "settled later"),
];
const TAKEN: Times = [
    (105, "taken over in 10.5 s"),
    (110, "taken over in 11 s"),
    (115, "taken over in 11.5 s"),
    (120, "taken over in 12 s"),
    (u128::MAX, "taken over later"),
];

/// Waits for somebody who serves, beside those who are away.
fn in_time(world: &mut World, times: &Times, away: &[usize]) -> Result<(), Broken> {
    let bound = world.numbers.takeover + ELECTION;
    let took = world.until(bound, |world| world.serving().iter().any(|at| !away.contains(at)))?;
    if let Some((_, what)) = times.iter().find(|(tenths, _)| took.as_millis() <= tenths.saturating_mul(100)) {
        world.note(what);
    }
    Ok(())
}

/// All are there, and nothing is wrong; then the leader goes, and some others with it, and enough are left.
fn leader_goes(world: &mut World) -> Result<(), Broken> {
    mend(world);
    world.start_all();
    world.run(CALM)?;
    world.clocks_lie = false;
    let Some(leader) = world.serving().first().copied() else {
        return Err(Broken("nobody serves though all are there".to_owned()));
    };
    let size = world.machines.len();
    if world.chance.bool() {
        let behind = world.chance.usize(0..size);
        world.machines[behind].copies = false;
        world.note("taken over with copies that lag");
        world.run(Duration::from_secs(3))?;
    }
    let mut gone = vec![leader];
    let others = world.chance.usize(0..size);
    for at in (0..others).filter(|at| *at != leader) {
        if is_enough(world, &[&gone[..], &[at]].concat()) {
            gone.push(at);
        }
    }
    if !is_enough(world, &gone) {
        // Nobody may lead now; the one that led comes back.
        return Ok(());
    }
    world.note("taken over");
    if gone.len() > 1 {
        world.note("taken over while others were away");
    }
    if gone.len() * 2 == size {
        world.note("taken over by half of the home");
    }
    for at in &gone {
        let blow = match world.some_blow() {
            Blow::Frozen(_) => Blow::Frozen(Duration::from_secs(3600)),
            blow => blow,
        };
        world.hit(*at, blow);
    }
    in_time(world, &TAKEN, &gone)?;
    world.run(CALM)
}

/// Whether those that are left may elect one of them.
fn is_enough(world: &World, gone: &[usize]) -> bool {
    let size = world.machines.len();
    let left = size - gone.len();
    let breaks_tie = |at: usize| world.machines[at].home.fallback == Fallback::Ourselves;
    left * 2 > size || (left * 2 == size && (0..size).any(|at| breaks_tie(at) && !gone.contains(&at)))
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

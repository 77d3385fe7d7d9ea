//! Many seeds: each decides how large the world is, what is slow, what goes wrong, and who does what.

use std::time::Duration;

use fastrand::Rng;
use kith::domain::{
    Moment,
    limits::{Limits, seconds},
};

use crate::{
    faults::{self, Fault},
    harvest::{none_broken, number, play_all, wanted},
    invariants::{Broken, Tally, must},
    keys,
    member::{self, Act},
    node::{Setup, Tie, Ties},
    rooms::{self, rooms_agree},
    settled::{all_heard, all_linked, one_socket_each, rosters_agree},
    world::{Deed, World, setup},
};

/// Seeds that are played when nobody says how many.
const USUAL: u64 = 300;
/// What many seeds must have met.
const TROUBLES: [&str; 10] = [
    "crossed",
    "left",
    "lost",
    "no_hello",
    "recalled",
    "replaced",
    "replayed",
    "silent",
    "slow",
    "unwritten",
];
/// How long people do things.
const ACTIVE: Duration = Duration::from_secs(60);

/// What a seed decides before anything happens.
#[derive(Debug)]
struct Plan {
    servers: usize,
    people: usize,
    /// All servers dial each other at the same instant.
    at_once: bool,
    /// Whether anything goes wrong.
    has_faults: bool,
    /// Whether operators ask servers to try again, or the servers are left alone.
    has_operators: bool,
    part: usize,
    room: usize,
    slowness: u64,
    /// What may wait for one neighbour.
    lane: u32,
    /// How long it takes until something is written down.
    lag: Duration,
    /// The chance of rooms, which is its own.
    rooms: Rng,
    chance: Rng,
}

impl Plan {
    fn of(seed: u64) -> Self {
        // Neighbouring seeds must not tell similar stories.
        let mut chance = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let servers = match chance.u32(0..1000) {
            0..700 => chance.usize(3..=5),
            700..970 => chance.usize(5..=8),
            970..998 => chance.usize(8..=12),
            _ => chance.usize(12..=30),
        };
        let people = chance.usize(1..=(servers * 3).min(keys::PEOPLE));
        let has_faults = !chance.u32(0..10).is_multiple_of(4);
        // Only when something goes wrong may anybody be so far behind that it is cut off.
        let lane = if has_faults { [10 << 10, 256 << 10][chance.usize(0..2)] } else { 1 << 20 };
        let mut rooms = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32));
        let lag = Duration::from_millis([0, 200, 3_000][rooms.usize(0..3)]);
        Self {
            lag,
            rooms,
            servers,
            people,
            at_once: seed.is_multiple_of(3),
            has_faults,
            has_operators: chance.bool(),
            part: chance.usize(1..6),
            room: [0, 1_000, 5_000][chance.usize(0..3)],
            slowness: [10, 2_000, 600_000][chance.usize(0..3)],
            lane,
            chance,
        }
    }

    /// Everybody knows everybody; some can be dialled from one side only, and some keys are not known yet.
    fn ties(&mut self) -> Vec<Ties> {
        let mut ties = vec![Ties::new(); self.servers];
        for one in 0..self.servers {
            for other in 0..one {
                let dials = [(true, true), (true, true), (true, true), (true, false), (false, true)];
                let dials = dials[self.chance.usize(0..dials.len())];
                for (from, to, dials) in [(one, other, dials.0), (other, one, dials.1)] {
                    // Nobody can prove a server that is neither dialled nor known.
                    let is_known = !dials || self.chance.bool();
                    let pinned = is_known.then(|| keys::server(to).id());
                    ties[from].insert(to, Tie { dials, pinned, seen: None });
                }
            }
        }
        ties
    }

    fn limits(&self) -> Limits {
        // What was lost takes no place any more, but where it took some, others have made it.
        let all = Limits::default();
        let (room_lines, room_bytes) =
            if self.lag.is_zero() { (12, 1_200) } else { (all.room_lines, all.room_bytes) };
        Limits {
            room_lines,
            room_bytes,
            peer_queue_bytes: self.lane,
            replay_window: 4_096,
            peer_backoff_most_s: 20,
            ..all
        }
    }

    fn world(&mut self) -> World {
        let (ties, limits) = (self.ties(), self.limits());
        let setup = Setup { lag: self.lag, ..setup(limits, self.part, self.room, self.slowness) };
        let mut world = World::new(ties, self.people, setup, self.chance.fork());
        for place in 0..self.servers {
            let at = if self.at_once { 0 } else { self.chance.u64(0..4_000) };
            world.plan(Moment::from_millis(at), Deed::Fault(Fault::Start(place)));
        }
        let span = (Moment::from_millis(1), ACTIVE);
        for (at, act) in member::plan(self.people, self.servers, span, &mut self.chance) {
            world.plan(at, Deed::Person(act));
        }
        for (at, act) in rooms::plan(self.people, self.servers, ACTIVE, &mut self.rooms) {
            world.plan(at, Deed::Room(act));
        }
        if self.has_faults {
            let from = Moment::from_millis([0, 6_000][self.chance.usize(0..2)]);
            for (at, fault) in faults::plan(self.servers, from, ACTIVE, &mut self.chance) {
                world.plan(at, Deed::Fault(fault));
            }
        }
        world.ledger_mut().is_calm = !self.has_faults;
        world
    }
}

/// Plays one seed; what happened is in the world afterwards.
fn play(seed: u64, write_down: bool) -> (Result<(), Broken>, World) {
    let mut plan = Plan::of(seed);
    let mut world = plan.world();
    if write_down {
        world.write_down();
    }
    let outcome = run(&plan, &mut world);
    (outcome, world)
}

fn run(plan: &Plan, world: &mut World) -> Result<(), Broken> {
    world.run_until(ACTIVE)?;
    if plan.has_faults {
        recover(plan, world)?;
    }
    // Two heartbeats after the last link came up, and the last member came or went, everybody knows the same.
    let (last_link, _) = world.ledger().last();
    let heartbeat = seconds(world.setup().limits.peer_heartbeat_s);
    world.run_until(world.now().max(last_link.max(ACTIVE) + heartbeat * 2))?;
    must!(all_linked(world), "not all links are up");
    rosters_agree(world)?;
    rooms_agree(world)?;
    one_socket_each(world)?;
    (world.ledger_mut().is_calm, world.ledger_mut().was_missed) = (true, false);
    let before = world.ledger().letters();
    for person in 0..plan.people {
        let at = world.now() + Duration::from_millis(100) * u32::try_from(person).unwrap_or(0);
        world.plan(at, Deed::Person(Act::Say(person, None, 100)));
    }
    world.run_until(world.now() + seconds(30))?;
    all_heard(world, if plan.has_faults { before } else { 0 })?;
    rosters_agree(world)?;
    one_socket_each(world)?;
    let (_, last_dial) = world.ledger().last();
    must!(last_dial + seconds(30) <= world.now(), "somebody still dials");
    Ok(())
}

/// Everything is mended, and the links come up within their bound: silence has to be noticed, then
/// whatever was under way has to fail, and then the longest pause has to pass, or operators shorten it.
fn recover(plan: &Plan, world: &mut World) -> Result<(), Broken> {
    let limits = std::sync::Arc::clone(&world.setup().limits);
    let mended = world.now();
    world.plan(mended, Deed::Fault(Fault::Mend));
    let noticed = seconds(limits.peer_silence_s + limits.peer_heartbeat_s);
    let failed = seconds(limits.peer_dial_timeout_s);
    // A dial that crossed another one is refused for so long, and tried again a little later.
    let crossed = seconds(10 + 2);
    let bound = if plan.has_operators {
        for again in 0..4 {
            world.plan(mended + noticed + failed * again / 2, Deed::Fault(Fault::Retry));
        }
        mended + noticed + failed + crossed
    } else {
        mended + noticed + failed + crossed + seconds(limits.peer_backoff_most_s)
    };
    while !all_linked(world) {
        must!(world.now() < bound, "not all links are up {:?} after the last fault", bound - mended);
        world.run_until(world.now() + seconds(1))?;
    }
    // A link that was up may have been one that was dying.
    world.run_until(world.now().max(mended + noticed + seconds(1)))?;
    while !all_linked(world) {
        must!(world.now() < bound, "links are down again {:?} after the last fault", bound - mended);
        world.run_until(world.now() + seconds(1))?;
    }
    Ok(())
}

fn outcome(seed: u64) -> (Result<(), Broken>, Tally) {
    let (outcome, world) = play(seed, false);
    let outcome = outcome.map_err(|Broken(what)| Broken(format!("at {:?}: {what}", world.now())));
    (outcome, world.ledger().tally().clone())
}

#[test]
fn seeds() {
    if let Some(seed) = number("KITH_SIMULATION_SEED") {
        println!("{:?}", Plan::of(seed));
        let (outcome, mut world) = play(seed, true);
        world.take_trace().iter().for_each(|line| println!("{line}"));
        return outcome.unwrap_or_else(|Broken(what)| panic!("seed {seed} at {:?}: {what}", world.now()));
    }
    let range = wanted(USUAL);
    let harvest = play_all(range.clone(), outcome);
    println!("{:?}", harvest.tally);
    none_broken(&harvest, "seeds::seeds");
    // What never happens is not tested.
    let missing: Vec<_> = TROUBLES.iter().filter(|trouble| !harvest.tally.contains_key(*trouble)).collect();
    assert!(missing.is_empty() || range.end - range.start < USUAL, "it never came to {missing:?}");
}

#[test]
fn a_seed_is_played_the_same_every_time() {
    for seed in 0..6 {
        let [one, two] = [0, 1].map(|_| {
            let (outcome, mut world) = play(seed, true);
            (outcome.is_ok(), world.take_trace())
        });
        assert!(one == two, "seed {seed} is not always the same");
    }
}

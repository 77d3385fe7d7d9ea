//! Many seeds on all cores: what broke in which of them, and how often what happened.

use std::{
    env,
    ops::Range,
    panic::catch_unwind,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    thread,
};

use crate::{broken::Broken, invariants::Tally};

/// One seed, played: what came of it, told with the moment, and how often what happened.
type Play = fn(u64) -> (Result<(), Broken>, Tally);

/// What was said by whoever panicked.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// What came of many seeds.
#[derive(Debug, Default)]
pub(crate) struct Harvest {
    /// What went wrong, and in which.
    pub(crate) broken: Vec<(u64, String)>,
    /// How often what happened.
    pub(crate) tally: Tally,
}

impl Harvest {
    fn take(&mut self, seed: u64, play: Play) {
        let outcome = catch_unwind(|| play(seed));
        let (outcome, tally) =
            outcome.unwrap_or_else(|panic| (Err(Broken(format!("panic: {}", words(&*panic)))), Tally::new()));
        self.broken.extend(outcome.err().map(|Broken(what)| (seed, what)));
        for (what, often) in tally {
            *self.tally.entry(what).or_default() += often;
        }
    }
}

/// Plays a range of seeds on all cores; after some failures it is enough.
pub(crate) fn play_all(seeds: Range<u64>, play: Play) -> Harvest {
    const ENOUGH: usize = 10;
    let next = AtomicU64::new(seeds.start);
    let failures = AtomicUsize::new(0);
    let work = || {
        let mut harvest = Harvest::default();
        while failures.load(Ordering::Relaxed) < ENOUGH {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            let before = harvest.broken.len();
            harvest.take(seed, play);
            failures.fetch_add(harvest.broken.len() - before, Ordering::Relaxed);
        }
        harvest
    };
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let mut all = Harvest::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let harvest = worker.join().expect("a worker catches every panic");
            all.broken.extend(harvest.broken);
            for (what, often) in harvest.tally {
                *all.tally.entry(what).or_default() += often;
            }
        }
    });
    all.broken.sort();
    all
}

/// A number from the environment.
pub(crate) fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().expect("a seed is a number"))
}

/// The seeds that are asked for, or as many as usual.
pub(crate) fn wanted(usual: u64) -> Range<u64> {
    let Ok(text) = env::var("KITH_SIMULATION_SEEDS") else { return 0..usual };
    let read = |text: &str| text.trim().parse().expect("a number of seeds, or a range like 5000..9000");
    match text.split_once("..") {
        Some((from, to)) => read(from)..read(to),
        None => 0..read(&text),
    }
}

/// Fails if any seed was broken, and says how to play it again.
pub(crate) fn none_broken(harvest: &Harvest, filter: &str) {
    let list: Vec<_> = harvest
        .broken
        .iter()
        .map(|(seed, what)| {
            format!(
                "{what}\n  KITH_SIMULATION_SEED={seed} cargo test --test simulation {filter} -- --nocapture"
            )
        })
        .collect();
    assert!(list.is_empty(), "some seeds are broken:\n{}", list.join("\n"));
}

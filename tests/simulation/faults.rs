//! What goes wrong, and when.

use std::time::Duration;

use fastrand::Rng;
use kith::domain::Moment;

/// Something that goes wrong, or comes right again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Nothing passes between two servers, and nobody is told.
    Cut(usize, usize),
    /// The same in one direction only.
    CutOneWay(usize, usize),
    /// Both directions are as before.
    Heal(usize, usize),
    /// Servers whose bit is set and the others cannot reach each other.
    Partition(u32),
    /// All sockets between two servers are reset.
    Reset(usize, usize),
    /// A direction becomes slow, or fast again.
    Stretch(usize, usize, u64),
    /// The process is killed; its machine resets its sockets.
    Kill(usize),
    /// The machine loses its power.
    Vanish(usize),
    /// The server is started again, with nothing but its key and its neighbours.
    Start(usize),
    /// The process is stopped, and later goes on as if nothing had been.
    Pause(usize),
    /// It goes on.
    Resume(usize),
    /// The clock of one server jumps ahead by so many milliseconds.
    Jump(usize, u64),
    /// A server misses the next news of a neighbour.
    Miss(usize),
    /// Everything is as it should be: nothing goes wrong after this.
    Mend,
    /// Operators ask every server to try again.
    Retry,
}

/// What goes wrong in a run of so many servers, between `from` and `until`.
pub(crate) fn plan(servers: usize, from: Moment, until: Moment, chance: &mut Rng) -> Vec<(Moment, Fault)> {
    let mut faults = Vec::new();
    let span = |chance: &mut Rng, most: u64| Duration::from_millis(chance.u64(1..most));
    for _ in 0..chance.usize(1..=4 + servers) {
        let length = u64::try_from((until - from).as_millis()).unwrap_or(u64::MAX);
        let at = from + span(chance, length);
        let one = chance.usize(0..servers);
        let other = (one + chance.usize(1..servers)) % servers;
        // Short faults hit something half done, long ones outlast every timeout.
        let most = [50, 1_000, 8_000, 40_000][chance.usize(0..4)];
        let later = at + span(chance, most);
        let (fault, end) = match chance.u32(0..12) {
            0 | 1 => (Fault::Cut(one, other), Some(Fault::Heal(one, other))),
            2 => (Fault::CutOneWay(one, other), Some(Fault::Heal(one, other))),
            3 => {
                let mask = chance.u32(..);
                (Fault::Partition(mask), None)
            }
            4 => (Fault::Reset(one, other), None),
            5 => (Fault::Stretch(one, other, chance.u64(0..3_000)), Some(Fault::Stretch(one, other, 1))),
            6 | 7 => (Fault::Kill(one), Some(Fault::Start(one))),
            8 => (Fault::Vanish(one), Some(Fault::Start(one))),
            9 => (Fault::Pause(one), Some(Fault::Resume(one))),
            10 => (Fault::Miss(one), None),
            _ => (Fault::Jump(one, chance.u64(1..60_000)), None),
        };
        faults.push((at, fault));
        if let Fault::Partition(mask) = fault {
            for (one, other) in divided(mask, servers) {
                faults.push((later, Fault::Heal(one, other)));
            }
        }
        faults.extend(end.map(|end| (later, end)));
    }
    faults.retain(|(at, _)| *at < until);
    faults
}

/// The pairs that a partition divides.
pub(crate) fn divided(mask: u32, servers: usize) -> impl Iterator<Item = (usize, usize)> {
    let side = move |place: usize| mask >> (place % 32) & 1;
    (0..servers)
        .flat_map(move |one| (one + 1..servers).map(move |other| (one, other)))
        .filter(move |(one, other)| side(*one) != side(*other))
}

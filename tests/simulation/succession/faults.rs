//! What goes wrong: on the network, on disks, with clocks, and with whole nodes.

use std::{collections::BTreeMap, collections::BTreeSet, ops::Range, time::Duration};

use fastrand::Rng;
use kith::domain::{
    Moment,
    succession::{election::Input, message::Ask, sequence::Sequence},
};

use super::{
    machine::figures,
    world::{Event, World},
};
use crate::broken::Broken;

/// The network and the disks.
#[derive(Debug)]
pub(crate) struct Net {
    /// From whom to whom nothing passes.
    pub(crate) cut: BTreeSet<(usize, usize)>,
    /// Who cannot ask whom, though it may be asked.
    pub(crate) unasked: BTreeSet<(usize, usize)>,
    /// From whom to whom everything takes so many milliseconds more.
    pub(crate) stretched: BTreeMap<(usize, usize), u64>,
    /// Of a thousand messages so many are lost.
    pub(crate) loss: u32,
    /// Of a thousand messages so many are kept by somebody, and sent again later.
    pub(crate) twice: u32,
    /// How long one takes, in milliseconds.
    pub(crate) slowness: Range<u64>,
    /// How long it takes to write something down, in milliseconds.
    pub(crate) disk: Range<u64>,
    /// Of a thousand writes so many fail.
    pub(crate) disk_fails: u32,
}

impl Default for Net {
    fn default() -> Self {
        Self {
            cut: BTreeSet::new(),
            unasked: BTreeSet::new(),
            stretched: BTreeMap::new(),
            loss: 0,
            twice: 0,
            slowness: 1..20,
            disk: 1..20,
            disk_fails: 0,
        }
    }
}

impl Net {
    pub(crate) fn passes(&self, from: usize, to: usize, chance: &mut Rng) -> bool {
        !self.cut.contains(&(from, to)) && chance.u32(0..1000) >= self.loss
    }

    pub(crate) fn delay(&self, chance: &mut Rng) -> Duration {
        Duration::from_micros(chance.u64(self.slowness.start * 1000..self.slowness.end * 1000))
    }

    pub(crate) fn delay_between(&self, from: usize, to: usize, chance: &mut Rng) -> Duration {
        let more = self.stretched.get(&(from, to)).copied().unwrap_or_default();
        self.delay(chance) + Duration::from_millis(more)
    }

    pub(crate) fn disk(&self, chance: &mut Rng) -> (Duration, bool) {
        let delay = chance.u64(self.disk.start * 1000..self.disk.end * 1000);
        (Duration::from_micros(delay), chance.u32(0..1000) >= self.disk_fails)
    }

    pub(crate) fn cut_one_way(&mut self, from: usize, to: usize) {
        self.cut.insert((from, to));
    }

    /// Whoever is in different groups hears nothing of each other.
    pub(crate) fn part(&mut self, group_of: &[usize]) {
        for (one, group) in group_of.iter().enumerate() {
            for (other, theirs) in group_of.iter().enumerate() {
                if group != theirs {
                    self.cut.insert((one, other));
                }
            }
        }
    }

    /// Nobody hears this one, and it hears nobody.
    pub(crate) fn isolate(&mut self, node: usize, size: usize) {
        let groups: Vec<_> = (0..size).map(|at| usize::from(at == node)).collect();
        self.part(&groups);
    }

    /// This one can dial nobody, and is dialled by all.
    pub(crate) fn dials_nobody(&mut self, node: usize, size: usize) {
        self.unasked.extend((0..size).map(|other| (node, other)));
    }

    pub(crate) fn heal(&mut self) {
        self.cut.clear();
        self.unasked.clear();
        self.stretched.clear();
    }
}

/// What one node suffers.
#[derive(Clone, Debug)]
pub(crate) enum Blow {
    /// Its process is killed; its machine refuses whoever comes.
    Killed,
    /// Its machine is gone without a word.
    Dark,
    /// Its process does nothing for a while, then goes on as if nothing had been.
    Frozen(Duration),
    /// Nothing passes between it and the others.
    Isolated,
    /// It goes on.
    Thawed,
    /// It hears something again that it may have heard.
    Replay(Sequence, Box<Ask>),
}

/// In how many ways a node may be gone.
const WAYS: usize = 4;

impl World {
    /// One of the ways in which a node is gone.
    pub(crate) fn some_blow(&mut self) -> Blow {
        let most = [300, 5_000, 25_000][self.chance.usize(0..3)];
        let span = Duration::from_millis(self.chance.u64(1..most));
        [Blow::Killed, Blow::Dark, Blow::Isolated, Blow::Frozen(span)][self.chance.usize(0..WAYS)].clone()
    }

    pub(crate) fn hit(&mut self, node: usize, blow: Blow) {
        let size = self.machines.len();
        match blow {
            Blow::Killed => {
                self.note("fault: killed");
                self.crash(node);
            }
            Blow::Dark => {
                self.note("fault: dark");
                self.crash(node);
                self.machines[node].is_dark = true;
            }
            Blow::Frozen(span) => {
                self.note("fault: frozen");
                self.machines[node].frozen = self.now + span;
                self.after(span, node, Event::Strike(Blow::Thawed));
                // A whole machine that stands still may not even notice it.
                if self.clocks_lie && self.chance.bool() {
                    self.note("fault: a clock stands still");
                    let now = self.now;
                    self.machines[node].clock.stop(now, span);
                    self.wind(node);
                }
            }
            Blow::Isolated => {
                self.note("fault: isolated");
                self.net.isolate(node, size);
            }
            Blow::Thawed => self.thaw(node),
            Blow::Replay(sequence, ask) => self.replay(node, sequence, ask),
        }
    }

    /// Something that was planned happens, unless all is well by now.
    pub(super) fn strikes(&mut self, node: usize, blow: Blow) {
        if !self.is_calm || matches!(blow, Blow::Thawed) {
            self.hit(node, blow);
        }
    }

    /// It finds what has happened meanwhile, in the order in which it happened.
    pub(crate) fn thaw(&mut self, node: usize) {
        if self.machines[node].frozen > self.now {
            return;
        }
        let lives = self.machines[node].lives;
        for (life, event) in std::mem::take(&mut self.machines[node].missed) {
            if life == lives {
                self.after(Duration::ZERO, node, event);
            }
        }
    }

    /// Something happens to a node while something else is half done.
    fn hit_soon(&mut self, node: usize) {
        let blow = self.some_blow();
        let most = [40, 400][self.chance.usize(0..2)];
        let delay = Duration::from_millis(self.chance.u64(1..most));
        self.after(delay, node, Event::Strike(blow));
    }

    /// Its clock has been turned: what was planned by it no longer fits.
    pub(crate) fn wind(&mut self, at: usize) {
        if let Some(life) = &mut self.machines[at].life {
            life.tick = Moment::MAX;
            self.after(Duration::ZERO, at, Event::Tick);
        }
    }

    fn clock_goes_wrong(&mut self, node: usize) {
        let now = self.now;
        let clock = &mut self.machines[node].clock;
        if self.clocks_lie {
            if self.chance.bool() {
                clock.turn(now, self.chance.i64(-250_000..250_000));
                self.note("fault: a clock runs far too fast or slow");
            } else {
                clock.jump(now, Duration::from_millis(self.chance.u64(1..60_000)));
                self.note("fault: a clock jumps");
            }
        } else {
            clock.turn(now, self.chance.i64(-DRIFT..=DRIFT));
            self.note("fault: a clock runs otherwise");
        }
        self.wind(node);
    }
}

/// By how many microseconds in a second a clock may be wrong: of two such clocks neither runs faster than the other by
/// more than a tenth.
pub(super) const DRIFT: i64 = 47_600;

/// One thing goes wrong, or right again.
pub(crate) fn strike(world: &mut World) -> Result<(), Broken> {
    let size = world.machines.len();
    let [one, other] = [0, 1].map(|_| world.chance.usize(0..size));
    match world.chance.u32(0..18) {
        0 | 1 => {
            let blow = world.some_blow();
            world.hit(one, blow);
        }
        2..5 => {
            (0..size).filter(|_| world.chance.bool()).collect::<Vec<_>>().into_iter().for_each(|at| {
                world.start(at);
            });
        }
        5 => {
            world.note("fault: parts");
            let groups: Vec<_> = (0..size).map(|_| world.chance.usize(0..2)).collect();
            world.net.part(&groups);
        }
        6 => {
            world.note("fault: cut one way");
            world.net.cut_one_way(one, other);
        }
        7 | 8 => world.net.heal(),
        9 => {
            world.note("fault: stretched");
            let more = world.chance.u64(1..2_000);
            world.net.stretched.insert((one, other), more);
        }
        10 => world.machines[one].figures = figures(world.chance.u32(0..101)),
        11 => world.machines[one].can_lead = !world.machines[one].can_lead,
        12 => world.machines[one].copies = !world.machines[one].copies,
        13 => world.clock_goes_wrong(one),
        14 => world.reset(one, other),
        15 => {
            world.note("fault: dials nobody");
            world.net.dials_nobody(one, size);
        }
        _ => hand_over(world, other)?,
    }
    Ok(())
}

/// A hand-over is ordered, and may be hit in the middle, at either end.
fn hand_over(world: &mut World, other: usize) -> Result<(), Broken> {
    let to = world.chance.bool().then(|| world.machines[other].id);
    for leader in world.serving() {
        world.tell(leader, Input::HandOver(to))?;
        match world.chance.u32(0..4) {
            0 => world.hit_soon(leader),
            1 => world.hit_soon(other),
            _ => {}
        }
    }
    Ok(())
}

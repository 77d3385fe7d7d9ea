//! What goes wrong: on the network, on disks, and with whole nodes.

use std::{collections::BTreeSet, ops::Range, time::Duration};

use fastrand::Rng;
use kith::domain::succession::election::Input;

use super::{machine::figures, world::World};
use crate::broken::Broken;

/// The network and the disks.
#[derive(Debug)]
pub(crate) struct Net {
    /// From whom to whom nothing passes.
    pub(crate) cut: BTreeSet<(usize, usize)>,
    /// Who cannot ask whom, though it may be asked.
    pub(crate) unasked: BTreeSet<(usize, usize)>,
    /// Of a thousand messages so many are lost.
    pub(crate) loss: u32,
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
            loss: 0,
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
        Duration::from_millis(chance.u64(self.slowness.clone()))
    }

    pub(crate) fn disk(&self, chance: &mut Rng) -> (Duration, bool) {
        (Duration::from_millis(chance.u64(self.disk.clone())), chance.u32(0..1000) >= self.disk_fails)
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
    }
}

/// One thing goes wrong, or right again.
pub(crate) fn strike(world: &mut World) -> Result<(), Broken> {
    let size = world.machines.len();
    let [one, other] = [0, 1].map(|_| world.chance.usize(0..size));
    match world.chance.u32(0..14) {
        0 | 1 => world.crash(one),
        2..5 => {
            (0..size).filter(|_| world.chance.bool()).collect::<Vec<_>>().into_iter().for_each(|at| {
                world.start(at);
            });
        }
        5 => {
            let groups: Vec<_> = (0..size).map(|_| world.chance.usize(0..2)).collect();
            world.net.part(&groups);
        }
        6 => world.net.cut_one_way(one, other),
        7 | 8 => world.net.heal(),
        9 => world.net.isolate(one, size),
        10 => world.machines[one].figures = figures(world.chance.u32(0..101)),
        11 => world.machines[one].can_lead = !world.machines[one].can_lead,
        _ => {
            let to = world.chance.bool().then(|| world.machines[other].id);
            let leaders = world.serving();
            for leader in leaders {
                world.tell(leader, Input::HandOver(to))?;
            }
        }
    }
    Ok(())
}

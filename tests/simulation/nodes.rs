//! A mesh of 2 to 8 nodes and their rendezvous, of the new kind or of the first one, with everything that goes wrong between
//! them: dials that fail, links that break, entries that are dead, nodes that start again, a rendezvous that dies and
//! comes back. Once it is calm there is exactly one link between each two, and both ends mean the same one.
//!
//! ```sh
//! KITH_SIMULATION_SEEDS=100000 cargo test --release --test simulation nodes
//! KITH_SIMULATION_SEED=123 cargo test --test simulation nodes -- --nocapture   # one, told step by step
//! ```

mod rendezvous;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use fastrand::Rng;
use kith::domain::{
    Moment,
    endpoint::Endpoint,
    id::ConnectionId,
    node::{Greeting, Introduction, Node, Order, Rank, Way, Wishes},
};

/// How long things go wrong, and how long there is to mend them. The longest wait between two attempts has 60 s.
const TROUBLE: Duration = Duration::from_secs(120);
const CALM: Duration = Duration::from_secs(200);

/// What happens to a node, or to all.
#[derive(Debug)]
enum Event {
    Alarm(usize),
    /// A registration reaches the rendezvous.
    Registers(usize, u64),
    /// A list reaches a node.
    List(usize, u64, Introduction),
    /// The line to the rendezvous is lost.
    Lost(usize, u64),
    /// What somebody has dialled is open, or not.
    Opened {
        by: usize,
        to: Endpoint,
        way: Way,
        life: u64,
    },
    /// The handshake of a link ends at this end.
    Greets(usize, ConnectionId),
    /// A link is over for this end.
    Closed(usize, ConnectionId),
    Fault,
}

struct Link {
    ends: [usize; 2],
    way: Way,
    rank: Rank,
    is_open: bool,
}

struct Member {
    node: Node,
    /// Which life of the node, so that what was meant for a former one is dropped.
    life: u64,
    is_dialable: bool,
    is_registered: bool,
    /// When the last thing that the rendezvous has said arrives: the next one may not be faster.
    line: Moment,
}

struct World {
    rng: Rng,
    now: Moment,
    events: BTreeMap<(Moment, u64), Event>,
    count: u64,
    members: Vec<Member>,
    links: BTreeMap<ConnectionId, Link>,
    /// Whether there is a rendezvous, and which life of it.
    epoch: Option<u64>,
    epochs: u64,
    version: u64,
    /// Who is in the directory, with the number under which it joined.
    listed: Vec<(Endpoint, u64)>,
    is_modern: bool,
    tells: bool,
}

fn address(number: usize) -> Endpoint {
    let host = u8::try_from(number + 1).expect("few nodes");
    Endpoint::new([10, 0, 0, host].into(), 5000).expect("a port")
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let (count, is_modern) = (rng.usize(2..=8), rng.bool());
        let members = (0..count).map(|number| Member {
            node: Node::new(address(number), Moment::ZERO),
            life: 0,
            // The first kind of rendezvous has no word for it.
            is_dialable: !is_modern || rng.u8(..4) > 0,
            is_registered: false,
            line: Moment::ZERO,
        });
        let members = members.collect();
        let mut world = Self {
            rng,
            now: Moment::ZERO,
            events: BTreeMap::new(),
            count: 0,
            members,
            links: BTreeMap::new(),
            epoch: Some(1),
            epochs: 1,
            version: 0,
            listed: Vec::new(),
            is_modern,
            tells: std::env::var_os("KITH_SIMULATION_SEED").is_some(),
        };
        // Somebody who has registered and is dead, first, last or in between.
        for dead in 0..world.rng.usize(..3) {
            world.listed.push((address(100 + dead), 0));
        }
        for number in 0..count {
            let at = ms(world.rng.u64(..3000));
            world.plan(at, Event::Alarm(number));
        }
        for _ in 0..world.rng.usize(..12) {
            let at = ms(world.rng.u64(..120_000));
            world.plan(at, Event::Fault);
        }
        world
    }

    fn plan(&mut self, after: Duration, event: Event) {
        self.count += 1;
        self.events.insert((self.now + after, self.count), event);
    }

    fn soon(&mut self) -> Duration {
        ms(self.rng.u64(1..=200))
    }

    fn run(&mut self) {
        while let Some(((at, _), event)) = self.events.pop_first() {
            if at > TROUBLE + CALM {
                return;
            }
            self.now = at;
            if self.tells {
                println!("{at:?} {event:?}");
            }
            self.on(event);
        }
    }

    fn on(&mut self, event: Event) {
        match event {
            Event::Alarm(number) => self.with(number, |_, _, _, _| {}),
            Event::Registers(number, life) => self.registers(number, life),
            Event::List(number, life, list) if self.lives(number, life) => {
                self.with(number, |node, now, _, out| _ = node.listed(list, now, out));
            }
            Event::Lost(number, life) if self.lives(number, life) => {
                self.members[number].is_registered = false;
                self.with(number, |node, now, chance, _| node.lost(now, chance));
            }
            Event::Opened { by, to, way, life } if self.lives(by, life) => self.opened(by, to, way),
            Event::Greets(number, id) => self.greets(number, id),
            Event::Closed(number, id) => {
                self.with(number, |node, now, chance, out| node.closed(id, now, chance, out));
            }
            Event::Fault => self.fault(),
            // Of a node that has ended since.
            Event::List(..) | Event::Lost(..) | Event::Opened { .. } => {}
        }
    }

    fn lives(&self, number: usize, life: u64) -> bool {
        self.members[number].life == life
    }

    /// Lets a node do something, carries out what it wants, and asks it again when it wants to be asked.
    fn with(&mut self, number: usize, act: impl FnOnce(&mut Node, Moment, u16, &mut Wishes)) {
        let (now, chance) = (self.now, self.rng.u16(..));
        let mut out = Wishes::default();
        let node = &mut self.members[number].node;
        act(node, now, chance, &mut out);
        node.due(now, chance, &mut out);
        let wakes = node.wakes_at();
        for order in out.orders {
            self.obey(number, order);
        }
        if let Some(at) = wakes {
            self.plan(at.saturating_sub(now), Event::Alarm(number));
        }
    }

    fn obey(&mut self, number: usize, order: Order) {
        let (after, life) = (self.soon(), self.members[number].life);
        match order {
            Order::Register => self.plan(after, Event::Registers(number, life)),
            Order::HangUp => self.members[number].is_registered = false,
            Order::Dial(to) => {
                // Whoever does not answer at all takes longer.
                let after = if self.rng.bool() { after } else { after + ms(self.rng.u64(..5000)) };
                self.plan(after, Event::Opened { by: number, to, way: Way::Direct, life });
            }
            Order::Relay(to) => self.plan(after, Event::Opened { by: number, to, way: Way::Relayed, life }),
            Order::Close(id) => self.break_link(id),
        }
    }

    fn number(&self, at: Endpoint) -> Option<usize> {
        (0..self.members.len()).find(|number| address(*number) == at)
    }

    /// One of so many things goes wrong, as long as things go wrong.
    fn is_troubled(&mut self, of: u8) -> bool {
        self.now < TROUBLE && self.rng.u8(..of) == 0
    }

    fn opened(&mut self, by: usize, to: Endpoint, way: Way) {
        let is_through = self.epoch.is_some();
        let other = self.number(to).filter(|other| match way {
            Way::Direct => self.members[*other].is_dialable,
            Way::Relayed => {
                is_through && self.members[by].is_registered && self.members[*other].is_registered
            }
        });
        let Some(other) = other.filter(|_| !self.is_troubled(4)) else {
            self.with(by, |node, now, chance, out| node.dial_failed(to, now, chance, out));
            return;
        };
        self.count += 1;
        let id = ConnectionId(self.count);
        let rank = self.members[by].node.rank();
        self.links.insert(id, Link { ends: [by, other], way, rank, is_open: true });
        self.with(by, |node, _, _, out| node.dialled(to, id, way, out));
        let breaks = self.is_troubled(5);
        for number in [by, other] {
            // A handshake may end at one end and not at the other.
            if !(breaks && self.rng.bool()) {
                let after = self.soon();
                self.plan(after, Event::Greets(number, id));
            }
        }
        if breaks {
            let after = ms(self.rng.u64(..400));
            self.plan_end(id, after);
        }
    }

    fn greets(&mut self, number: usize, id: ConnectionId) {
        let Some(link) = self.links.get(&id).filter(|link| link.is_open) else { return };
        let (way, rank) = (link.way, link.rank);
        let other = if link.ends[0] == number { link.ends[1] } else { link.ends[0] };
        self.with(number, |node, now, _, out| {
            node.greeted(Greeting { id, address: address(other), rank, way }, now, out);
        });
    }

    fn break_link(&mut self, id: ConnectionId) {
        self.plan_end(id, Duration::ZERO);
    }

    fn plan_end(&mut self, id: ConnectionId, after: Duration) {
        let Some(link) = self.links.get_mut(&id).filter(|link| link.is_open) else { return };
        link.is_open = false;
        for number in link.ends {
            let after = after + self.soon();
            self.plan(after, Event::Closed(number, id));
        }
    }

    fn fault(&mut self) {
        // When it is time to be calm, nothing happens but that a rendezvous comes back.
        let kind = if self.now < TROUBLE { self.rng.u8(..4) } else { 2 };
        match kind {
            0 => {
                let open: Vec<_> =
                    self.links.iter().filter(|(_, link)| link.is_open).map(|(id, _)| *id).collect();
                if let Some(id) = self.rng.choice(open) {
                    self.break_link(id);
                }
            }
            1 => self.rendezvous_dies(),
            2 => self.rendezvous_comes(),
            _ => {
                let number = self.rng.usize(..self.members.len());
                self.restart(number);
            }
        }
        // Whatever was done, there is a rendezvous in the end.
        if self.epoch.is_none() {
            let at = ms(self.rng.u64(1..20_000));
            self.plan(at, Event::Fault);
        }
    }

    fn restart(&mut self, number: usize) {
        let me = address(number);
        let member = &mut self.members[number];
        (member.node, member.life, member.is_registered) = (Node::new(me, self.now), member.life + 1, false);
        let theirs = self.links.iter().filter(|(_, link)| link.is_open && link.ends.contains(&number));
        for id in theirs.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.break_link(id);
        }
        if self.is_modern {
            self.listed.retain(|(at, _)| *at != me);
            self.tell_everybody();
        }
        let after = self.soon();
        self.plan(after, Event::Alarm(number));
    }

    /// What must be true once it is calm.
    fn check(&self) -> Result<(), String> {
        let mut used = BTreeSet::new();
        for one in 0..self.members.len() {
            for other in 0..one {
                let [there, back] =
                    [(one, other), (other, one)].map(|(from, to)| self.members[from].node.link(address(to)));
                let Some((id, way)) = there.filter(|_| there == back) else {
                    return Err(format!("{one} has {there:?} to {other}, which has {back:?}"));
                };
                let relayed = !self.members[one].is_dialable && !self.members[other].is_dialable;
                if (way == Way::Relayed) != relayed {
                    return Err(format!("{one} and {other} are linked {way:?}"));
                }
                used.insert(id);
            }
        }
        let open = self.links.iter().filter(|(_, link)| link.is_open).map(|(id, _)| *id);
        let surplus: Vec<_> = open.filter(|id| !used.contains(id)).collect();
        if surplus.is_empty() { Ok(()) } else { Err(format!("links that nobody uses: {surplus:?}")) }
    }
}

fn play(seed: u64) {
    let mut world = World::new(seed);
    world.run();
    if let Err(why) = world.check() {
        panic!("seed {seed}: {why}; play it again with KITH_SIMULATION_SEED={seed}");
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn in_the_end_there_is_one_link_between_each_two() {
    match number("KITH_SIMULATION_SEED") {
        Some(seed) => play(seed),
        None => (0..number("KITH_SIMULATION_SEEDS").unwrap_or(400)).for_each(play),
    }
}

//! The network: virtual time, and sockets that behave as TCP does.
//!
//! Between two machines there is a path in each direction, with delays of its own. Within a socket nothing
//! is lost, changed or overtaken; what can happen is that it stalls (a path is cut and nobody is told), that
//! it is reset, or that a machine is gone and answers nothing. What stalls comes through when the path
//! heals. All chance is drawn from one seed, and events of one instant keep the order in which they were
//! made, so that a run can be played again.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use fastrand::Rng;
use kith::domain::{Moment, id::ConnectionId, letter::Frame};

/// What happens at some moment.
#[derive(Debug)]
enum Event<D> {
    Arrives { socket: ConnectionId, from: Side, packet: Packet },
    Alarm(usize),
    Deed(D),
}

/// What travels in one direction of a socket.
#[derive(Debug)]
enum Packet {
    Knock,
    Opened,
    Frame(Frame),
    End,
}

/// What a server, or the world, gets to see.
#[derive(Debug)]
pub(crate) enum Happening<D> {
    /// Somebody dialled this server.
    Accepted(usize, ConnectionId),
    /// What this server dialled is open.
    Opened(usize, ConnectionId),
    /// A message came in.
    Frame(usize, ConnectionId, Frame),
    /// A socket ended, or never came to be.
    Gone(usize, ConnectionId),
    /// An alarm that a server has set.
    Alarm(usize),
    /// Something that was planned.
    Deed(D),
}

/// The two ends of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Dialler,
    Answerer,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Dialler => Self::Answerer,
            Self::Answerer => Self::Dialler,
        }
    }
}

/// One end of a socket, and what it has sent.
#[derive(Debug)]
struct End {
    place: usize,
    is_open: bool,
    /// When the last packet from here arrives: the next one may not be faster.
    last: Moment,
    /// What waits because the path is cut, or because the other machine is gone.
    held: VecDeque<Packet>,
}

#[derive(Debug)]
struct Socket {
    ends: [End; 2],
}

impl Socket {
    const fn end(&mut self, side: Side) -> &mut End {
        let [dialler, answerer] = &mut self.ends;
        match side {
            Side::Dialler => dialler,
            Side::Answerer => answerer,
        }
    }

    fn side(&self, place: usize) -> Side {
        if self.ends[0].place == place { Side::Dialler } else { Side::Answerer }
    }
}

/// One direction between two machines.
#[derive(Clone, Copy, Debug)]
struct Path {
    is_cut: bool,
    least: Duration,
    spread: Duration,
}

/// How a server's machine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    /// The server runs.
    Runs,
    /// The server was killed: its machine says no in its stead.
    Killed,
    /// The machine is gone and says nothing.
    Gone,
}

/// The network between so many servers.
#[derive(Debug)]
pub(crate) struct Net<D> {
    now: Moment,
    order: u64,
    queue: BTreeMap<(Moment, u64), Event<D>>,
    sockets: BTreeMap<ConnectionId, Socket>,
    paths: Vec<Vec<Path>>,
    machines: Vec<Machine>,
    /// How many packets have arrived.
    arrived: u64,
    chance: Rng,
}

impl<D> Net<D> {
    /// Paths of all sorts, from the same room to the other side of the world.
    pub(crate) fn new(servers: usize, mut chance: Rng) -> Self {
        let mut path = || {
            let [least, spread] =
                [[100, 200], [1_000, 3_000], [20_000, 10_000], [120_000, 80_000]][chance.usize(0..4)];
            let (least, spread) = (Duration::from_micros(least), Duration::from_micros(spread));
            Path { is_cut: false, least, spread }
        };
        let paths = (0..servers).map(|_| (0..servers).map(|_| path()).collect()).collect();
        Self {
            now: Moment::ZERO,
            order: 0,
            queue: BTreeMap::new(),
            sockets: BTreeMap::new(),
            paths,
            machines: vec![Machine::Runs; servers],
            arrived: 0,
            chance,
        }
    }

    /// How many packets have arrived so far.
    pub(crate) const fn arrived(&self) -> u64 {
        self.arrived
    }

    /// The time of the world.
    pub(crate) const fn now(&self) -> Moment {
        self.now
    }

    /// How many sockets are open between two servers, at either end.
    pub(crate) fn sockets_between(&self, one: usize, other: usize) -> usize {
        let between = |socket: &&Socket| {
            let places = [socket.ends[0].place, socket.ends[1].place];
            places == [one, other] || places == [other, one]
        };
        self.sockets
            .values()
            .filter(between)
            .filter(|socket| socket.ends.iter().any(|end| end.is_open))
            .count()
    }

    /// Who is at the other end of a socket.
    pub(crate) fn other_end(&self, place: usize, socket: ConnectionId) -> Option<usize> {
        let [dialler, answerer] = &self.sockets.get(&socket)?.ends;
        Some(if dialler.place == place { answerer.place } else { dialler.place })
    }

    fn at(&mut self, moment: Moment, event: Event<D>) {
        self.order += 1;
        self.queue.insert((moment, self.order), event);
    }

    /// Plans something.
    pub(crate) fn plan(&mut self, moment: Moment, deed: D) {
        self.at(moment.max(self.now), Event::Deed(deed));
    }

    /// Wakes a server.
    pub(crate) fn wake(&mut self, place: usize, moment: Moment) {
        self.at(moment.max(self.now), Event::Alarm(place));
    }

    /// The next thing that happens before `end`; after the last one it is `end`.
    pub(crate) fn next(&mut self, end: Moment) -> Option<Happening<D>> {
        loop {
            let first = self.queue.first_entry().filter(|first| first.key().0 <= end);
            let Some(first) = first else {
                self.now = end;
                return None;
            };
            self.now = first.key().0;
            match first.remove() {
                Event::Alarm(place) => return Some(Happening::Alarm(place)),
                Event::Deed(deed) => return Some(Happening::Deed(deed)),
                Event::Arrives { socket, from, packet } => {
                    if let Some(happening) = self.arrive(socket, from, packet) {
                        return Some(happening);
                    }
                }
            }
        }
    }

    fn send(&mut self, socket: ConnectionId, from: Side, packet: Packet) {
        let Some(known) = self.sockets.get_mut(&socket) else { return };
        let path = self.paths[known.end(from).place][known.end(from.other()).place];
        let end = known.end(from);
        if path.is_cut || !end.held.is_empty() {
            end.held.push_back(packet);
            return;
        }
        let spread = u64::try_from(path.spread.as_micros()).unwrap_or(u64::MAX);
        let delay = path.least + Duration::from_micros(self.chance.u64(0..=spread));
        end.last = end.last.max(self.now + delay);
        let arrival = end.last;
        self.at(arrival, Event::Arrives { socket, from, packet });
    }

    fn arrive(&mut self, id: ConnectionId, from: Side, packet: Packet) -> Option<Happening<D>> {
        let to = from.other();
        let socket = self.sockets.get_mut(&id)?;
        self.arrived += 1;
        let place = socket.end(to).place;
        match self.machines[place] {
            Machine::Runs => {}
            // It is sent again and again until somebody answers.
            Machine::Gone => {
                socket.end(from).held.push_back(packet);
                return None;
            }
            Machine::Killed => {
                if !matches!(packet, Packet::End) {
                    self.send(id, to, Packet::End);
                }
                return None;
            }
        }
        let end = socket.end(to);
        match packet {
            Packet::Knock => {
                end.is_open = true;
                self.send(id, to, Packet::Opened);
                Some(Happening::Accepted(place, id))
            }
            Packet::End => {
                let was_open = std::mem::replace(&mut end.is_open, false);
                self.forget(id);
                was_open.then_some(Happening::Gone(place, id))
            }
            _ if !end.is_open => {
                self.send(id, to, Packet::End);
                None
            }
            Packet::Opened => Some(Happening::Opened(place, id)),
            Packet::Frame(frame) => Some(Happening::Frame(place, id, frame)),
        }
    }

    /// A socket that nobody holds any more is nothing.
    fn forget(&mut self, id: ConnectionId) {
        if self.sockets.get(&id).is_some_and(|socket| socket.ends.iter().all(|end| !end.is_open)) {
            self.sockets.remove(&id);
        }
    }

    /// A server dials another one.
    pub(crate) fn dial(&mut self, socket: ConnectionId, from: usize, to: usize) {
        let end = |place, is_open| End { place, is_open, last: Moment::ZERO, held: VecDeque::new() };
        self.sockets.insert(socket, Socket { ends: [end(from, true), end(to, false)] });
        self.send(socket, Side::Dialler, Packet::Knock);
    }

    /// A server sends something.
    pub(crate) fn write(&mut self, place: usize, socket: ConnectionId, frame: Frame) {
        let Some(side) = self.sockets.get(&socket).map(|known| known.side(place)) else { return };
        self.send(socket, side, Packet::Frame(frame));
    }

    /// A server closes its end. What it has sent before still goes out.
    pub(crate) fn close(&mut self, place: usize, socket: ConnectionId) {
        let Some(known) = self.sockets.get_mut(&socket) else { return };
        let side = known.side(place);
        known.end(side).is_open = false;
        self.send(socket, side, Packet::End);
        self.forget(socket);
    }

    /// All sockets between two servers are reset; both ends see it soon.
    pub(crate) fn reset(&mut self, one: usize, other: usize) {
        let ids: Vec<_> = self.sockets.keys().copied().collect();
        for id in ids {
            let socket = &self.sockets[&id];
            let places = [socket.ends[0].place, socket.ends[1].place];
            if places == [one, other] || places == [other, one] {
                for from in [Side::Dialler, Side::Answerer] {
                    self.at(self.now, Event::Arrives { socket: id, from, packet: Packet::End });
                }
            }
        }
    }

    /// Cuts or heals one direction.
    pub(crate) fn cut(&mut self, from: usize, to: usize, is_cut: bool) {
        if std::mem::replace(&mut self.paths[from][to].is_cut, is_cut) && !is_cut {
            self.release(|start, end| (start, end) == (from, to));
        }
    }

    /// Moves a direction to the other side of the world, or next door.
    pub(crate) fn stretch(&mut self, from: usize, to: usize, least: Duration) {
        self.paths[from][to].least = least;
    }

    /// The server is killed, its machine goes, or it runs again.
    pub(crate) fn turn(&mut self, place: usize, machine: Machine) {
        self.machines[place] = machine;
        match machine {
            Machine::Runs | Machine::Killed => self.release(|_, end| end == place),
            Machine::Gone => {}
        }
        if machine == Machine::Runs {
            return;
        }
        let ids: Vec<_> = self.sockets.keys().copied().collect();
        for id in ids {
            let Some(socket) = self.sockets.get_mut(&id) else { continue };
            if !socket.ends.iter().any(|end| end.place == place) {
                continue;
            }
            let side = socket.side(place);
            let was_open = std::mem::replace(&mut socket.end(side).is_open, false);
            if was_open && machine == Machine::Killed {
                self.send(id, side, Packet::End);
            }
            self.forget(id);
        }
    }

    /// Sends again what was held back on these paths, a little later and in order.
    fn release(&mut self, matches: impl Fn(usize, usize) -> bool) {
        let ids: Vec<_> = self.sockets.keys().copied().collect();
        for id in ids {
            for side in [Side::Dialler, Side::Answerer] {
                let Some(socket) = self.sockets.get_mut(&id) else { continue };
                let (from, to) = (socket.end(side).place, socket.end(side.other()).place);
                if !matches(from, to) || self.paths[from][to].is_cut || self.machines[to] == Machine::Gone {
                    continue;
                }
                let held = std::mem::take(&mut socket.end(side).held);
                let again = self.now + Duration::from_millis(self.chance.u64(0..1_000));
                socket.end(side).last = socket.end(side).last.max(again);
                for packet in held {
                    self.send(id, side, packet);
                }
            }
        }
    }
}

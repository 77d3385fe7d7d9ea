//! The life of one neighbour: when it is dialled, which of its sockets counts, and how it is doing.
//!
//! Pure decisions over what happened and when. The shell dials when told, says what came of it, and
//! carries out the rest. **Invariants:** one logical link per neighbour however many sockets there are;
//! a neighbour that is down costs at most one attempt per back-off; whatever fails is tried again.

mod socket;
mod state;

use self::socket::{Socket, choose};
pub use self::{
    socket::{Direction, Sockets},
    state::State,
};

use std::time::Duration;

use super::{
    Moment,
    id::ConnectionId,
    limits::{Limits, seconds},
};

/// What the shell should do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Dial now.
    Dial,
    /// Ask again at this moment.
    Sleep(Moment),
    /// Nothing, until something happens.
    Nothing,
}

/// What the end of a socket means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing: it was not in use.
    None,
    /// Another socket takes over.
    Moved(ConnectionId),
    /// The link is down.
    Down,
}

/// Both sides dialled, and the other socket is the one that stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossed;

/// Sockets that one neighbour may have to us, if it likes several.
const MOST_SOCKETS: usize = 4;
/// The first wait after a failure; it doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// A link that did not last so long counts as one more failure.
const LASTING: Duration = Duration::from_secs(5);
/// Two sockets opened within so long of each other may have been dialled at the same instant.
const CROSSING: Duration = Duration::from_secs(10);
/// How long a dial that is not open yet may hope to be.
const OPENING: Duration = Duration::from_secs(2);
/// How often a silent link is looked at.
const SECOND_LOOK: Duration = Duration::from_secs(1);
/// How long the side that gives way waits for the other one's dial.
const GIVING_WAY: Duration = Duration::from_secs(2);

/// One neighbour.
#[derive(Debug)]
pub struct Peer {
    dialable: bool,
    wanted: Sockets,
    sockets: Vec<Socket>,
    /// On which of several we speak.
    spoken: Option<ConnectionId>,
    /// Since when an attempt of ours is under way, and its socket once that is open.
    attempt: Option<(Moment, Option<ConnectionId>)>,
    failures: u32,
    /// When we dialled last.
    dialled: Option<Moment>,
    next_dial: Moment,
    /// Until then nobody's call brings the next dial forward.
    deaf_until: Moment,
    refused: bool,
    banned: bool,
    heard: Moment,
    state: State,
    since: Moment,
}

impl Peer {
    /// A neighbour that was just heard of, to be dialled at once if there is a way.
    #[must_use]
    pub const fn new(dialable: bool, now: Moment) -> Self {
        Self {
            dialable,
            wanted: Sockets::One,
            sockets: Vec::new(),
            spoken: None,
            attempt: None,
            failures: 0,
            dialled: None,
            next_dial: now,
            deaf_until: now,
            refused: false,
            banned: false,
            heard: now,
            state: State::Down,
            since: now,
        }
    }

    /// How it is doing, and since when.
    #[must_use]
    pub const fn state(&self) -> (State, Moment) {
        (self.state, self.since)
    }

    /// When it will be dialled again, if that is the plan.
    #[must_use]
    pub fn next_dial(&self) -> Option<Moment> {
        (self.may_dial() && self.attempt.is_none() && self.wants_socket()).then_some(self.next_dial)
    }

    /// Attempts in a row that came to nothing.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// The socket on which we speak.
    #[must_use]
    pub fn voice(&self) -> Option<ConnectionId> {
        let preferred = match self.wanted {
            Sockets::One => None,
            Sockets::Any | Sockets::Ours => self.spoken,
            Sockets::Two => {
                let ours = self.sockets.iter().find(|socket| socket.direction == Direction::Out);
                ours.map(|socket| socket.id)
            }
        };
        preferred.or_else(|| self.sockets.last().map(|socket| socket.id))
    }

    /// All sockets of the link, and who opened each.
    pub fn sockets(&self) -> impl Iterator<Item = (ConnectionId, Direction)> {
        self.sockets.iter().map(|socket| (socket.id, socket.direction))
    }

    const fn may_dial(&self) -> bool {
        self.dialable && !self.banned
    }

    fn wants_socket(&self) -> bool {
        match self.wanted {
            Sockets::One | Sockets::Any => self.sockets.is_empty(),
            Sockets::Two | Sockets::Ours => {
                self.sockets.iter().all(|socket| socket.direction == Direction::In)
            }
        }
    }

    /// What to do at `now`. Told to dial, the shell reports [`Peer::open`], [`Peer::failed`] or both.
    pub fn due(&mut self, now: Moment, limits: &Limits) -> Due {
        self.settle(now, limits);
        if !self.may_dial() || self.attempt.is_some() || !self.wants_socket() {
            return match self.state {
                State::Up => Due::Sleep(self.suspect_at(limits)),
                State::Suspect => Due::Sleep(now + SECOND_LOOK),
                _ => Due::Nothing,
            };
        }
        if now < self.next_dial {
            return Due::Sleep(self.next_dial);
        }
        self.attempt = Some((now, None));
        self.dialled = Some(now);
        self.settle(now, limits);
        Due::Dial
    }

    /// Our attempt has opened a socket; now both sides say who they are. Says whether it still should: if
    /// the neighbour was faster, the socket is to be dropped.
    #[must_use]
    pub fn open(&mut self, socket: ConnectionId, now: Moment, limits: &Limits) -> bool {
        let Some((_, open)) = &mut self.attempt else { return false };
        *open = Some(socket);
        self.settle(now, limits);
        true
    }

    /// Our attempt came to nothing. `refused`: one of the two sides said no. `chance` spreads the next
    /// attempts of many servers over time.
    pub fn failed(&mut self, now: Moment, refused: bool, chance: u32, limits: &Limits) {
        // If the neighbour was faster, nothing was lost.
        if self.attempt.take().is_some() {
            self.refused = refused;
            self.back_off(now, chance, limits);
            self.settle(now, limits);
        }
    }

    /// Our attempt gave way to the one of the other side, which is under way.
    pub fn gave_way(&mut self, now: Moment, limits: &Limits) {
        self.attempt = None;
        self.next_dial = now + GIVING_WAY;
        self.settle(now, limits);
    }

    /// Whether a socket may be the link, now that the other end has proven who it is. If both sides dial at
    /// once, the dial of the one whose key is smaller stays. Asked any earlier, the answer could be another
    /// one by the time of the greeting, and each side could give up the very socket that the other one keeps.
    ///
    /// # Errors
    /// The neighbour dialled it, and ours is the one that stays.
    pub fn may_come(
        &self,
        direction: Direction,
        wanted: Sockets,
        we_are_smaller: bool,
        now: Moment,
    ) -> Result<(), Crossed> {
        // A dial that does not even open must not keep out one that does.
        let dialling =
            self.attempt.is_some_and(|(since, open)| open.is_some() || now.saturating_sub(since) < OPENING);
        let just_dialled = self
            .sockets
            .iter()
            .any(|socket| socket.direction == Direction::Out && now.saturating_sub(socket.since) < CROSSING);
        let crosses = direction == Direction::In && wanted == Sockets::One && (dialling || just_dialled);
        if we_are_smaller && crosses { Err(Crossed) } else { Ok(()) }
    }

    /// The other end of a socket has said who it is, may be believed, and may come. Returns the sockets that
    /// it replaces, to be closed.
    pub fn greeted(
        &mut self,
        socket: ConnectionId,
        direction: Direction,
        wanted: Sockets,
        now: Moment,
        limits: &Limits,
    ) -> Vec<ConnectionId> {
        // What we dial says nothing about those that the other side opens.
        if direction == Direction::In || self.wanted != Sockets::Ours {
            self.wanted = wanted;
        }
        let mut replaced = Vec::new();
        if let Some((_, open)) = self.attempt
            && (direction == Direction::Out || wanted == Sockets::One)
        {
            // The attempt has come to its goal, or the neighbour was faster.
            self.attempt = None;
            replaced.extend(open.filter(|open| *open != socket));
        }
        self.sockets.retain(|known| {
            let stays = match wanted {
                Sockets::One => false,
                Sockets::Two => known.direction != direction,
                Sockets::Any | Sockets::Ours => true,
            };
            if !stays && known.id != socket {
                replaced.push(known.id);
            }
            stays
        });
        self.sockets.push(Socket { id: socket, direction, since: now, shown: None });
        self.spoken = choose(&self.sockets, self.spoken);
        if self.sockets.len() > MOST_SOCKETS {
            // The last one may be the one that works.
            let at = self.sockets.iter().position(|known| Some(known.id) != self.spoken).unwrap_or(0);
            replaced.push(self.sockets.remove(at).id);
        }
        self.refused = false;
        self.heard(now, limits);
        replaced
    }

    /// The other end of a socket has shown the neighbour's key. Says whether we now speak on another socket
    /// than before.
    pub fn shown(&mut self, socket: ConnectionId, now: Moment) -> bool {
        let before = self.voice();
        if let Some(socket) = self.sockets.iter_mut().find(|known| known.id == socket) {
            socket.shown = Some(now);
        }
        self.spoken = choose(&self.sockets, self.spoken);
        self.voice() != before
    }

    /// Anything at all came from the neighbour: it lives, so it is worth trying again soon.
    pub fn heard(&mut self, now: Moment, limits: &Limits) {
        self.heard = now;
        if self.sockets.iter().any(|socket| now.saturating_sub(socket.since) >= LASTING) {
            self.failures = 0;
        }
        self.settle(now, limits);
    }

    /// A socket is gone, whether it was greeted or not.
    pub fn closed(
        &mut self,
        socket: ConnectionId,
        refused: bool,
        now: Moment,
        chance: u32,
        limits: &Limits,
    ) -> Loss {
        if self.attempt.is_some_and(|(_, open)| open == Some(socket)) {
            self.failed(now, refused, chance, limits);
            return Loss::None;
        }
        let before = self.voice();
        let Some(at) = self.sockets.iter().position(|known| known.id == socket) else { return Loss::None };
        let lost = self.sockets.remove(at);
        self.spoken = choose(&self.sockets, self.spoken);
        let lasted = now.saturating_sub(lost.since) >= LASTING;
        if lasted {
            self.failures = 0;
        }
        self.refused = refused && self.sockets.is_empty();
        if self.wants_socket() && self.attempt.is_none() {
            self.back_off(now, chance, limits);
        }
        self.settle(now, limits);
        match self.voice() {
            None => Loss::Down,
            Some(voice) if before == Some(voice) => Loss::None,
            Some(voice) => Loss::Moved(voice),
        }
    }

    /// A ban keeps it out from now on, or no longer does. Its sockets are closed by whoever says so.
    pub fn ban(&mut self, banned: bool, now: Moment, limits: &Limits) {
        if banned {
            self.attempt = None;
        } else if self.banned {
            self.refused = false;
            self.retry(now);
        }
        self.banned = banned;
        self.settle(now, limits);
    }

    /// Somebody asks to try again at once.
    pub const fn retry(&mut self, now: Moment) {
        self.failures = 0;
        self.next_dial = now;
    }

    /// Somebody came under its name whom only our own dial can prove: it is dialled soon, once before the
    /// dial that was planned. Anybody may come so, and whoever comes again and again changes nothing.
    pub fn called(&mut self, now: Moment) {
        let soon = self.dialled.map_or(now, |dialled| (dialled + GIVING_WAY).max(now));
        if now >= self.deaf_until && soon < self.next_dial {
            self.deaf_until = self.next_dial;
            self.next_dial = soon;
        }
    }

    /// A way to dial it became known.
    pub const fn dialable(&mut self) {
        self.dialable = true;
    }

    fn suspect_at(&self, limits: &Limits) -> Moment {
        self.heard + seconds(limits.peer_heartbeat_s) * 2
    }

    /// Waits double up to a cap; chance takes away up to half of each.
    fn back_off(&mut self, now: Moment, chance: u32, limits: &Limits) {
        let doubled = FIRST_WAIT * 2_u32.saturating_pow(self.failures.min(16));
        let wait = doubled.min(seconds(limits.peer_backoff_most_s));
        let share = f64::from(chance) / f64::from(u32::MAX);
        self.next_dial = now + wait.mul_f64(share.mul_add(-0.5, 1.0));
        self.failures = self.failures.saturating_add(1);
    }

    /// Brings the state up to date.
    fn settle(&mut self, now: Moment, limits: &Limits) {
        let state = match (self.sockets.is_empty(), self.attempt) {
            (false, _) if now >= self.suspect_at(limits) => State::Suspect,
            (false, _) => State::Up,
            (true, Some((_, Some(_)))) => State::Greeting,
            (true, Some((_, None))) => State::Dialling,
            (true, None) if self.banned => State::Banned,
            (true, None) if self.refused => State::Refused,
            (true, None) => State::Down,
        };
        if state != self.state {
            self.state = state;
            self.since = now;
        }
    }
}

#[cfg(test)]
#[path = "neighbourhood_tests.rs"]
mod tests;

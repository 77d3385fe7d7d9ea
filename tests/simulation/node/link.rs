//! What the Neighbourhood actor does: it asks the `Peer` of each neighbour, and tells it what happened.

use kith::{
    dialect::{
        Ear,
        event::{Claim, Greeting, Input, Standing},
    },
    domain::{
        Moment,
        book::{self, Entry, Turned},
        id::{ConnectionId, HomeId, KeyId, PeerId},
        neighbourhood::{Direction, Due, Loss, Peer, State},
        peer::Source,
        refusal::{Ending, Refusal},
    },
};

use super::{Node, Reminder, Tie, Wish, address, wire::Wire};

/// One neighbour, linked or not.
#[derive(Debug)]
pub(super) struct Neighbour {
    /// The number that it has here.
    pub(super) home: HomeId,
    peer: Peer,
    /// What we dialled and is not greeted yet, open or not.
    attempt: Option<ConnectionId>,
    /// The socket on which we speak, if there is a link.
    pub(super) voice: Option<ConnectionId>,
    /// How far it was told our list: behind this key comes the next part.
    pub(super) telling: Option<Option<KeyId>>,
    reminder: Option<Moment>,
    /// How it is written to.
    pub(super) ear: Ear,
}

impl Neighbour {
    pub(super) const fn new(home: HomeId, dialable: bool) -> Self {
        let peer = Peer::new(dialable, Moment::ZERO);
        Self { home, peer, attempt: None, voice: None, telling: None, reminder: None, ear: Ear::Kith }
    }
}

/// The neighbour at this place as an operator would write it down.
pub(super) fn entry(peer: usize, tie: Tie) -> Entry {
    let mut id = [0; 6];
    id[..4].copy_from_slice(&u32::try_from(peer).unwrap_or(u32::MAX).to_be_bytes());
    let url = tie.dials.then(|| format!("ws://{}", address(peer)));
    let (pinned, seen, source) = (tie.pinned, tie.seen, Source::Settings);
    Entry { url, address: Some(address(peer)), pinned, seen, source, ..Entry::stranger(PeerId(id), 0) }
}

fn facts(claim: &Claim, dialled: Option<HomeId>) -> book::Claim<'_> {
    let (address, name) = (claim.address.as_str(), claim.name.as_deref());
    book::Claim { dialect: claim.dialect, key: claim.key, address, name, dialled }
}

impl Node {
    /// How a neighbour is doing.
    pub(crate) fn state(&self, peer: usize) -> State {
        self.neighbours[&peer].peer.state().0
    }

    /// The socket of a link, and whether the neighbour was told our whole list.
    pub(crate) fn link(&self, peer: usize) -> Option<(ConnectionId, bool)> {
        let neighbour = self.neighbours.get(&peer)?;
        Some((neighbour.voice?, neighbour.telling.is_none()))
    }

    /// How many sockets the `Peer` of a neighbour knows.
    pub(crate) fn sockets_of(&self, peer: usize) -> usize {
        self.neighbours[&peer].peer.sockets().count()
    }

    /// The keys of its neighbours that it has seen, which survive it.
    pub(crate) fn seen(&self, peer: usize) -> Option<KeyId> {
        self.book.entry(self.home(peer))?.seen
    }

    /// An operator asks to try again.
    pub(crate) fn retry(&mut self, now: Moment) {
        for peer in self.places() {
            if let Some(neighbour) = self.neighbours.get_mut(&peer)
                && !neighbour.peer.state().0.is_linked()
            {
                neighbour.peer.retry(now);
                self.attend(peer, now);
            }
        }
    }

    /// Does what is due for a neighbour.
    pub(super) fn attend(&mut self, peer: usize, now: Moment) {
        let limits = std::sync::Arc::clone(&self.setup.limits);
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        match neighbour.peer.due(now, &limits) {
            Due::Dial => {
                let socket = self.dial(peer, now);
                if let Some(neighbour) = self.neighbours.get_mut(&peer) {
                    neighbour.attempt = Some(socket);
                }
            }
            Due::Sleep(until) => {
                if neighbour.reminder.is_none_or(|at| until < at) {
                    neighbour.reminder = Some(until);
                    self.remind(until, Reminder::Due(peer));
                }
            }
            Due::Nothing => {}
        }
    }

    pub(super) fn on_due(&mut self, peer: usize, now: Moment) {
        if let Some(neighbour) = self.neighbours.get_mut(&peer)
            && neighbour.reminder.take_if(|at| *at <= now).is_some()
        {
            self.attend(peer, now);
        }
    }

    /// What we dialled is open. Says whether it still should be.
    pub(super) fn on_open(&mut self, peer: usize, socket: ConnectionId, now: Moment) -> bool {
        let limits = std::sync::Arc::clone(&self.setup.limits);
        let neighbour = self.neighbours.get_mut(&peer);
        neighbour.is_some_and(|neighbour| neighbour.peer.open(socket, now, &limits))
    }

    pub(super) fn on_heard(&mut self, peer: usize, now: Moment) {
        let limits = std::sync::Arc::clone(&self.setup.limits);
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            neighbour.peer.heard(now, &limits);
        }
    }

    /// Somebody says who it is and has proven nothing yet.
    pub(super) fn on_claim(
        &mut self,
        socket: ConnectionId,
        claim: &Claim,
        now: Moment,
    ) -> Result<Standing, Refusal> {
        let stands = self.book.stand(&facts(claim, self.dialled(socket)));
        stands.map(|_| Standing::default()).map_err(|turned| self.turned(turned, claim, now))
    }

    /// Whom we dialled has proven a key.
    pub(super) fn on_proven(&mut self, socket: ConnectionId, key: KeyId) {
        if let Some(home) = self.dialled(socket) {
            self.book.proven(home, key);
        }
    }

    fn dialled(&self, socket: ConnectionId) -> Option<HomeId> {
        self.wires.get(&socket)?.dialled.map(|peer| self.home(peer))
    }

    /// A claim does not stand.
    fn turned(&mut self, Turned { home, refusal }: Turned, claim: &Claim, now: Moment) -> Refusal {
        let Some(home) = home else { return refusal };
        if refusal == Refusal::WrongKey {
            self.book.presented(home, claim.key);
        }
        let peer = self.place(home);
        if refusal == Refusal::Crossed
            && let Some(neighbour) = self.neighbours.get_mut(&peer)
        {
            neighbour.peer.called(now);
            self.attend(peer, now);
        }
        refusal
    }

    /// Somebody has proven who it is.
    pub(super) fn on_greeting(&mut self, socket: ConnectionId, greeting: &Greeting, now: Moment) {
        let facts = facts(&greeting.claim, self.dialled(socket));
        let home = match self.book.admit(&facts, greeting.proven, PeerId([0; 6]), 0) {
            Ok(admitted) => admitted.home,
            Err(turned) => {
                let refusal = self.turned(turned, &greeting.claim, now);
                return self.step(socket, Input::Welcomed(Err(refusal)), now);
            }
        };
        let peer = self.place(home);
        let limits = std::sync::Arc::clone(&self.setup.limits);
        let Some(wire) = self.wires.get_mut(&socket) else { return };
        let direction = wire.direction();
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        let we_are_smaller = greeting.claim.key.is_some_and(|key| self.book.own_key() < key);
        if neighbour.peer.may_come(direction, greeting.sockets, we_are_smaller, now).is_err() {
            return self.step(socket, Input::Welcomed(Err(Refusal::Crossed)), now);
        }
        let replaced = neighbour.peer.greeted(socket, direction, greeting.sockets, now, &limits);
        wire.greeted = Some(peer);
        neighbour.attempt.take_if(|attempt| *attempt == socket);
        neighbour.ear = greeting.ear;
        if direction == Direction::Out && greeting.proven {
            neighbour.peer.shown(socket, now);
        }
        let voice = neighbour.peer.voice();
        let before = std::mem::replace(&mut neighbour.voice, voice);
        let was_linked = before.is_some_and(|before| replaced.contains(&before));
        for old in replaced {
            self.close(old, Ending::Replaced, now);
        }
        if was_linked {
            self.wishes.push(Wish::Unlinked(peer));
        }
        // The house hears of the link before it hears anything that comes over it.
        self.link_house(peer);
        self.step(socket, Input::Welcomed(Ok(home)), now);
        self.tell_from_the_start(peer, now);
        self.link_rooms(peer, greeting.claim.key, now);
        self.attend(peer, now);
    }

    /// A neighbour has signed something once more.
    pub(super) fn on_shown(&mut self, socket: ConnectionId, now: Moment) {
        let Some(peer) = self.wires.get(&socket).and_then(|wire| wire.greeted) else { return };
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        if neighbour.peer.shown(socket, now) {
            neighbour.voice = neighbour.peer.voice();
            self.link_house(peer);
            self.tell_from_the_start(peer, now);
        }
    }

    /// From now on a neighbour is spoken to on its voice, which may be another one than before.
    fn link_house(&mut self, peer: usize) {
        let home = self.home(peer);
        let names = self.book.entry(home).map(Entry::names).unwrap_or_default();
        self.house.link(home, address(peer).as_str().into(), names);
        self.wishes.push(Wish::Linked(peer));
    }

    /// A socket is over.
    pub(super) fn on_over(&mut self, socket: ConnectionId, wire: &Wire, ending: Ending, now: Moment) {
        let Some(peer) = wire.greeted.or(wire.dialled) else { return };
        let limits = std::sync::Arc::clone(&self.setup.limits);
        let chance = self.chance.u32(..);
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        let is_attempt = neighbour.attempt.take_if(|attempt| *attempt == socket).is_some();
        let refused = matches!(ending, Ending::Refused(_) | Ending::RefusedUs(_));
        let loss = if is_attempt && ending == Ending::RefusedUs(Refusal::Crossed) {
            neighbour.peer.gave_way(now, &limits);
            Loss::None
        } else if is_attempt && !wire.is_open {
            neighbour.peer.failed(now, refused, chance, &limits);
            Loss::None
        } else {
            neighbour.peer.closed(socket, refused, now, chance, &limits)
        };
        match loss {
            Loss::None => {}
            Loss::Moved(voice) => {
                neighbour.voice = Some(voice);
                self.link_house(peer);
                self.tell_from_the_start(peer, now);
            }
            Loss::Down => {
                neighbour.voice = None;
                neighbour.telling = None;
                let home = neighbour.home;
                self.house.unlink(home);
                self.unlink_rooms(peer, now);
                self.wishes.push(Wish::Unlinked(peer));
            }
        }
        self.attend(peer, now);
    }
}

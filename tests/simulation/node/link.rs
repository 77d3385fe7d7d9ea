//! What the Neighbourhood actor does: it asks the `Peer` of each neighbour, and tells it what happened.

use kith::{
    dialect::event::{Claim, Greeting, Input, Standing},
    domain::{
        Moment,
        address::Address,
        id::{ConnectionId, KeyId},
        neighbourhood::{Due, Loss, Peer, State},
        refusal::{Ending, Refusal},
    },
};

use super::{Node, Reminder, Wish, address, home, wire::Wire};
use crate::keys;

/// One neighbour, linked or not.
#[derive(Debug)]
pub(super) struct Neighbour {
    peer: Peer,
    /// What we dialled and is not greeted yet, open or not.
    attempt: Option<ConnectionId>,
    /// The socket on which we speak, if there is a link.
    pub(super) voice: Option<ConnectionId>,
    /// How far it was told our list: behind this key comes the next part.
    pub(super) telling: Option<Option<KeyId>>,
    reminder: Option<Moment>,
}

impl Neighbour {
    pub(super) const fn new(dialable: bool) -> Self {
        let peer = Peer::new(dialable, Moment::ZERO);
        Self { peer, attempt: None, voice: None, telling: None, reminder: None }
    }
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
        let key = claim.key.ok_or(Refusal::Unproven)?;
        let dialled = self.wires.get(&socket).and_then(|wire| wire.dialled);
        match (dialled, self.neighbour_with(key)) {
            (Some(peer), _) if keys::server(peer).id() == key => {}
            (Some(_), _) => return Err(Refusal::WrongKey),
            (None, None) => return Err(Refusal::UnknownPeer),
            (None, Some(peer)) => self.may_come(peer, key, now)?,
        }
        Ok(Standing::default())
    }

    fn may_come(&mut self, peer: usize, key: KeyId, now: Moment) -> Result<(), Refusal> {
        let we_are_smaller = self.key.id() < key;
        let neighbour = self.neighbours.get_mut(&peer).ok_or(Refusal::UnknownPeer)?;
        neighbour.peer.may_come(we_are_smaller, now).map_err(|_| Refusal::Crossed)
    }

    /// Somebody has proven who it is.
    pub(super) fn on_greeting(&mut self, socket: ConnectionId, greeting: &Greeting, now: Moment) {
        let known = greeting.claim.key.and_then(|key| self.neighbour_with(key));
        let Some(peer) = known.filter(|_| greeting.proven) else {
            return self.step(socket, Input::Welcomed(Err(Refusal::UnknownPeer)), now);
        };
        let limits = std::sync::Arc::clone(&self.setup.limits);
        let Some(wire) = self.wires.get_mut(&socket) else { return };
        let direction = wire.direction();
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        let Ok(replaced) = neighbour.peer.greeted(socket, direction, greeting.sockets, now, &limits) else {
            return self.step(socket, Input::Welcomed(Err(Refusal::Crossed)), now);
        };
        wire.greeted = Some(peer);
        neighbour.attempt.take_if(|attempt| *attempt == socket);
        let was_linked = neighbour.voice.replace(socket).is_some();
        for old in replaced {
            self.close(old, Ending::Replaced, now);
        }
        if was_linked {
            self.wishes.push(Wish::Unlinked(peer));
        }
        self.step(socket, Input::Welcomed(Ok(home(peer))), now);
        let names = vec![Address::new(&address(peer))];
        self.house.link(home(peer), greeting.claim.address.as_str().into(), names);
        self.wishes.push(Wish::Linked(peer, socket));
        self.tell_from_the_start(peer, now);
        self.attend(peer, now);
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
            Loss::Moved(voice) => neighbour.voice = Some(voice),
            Loss::Down => {
                neighbour.voice = None;
                neighbour.telling = None;
                self.house.unlink(home(peer));
                self.wishes.push(Wish::Unlinked(peer));
            }
        }
        self.attend(peer, now);
    }
}

//! The session of one socket between servers: what comes in is handed to it, what it wishes is done.

use std::{collections::VecDeque, sync::Arc};

use kith::{
    crypto::channel::Ephemeral,
    dialect::{
        Session,
        event::{Input, Output},
        kith as kith_link, socp,
    },
    domain::{
        Moment, id::ConnectionId, letter::Frame, limits::seconds, neighbourhood::Direction, refusal::Ending,
    },
};

use super::{Node, Reminder, Wish};
use crate::keys;

/// One socket between servers.
#[derive(Debug)]
pub(super) struct Wire {
    session: Session,
    /// Whom we dialled, if we did.
    pub(super) dialled: Option<usize>,
    pub(super) is_open: bool,
    /// Who it is, once it was let in.
    pub(super) greeted: Option<usize>,
    /// Whether the session waits for an answer, and so reads nothing.
    is_waiting: bool,
    unread: VecDeque<Frame>,
    /// What the house wants said meanwhile.
    unsaid: VecDeque<Frame>,
    wake: Option<Moment>,
    heard: Moment,
    /// Bytes that were sent and have not arrived.
    pub(super) waiting: usize,
}

impl Wire {
    pub(super) const fn direction(&self) -> Direction {
        if self.dialled.is_some() { Direction::Out } else { Direction::In }
    }
}

impl Node {
    fn session(&self, socket: ConnectionId, dialled: Option<usize>, is_socp: bool) -> Session {
        let terms = Arc::clone(&self.terms);
        if is_socp {
            return match dialled {
                Some(peer) => Session::SocpPeer(Box::new(socp::peer::Session::dialling(
                    terms,
                    None,
                    &super::address(peer),
                ))),
                None => Session::new(socket, None, terms, None),
            };
        }
        let ephemeral = Ephemeral::generate().expect("randomness");
        Session::Kith(Box::new(match dialled {
            Some(peer) => {
                let url = format!("ws://{}/peer", super::address(peer));
                kith_link::session::Session::dialling(terms, ephemeral, &url)
            }
            None => kith_link::session::Session::answering(terms, ephemeral),
        }))
    }

    fn wire(&mut self, socket: ConnectionId, dialled: Option<usize>, is_socp: bool, now: Moment) {
        let limits = &self.setup.limits;
        let patience = if dialled.is_some() { limits.peer_dial_timeout_s } else { limits.hello_timeout_s };
        self.remind(now + seconds(patience), Reminder::Greeted(socket));
        if is_socp {
            self.remind(now + seconds(socp::peer::SILENCE_S), Reminder::Silence(socket));
        }
        let wire = Wire {
            session: self.session(socket, dialled, is_socp),
            heard: now,
            dialled,
            is_open: dialled.is_none(),
            greeted: None,
            is_waiting: false,
            unread: VecDeque::new(),
            unsaid: VecDeque::new(),
            wake: None,
            waiting: 0,
        };
        self.wires.insert(socket, wire);
    }

    /// We dial.
    pub(super) fn dial(&mut self, peer: usize, now: Moment) -> ConnectionId {
        self.serial += 1;
        let socket = ConnectionId(self.serial);
        let is_socp = self.setup.links.is_socp(self.number, peer);
        self.wire(socket, Some(peer), is_socp, now);
        self.wishes.push(Wish::Dial(socket, peer));
        socket
    }

    /// Somebody dialled us.
    pub(crate) fn on_accepted(&mut self, socket: ConnectionId, from: Option<usize>, now: Moment) {
        let is_socp = from.is_some_and(|from| self.setup.links.is_socp(self.number, from));
        self.wire(socket, None, is_socp, now);
        self.step(socket, Input::Opened, now);
    }

    /// What we dialled is open.
    pub(crate) fn on_opened(&mut self, socket: ConnectionId, now: Moment) {
        let Some(wire) = self.wires.get_mut(&socket) else { return };
        wire.is_open = true;
        let Some(peer) = wire.dialled else { return };
        if self.on_open(peer, socket, now) {
            self.step(socket, Input::Opened, now);
        } else {
            self.close(socket, Ending::Replaced, now);
        }
    }

    /// A message came in.
    pub(crate) fn on_frame(&mut self, socket: ConnectionId, frame: Frame, now: Moment) {
        let Some(wire) = self.wires.get_mut(&socket) else { return };
        wire.heard = now;
        if let Some(peer) = wire.greeted {
            self.on_heard(peer, now);
        }
        let Some(wire) = self.wires.get_mut(&socket) else { return };
        if wire.is_waiting {
            wire.unread.push_back(frame);
        } else {
            self.step(socket, Input::Frame(frame), now);
        }
    }

    /// The socket is gone.
    pub(crate) fn on_gone(&mut self, socket: ConnectionId, now: Moment) {
        self.end(socket, Ending::Left, now);
    }

    /// So many of the bytes that we sent have arrived.
    pub(crate) fn on_taken(&mut self, socket: ConnectionId, bytes: usize, now: Moment) {
        let Some(wire) = self.wires.get_mut(&socket) else { return };
        wire.waiting = wire.waiting.saturating_sub(bytes);
        if let Some(peer) = wire.greeted {
            self.tell(peer, now);
        }
    }

    pub(super) fn on_answer(&mut self, socket: ConnectionId, input: Input, now: Moment) {
        let Some(wire) = self.wires.get_mut(&socket) else { return };
        wire.is_waiting = false;
        self.step(socket, input, now);
        self.say_what_waits(socket, now);
        while let Some(wire) = self.wires.get_mut(&socket)
            && !wire.is_waiting
            && let Some(frame) = wire.unread.pop_front()
        {
            self.step(socket, Input::Frame(frame), now);
        }
    }

    pub(super) fn on_wake(&mut self, socket: ConnectionId, now: Moment) {
        if self.wires.get_mut(&socket).is_some_and(|wire| wire.wake.take_if(|at| *at <= now).is_some()) {
            self.step(socket, Input::Woken, now);
        }
    }

    /// The greeting took too long.
    pub(super) fn on_late(&mut self, socket: ConnectionId, now: Moment) {
        if self.wires.get(&socket).is_some_and(|wire| wire.greeted.is_none()) {
            self.close(socket, Ending::NoHello, now);
        }
    }

    /// A protocol that says how long the other side may be silent leaves it to us to notice.
    pub(super) fn on_silence(&mut self, socket: ConnectionId, now: Moment) {
        let Some(wire) = self.wires.get(&socket) else { return };
        let end = wire.heard + seconds(socp::peer::SILENCE_S);
        if end <= now {
            self.close(socket, Ending::Silent, now);
        } else {
            self.remind(end, Reminder::Silence(socket));
        }
    }

    pub(super) fn step(&mut self, socket: ConnectionId, input: Input, now: Moment) {
        let Some(wire) = self.wires.get_mut(&socket) else { return };
        let mut outputs = Vec::new();
        wire.session.handle(input, now, &mut outputs);
        for output in outputs {
            self.carry_out(socket, output, now);
        }
    }

    fn carry_out(&mut self, socket: ConnectionId, output: Output, now: Moment) {
        let Some(wire) = self.wires.get_mut(&socket) else { return };
        let home = wire.greeted;
        match output {
            Output::Send(frame) => self.say_stamped(socket, frame, now),
            Output::Check(check) => self.answer(socket, Input::Checked(keys::judge(&check)), now),
            Output::Sign(_, text) => {
                let signature = keys::sign(self.key.id(), &text);
                self.answer(socket, Input::Signed(signature), now);
            }
            Output::Claim(claim) => {
                let standing = self.on_claim(socket, &claim, now);
                self.answer(socket, Input::Stands(standing), now);
            }
            Output::Greet(greeting) => self.on_greeting(socket, &greeting, now),
            Output::Proven(key) => self.on_proven(socket, key),
            Output::Wake(at) => {
                wire.wake = Some(at);
                self.remind(at, Reminder::Wake(socket));
            }
            Output::Tell(news) => {
                if let Some(peer) = home {
                    self.hear(peer, news, now);
                }
            }
            Output::RoomNews(news) => {
                if let Some(peer) = home {
                    self.hear_of_rooms(socket, peer, news, now);
                }
            }
            Output::WantList => {
                if let Some(peer) = home {
                    self.tell_from_the_start(peer, now);
                }
            }
            Output::Route(letter) => self.route(&letter, now),
            Output::Close(ending) => self.close(socket, ending, now),
            Output::Find(whom) => {
                let found = self.find(whom);
                self.answer(socket, Input::Found(found.into()), now);
            }
            Output::Shown => self.on_shown(socket, now),
            Output::Introduce(_)
            | Output::Bans(_)
            | Output::Directory(_)
            | Output::Pause(_)
            | Output::Doors(_)
            | Output::Errand(..) => {}
            Output::Join(..)
            | Output::Report(_)
            | Output::Overheard
            | Output::Wraps(_)
            | Output::RoundTrip(_)
            | Output::Step(..)
            | Output::Room(..)
            | Output::Note(_) => {}
        }
    }

    /// Somebody is asked and answers soon; nothing is read until then.
    fn answer(&mut self, socket: ConnectionId, input: Input, now: Moment) {
        if let Some(wire) = self.wires.get_mut(&socket) {
            wire.is_waiting = true;
        }
        let at = self.soon(now);
        self.remind(at, Reminder::Answer(socket, input));
    }

    /// Says something with our signature under it, in dialects that want that.
    fn say_stamped(&mut self, socket: ConnectionId, frame: Frame, now: Moment) {
        let Some(wire) = self.wires.get_mut(&socket) else { return };
        let frame = match wire.session.unsigned(&frame) {
            Some(unsigned) => {
                let now_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
                let signature = keys::sign(self.key.id(), &unsigned.text());
                unsigned.signed(&signature, now_ms)
            }
            None => frame,
        };
        self.say(socket, frame);
    }

    /// Says something to the other side, as it is.
    fn say(&mut self, socket: ConnectionId, frame: Frame) {
        let Some(wire) = self.wires.get_mut(&socket) else { return };
        wire.waiting += frame.len();
        self.wishes.push(Wish::Send(socket, frame));
    }

    /// Says something if there is room for it, or else ends the socket: who is that far behind would miss
    /// it without knowing.
    pub(super) fn offer(&mut self, socket: ConnectionId, frame: Frame, now: Moment) {
        let Some(wire) = self.wires.get_mut(&socket) else { return };
        if wire.waiting + frame.len() > self.setup.limits.peer_queue_bytes as usize {
            self.close(socket, Ending::Slow, now);
        } else {
            wire.waiting += frame.len();
            wire.unsaid.push_back(frame);
            self.say_what_waits(socket, now);
        }
    }

    /// While a session waits for an answer nothing is taken from its lane.
    fn say_what_waits(&mut self, socket: ConnectionId, now: Moment) {
        while let Some(wire) = self.wires.get_mut(&socket)
            && !wire.is_waiting
            && let Some(frame) = wire.unsaid.pop_front()
        {
            wire.waiting = wire.waiting.saturating_sub(frame.len());
            // What the session itself says is wrapped already.
            let frame = wire.session.wrap(frame);
            self.say_stamped(socket, frame, now);
        }
    }

    /// We close a socket.
    pub(super) fn close(&mut self, socket: ConnectionId, ending: Ending, now: Moment) {
        if self.wires.contains_key(&socket) {
            self.wishes.push(Wish::Close(socket));
            self.end(socket, ending, now);
        }
    }

    fn end(&mut self, socket: ConnectionId, ending: Ending, now: Moment) {
        if let Some(mut wire) = self.wires.remove(&socket) {
            wire.session.end();
            self.wishes.push(Wish::Over(ending));
            self.on_over(socket, &wire, ending, now);
        }
    }
}

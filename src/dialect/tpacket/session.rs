//! One tPacket client, as its home server hears it.
//!
//! ```text
//! Upgraded   a WebSocket; only the magic string leads on
//! Magic      it knows what it is talking to; only a nick leads on
//! Asking     whether it may be called so; nothing is read meanwhile
//! Named      rooms and words
//! ```
//!
//! Each level of trust is a type, and whoever leaves one moves it away: nothing of a later level can be reached
//! from an earlier one. **Invariants:** every request that is refused is answered with a number; what is no packet,
//! or comes before its time, is forgiven twice.

use std::sync::Arc;

use bytestring::ByteString;

use super::{
    Version, code, directory, extension, newcomer, nick,
    packet::{MAGIC, Malformed, Packet, UNASKED, command},
    speech,
};
use crate::{
    dialect::{
        Ear, Terms,
        event::{Input, Output},
        trace,
    },
    domain::{
        id::ConnectionId,
        letter::Frame,
        member::{Member, Newcomer},
        refusal::{Ending, Refusal, Violation},
        rooms::{Ticket, Wish},
    },
};

/// How many packets may be none, or come too early, before the connection ends with the next one.
const FORGIVEN: u32 = 2;

/// One client.
#[derive(Debug)]
pub struct Session {
    id: ConnectionId,
    terms: Arc<Terms>,
    /// Packets that were forgiven.
    faults: u32,
    /// Nicks that were asked for: each question is another one, though one client asks it.
    asked: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    Upgraded(Upgraded),
    Magic(Magic),
    Asking(Asking),
    Named(Named),
    Gone,
}

/// It speaks WebSocket.
#[derive(Debug)]
struct Upgraded;

/// It has said the magic string, and which version it knows.
#[derive(Debug)]
struct Magic {
    version: Version,
}

/// It has said what it wants to be called.
#[derive(Debug)]
struct Asking {
    magic: Magic,
    ticket: Ticket,
}

/// It has a nick.
#[derive(Debug)]
struct Named {
    version: Version,
}

/// Why a packet is not followed.
struct Complaint {
    code: i32,
    /// What is counted, if it is a fault and not only a wish that cannot be granted.
    fault: Option<Violation>,
}

type Step = Result<Option<Output>, Complaint>;

impl Session {
    /// A client that has said nothing.
    #[must_use]
    pub const fn new(id: ConnectionId, terms: Arc<Terms>) -> Self {
        Self { id, terms, faults: 0, asked: 0, state: State::Upgraded(Upgraded) }
    }

    /// Something happened.
    pub fn handle(&mut self, input: Input, out: &mut Vec<Output>) {
        match (input, &self.state) {
            (_, State::Gone) => {}
            (Input::Frame(Frame::Binary(message)), _) => self.on_message(&message, out),
            (Input::Frame(Frame::Text(_)), _) => self.close(Violation::NotBinary, out),
            (Input::Joined(answer), State::Asking(_)) => self.on_joined(answer.as_deref(), out),
            // The rest is said to other dialects.
            _ => {}
        }
    }

    fn close(&mut self, violation: Violation, out: &mut Vec<Output>) {
        self.state = State::Gone;
        out.push(Output::Close(Ending::Violated(violation)));
    }

    fn on_message(&mut self, message: &[u8], out: &mut Vec<Output>) {
        let packet = match Packet::read(message) {
            Ok(packet) => packet,
            Err(Malformed(uid)) => return self.complain(uid, &Complaint::malformed(), out),
        };
        let (state, step) = match std::mem::replace(&mut self.state, State::Gone) {
            State::Upgraded(state) => state.hear(&packet),
            State::Magic(state) => state.hear(&packet, self.newcomer()),
            State::Named(state) => state.hear(&packet, &self.terms),
            // Nothing is read while somebody waits.
            state @ (State::Asking(_) | State::Gone) => (state, Ok(None)),
        };
        self.state = state;
        match step {
            Ok(wish) => out.extend(wish),
            Err(complaint) => self.complain(packet.uid, &complaint, out),
        }
    }

    /// Says what is wrong, and ends a connection that has been forgiven often enough.
    fn complain(&mut self, uid: u32, complaint: &Complaint, out: &mut Vec<Output>) {
        out.push(Output::Send(speech::refused(uid, complaint.code)));
        let Some(violation) = complaint.fault else { return };
        if self.faults >= FORGIVEN {
            return self.close(Violation::TooManyFaults, out);
        }
        self.faults += 1;
        out.push(Output::Note(violation));
    }

    /// What the house is asked about the next nick of this connection.
    fn newcomer(&mut self) -> impl FnOnce(&str) -> Newcomer + use<> {
        self.asked = self.asked.wrapping_add(1);
        // It may be said again.
        let trace = trace(format!("nick {} on connection {}", self.asked, self.id));
        move |nick| newcomer(nick, trace)
    }

    fn on_joined(&mut self, answer: Result<&Member, &Refusal>, out: &mut Vec<Output>) {
        let State::Asking(Asking { magic, ticket }) = std::mem::replace(&mut self.state, State::Gone) else {
            return;
        };
        let (state, frame) = match answer {
            Ok(_) => {
                let version = magic.version;
                (State::Named(Named { version }), speech::welcome(ticket, version))
            }
            // It may try another one.
            Err(refusal) => (State::Magic(magic), speech::refused(ticket.0, code::of_refusal(*refusal))),
        };
        self.state = state;
        out.push(Output::Send(frame));
    }

    /// What the client is told before the connection ends, if it waits for an answer or came in vain.
    #[must_use]
    pub fn last_words(&self, ending: Ending) -> Option<Frame> {
        let Ending::Refused(refusal) = ending else { return None };
        let uid = if let State::Asking(asking) = &self.state { asking.ticket.0 } else { UNASKED };
        Some(speech::refused(uid, code::of_refusal(refusal)))
    }
}

impl Upgraded {
    fn hear(self, packet: &Packet<'_>) -> (State, Step) {
        match packet.command {
            command::NOP if packet.data == MAGIC => {
                (State::Magic(Magic { version: Version::agreed(packet.p1) }), Ok(None))
            }
            command::NOP => (State::Upgraded(self), Ok(None)),
            _ => (State::Upgraded(self), Err(Complaint::too_early(packet, Version::Seed))),
        }
    }
}

impl Magic {
    fn hear(self, packet: &Packet<'_>, newcomer: impl FnOnce(&str) -> Newcomer) -> (State, Step) {
        match packet.command {
            command::NOP => (State::Magic(self), Ok(None)),
            command::SET_USER_NICK => match nick(packet.data) {
                Some(nick) => {
                    let join = Output::Join(newcomer(nick), Ear::Tpacket(self.version));
                    (State::Asking(Asking { magic: self, ticket: Ticket(packet.uid) }), Ok(Some(join)))
                }
                None => (State::Magic(self), Err(Complaint::of(code::BAD_NICK))),
            },
            _ => {
                let complaint = Complaint::too_early(packet, self.version);
                (State::Magic(self), Err(complaint))
            }
        }
    }
}

impl Named {
    fn hear(self, packet: &Packet<'_>, terms: &Terms) -> (State, Step) {
        let ticket = Ticket(packet.uid);
        let step = match directory::errand(packet).filter(|_| self.version == Version::One) {
            Some(errand) => {
                errand.map(|errand| Some(Output::Errand(ticket, errand))).ok_or_else(Complaint::malformed)
            }
            None => {
                let wish = self.wish(packet, terms.tpacket_strict_seed);
                wish.map(|wish| wish.map(|wish| Output::Room(ticket, wish)))
            }
        };
        (State::Named(self), step)
    }

    fn wish(&self, packet: &Packet<'_>, is_strict: bool) -> Result<Option<Wish>, Complaint> {
        Ok(Some(match packet.command {
            command::NOP => return Ok(None),
            command::SET_USER_NICK if is_strict => return Err(Complaint::of(code::REFUSED)),
            command::SET_USER_NICK => {
                let nick = nick(packet.data).ok_or(Complaint::of(code::BAD_NICK))?;
                Wish::Rename(nick.into())
            }
            command::SET_ROOM => {
                // Whether it may, in a strict house, depends on whether it got the last one that it wished for.
                Wish::Move(extension::room(packet.data).ok_or(Complaint::of(code::BAD_ROOM))?)
            }
            command::NEW_MSG => {
                let text = std::str::from_utf8(packet.data).map_err(|_| Complaint::of(code::MALFORMED))?;
                Wish::Say(None, ByteString::from(text))
            }
            _ if self.version == Version::Seed => return Err(Complaint::unknown()),
            _ => {
                let wish = extension::wish(packet).ok_or_else(Complaint::unknown)?;
                wish.ok_or_else(Complaint::malformed)?
            }
        }))
    }
}

impl Complaint {
    /// The wish is clear, and cannot be granted.
    const fn of(code: i32) -> Self {
        Self { code, fault: None }
    }

    const fn malformed() -> Self {
        Self { code: code::MALFORMED, fault: Some(Violation::Malformed) }
    }

    const fn unknown() -> Self {
        Self { code: code::UNKNOWN_COMMAND, fault: Some(Violation::Malformed) }
    }

    fn too_early(packet: &Packet<'_>, version: Version) -> Self {
        let is_known =
            matches!(packet.command, command::SET_USER_NICK | command::SET_ROOM | command::NEW_MSG)
                || (version == Version::One
                    && (extension::wish(packet).is_some() || directory::errand(packet).is_some()));
        if is_known {
            Self { code: code::REFUSED, fault: Some(Violation::OutOfOrder) }
        } else {
            Self::unknown()
        }
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;

//! Rooms for members whose protocol has none, as `docs/rooms.md` tells: what to ask, and what the answers mean.
//!
//! One part for every voice that needs it. `offer` is what a server says that it has, `say` and `hear` are the frames,
//! `stay` is the room where the member is, `missed` what was said while the connection was lost, `answers` what
//! the server says, and `directory` who listens where, which is asked for by the same frames. **Invariant:** no such frame is written to a server that has not offered it on this
//! connection, and nothing that was typed in a room is ever said to everybody.

mod answers;
mod directory;
mod hear;
mod missed;
mod offer;
mod say;
mod stay;

use std::collections::BTreeMap;

use self::{
    say::Request,
    stay::{Lost, Stay},
};
use super::{
    event::{Event, Output, SayError},
    introduction::{Entry, Introduction},
    room::{Told, Why, Wish},
    voice::Say,
};
use crate::{
    dialect::rooms::is_ours,
    domain::{
        dialect::Dialect,
        endpoint::Endpoint,
        replay::Window,
        rooms::{LineId, RoomName},
    },
};

pub use offer::Offer;

/// Lines that are remembered, so that none is shown twice.
const MOST_LINES: u32 = 16_384;
/// Requests that may wait for an answer.
const MOST_ASKED: usize = 1_024;

/// A member's side of rooms. It outlives connections: the room is entered again after a reconnect.
#[derive(Debug)]
pub(super) struct Rooms {
    dialect: Dialect,
    /// What the server of this connection offers; nothing, until it is known.
    offer: Option<Offer>,
    place: Place,
    here: Option<Stay>,
    lost: Option<Lost>,
    asked: BTreeMap<u32, Asked>,
    last_ticket: u32,
    seen: Window,
    /// Where the page before the last one ends.
    older: Option<(String, LineId)>,
    /// The first frames of an answer that goes on.
    begun: Option<answers::Begun>,
    introduction: Introduction,
}

/// Where the words go that a member just types.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// To everybody, as the protocol has it.
    Everybody,
    /// To this room, in which the member is, or about to be.
    Room(String),
    /// Nowhere: the member may not have noticed yet that she is in no room any more.
    Nowhere,
}

/// What was asked under a number.
#[derive(Debug)]
enum Asked {
    Enter(String),
    Leave(String),
    /// To be out of the room that was left for another one.
    Move,
    Say,
    Rooms,
    /// Of this room.
    Page(String, Wish),
    /// What was said while the connection was lost.
    Missed,
    /// To be listed; once more, after the connection was lost?
    Register(Endpoint, bool),
    /// To be listed there no more. Nobody has to be told where another entry takes its place.
    Unregister(Endpoint, bool),
    /// Who is listed, as far as it has come.
    Directory(Vec<Entry>),
}

/// Where something is to be said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    /// To everybody: in the words of the protocol.
    Everybody,
    /// In the room: by this.
    Room(String),
}

impl Rooms {
    /// Somebody who wants to be in this room, or in none.
    pub(super) fn new(dialect: Dialect, room: Option<&RoomName>) -> Self {
        let place = room.map_or(Place::Everybody, |room| Place::Room(room.as_str().to_owned()));
        Self {
            dialect,
            offer: None,
            place,
            here: None,
            lost: None,
            asked: BTreeMap::new(),
            last_ticket: 0,
            seen: Window::new(MOST_LINES),
            older: None,
            begun: None,
            introduction: Introduction::default(),
        }
    }

    /// The connection is another one.
    pub(super) fn lose(&mut self) {
        self.offer = None;
        self.asked.clear();
        self.begun = None;
        self.lost = self.here.take().map(Stay::lost).or_else(|| self.lost.take());
    }

    /// Whether what the server offers must be known before this is said; of nothing, right away.
    pub(super) fn wonders(&self, say: Option<&Say>) -> bool {
        let is_about_rooms = match say {
            None => matches!(self.place, Place::Room(_)) || self.introduction.wanted().is_some(),
            Some(Say::Here(_)) => matches!(self.place, Place::Room(_)),
            Some(Say::Wish(wish)) => !matches!(wish, Wish::Nick(_)),
            Some(Say::Public(_) | Say::Private(..) | Say::Part(..)) => false,
        };
        is_about_rooms && self.offer.is_none()
    }

    /// What this server offers, if anything.
    pub(super) fn offered(&mut self, offer: Option<Offer>, out: &mut Vec<Output>) {
        self.offer = offer.filter(|offer| offer.suits(self.dialect));
        self.introduce_again(out);
        let Place::Room(room) = &self.place else { return };
        let room = room.clone();
        if self.offer.is_some() {
            if self.here.is_none() {
                out.push(Output::Send(self.enter(&room).into()));
            }
            return;
        }
        self.stay_put();
        self.lost = None;
        out.push(told(Told::Refused { what: Some(Wish::Join(room)), why: Why::NoRooms }));
    }

    /// Whether a frame is about rooms. Nobody else may read it.
    pub(super) fn is_about(&self, text: &str) -> bool {
        self.offer.is_some() && is_ours(text)
    }

    /// Where that goes which the member just types.
    pub(super) fn speak(&mut self, text: &str) -> Result<Spoken, SayError> {
        let room = match &self.place {
            Place::Everybody => return Ok(Spoken::Everybody),
            Place::Room(room) => room.clone(),
            Place::Nowhere => {
                self.place = Place::Everybody;
                return Err(SayError::PutOut);
            }
        };
        let Some(offer) = &self.offer else { return Err(SayError::NoRooms) };
        if offer.is_everybodys(&room) {
            return Ok(Spoken::Everybody);
        }
        if text.len() > offer.line_bytes {
            return Err(SayError::TooLong);
        }
        let ticket = self.number(Asked::Say);
        Ok(Spoken::Room(Request::Say { ticket, room: &room, text }.print()))
    }

    /// What asks for something.
    pub(super) fn wish(&mut self, wish: &Wish) -> Result<String, SayError> {
        let asked = self.ask(wish);
        // Whoever wanted to speak in a room does not want to speak to everybody instead.
        if asked.is_err() && matches!(wish, Wish::Join(_)) {
            self.stay_put();
        }
        asked
    }

    fn ask(&mut self, wish: &Wish) -> Result<String, SayError> {
        if self.offer.is_none() {
            return Err(match wish {
                Wish::Introduce(_) | Wish::Hide | Wish::Introductions => SayError::NoDirectory,
                _ => SayError::NoRooms,
            });
        }
        match wish {
            Wish::Introduce(at) => Ok(self.register(*at, false)),
            Wish::Hide => self.introduction.end().map(|at| self.unregister(at, false)),
            Wish::Introductions => {
                let ticket = self.number(Asked::Directory(Vec::new()));
                Ok(Request::Directory { ticket }.print())
            }
            Wish::Join(room) => {
                let room = named(room)?;
                if matches!(&self.place, Place::Room(here) if *here == room) {
                    return Err(SayError::Inside);
                }
                self.place = Place::Room(room.clone());
                Ok(self.enter(&room))
            }
            Wish::Leave(room) => {
                let room = self.meant(room.as_deref());
                if self.place == Place::Nowhere {
                    self.place = Place::Everybody;
                }
                let room = room?;
                if matches!(&self.place, Place::Room(here) if *here == room) {
                    self.place = Place::Everybody;
                }
                let ticket = self.number(Asked::Leave(room.clone()));
                Ok(Request::Leave { ticket, room: &room }.print())
            }
            Wish::History(room) => {
                let room = self.meant(room.as_deref())?;
                Ok(self.page(&room, None, Asked::Page(room.clone(), wish.clone())))
            }
            Wish::Older => {
                let (room, before) = self.older.clone().ok_or(SayError::NoOlder)?;
                Ok(self.page(&room, Some(before), Asked::Page(room.clone(), wish.clone())))
            }
            Wish::Rooms => Ok(Request::Rooms { ticket: self.number(Asked::Rooms) }.print()),
            Wish::Nick(_) => Err(SayError::NoNicks),
        }
    }

    /// The room that is named, or the one where the member is.
    fn meant(&self, room: Option<&str>) -> Result<String, SayError> {
        match (room, &self.place) {
            (Some(room), _) => named(room),
            (None, Place::Room(here)) => Ok(here.clone()),
            (None, _) => Err(SayError::Outside),
        }
    }

    fn enter(&mut self, room: &str) -> String {
        let ticket = self.number(Asked::Enter(room.to_owned()));
        Request::Enter { ticket, room }.print()
    }

    fn page(&mut self, room: &str, before: Option<LineId>, asked: Asked) -> String {
        let before = before.map(|line| line.to_string());
        Request::History { ticket: self.number(asked), room, before }.print()
    }

    fn number(&mut self, asked: Asked) -> u32 {
        self.last_ticket = self.last_ticket.wrapping_add(1);
        self.asked.insert(self.last_ticket, asked);
        if self.asked.len() > MOST_ASKED {
            self.asked.pop_first();
        }
        self.last_ticket
    }

    /// What was wanted does not come to be: the member is where she was.
    fn stay_put(&mut self) {
        self.place = self.here.as_ref().map_or(Place::Nowhere, |here| Place::Room(here.room.clone()));
    }
}

fn named(room: &str) -> Result<String, SayError> {
    RoomName::new(room).map(|room| room.as_str().to_owned()).ok_or(SayError::BadRoom)
}

/// Something about rooms.
const fn told(told: Told) -> Output {
    Output::Event(Event::Room(told))
}

#[cfg(test)]
mod tests;

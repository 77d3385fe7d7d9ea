//! One guest's session: what to send, and what came in from whom.
//!
//! It outlives connections: nick and room are taken again after a reconnect. A nick that is refused is not
//! replaced by another one; that is for the member to choose, on the same connection, because a first server
//! breaks when somebody goes who has not been in any room.

use std::collections::BTreeMap;

use super::{
    answers::{Asked, Page},
    hall::Hall,
    hear::{self, words},
    past::Past,
    say,
};
use crate::{
    client::{
        event::{Event, Output, SayError},
        introduction::Introduction,
        person::PersonId,
        room::{Logged, Told, Wish},
        voice::Say,
    },
    dialect::tpacket::{
        Version, nick as suitable,
        packet::{MAGIC, Packet, UNASKED, command},
    },
    domain::{letter::Frame, limits::Limits, rooms::RoomName},
};

/// The number before that of the first request.
const FIRST_UID: u32 = 0x0fff;
/// Requests that may wait for an answer. Some servers answer nothing.
const MOST_ASKED: usize = 1_024;

/// The session.
#[derive(Debug)]
pub struct Session {
    /// What we are called, or want to be.
    pub(super) nick: String,
    /// The same as a person, as it was told last.
    pub(super) me: PersonId,
    /// The room that is wanted.
    pub(super) wanted: Option<String>,
    /// What is spoken; not known before the server has taken the nick.
    pub(super) version: Option<Version>,
    last_uid: u32,
    pub(super) asked: BTreeMap<u32, Asked>,
    /// An answer of several packets that is coming in.
    pub(super) page: Option<Page>,
    /// Where the page before the last one ends.
    pub(super) older: Option<(String, hear::Id)>,
    pub(super) hall: Hall,
    pub(super) past: Past,
    pub(super) introduction: Introduction,
}

/// Somebody cannot be called so, or no room can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsuitable {
    /// The nick.
    #[error("nobody can be called {0:?}: {why}", why = SayError::BadNick)]
    Nick(String),
    /// The room.
    #[error("no room can be called {0:?}: {why}", why = SayError::BadRoom)]
    Room(String),
}

impl Session {
    /// A session of somebody who wants to be called so, and to be in this room.
    ///
    /// # Errors
    /// Nick or room are none.
    pub fn new(nick: &str, room: &str) -> Result<Self, Unsuitable> {
        let nick = suitable(nick.as_bytes()).ok_or_else(|| Unsuitable::Nick(nick.to_owned()))?;
        let room = RoomName::new(room).ok_or_else(|| Unsuitable::Room(room.to_owned()))?;
        Ok(Self {
            nick: nick.to_owned(),
            me: PersonId::nick(nick),
            wanted: Some(room.as_str().to_owned()),
            version: None,
            last_uid: FIRST_UID,
            asked: BTreeMap::new(),
            page: None,
            older: None,
            hall: Hall::default(),
            past: Past::new(),
            introduction: Introduction::default(),
        })
    }

    /// Who we are.
    #[must_use]
    pub const fn me(&self) -> &PersonId {
        &self.me
    }

    /// A request that is answered.
    pub(super) fn ask(&mut self, asked: Asked, command: u32, data: &[u8]) -> Frame {
        let uid = self.number(asked);
        say::request(uid, command, 0, data)
    }

    fn number(&mut self, asked: Asked) -> u32 {
        let uid = self.next_uid();
        self.asked.insert(uid, asked);
        if self.asked.len() > MOST_ASKED {
            self.asked.pop_first();
        }
        uid
    }

    fn next_uid(&mut self) -> u32 {
        // The highest number means that nobody asked.
        self.last_uid = if self.last_uid >= UNASKED - 1 { FIRST_UID + 1 } else { self.last_uid + 1 };
        self.last_uid
    }

    /// What opens a connection, to be sent in this order. Call it once per connection.
    pub fn greet(&mut self) -> [Frame; 2] {
        self.version = None;
        self.asked.clear();
        self.page = None;
        self.hall.lose();
        let magic = say::request(self.next_uid(), command::NOP, Version::One.number(), MAGIC);
        let nick = self.nick.clone();
        [magic, self.ask(Asked::Nick(nick.clone()), command::SET_USER_NICK, nick.as_bytes())]
    }

    /// The frames that say something or ask for it, to be sent in this order.
    ///
    /// # Errors
    /// It cannot be said, at least not now or to this server.
    pub fn say(&mut self, say: &Say) -> Result<Vec<Frame>, SayError> {
        match say {
            Say::Public(text) | Say::Here(text) => self.public(text),
            Say::Private(..) => Err(SayError::NoPrivate),
            Say::Part(..) => Err(SayError::NoFiles),
            Say::Wish(wish) => Ok(vec![self.wish(wish)?]),
        }
    }

    fn public(&mut self, text: &str) -> Result<Vec<Frame>, SayError> {
        let version = self.version.ok_or(SayError::Nameless)?;
        self.hall.room().ok_or(SayError::Outside)?;
        let most = match version {
            Version::Seed => say::LONGEST_TEXT,
            Version::One => usize::try_from(Limits::default().message_bytes).unwrap_or(usize::MAX),
        };
        if text.len() > most {
            return Err(SayError::TooLong);
        }
        if version == Version::One {
            return Ok(vec![self.ask(Asked::Said, command::NEW_MSG, text.as_bytes())]);
        }
        let nick = self.nick.clone();
        let request = |piece: &str| say::request(self.next_uid(), command::NEW_MSG, 0, piece.as_bytes());
        Ok(say::pieces(&nick, text).map(request).collect())
    }

    fn wish(&mut self, wish: &Wish) -> Result<Frame, SayError> {
        if let Wish::Nick(nick) = wish {
            let nick = suitable(nick.as_bytes()).ok_or(SayError::BadNick)?;
            if self.version.is_none() {
                // The next connection wants it, too.
                nick.clone_into(&mut self.nick);
            }
            return Ok(self.ask(Asked::Nick(nick.to_owned()), command::SET_USER_NICK, nick.as_bytes()));
        }
        let version = self.version.ok_or(SayError::Nameless)?;
        let here = self.hall.room().map(str::to_owned);
        let known = |missing| if version == Version::One { Ok(()) } else { Err(missing) };
        let name = |name: &str| RoomName::new(name).map(|_| name.to_owned()).ok_or(SayError::BadRoom);
        match wish {
            Wish::Join(room) => {
                let room = name(room)?;
                if here.as_ref() == Some(&room) {
                    return Err(SayError::Inside);
                }
                Ok(self.enter(&room))
            }
            Wish::Leave(room) => {
                known(SayError::NoLeaving)?;
                let room = room.clone().or(here).ok_or(SayError::Outside).and_then(|room| name(&room))?;
                Ok(self.ask(Asked::Leave(room.clone()), command::LEAVE_ROOM, room.as_bytes()))
            }
            Wish::History(room) => {
                known(SayError::NoHistory)?;
                let room = room.clone().or(here).ok_or(SayError::Outside).and_then(|room| name(&room))?;
                Ok(self.page(&room, None, wish))
            }
            Wish::Older => {
                known(SayError::NoHistory)?;
                let (room, before) = self.older.clone().ok_or(SayError::NoOlder)?;
                Ok(self.page(&room, Some(&before), wish))
            }
            Wish::Introduce(at) => {
                known(SayError::NoDirectory)?;
                Ok(self.register(*at, false))
            }
            Wish::Hide => {
                known(SayError::NoDirectory)?;
                self.introduction.end().map(|at| self.unregister(at, false))
            }
            Wish::Introductions => {
                known(SayError::NoDirectory)?;
                Ok(self.ask(Asked::Directory, command::DIRECTORY, b""))
            }
            Wish::Rooms | Wish::Nick(_) => {
                known(SayError::NoList)?;
                Ok(self.ask(Asked::Rooms(Vec::new()), command::ROOMS, b""))
            }
        }
    }

    fn page(&mut self, room: &str, before: Option<&hear::Id>, wish: &Wish) -> Frame {
        let uid = self.number(Asked::History(room.to_owned(), wish.clone()));
        say::history(uid, room, before.map_or(&[], |id| id))
    }

    pub(super) fn enter(&mut self, room: &str) -> Frame {
        self.ask(Asked::Room(room.to_owned()), command::SET_ROOM, room.as_bytes())
    }

    /// A message of the server.
    pub fn receive(&mut self, frame: &Frame, now_ms: i64, out: &mut Vec<Output>) {
        let Frame::Binary(message) = frame else { return };
        let Ok(packet) = Packet::read(message) else { return };
        if !matches!(packet.command, command::NEW_USER | command::TOPIC | command::ROOM_CLOSED) {
            self.settle(out);
        }
        match packet.command {
            command::RESP_OK => self.on_done(&packet, now_ms, out),
            command::RESP_ERROR => self.on_refused(&packet, out),
            command::NEW_USER => {
                let (nick, me) = (words(packet.data), &self.me);
                self.hall.came(packet.p1, nick, me, out);
            }
            command::DEL_USER => self.hall.went(packet.p1, now_ms),
            command::NEW_MSG => self.on_said(packet.p1, words(packet.data), out),
            command::LOGGED_MSG => self.on_logged(words(packet.data), out),
            command::LINE => self.on_line(&packet, out),
            command::ROOMS => self.on_card(&packet, out),
            command::DIRECTORY => self.on_entry(&packet, out),
            command::TOPIC => {
                let topic = words(packet.data);
                out.push(told(Told::Topic((!topic.is_empty()).then_some(topic))));
            }
            command::WITHDRAWN => out.push(told(Told::Withdrawn)),
            command::ROOM_CLOSED => {
                out.push(told(Told::Closed(words(packet.data))));
                self.wanted = None;
                self.hall.leave(&self.me, out);
            }
            _ => {}
        }
    }

    fn on_said(&mut self, number: i32, text: String, out: &mut Vec<Output>) {
        let nick = self.hall.nick(number);
        self.past.hear(format!("{nick}: {text}"));
        out.push(Output::Event(if self.hall.is_us(number) {
            Event::Echo { counter: 0 }
        } else {
            Event::Public { from: PersonId::nick(&nick), text }
        }));
    }

    fn on_logged(&mut self, text: String, out: &mut Vec<Output>) {
        if self.past.is_new_entry(&text) {
            out.push(told(Told::Logged(Logged { by: None, at_ms: None, text, is_topic: false })));
        }
    }

    fn on_line(&mut self, packet: &Packet<'_>, out: &mut Vec<Output>) {
        let Some(line) = hear::Told::read(packet) else { return };
        if packet.uid != UNASKED {
            return self.on_page_line(packet.uid, line, out);
        }
        if !self.past.is_new(&line.id) {
            return;
        }
        if packet.p1 == 0 {
            out.extend(line.logged().map(|line| told(Told::Logged(line))));
        } else if self.hall.is_us(packet.p1) {
            out.push(Output::Event(Event::Echo { counter: 0 }));
        } else if let Some((from, text)) = line.said() {
            out.push(Output::Event(Event::Public { from, text }));
        }
    }

    /// When it has been quiet for long enough to be sure of something.
    #[must_use]
    pub fn wakes_at(&self) -> Option<i64> {
        self.hall.quiet_at()
    }

    /// It has been quiet.
    pub fn wake(&mut self, out: &mut Vec<Output>) {
        self.settle(out);
        self.hall.complete(&self.me, out);
    }

    fn settle(&mut self, out: &mut Vec<Output>) {
        if self.hall.settle(&self.me, out) {
            self.wanted = None;
        }
    }
}

/// Something about rooms.
pub(super) const fn told(told: Told) -> Output {
    Output::Event(Event::Room(told))
}

//! What the server says to what was asked.

use super::{
    hear::{self, why},
    session::{Session, told},
};
use crate::{
    client::{
        event::{Event, Output},
        introduction::Entry,
        person::PersonId,
        room::{Card, Logged, Told, Why, Wish},
    },
    dialect::tpacket::{
        Version, code,
        packet::{Packet, command},
    },
    domain::{endpoint::Endpoint, letter::Frame},
};

/// Rooms or lines of one answer; of a longer one the rest is not read.
const LONGEST_PAGE: usize = 4_096;

/// What was asked under a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Nick(String),
    Room(String),
    /// A room was refused. The first servers say so and let one in all the same.
    RefusedRoom(String),
    /// Where the roster ends: for the room that one is in, once more.
    Roster,
    Leave(String),
    /// Which rooms there are behind those that are known.
    Rooms(Vec<Card>),
    /// Of this room, for this wish.
    History(String, Wish),
    /// Something was said.
    Said,
    /// To be listed in the directory; once more, after the connection was lost?
    Register(Endpoint, bool),
    /// To be listed there no more. Nobody has to be told where another entry takes its place.
    Unregister(Endpoint, bool),
    /// Who is.
    Directory,
}

/// An answer of several packets.
#[derive(Debug)]
pub(super) struct Page {
    uid: u32,
    /// How many packets are missing.
    missing: usize,
    what: Entries,
}

#[derive(Debug)]
enum Entries {
    Rooms { rooms: Vec<Card>, more: bool },
    Lines { room: String, first: Option<hear::Id>, lines: Vec<Logged>, more: bool },
    Listed(Vec<Entry>),
}

impl Session {
    pub(super) fn on_done(&mut self, packet: &Packet<'_>, now_ms: i64, out: &mut Vec<Output>) {
        match self.asked.remove(&packet.uid) {
            Some(Asked::Nick(nick)) => self.on_nick(nick, packet.p1, out),
            Some(Asked::Room(room) | Asked::RefusedRoom(room)) => self.on_room(&room, now_ms, out),
            Some(Asked::Roster) => self.hall.complete(&self.me, out),
            Some(Asked::Leave(room)) => {
                let is_ours = self.hall.room() == Some(&*room);
                out.push(told(Told::Left(room)));
                if is_ours {
                    self.wanted = None;
                    self.hall.leave(&self.me, out);
                }
            }
            Some(Asked::Rooms(rooms)) => {
                self.expect(packet, Entries::Rooms { rooms, more: packet.p2 != 0 }, out);
            }
            Some(Asked::History(room, _)) => {
                let what = Entries::Lines { room, first: None, lines: Vec::new(), more: packet.p2 != 0 };
                self.expect(packet, what, out);
            }
            Some(Asked::Register(at, again)) => {
                if let Some(before) = self.introduction.done(at) {
                    let frame = self.unregister(before, true);
                    out.push(Output::Send(frame));
                }
                out.extend((!again).then_some(told(Told::Introduced(at))));
            }
            Some(Asked::Unregister(at, quietly)) => {
                out.extend((!quietly).then_some(told(Told::Hidden(at))));
            }
            Some(Asked::Directory) => self.expect(packet, Entries::Listed(Vec::new()), out),
            Some(Asked::Said) | None => {}
        }
    }

    pub(super) fn register(&mut self, at: Endpoint, again: bool) -> Frame {
        self.ask(Asked::Register(at, again), command::REGISTER, at.to_string().as_bytes())
    }

    pub(super) fn unregister(&mut self, at: Endpoint, quietly: bool) -> Frame {
        self.ask(Asked::Unregister(at, quietly), command::UNREGISTER, at.to_string().as_bytes())
    }

    /// What was registered went with the connection before this one.
    fn introduce_again(&mut self, out: &mut Vec<Output>) {
        let Some(at) = self.introduction.wanted() else { return };
        if self.version == Some(Version::One) {
            out.push(Output::Send(self.register(at, true)));
        } else {
            self.introduction.lost(at);
            out.push(told(Told::Refused { what: Some(Wish::Introduce(at)), why: Why::NoDirectory }));
        }
    }

    fn on_nick(&mut self, nick: String, version: i32, out: &mut Vec<Output>) {
        let is_new_here = self.version.is_none();
        self.hall.rename_us(&nick);
        self.nick = nick;
        let before = std::mem::replace(&mut self.me, PersonId::nick(&self.nick));
        if before != self.me {
            out.push(told(Told::Renamed { before, after: self.me.clone() }));
        }
        if !is_new_here {
            return;
        }
        self.version = Some(Version::agreed(version));
        self.introduce_again(out);
        match self.wanted.clone() {
            Some(room) => {
                let frame = self.enter(&room);
                out.push(Output::Send(frame));
            }
            None => self.hall.leave(&self.me, out),
        }
    }

    fn on_room(&mut self, room: &str, now_ms: i64, out: &mut Vec<Output>) {
        self.wanted = Some(room.to_owned());
        let is_seed = self.version != Some(Version::One);
        // A first server would refuse to be asked again, and say so to nobody's use.
        let again = self.hall.enter(room, is_seed.then_some(now_ms), out);
        self.past.enter(again);
        if !is_seed {
            out.push(Output::Send(self.ask(Asked::Roster, command::SET_ROOM, room.as_bytes())));
        }
    }

    pub(super) fn on_refused(&mut self, packet: &Packet<'_>, out: &mut Vec<Output>) {
        let reason = why(packet.p1);
        let refused = |what, why| told(Told::Refused { what, why });
        match self.asked.remove(&packet.uid) {
            Some(Asked::Nick(nick)) => {
                // A first server has no other number, and one reason at each level of trust.
                let why = match (packet.p1, self.version) {
                    (code::REFUSED, None) => Why::NickInUse,
                    (code::REFUSED, Some(_)) => Why::NickStays,
                    _ => reason,
                };
                out.push(refused(Some(Wish::Nick(nick)), why));
            }
            Some(Asked::Room(room)) => {
                if self.version == Some(Version::Seed) {
                    self.asked.insert(packet.uid, Asked::RefusedRoom(room.clone()));
                }
                out.push(refused(Some(Wish::Join(room)), reason));
                if self.hall.room().is_none() {
                    self.hall.leave(&self.me, out);
                }
            }
            // Only that it is an answer matters.
            Some(Asked::Roster) => self.hall.complete(&self.me, out),
            Some(Asked::Leave(room)) => out.push(refused(Some(Wish::Leave(Some(room))), reason)),
            Some(Asked::Rooms(_)) => out.push(refused(Some(Wish::Rooms), reason)),
            Some(Asked::History(_, wish)) => out.push(refused(Some(wish), reason)),
            Some(Asked::Said) => out.push(refused(None, reason)),
            Some(Asked::Register(at, again)) => {
                if again {
                    self.introduction.lost(at);
                }
                out.push(refused(Some(Wish::Introduce(at)), reason));
            }
            Some(Asked::Unregister(_, true)) => {}
            Some(Asked::Unregister(_, false)) => out.push(refused(Some(Wish::Hide), reason)),
            Some(Asked::Directory) => out.push(refused(Some(Wish::Introductions), reason)),
            Some(Asked::RefusedRoom(_)) | None => {
                out.push(Output::Event(Event::Complaint(reason.to_string())));
            }
        }
    }

    /// So many entries come now.
    fn expect(&mut self, head: &Packet<'_>, what: Entries, out: &mut Vec<Output>) {
        let missing = usize::try_from(head.p1).unwrap_or(0).min(LONGEST_PAGE);
        self.page = Some(Page { uid: head.uid, missing, what });
        self.tell_page(out);
    }

    pub(super) fn on_card(&mut self, packet: &Packet<'_>, out: &mut Vec<Output>) {
        let Some(page) = self.page.as_mut().filter(|page| page.uid == packet.uid) else { return };
        if let Entries::Rooms { rooms, .. } = &mut page.what {
            page.missing = page.missing.saturating_sub(1);
            rooms.extend(hear::card(packet));
        }
        self.tell_page(out);
    }

    pub(super) fn on_entry(&mut self, packet: &Packet<'_>, out: &mut Vec<Output>) {
        let Some(page) = self.page.as_mut().filter(|page| page.uid == packet.uid) else { return };
        if let Entries::Listed(entries) = &mut page.what {
            page.missing = page.missing.saturating_sub(1);
            entries.extend(hear::entry(packet));
        }
        self.tell_page(out);
    }

    pub(super) fn on_page_line(&mut self, uid: u32, line: hear::Told, out: &mut Vec<Output>) {
        let Some(page) = self.page.as_mut().filter(|page| page.uid == uid) else { return };
        if let Entries::Lines { first, lines, .. } = &mut page.what {
            page.missing = page.missing.saturating_sub(1);
            first.get_or_insert(line.id);
            lines.extend(line.logged());
        }
        self.tell_page(out);
    }

    fn tell_page(&mut self, out: &mut Vec<Output>) {
        match self.page.take() {
            Some(page) if page.missing > 0 => self.page = Some(page),
            Some(Page { what: Entries::Rooms { rooms, more: true }, .. })
                if (1..LONGEST_PAGE).contains(&rooms.len()) =>
            {
                let last = rooms.last().map(|card| card.name.clone()).unwrap_or_default();
                let frame = self.ask(Asked::Rooms(rooms), command::ROOMS, last.as_bytes());
                out.push(Output::Send(frame));
            }
            Some(Page { what: Entries::Rooms { rooms, .. }, .. }) => out.push(told(Told::Rooms(rooms))),
            Some(Page { what: Entries::Listed(entries), .. }) => {
                out.push(told(Told::Introductions(entries)));
            }
            Some(Page { what: Entries::Lines { room, first, lines, more }, .. }) => {
                self.older = first.filter(|_| more).map(|first| (room.clone(), first));
                out.push(told(Told::History { room, lines, more }));
            }
            None => {}
        }
    }
}

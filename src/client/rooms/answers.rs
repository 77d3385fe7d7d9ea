//! What the server says: answers to what was asked, and what happens in the room.

use super::{
    Asked, Place, Rooms,
    hear::{Card, Entered, Guest, Happened, Line, Word, why},
    say::Request,
    stay::{MOST_GUESTS, Stay},
    told,
};
use crate::{
    client::{
        event::{Event, Output},
        room::{Told, Why, Wish},
    },
    dialect::trace,
};

/// Rooms of one answer; of a longer one the rest is not read.
const MOST_ROOMS: usize = 65_536;

/// An answer of several frames.
#[derive(Debug)]
pub(super) struct Begun {
    ticket: u32,
    guests: Vec<Guest>,
    rooms: Vec<Card>,
}

impl Rooms {
    /// A frame of the server.
    pub(in crate::client) fn receive(&mut self, text: &str, out: &mut Vec<Output>) {
        let Ok(word) = serde_json::from_str::<Word>(text) else { return };
        match word {
            Word::Entered(entered) => self.on_entered(entered, out),
            Word::Stayed { ticket } | Word::Said { ticket } => {
                self.asked.remove(&ticket);
            }
            Word::Left { ticket } => self.on_left(ticket, out),
            Word::Rooms { ticket, rooms, unfinished } => self.on_rooms(ticket, rooms, unfinished, out),
            Word::History { ticket, lines, more } => self.on_page(ticket, lines, more, out),
            Word::Registered { ticket } => self.on_registered(ticket, out),
            Word::Unregistered { ticket } => self.on_unregistered(ticket, out),
            Word::Directory { ticket, entries, unfinished } => {
                self.on_directory(ticket, &entries, unfinished, out);
            }
            Word::Refused { ticket, code } => self.on_refused(ticket, why(&code), out),
            Word::Event { room, happened } => self.on_event(&room, happened, out),
        }
    }

    /// What came of this answer before, and is to be completed.
    fn begun(&mut self, ticket: u32) -> Begun {
        let begun = self.begun.take().filter(|begun| begun.ticket == ticket);
        begun.unwrap_or(Begun { ticket, guests: Vec::new(), rooms: Vec::new() })
    }

    fn on_entered(&mut self, entered: Entered, out: &mut Vec<Output>) {
        let Entered { ticket, topic, you, guests, history, more, unfinished } = entered;
        let Some(Asked::Enter(room)) = self.asked.get(&ticket) else { return };
        let room = room.clone();
        let mut begun = self.begun(ticket);
        let place = MOST_GUESTS.saturating_sub(begun.guests.len());
        begun.guests.extend(guests.into_iter().take(place));
        if unfinished {
            self.begun = Some(begun);
            return;
        }
        self.asked.remove(&ticket);
        if let Some(before) = self.here.take().filter(|before| before.room != room) {
            let ticket = self.number(Asked::Move);
            out.push(Output::Send(Request::Leave { ticket, room: &before.room }.print().into()));
        }
        let lost = self.lost.take().filter(|lost| lost.room == room);
        let again = lost.is_some();
        out.push(told(Told::Entered { room: room.clone(), again }));
        let known = lost.as_ref().and_then(|lost| lost.topic.clone());
        if topic != known {
            out.push(told(Told::Topic(topic.clone())));
        }
        let mut stay = Stay::new(room, you, topic, &begun.guests, self.dialect);
        match lost {
            Some(lost) => out.extend(stay.go_on(&lost).map(told)),
            None => out.push(told(stay.roster())),
        }
        self.here = Some(stay);
        if again {
            self.on_missed(history, more, out);
        } else {
            history.into_iter().for_each(|line| self.show(line, None, out));
        }
    }

    fn on_left(&mut self, ticket: u32, out: &mut Vec<Output>) {
        let Some(Asked::Leave(room)) = self.asked.remove(&ticket) else { return };
        self.here.take_if(|here| here.room == room);
        out.push(told(Told::Left(room)));
    }

    fn on_rooms(&mut self, ticket: u32, rooms: Vec<Card>, unfinished: bool, out: &mut Vec<Output>) {
        if !matches!(self.asked.get(&ticket), Some(Asked::Rooms)) {
            return;
        }
        let mut begun = self.begun(ticket);
        let place = MOST_ROOMS.saturating_sub(begun.rooms.len());
        begun.rooms.extend(rooms.into_iter().take(place));
        if unfinished {
            self.begun = Some(begun);
            return;
        }
        self.asked.remove(&ticket);
        out.push(told(Told::Rooms(begun.rooms.into_iter().map(Into::into).collect())));
    }

    fn on_page(&mut self, ticket: u32, lines: Vec<Line>, more: bool, out: &mut Vec<Output>) {
        let room = match self.asked.remove(&ticket) {
            Some(Asked::Missed) => return self.on_missed(lines, more, out),
            Some(Asked::Page(room, _)) => room,
            _ => return,
        };
        self.older = lines.first().and_then(Line::id).filter(|_| more).map(|first| (room.clone(), first));
        let ours = self.dialect;
        let lines = lines.into_iter().filter_map(|line| line.logged(ours)).collect();
        out.push(told(Told::History { room, lines, more }));
    }

    /// A page of what was said while the connection was lost.
    fn on_missed(&mut self, lines: Vec<Line>, more: bool, out: &mut Vec<Output>) {
        let Some((here, missed)) =
            self.here.as_mut().and_then(|here| Some((here.room.clone(), here.missed.as_mut()?)))
        else {
            return;
        };
        match missed.add(lines, more) {
            Some(before) => {
                let frame = self.page(&here, Some(before), Asked::Missed);
                out.push(Output::Send(frame.into()));
            }
            None => self.catch_up(out),
        }
    }

    /// Shows what was missed, and what has happened since.
    fn catch_up(&mut self, out: &mut Vec<Output>) {
        let Some(missed) = self.here.as_mut().and_then(|here| here.missed.take()) else { return };
        missed.lines.into_iter().for_each(|line| self.show(line, None, out));
        missed.since.into_iter().for_each(|(line, author)| self.show(line, author, out));
    }

    fn on_refused(&mut self, ticket: Option<u32>, why: Why, out: &mut Vec<Output>) {
        let what = match ticket.and_then(|ticket| self.asked.remove(&ticket)) {
            Some(Asked::Enter(room)) => {
                self.lost.take_if(|lost| lost.room == room);
                if matches!(&self.place, Place::Room(wanted) if *wanted == room) {
                    self.stay_put();
                }
                Some(Wish::Join(room))
            }
            Some(Asked::Leave(room)) => Some(Wish::Leave(Some(room))),
            Some(Asked::Rooms) => Some(Wish::Rooms),
            Some(Asked::Page(_, wish)) => Some(wish),
            Some(Asked::Say) => None,
            Some(Asked::Missed) => return self.catch_up(out),
            Some(Asked::Register(at, again)) => {
                if again {
                    self.introduction.lost(at);
                }
                Some(Wish::Introduce(at))
            }
            Some(Asked::Unregister(_, false)) => Some(Wish::Hide),
            Some(Asked::Directory(_)) => Some(Wish::Introductions),
            Some(Asked::Move | Asked::Unregister(_, true)) => return,
            None => return out.push(Output::Event(Event::Complaint(why.to_string()))),
        };
        out.push(told(Told::Refused { what, why }));
    }

    fn on_event(&mut self, room: &str, happened: Happened, out: &mut Vec<Output>) {
        let ours = self.dialect;
        // Of a room that was left for another one, the last words may still come.
        let Some(here) = self.here.as_mut().filter(|here| here.room == room) else { return };
        let news = match happened {
            Happened::Came { guest } => here.came(guest.number, guest.person(ours)),
            Happened::Renamed { before, guest } => here.renamed(before.number, guest.person(ours)),
            Happened::Said { guest, line } => return self.on_line(line, Some(guest), out),
            Happened::Recalled { line } => return self.on_line(line, None, out),
            Happened::Topic { topic } => {
                here.topic.clone_from(&topic);
                Some(Told::Topic(topic))
            }
            Happened::Withdrawn => Some(Told::Withdrawn),
            Happened::Closed => return self.be_out(Told::Closed(room.to_owned()), out),
            Happened::Expelled { guest } if guest.number == here.you => {
                return self.be_out(Told::PutOut(room.to_owned()), out);
            }
            Happened::Went { guest } | Happened::Expelled { guest } => here.went(guest.number),
        };
        out.extend(news.map(told));
    }

    /// The member is in no room any more, without having wanted it.
    fn be_out(&mut self, why: Told, out: &mut Vec<Output>) {
        self.catch_up(out);
        let left = self.here.take();
        if left.is_some_and(|left| self.place == Place::Room(left.room)) {
            self.place = Place::Nowhere;
        }
        out.push(told(why));
    }

    /// Something was said, just now by whoever has this number, or earlier.
    fn on_line(&mut self, line: Line, author: Option<u32>, out: &mut Vec<Output>) {
        let Some(missed) = self.here.as_mut().and_then(|here| here.missed.as_mut()) else {
            return self.show(line, author, out);
        };
        if !missed.keep(line, author) {
            self.catch_up(out);
        }
    }

    /// Shows a line, once.
    fn show(&mut self, line: Line, author: Option<u32>, out: &mut Vec<Output>) {
        let Some(here) = &mut self.here else { return };
        let Some(id) = line.id().map(|id| id.to_string()) else { return };
        here.show(&line);
        if !self.seen.admit(trace(id)) {
            return;
        }
        let ours = self.dialect;
        let Some(number) = author else {
            return out.extend(line.logged(ours).map(|line| told(Told::Logged(line))));
        };
        if number == here.you {
            return out.push(Output::Event(Event::Echo { counter: 0 }));
        }
        // What everybody hears comes as a letter, too, with a signature that can be checked.
        let is_a_letter = self.offer.as_ref().is_some_and(|offer| offer.is_everybodys(&here.room));
        if let Some(by) = line.author(ours).filter(|_| !is_a_letter) {
            out.push(told(Told::Said { room: here.room.clone(), by, text: line.text }));
        }
    }
}

//! What the member is told about rooms.

use super::{
    obey::asked,
    talk::{Phase, Talk},
};
use crate::{
    cli::screen::Kind,
    client::{
        introduction::Entry,
        person::PersonId,
        room::{Card, Logged, Told, Why, Wish},
    },
    domain::stamp::rfc3339,
};

impl Talk {
    pub(super) fn is_unanswered(&self, ticket: u64) -> bool {
        self.unanswered.iter().any(|(asked, _)| *asked == ticket)
    }

    pub(super) fn on_room(&mut self, told: Told) {
        if told.is_answer() {
            self.on_answer(&told);
        }
        match told {
            Told::Entered { room, again } => {
                // Who is in another room is told whole, and not as a change.
                self.was_here &= again || !self.people.me.is_nick();
                self.screen.news(&format!("in room {room}"));
            }
            Told::Left(room) => {
                self.people.guests = None;
                self.screen.news(&format!("left room {room}"));
            }
            Told::PutOut(room) => {
                self.people.guests = None;
                self.screen.trouble(&format!("you were put out of room {room}"));
            }
            Told::Closed(room) => {
                self.people.guests = None;
                self.screen.trouble(&format!("an operator has closed room {room}"));
            }
            Told::Guests { room, guests } => {
                let words = match self.people.names(&self.contacts, &guests) {
                    names if names.is_empty() => format!("nobody else is in room {room}"),
                    names => format!("in room {room} with {names}"),
                };
                self.people.guests = Some(guests.into_iter().collect());
                self.screen.news(&words);
            }
            Told::Moved { room, came, went } => self.on_moved(&room, &came, &went),
            Told::Said { room, by, text } => {
                let name = self.people.name(&self.contacts, &by);
                self.screen.line(Kind::Speech, &format!("{name} (in {room}): {text}"));
            }

            Told::Topic(Some(topic)) => self.screen.news(&format!("the room is about: {topic}")),
            Told::Topic(None) => self.screen.news("the room is about nothing in particular any more"),
            Told::Logged(line) => self.on_logged(&line),
            Told::Withdrawn => self.screen.news("something that was said is withdrawn"),
            Told::Rooms(rooms) => self.on_rooms(&rooms),
            Told::History { room, lines, more } => {
                let older = if more { "; there are older ones" } else { "" };
                self.screen.news(&format!("lines said in room {room}: {}{older}", lines.len()));
                lines.iter().for_each(|line| self.on_logged(line));
            }
            Told::Introduced(at) => self.screen.news(&format!("introduced as listening at {at}")),
            Told::Hidden(at) => self.screen.news(&format!("introduced no more as listening at {at}")),
            Told::Introductions(entries) => self.on_introductions(&entries),
            Told::Renamed { before, after } => self.on_renamed(&before, after),
            Told::Refused { what, why } => self.on_refused(what.as_ref(), why),
        }
    }

    /// Servers answer in order, but some things happen without being asked for.
    fn on_answer(&mut self, told: &Told) {
        let begins = match told {
            Told::Entered { .. } => "/join",
            Told::Left(_) => "/leave",
            Told::Introduced(_) | Told::Hidden(_) => "/introduce",
            Told::Introductions(_) => "/introductions",
            Told::Rooms(_) => "/rooms",
            Told::History { .. } => return self.answered(&["/history", "/older"]),
            Told::Renamed { before, .. } if *before == self.people.me => "/nick",
            Told::Refused { what: Some(wish), .. } => {
                let words = asked(wish);
                let word = words.split(' ').next().unwrap_or_default().to_owned();
                return self.answered(&[&word]);
            }
            _ => return,
        };
        self.answered(&[begins]);
    }

    fn on_moved(&mut self, room: &str, came: &[PersonId], went: &[PersonId]) {
        for (word, people) in [("left", went), ("joined", came)] {
            for person in people {
                let name = self.people.name(&self.contacts, person);
                self.screen.news(&format!("{word} room {room}: {name}"));
            }
        }
        let guests = self.people.guests.get_or_insert_default();
        guests.retain(|person| !went.contains(person));
        guests.extend(came.iter().cloned());
    }

    /// One of these commands is answered.
    fn answered(&mut self, commands: &[&str]) {
        let is_it =
            |(_, what): &(u64, String)| what.split(' ').next().is_some_and(|it| commands.contains(&it));
        if let Some(at) = self.unanswered.iter().position(is_it) {
            self.unanswered.remove(at);
        }
    }

    fn on_logged(&mut self, line: &Logged) {
        let time = line.at_ms.map(|at_ms| format!("{} ", rfc3339(at_ms))).unwrap_or_default();
        // Where there are nicks only, even our own may be somebody else's.
        let name =
            |by: &PersonId| if by.is_nick() { by.short() } else { self.people.name(&self.contacts, by) };
        let by = line.by.as_ref().map(name);
        let said = match (by, line.is_topic) {
            (Some(by), false) => format!("{by}: {}", line.text),
            (None, false) => line.text.clone(),
            (by, true) => {
                let by = by.as_deref().unwrap_or("an operator");
                format!("({by} says what the room is about: {})", line.text)
            }
        };
        self.screen.line(Kind::Past, &format!("< {time}{said}"));
    }

    fn on_rooms(&mut self, rooms: &[Card]) {
        if rooms.is_empty() {
            self.screen.news("there are no rooms");
        }
        for Card { name, topic, guests } in rooms {
            let topic = topic.as_ref().map(|topic| format!(": {topic}")).unwrap_or_default();
            self.screen.line(Kind::Speech, &format!("- {name} ({guests}){topic}"));
        }
    }

    fn on_introductions(&mut self, entries: &[Entry]) {
        self.screen.news(&format!("introduced here: {}", entries.len()));
        for Entry { at, undialable, home, member } in entries {
            let by = member.map_or_else(|| "-".to_owned(), |id| self.people.member(&self.contacts, id));
            let home = home.map(|home| format!(" by {}", home.short())).unwrap_or_default();
            let mark = if *undialable { " undialable" } else { "" };
            self.screen.line(Kind::Speech, &format!("- {at} {by}{home}{mark}"));
        }
    }

    fn on_renamed(&mut self, before: &PersonId, after: PersonId) {
        if *before == self.people.me {
            self.screen.news(&format!("you are called {} now", after.short()));
            self.people.me = after;
        } else {
            if let Some(guests) = &mut self.people.guests
                && guests.remove(before)
            {
                guests.insert(after.clone());
            }
            self.screen.news(&format!("{} is called {} now", before.short(), after.short()));
        }
    }

    fn on_refused(&mut self, what: Option<&Wish>, why: Why) {
        self.has_failed = true;
        let words = match what {
            None => format!("that was not said: {why}"),
            Some(Wish::Nick(nick)) => {
                if self.phase != Phase::Here {
                    // Nothing comes by itself any more, and the next line may be another nick.
                    self.phase = Phase::Here;
                    self.was_here = true;
                }
                format!("you are not called {nick}: {why}; choose another nick with /nick NICK")
            }
            Some(Wish::Join(room)) => format!("you are not let into room {room}: {why}"),
            Some(wish) => format!("{}: {why}", asked(wish)),
        };
        self.screen.trouble(&words);
    }
}

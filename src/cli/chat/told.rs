//! What the member is told about what happened.

use std::sync::Arc;

use super::{
    files::{News, Saved},
    talk::{Phase, Talk},
};
use crate::{
    cli::screen::Kind,
    client::{
        event::{Author, Doubt, Event, Present, Rejection},
        link::Report,
        person::PersonId,
        transfer::Fetched,
        voice::Say,
    },
};

impl Talk {
    pub(super) fn on_report(&mut self, report: Report) {
        match report {
            Report::Connecting | Report::Ended(_) => {}
            Report::Connected(door) => {
                self.arrives();
                let me = self.people.me.short();
                if door != self.files.door {
                    self.screen.news(&format!("this home is served at {door} now"));
                    self.files.door = door.clone();
                }
                self.screen.news(&format!("connected to {door} as {me}"));
            }
            Report::Lost(reason) => {
                let words = if self.phase == Phase::Away { "cannot connect" } else { "lost the connection" };
                self.phase = Phase::Away;
                for (_, what) in std::mem::take(&mut self.unanswered) {
                    self.has_failed = true;
                    self.screen.trouble(&format!("not answered: {what}"));
                }
                self.screen.trouble(&format!("{words}: {reason}"));
            }
            Report::Retrying(wait) => {
                let seconds = wait.as_secs_f64().max(0.1);
                self.screen.news(&format!("trying again in {seconds:.1} s"));
            }
            Report::Event(event) => self.on_event(event),
            Report::Sent(ticket) => {
                self.under_way.remove(&ticket);
            }
            Report::NotSent(ticket, why) => {
                let what = self.under_way.remove(&ticket).unwrap_or_default();
                self.has_failed = true;
                if self.is_unanswered(ticket) {
                    self.unanswered.retain(|(asked, _)| *asked != ticket);
                    self.screen.trouble(&format!("{what}: {why}"));
                } else {
                    self.screen.trouble(&format!("not sent {what}: {why}"));
                }
            }
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Listed { members, joined, left } => self.on_list(members, &joined, &left),
            Event::Public { from, text } => {
                let name = self.people.name(&self.contacts, &from);
                self.screen.line(Kind::Speech, &format!("{name}: {text}"));
            }
            Event::Private { from, to, text } => {
                let name = self.people.name(&self.contacts, &from);
                let mark = self.private_mark(&to);
                self.screen.line(Kind::Private, &format!("{name} {mark}: {text}"));
            }
            Event::Kept { to } => {
                let name = self.people.name(&self.contacts, &to);
                self.screen.news(&format!("{name} is away; the letter waits at the server"));
            }
            Event::Unverified { claimed, text, why, .. } => self.doubt("unverified", &claimed, why, &text),
            Event::Unreadable { claimed, is_private } => {
                let what = if is_private { "a private message" } else { "a message" };
                let line = format!("? {what} that cannot be read (claims to be of {})", cut(&claimed));
                self.screen.line(Kind::Doubtful, &line);
            }
            Event::Keys(keys) => {
                if let Err(error) = self.contacts.keep(&keys) {
                    self.screen.trouble(&error.to_string());
                }
            }
            Event::KeyChanged { who, known, offered } => self.on_changed_key(&who, &known, &offered),
            Event::Arriving { name, percent } => self.screen.progress(&name, percent),
            Event::File { from, name, bytes, is_private } => self.files.save(from, name, bytes, is_private),
            Event::FileLost { claimed, name, why } => {
                let claimed = cut(&claimed);
                self.screen.trouble(&format!("the file {name:?} of {claimed} did not arrive: {why}"));
            }
            // Some servers deliver twice; nobody wants to hear about it.
            Event::Echo { .. } | Event::Rejected { why: Rejection::Repeated, .. } => {}
            Event::Rejected { from, why } => {
                let name = self.people.name(&self.contacts, &from);
                self.screen.trouble(&format!("a message of {name} is not shown: {why}"));
            }
            Event::Room(told) => self.on_room(told),
            Event::Complaint(text) => self.screen.trouble(&format!("the server says: {text}")),
        }
    }

    fn doubt(&mut self, what: &str, claimed: &str, why: Doubt, text: &str) {
        let line = format!("? {what} ({why}; claims to be {}): {text}", cut(claimed));
        self.screen.line(Kind::Doubtful, &line);
    }

    fn on_changed_key(&mut self, who: &PersonId, known: &str, offered: &str) {
        let name = self.people.name(&self.contacts, who);
        for line in [
            format!("THE KEY OF {name} HAS CHANGED: somebody may be taking their place"),
            format!("known {known}"),
            format!("new   {offered}"),
            format!("ask them another way; if it is theirs, say /trust {}", who.listed()),
        ] {
            self.screen.trouble(&line);
        }
    }

    /// "(private)", and who else reads it.
    fn private_mark(&self, to: &[Author]) -> String {
        let others = to.iter().filter(|author| **author != Author::Known(self.people.me.clone()));
        let names: Vec<_> = others.map(|author| self.people.author(&self.contacts, author)).collect();
        if names.is_empty() { "(private)".to_owned() } else { format!("(private with {})", names.join(", ")) }
    }

    fn on_list(&mut self, members: Arc<[Present]>, joined: &[PersonId], left: &[PersonId]) {
        self.people.present = members;
        let others: Vec<PersonId> = self.people.others().cloned().collect();
        // A nick is somebody else tomorrow.
        let known: Vec<_> = others.iter().filter(|person| !person.is_nick()).cloned().collect();
        if let Err(error) = self.contacts.meet(&known) {
            self.screen.trouble(&error.to_string());
        }
        self.phase = Phase::Here;
        if !std::mem::replace(&mut self.was_here, true) {
            let words = match self.people.names(&self.contacts, &others) {
                names if names.is_empty() => "nobody else is here".to_owned(),
                names => format!("here: {names}"),
            };
            self.screen.news(&words);
            return;
        }
        for (word, ids) in [("left", left), ("joined", joined)] {
            for id in ids {
                let name = self.people.name(&self.contacts, id);
                self.screen.news(&format!("{word}: {name}"));
            }
        }
    }

    pub(super) async fn on_news(&mut self, news: News) {
        match news {
            News::Progress(what, percent) => self.screen.progress(&what, percent),
            News::Saved(saved) => {
                self.files.under_way -= 1;
                self.on_saved(saved);
            }
            News::Carried { path, result } => {
                self.files.under_way -= 1;
                match result {
                    Ok(bytes) => self.screen.news(&format!("sent {path} ({bytes} bytes)")),
                    Err(error) => self.failed(&format!("{path} was not sent: {error}")),
                }
            }
            News::Fetched { url, result } => {
                self.files.under_way -= 1;
                match result {
                    Ok(file) => {
                        let (path, bytes) = (file.path.display(), file.bytes);
                        self.screen.news(&format!("downloaded {path} ({bytes} bytes)"));
                    }
                    Err(error) => self.failed(&format!("{url} was not downloaded: {error}")),
                }
            }
            News::Uploaded { path, to, result } => {
                self.files.under_way -= 1;
                match result {
                    Ok(url) => {
                        self.screen.news(&format!("uploaded {path}: {url}"));
                        let what = format!("the address of {path}");
                        let say =
                            to.map_or_else(|| Say::Public(url.clone()), |to| Say::Private(to, url.clone()));
                        self.say(say, &what).await;
                    }
                    Err(error) => self.failed(&format!("{path} was not uploaded: {error}")),
                }
            }
        }
    }

    fn on_saved(&mut self, saved: Saved) {
        let Saved { from, name, is_private, result } = saved;
        let (path, bytes) = match result {
            Ok(Fetched { path, bytes }) => (path.display().to_string(), bytes),
            Err(error) => return self.failed(&format!("the file {name:?} was not kept: {error}")),
        };
        let mark = if is_private { " (private)" } else { "" };
        match from {
            Ok(from) => {
                let name = self.people.name(&self.contacts, &from);
                self.screen.news(&format!("file of {name}{mark}: {path} ({bytes} bytes)"));
            }
            Err((claimed, why)) => self.doubt("unverified file", &claimed, why, &path),
        }
    }

    fn failed(&mut self, words: &str) {
        self.has_failed = true;
        self.screen.trouble(words);
    }
}

/// As much of a claim as is worth showing.
fn cut(claim: &str) -> String {
    claim.chars().take(12).collect()
}

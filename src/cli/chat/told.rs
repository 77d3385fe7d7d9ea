//! What the member is told about what happened.

use std::sync::Arc;

use super::{
    files::News,
    screen::Kind,
    talk::{Phase, Talk},
};
use crate::{
    client::{
        link::{Report, Say},
        olaf::{Author, Event, Present, Rejection},
    },
    domain::id::KeyId,
};

impl Talk {
    pub(super) fn on_report(&mut self, report: Report) {
        match report {
            Report::Connecting | Report::Ended(_) => {}
            Report::Connected => {
                self.arrives();
                let (door, me) = (self.files.door.to_string(), self.people.me.short());
                self.screen.news(&format!("connected to {door} as {me}"));
            }
            Report::Lost(reason) => {
                let words = if self.phase == Phase::Away { "cannot connect" } else { "lost the connection" };
                self.phase = Phase::Away;
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
                self.screen.trouble(&format!("not sent {what}: {why}"));
            }
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Listed { members, joined, left } => self.on_list(members, &joined, &left),
            Event::Public { from, text } => {
                let name = self.people.name(&self.keyring, from);
                self.screen.line(Kind::Speech, &format!("{name}: {text}"));
            }
            Event::Private { from, to, text } => {
                let name = self.people.name(&self.keyring, from);
                let mark = self.private_mark(&to);
                self.screen.line(Kind::Private, &format!("{name} {mark}: {text}"));
            }
            Event::Unverified { claimed, text, why, .. } => {
                let claimed: String = claimed.chars().take(12).collect();
                let line = format!("? unverified ({why}; claims to be {claimed}): {text}");
                self.screen.line(Kind::Doubtful, &line);
            }
            // Some servers deliver twice; nobody wants to hear about it.
            Event::Echo { .. } | Event::Rejected { why: Rejection::Repeated, .. } => {}
            Event::Rejected { from, why } => {
                let name = self.people.name(&self.keyring, from);
                self.screen.trouble(&format!("a message of {name} is not shown: {why}"));
            }
            Event::Complaint(text) => self.screen.trouble(&format!("the server says: {text}")),
        }
    }

    /// "(private)", and who else reads it.
    fn private_mark(&self, to: &[Author]) -> String {
        let others = to.iter().filter(|author| **author != Author::Known(self.people.me));
        let names: Vec<_> = others.map(|author| self.people.author(&self.keyring, author)).collect();
        if names.is_empty() { "(private)".to_owned() } else { format!("(private with {})", names.join(", ")) }
    }

    fn on_list(&mut self, members: Arc<[Present]>, joined: &[KeyId], left: &[KeyId]) {
        self.people.present = members;
        let others: Vec<KeyId> = self.people.others().collect();
        if let Err(error) = self.keyring.meet(others.iter().copied()) {
            self.screen.trouble(&error.to_string());
        }
        self.phase = Phase::Here;
        if !std::mem::replace(&mut self.was_here, true) {
            let words = match self.people.names(&self.keyring, &others) {
                names if names.is_empty() => "nobody else is here".to_owned(),
                names => format!("here: {names}"),
            };
            self.screen.news(&words);
            return;
        }
        for (word, ids) in [("left", left), ("joined", joined)] {
            for id in ids {
                let name = self.people.name(&self.keyring, *id);
                self.screen.news(&format!("{word}: {name}"));
            }
        }
    }

    pub(super) async fn on_news(&mut self, news: News) {
        match news {
            News::Progress(what, percent) => self.screen.news(&format!("{what}: {percent} %")),
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

    fn failed(&mut self, words: &str) {
        self.has_failed = true;
        self.screen.trouble(words);
    }
}

//! What is done about a line that was typed.

use super::{
    talk::Talk,
    typed::{HELP, Typed},
};
use crate::{
    cli::screen::Kind,
    client::{room::Wish, voice::Say},
};

impl Talk {
    pub(super) async fn obey(&mut self, typed: Typed) {
        let done = match typed {
            Typed::Nothing => Ok(()),
            Typed::Here(text) => {
                self.say(Say::Here(text), "to everyone").await;
                Ok(())
            }
            Typed::All(text) => {
                self.say(Say::Public(text), "to everyone").await;
                Ok(())
            }
            Typed::Tell { who, text } => self.tell(&who, text).await,
            Typed::List => {
                self.list();
                Ok(())
            }
            Typed::Nick(words) => self.nick(words).await,
            Typed::Ask(wish) => {
                self.ask(wish).await;
                Ok(())
            }
            Typed::File { who, path } => self.send_file(&who, path),
            Typed::Get(url) => {
                self.screen.news(&format!("downloading {url}"));
                self.files.fetch(url);
                Ok(())
            }
            Typed::Trust(who) => self.trust(&who).await,
            Typed::WhoAmI => {
                self.who_am_i();
                Ok(())
            }
            Typed::Help => {
                for line in HELP {
                    self.screen.news(line);
                }
                Ok(())
            }
            Typed::Quit => {
                self.forget_waiting();
                self.quits();
                Ok(())
            }
            Typed::Wrong(words) => Err(words),
        };
        if let Err(words) = done {
            // A script that says nonsense wants to know, and so does whoever reads its exit status.
            self.has_failed = true;
            self.screen.trouble(&words);
        }
    }

    /// Hands a letter to the link. `what` completes "not sent …".
    pub(super) async fn say(&mut self, say: Say, what: &str) {
        self.last_ticket += 1;
        self.under_way.insert(self.last_ticket, what.to_owned());
        self.link.say(self.last_ticket, say).await;
    }

    /// Asks something of the server.
    async fn ask(&mut self, wish: Wish) {
        let what = asked(&wish);
        self.unanswered.push_back((self.last_ticket + 1, what.clone()));
        self.say(Say::Wish(wish), &what).await;
    }

    async fn tell(&mut self, who: &str, text: String) -> Result<(), String> {
        let ids = self.people.find_all(&self.contacts, who, self.reaches_absent)?;
        let what = format!("to {}", self.people.names(&self.contacts, &ids));
        self.say(Say::Private(ids, text), &what).await;
        Ok(())
    }

    fn list(&mut self) {
        let present = std::sync::Arc::clone(&self.people.present);
        for one in present.iter() {
            let name = match one.id {
                ref id if *id == self.people.me => format!("({})", self.people.name(&self.contacts, id)),
                ref id => self.contacts.name(id).unwrap_or("-").to_owned(),
            };
            let homes = one.homes.iter().map(String::as_str);
            let label = one.label.as_ref().map(|label| format!("~{label}"));
            let rest: Vec<_> = homes.chain(label.as_deref()).collect();
            self.screen.line(Kind::Speech, &format!("- {} {name} {}", one.id.listed(), rest.join(" ")));
        }
        if let Some(guests) = &self.people.guests {
            let guests: Vec<_> = guests.iter().cloned().collect();
            let names = self.people.names(&self.contacts, &guests);
            self.screen.news(&format!("in your room: {names}"));
        }
        // Some servers tell nothing by themselves; the answer shows as people who joined or left.
        self.link.ask_for_list();
    }

    /// A nick of one's own where people have nicks, and for somebody else where they have keys.
    async fn nick(&mut self, words: String) -> Result<(), String> {
        if self.people.me.is_nick() {
            self.ask(Wish::Nick(words)).await;
            return Ok(());
        }
        let (who, name) = words.split_once(char::is_whitespace).ok_or(
            "that command needs more: /nick WHO NAME; your own name is given with --name, at the start",
        )?;
        let (who, name) = (who, name.trim_start());
        let id = self.people.find(&self.contacts, who)?;
        if id == self.people.me {
            return Err("your own name is given with --name, at the start".to_owned());
        }
        let before = self.people.name(&self.contacts, &id);
        self.contacts
            .rename(&id, name)
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())?;
        self.screen.news(&format!("{before} is called {name} here ({})", id.short()));
        Ok(())
    }

    fn send_file(&mut self, who: &str, path: String) -> Result<(), String> {
        let verb =
            self.files.verb().ok_or("files are not sent here; put it somewhere and say its address")?;
        let to = match who {
            "public" => None,
            who => Some(self.people.find_all(&self.contacts, who, false)?),
        };
        self.screen.news(&format!("{verb} {path}"));
        self.files.send(path, to);
        Ok(())
    }

    async fn trust(&mut self, who: &str) -> Result<(), String> {
        if self.people.me.is_nick() {
            return Err("here there are no keys; anybody may be called anything".to_owned());
        }
        let id = self.people.find(&self.contacts, who)?;
        if id.key().is_some() {
            return Err("here people are their keys; whoever has another one is somebody else".to_owned());
        }
        self.link.trust(id).await;
        Ok(())
    }

    fn who_am_i(&mut self) {
        self.screen.news(&format!("you are {}", self.people.me.listed()));
        match &self.fingerprint {
            Some(fingerprint) => self.screen.news(&format!("fingerprint {fingerprint}")),
            None => self.screen.news("there are no keys here: whoever has a nick first is called so"),
        }
        if let Some(path) = &self.keyring {
            self.screen.news(&format!("keyring {}", path.display()));
        }
    }
}

/// A wish as it was typed.
pub(super) fn asked(wish: &Wish) -> String {
    match wish {
        Wish::Join(room) => format!("/join {room}"),
        Wish::Leave(room) => format!("/leave {}", room.as_deref().unwrap_or_default()).trim_end().to_owned(),
        Wish::Nick(nick) => format!("/nick {nick}"),
        Wish::Rooms => "/rooms".to_owned(),
        Wish::Older => "/older".to_owned(),
        Wish::Introduce(at) => format!("/introduce {at}"),
        Wish::Hide => "/introduce off".to_owned(),
        Wish::Introductions => "/introductions".to_owned(),
        Wish::History(room) => {
            format!("/history {}", room.as_deref().unwrap_or_default()).trim_end().to_owned()
        }
    }
}

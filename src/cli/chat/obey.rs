//! What is done about a line that was typed.

use super::{
    screen::Kind,
    talk::Talk,
    typed::{HELP, Typed},
};
use crate::client::voice::Say;

impl Talk {
    pub(super) async fn obey(&mut self, typed: Typed) {
        let done = match typed {
            Typed::Nothing => Ok(()),
            Typed::All(text) => {
                self.say(Say::Public(text), "to everyone").await;
                Ok(())
            }
            Typed::Tell { who, text } => self.tell(&who, text).await,
            Typed::List => {
                self.list();
                Ok(())
            }
            Typed::Nick { who, name } => self.nick(&who, &name),
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

    async fn tell(&mut self, who: &str, text: String) -> Result<(), String> {
        let ids = self.people.find_all(&self.keyring, who)?;
        let what = format!("to {}", self.people.names(&self.keyring, &ids));
        self.say(Say::Private(ids, text), &what).await;
        Ok(())
    }

    fn list(&mut self) {
        let present = std::sync::Arc::clone(&self.people.present);
        for one in present.iter() {
            let name = match one.id {
                ref id if *id == self.people.me => format!("({})", self.people.name(&self.keyring, id)),
                ref id => self.keyring.name(id).unwrap_or("-").to_owned(),
            };
            let homes = one.homes.iter().map(String::as_str);
            let label = one.label.as_ref().map(|label| format!("~{label}"));
            let rest: Vec<_> = homes.chain(label.as_deref()).collect();
            self.screen.line(Kind::Speech, &format!("- {} {name} {}", one.id.listed(), rest.join(" ")));
        }
        // Some servers tell nothing by themselves; the answer shows as people who joined or left.
        self.link.ask_for_list();
    }

    fn nick(&mut self, who: &str, name: &str) -> Result<(), String> {
        let id = self.people.find(&self.keyring, who)?;
        if id == self.people.me {
            return Err("your own name is given with --name, at the start".to_owned());
        }
        let before = self.people.name(&self.keyring, &id);
        self.keyring
            .rename(&id, name)
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())?;
        self.screen.news(&format!("{before} is called {name} here ({})", id.short()));
        Ok(())
    }

    fn send_file(&mut self, who: &str, path: String) -> Result<(), String> {
        let to = match who {
            "public" => None,
            who => Some(self.people.find_all(&self.keyring, who)?),
        };
        self.screen.news(&format!("{} {path}", self.files.verb()));
        self.files.send(path, to);
        Ok(())
    }

    async fn trust(&mut self, who: &str) -> Result<(), String> {
        let id = self.people.find(&self.keyring, who)?;
        if id.key().is_some() {
            return Err("here people are their keys; whoever has another one is somebody else".to_owned());
        }
        self.link.trust(id).await;
        Ok(())
    }

    fn who_am_i(&mut self) {
        self.screen.news(&format!("you are {}", self.people.me.listed()));
        self.screen.news(&format!("fingerprint {}", self.fingerprint));
        self.screen.news(&format!("keyring {}", self.keyring.path().display()));
    }
}

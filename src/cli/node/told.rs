//! What a node is told, in words.

use super::talk::Talk;
use crate::{
    cli::screen::Kind,
    client::node::{Event, Manner, Text, Who},
    dialect::rendezvous::line::Refused,
    domain::node::Way,
};

impl Talk {
    /// Prints what has happened.
    pub(super) fn tell(&mut self, event: Event) {
        match event {
            Event::Registered => self.screen.news(&format!("registered with {}", self.rendezvous)),
            Event::Modern => {}
            Event::Lost(why) => {
                let words = format!("no rendezvous at {} ({why}); trying again", self.rendezvous);
                self.screen.trouble(&words);
            }
            Event::Refused(why) => {
                self.screen.trouble(&format!("the rendezvous refuses us: {}", words(why)));
            }
            Event::Full => self.screen.trouble("the rendezvous has no room; trying again"),
            Event::Teardown => {
                self.screen.news("the end: the rendezvous has ended the mesh");
                self.is_over = true;
            }
            Event::Listed(others) => {
                self.was_listed();
                // A rendezvous that was away knows least at first of whom we never lost.
                let linked = self.hub.here().filter_map(|who| who.at.ok()).filter(|at| !others.contains(at));
                let others: Vec<_> = others.iter().copied().chain(linked).map(|at| at.to_string()).collect();
                let line = if others.is_empty() {
                    "nobody else is here".to_owned()
                } else {
                    format!("here: {}", others.join(", "))
                };
                self.screen.news(&line);
            }
            Event::Dialable(true) => self.screen.news("others can dial you now"),
            Event::Dialable(false) => {
                self.screen.news("the rendezvous cannot dial you; you dial the others, or are relayed");
            }
            Event::Joined { who, is_new } => {
                let line = format!("joined: {}", self.described(&who, is_new));
                self.screen.news(&line);
            }
            Event::Moved(who) => {
                let line = format!("another link: {}", self.described(&who, false));
                self.screen.news(&line);
            }
            Event::Left(who) => {
                let line = format!("left: {}", self.described(&who, false));
                self.screen.news(&line);
            }
            Event::Unreached(at) => self.screen.trouble(&format!("{at} cannot be reached; trying again")),
            Event::Text(who, text) => self.said(&who, &text),
            Event::WrongKey { at, known, offered } => {
                let (known, offered) = (known.short(), offered.short());
                self.screen.trouble(&format!(
                    "{at} came with the key {offered}, and the one that is known is {known}; not talked to. \
                     If that is right: /trust {at}"
                ));
            }
            Event::Downgraded(at) => self.screen.trouble(&format!(
                "{at} proves no key, and one is known; not talked to. If that is right: /trust {at}"
            )),
            Event::Unsealed(at) => {
                self.screen.trouble(&format!("{at} knows no encryption; not talked to"));
            }
            Event::RefusedBy(at, why) => self.screen.trouble(&format!("{at} refuses us: {why}")),
            Event::Broken(at, why) => self.screen.trouble(&format!("{at}: {why}")),
            Event::NotTaken(who) => {
                let name = self.name(&who);
                self.fail(&format!("{name} takes nothing any more; what was said last may be lost"));
            }
            Event::NotKept(why) => self.screen.trouble(&format!("keys cannot be written down: {why}")),
        }
    }

    fn said(&mut self, who: &Who, text: &Text) {
        let name = self.name(who);
        match who.manner {
            Manner::Sealed(_) if text.is_private => {
                self.screen.line(Kind::Private, &format!("{name} (private): {}", text.words));
            }
            Manner::Sealed(_) => self.screen.line(Kind::Speech, &format!("{name}: {}", text.words)),
            Manner::Plain => self.screen.line(Kind::Doubtful, &format!("{name} (plain): {}", text.words)),
        }
    }

    /// Who somebody is, where, and how it is talked to.
    fn described(&self, who: &Who, is_new: bool) -> String {
        let name = self.name(who);
        let at = match (who.manner, who.at) {
            (Manner::Sealed(_), Ok(at)) if !name.ends_with(&format!("at {at}")) => format!(" at {at}"),
            _ => String::new(),
        };
        let how = match (who.manner, who.way, is_new) {
            (Manner::Plain, ..) => " (plain text)",
            (_, Way::Relayed, true) => " (relayed, new key)",
            (_, Way::Relayed, false) => " (relayed)",
            (_, Way::Direct, true) => " (new key)",
            (_, Way::Direct, false) => "",
        };
        format!("{name}{at}{how}")
    }
}

const fn words(why: Refused) -> &'static str {
    match why {
        Refused::Foreign => "the address is not the one that we come from",
        Refused::Unusable => "nobody can be dialled at that address",
        Refused::Taken => "somebody else has that address",
        Refused::TooMany => "this host has registered too many",
    }
}

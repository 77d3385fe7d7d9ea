//! The conversation of a node: lines in, events in, words out.
//!
//! What a script types waits until everybody who is in the list is there, or for some seconds: whoever joins last is dialled by
//! the others, and has nobody to talk to in its first moment.

use std::{collections::VecDeque, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{
    names::{find, key_name, key_of, name},
    typed::{HELP, Typed},
};
use crate::{
    cli::{
        input::Line,
        screen::{Kind, Screen},
    },
    client::{
        keyring::Contacts,
        node::{Hub, Manner, Reached, TEXT_BYTES, Who},
        person::PersonId,
    },
    domain::{id::KeyId, node::Way},
};

/// How long what a script types waits for somebody who is in the list and not here.
const SETTLED_BY: Duration = Duration::from_secs(5);
/// How long lines of a script that has ended wait for a rendezvous.
const GIVE_UP: Duration = Duration::from_secs(30);
/// Lines that wait; then the input waits.
const MOST_WAITING: usize = 1_000;

/// Everything that a conversation needs.
pub(super) struct Setup {
    pub(super) hub: Hub,
    pub(super) screen: Screen,
    pub(super) contacts: Contacts,
    /// Our own key.
    pub(super) me: KeyId,
    /// Who introduces us, in words.
    pub(super) rendezvous: String,
    pub(super) is_interactive: bool,
    /// The end of the input is the end of it all.
    pub(super) is_once: bool,
}

/// A conversation.
pub(super) struct Talk {
    pub(super) hub: Hub,
    pub(super) screen: Screen,
    pub(super) contacts: Contacts,
    pub(super) me: KeyId,
    pub(super) rendezvous: String,
    is_interactive: bool,
    /// The end of the input is the end of it all.
    is_once: bool,
    waiting: VecDeque<Typed>,
    /// What a script types is said from then on.
    pub(super) settles: Settles,
    has_ended: bool,
    ended_at: Option<Instant>,
    pub(super) is_over: bool,
    pub(super) has_failed: bool,
}

/// Whether what a script types may be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settles {
    /// No list has come.
    Unknown,
    /// One has; at the latest then.
    By(Instant),
    /// It may.
    Done,
}

impl Talk {
    pub(super) fn new(setup: Setup) -> Self {
        let Setup { hub, screen, contacts, me, rendezvous, is_interactive, is_once } = setup;
        let settles = if is_interactive { Settles::Done } else { Settles::Unknown };
        Self {
            hub,
            screen,
            contacts,
            me,
            rendezvous,
            is_interactive,
            is_once: is_once || is_interactive,
            waiting: VecDeque::new(),
            settles,
            has_ended: false,
            ended_at: None,
            is_over: false,
            has_failed: false,
        }
    }

    /// Talks until it is over. Says whether everything that was typed was done.
    pub(super) async fn run(mut self, mut lines: mpsc::Receiver<Line>) -> bool {
        let mut stops = [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok());
        let [interrupt, terminate] = &mut stops;
        while !self.is_over && !self.screen.is_gone() {
            let reads = !self.has_ended && self.waiting.len() < MOST_WAITING;
            let due = self.due();
            tokio::select! {
                event = self.hub.next() => self.tell(event),
                line = lines.recv(), if reads => self.on_line(line),
                () = until(due) => self.on_due(),
                () = came(interrupt) => self.is_over = true,
                () = came(terminate) => self.is_over = true,
            }
            self.obey_what_can_be_obeyed();
        }
        let unsaid = self.waiting.iter().filter(|typed| typed.is_message()).count();
        if unsaid > 0 {
            self.fail(&format!("not sent: {unsaid} of your lines"));
        }
        self.hub.leave().await;
        !self.has_failed || self.is_interactive
    }

    fn on_line(&mut self, line: Option<Line>) {
        self.screen.typed();
        let typed = match line {
            Some(Line::Text(line)) => Typed::read(&line),
            Some(Line::TooLong) => Typed::Wrong("that line is too long for a message".to_owned()),
            Some(Line::NotText) => Typed::Wrong("that line is not UTF-8".to_owned()),
            None => {
                self.has_ended = true;
                self.ended_at = Some(Instant::now());
                return;
            }
        };
        self.waiting.push_back(typed);
    }

    fn obey_what_can_be_obeyed(&mut self) {
        if self.settles != Settles::Done && self.hub.has_listed() && self.hub.absent().next().is_none() {
            self.settles = Settles::Done;
        }
        while self.settles == Settles::Done && !self.is_over {
            let Some(typed) = self.waiting.pop_front() else {
                self.is_over |= self.has_ended && self.is_once;
                return;
            };
            if let Err(words) = self.obey(typed) {
                self.fail(&words);
            }
            if self.is_interactive {
                self.screen.prompt();
            }
        }
    }

    fn due(&self) -> Option<Instant> {
        match self.settles {
            Settles::By(due) => Some(due),
            Settles::Unknown if self.is_once => self.ended_at.map(|since| since + GIVE_UP),
            Settles::Unknown | Settles::Done => None,
        }
    }

    fn on_due(&mut self) {
        if self.settles == Settles::Unknown {
            self.fail("no rendezvous for too long; giving up");
            self.is_over = true;
        }
        self.settles = Settles::Done;
    }

    pub(super) fn was_listed(&mut self) {
        if self.settles == Settles::Unknown {
            self.settles = Settles::By(Instant::now() + SETTLED_BY);
        }
    }

    fn obey(&mut self, typed: Typed) -> Result<(), String> {
        match typed {
            Typed::Nothing => {}
            Typed::All(text) => {
                fits(&text)?;
                let plain = self.plain();
                if self.hub.say(&text) == Reached::default() {
                    return Err("not sent: nobody is here".to_owned());
                }
                self.warn(&plain);
            }
            Typed::Tell { who, text } => {
                fits(&text)?;
                let here = self.here();
                for who in find(&who, &self.contacts, &here)? {
                    if !self.hub.tell(&who, &text) {
                        return Err(format!("not sent to {}", self.name(&who)));
                    }
                    if who.manner == Manner::Plain {
                        self.warn(&[who]);
                    }
                }
            }
            Typed::List => self.list(),
            Typed::Nick { who, name } => {
                let key = key_of(&who, &self.contacts, &self.here())?;
                let renamed = self.contacts.rename(&PersonId::from(key), &name);
                renamed.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
                self.screen.news(&format!("{} is called {name}", key.short()));
            }
            Typed::Trust(at) => {
                let was_known = self.hub.forget(at);
                let words = if was_known {
                    "the next key that comes there is kept"
                } else {
                    "no key was known there"
                };
                self.screen.news(&format!("{at}: {words}"));
            }
            Typed::WhoAmI => {
                self.screen.news(&format!("you are {} at {}", self.me.hex(), self.hub.me()));
                self.screen.news(&format!("introduced by {}", self.rendezvous));
            }
            Typed::Help => HELP.iter().for_each(|line| self.screen.news(line)),
            Typed::Quit => self.is_over = true,
            Typed::Wrong(words) => return Err(words),
        }
        Ok(())
    }

    fn list(&mut self) {
        let here = self.here();
        for who in &here {
            let (at, name, how) = match (who.manner, who.way) {
                (Manner::Sealed(key), Way::Direct) => (who.at, key_name(key, &self.contacts), "sealed"),
                (Manner::Sealed(key), Way::Relayed) => (who.at, key_name(key, &self.contacts), "relayed"),
                (Manner::Plain, _) => (who.at, "-".to_owned(), "plain"),
            };
            let at = at.map_or_else(|from| format!("~{from}"), |at| at.to_string());
            self.screen.line(Kind::News, &format!("- {at} {name} {how}"));
        }
        let away: Vec<_> = self.hub.absent().map(|node| node.at).collect();
        for at in away {
            self.screen.line(Kind::News, &format!("- {at} - away"));
        }
    }

    pub(super) fn here(&self) -> Vec<Who> {
        self.hub.here().collect()
    }

    pub(super) fn name(&self, who: &Who) -> String {
        name(who, &self.contacts, self.me, &self.here())
    }

    fn plain(&self) -> Vec<Who> {
        self.hub.here().filter(|who| who.manner == Manner::Plain).collect()
    }

    /// Nobody should have to remember who reads along.
    fn warn(&mut self, plain: &[Who]) {
        if !plain.is_empty() {
            let names: Vec<_> = plain.iter().map(|who| self.name(who)).collect();
            self.screen.news(&format!("in plain text to: {}", names.join(", ")));
        }
    }

    pub(super) fn fail(&mut self, words: &str) {
        self.has_failed = true;
        self.screen.trouble(words);
    }
}

fn fits(text: &str) -> Result<(), String> {
    let most = TEXT_BYTES;
    if text.len() > most { Err(format!("that line is too long; {most} bytes are the most")) } else { Ok(()) }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Waits for a signal. One that cannot be waited for never comes, and ends the program as it always did.
async fn came(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => _ = signal.recv().await,
        None => std::future::pending().await,
    }
}

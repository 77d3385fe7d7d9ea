//! The conversation: lines in, reports in, and what has to wait for what.
//!
//! Lines that need the list of members wait for it, in their order; so do lines typed while there is
//! no connection. **Invariant:** the commands handed to the link never fill its channel, so the two
//! never wait for each other.

use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{
    files::{Files, News, Way},
    people::People,
    typed::Typed,
};
use crate::{
    cli::{input::Line, screen::Screen},
    client::{
        keyring::Contacts,
        link::{Config, Link, Report},
        voice::{FilePost, Voice},
    },
};

/// Letters that are on their way at once; well below what the link's channel holds.
const MOST_UNDER_WAY: usize = 16;
/// Files that are on their way at once.
const MOST_TRANSFERS: usize = 4;
/// Lines that wait; then the input waits.
const MOST_WAITING: usize = 1_000;
/// How long a server that is connected may take to say who is here.
const LIST_DUE: Duration = Duration::from_secs(5);
/// How long lines of a pipe that has ended wait for a connection.
const GIVE_UP: Duration = Duration::from_secs(30);

/// Everything that a conversation needs.
pub(super) struct Setup {
    pub(super) config: Config,
    pub(super) voice: Box<dyn Voice>,
    pub(super) contacts: Contacts,
    /// Where the key lies, if there is one.
    pub(super) keyring: Option<PathBuf>,
    pub(super) screen: Screen,
    pub(super) downloads: PathBuf,
    pub(super) my_name: String,
    pub(super) is_interactive: bool,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// Something was not sent, or the server wants no more of it.
    Failed,
}

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Away,
    /// Connected; the list is due then.
    Arriving(Instant),
    /// The list is there.
    Here,
}

/// A conversation.
pub(super) struct Talk {
    pub(super) link: Link,
    pub(super) screen: Screen,
    pub(super) contacts: Contacts,
    pub(super) keyring: Option<PathBuf>,
    pub(super) people: People,
    pub(super) files: Files,
    pub(super) fingerprint: Option<String>,
    /// Whether letters may be for those who are away.
    pub(super) reaches_absent: bool,
    pub(super) phase: Phase,
    pub(super) was_here: bool,
    pub(super) waiting: VecDeque<Typed>,
    /// What is on its way, in words for the case that it does not arrive.
    pub(super) under_way: HashMap<u64, String>,
    /// What was asked of the server, in words, and not answered; the oldest first.
    pub(super) unanswered: VecDeque<(u64, String)>,
    pub(super) last_ticket: u64,
    pub(super) has_failed: bool,
    /// Nothing more will be typed; since when.
    pub(super) ended: Option<Instant>,
    is_interactive: bool,
    is_closing: bool,
    /// Nothing is waited for any more.
    has_given_up: bool,
}

impl Talk {
    /// Starts to dial.
    pub(super) fn start(setup: Setup) -> (Self, mpsc::Receiver<Report>, mpsc::UnboundedReceiver<News>) {
        let Setup { config, voice, contacts, keyring, mut screen, downloads, my_name, is_interactive } =
            setup;
        screen.news(&format!("connecting to {}", config.door));
        let (news, heard) = mpsc::unbounded_channel();
        let (door, trust) = (config.door.clone(), config.trust.clone());
        let (fingerprint, post, reaches_absent) =
            (voice.fingerprint(), voice.files(), voice.reaches_absent());
        let people = People::new(voice.me(), my_name);
        let (link, reports) = Link::open(config, voice);
        let way = match post {
            FilePost::Uploaded => Way::Upload,
            FilePost::InLetters(chunks) => Way::Carry { link: link.clone(), chunks },
            FilePost::None => Way::None,
        };
        let talk = Self {
            link,
            screen,
            contacts,
            keyring,
            people,
            files: Files { door, trust, way, folder: downloads, news, under_way: 0, kept: 0 },
            fingerprint,
            reaches_absent,
            phase: Phase::Away,
            was_here: false,
            waiting: VecDeque::new(),
            under_way: HashMap::new(),
            unanswered: VecDeque::new(),
            last_ticket: 0,
            has_failed: false,
            ended: None,
            is_interactive,
            is_closing: false,
            has_given_up: false,
        };
        (talk, reports, heard)
    }

    /// Talks until it is over.
    pub(super) async fn run(
        mut self,
        mut lines: mpsc::Receiver<Line>,
        mut reports: mpsc::Receiver<Report>,
        mut news: mpsc::UnboundedReceiver<News>,
    ) -> Outcome {
        loop {
            self.obey_what_can_be_obeyed().await;
            if !self.is_closing && (self.is_finished() || self.screen.is_gone()) {
                self.is_closing = true;
                self.link.close().await;
            }
            let reads = self.ended.is_none() && self.waiting.len() < MOST_WAITING;
            tokio::select! {
                report = reports.recv() => match report {
                    Some(Report::Ended(reason)) => return self.finish(reason),
                    Some(report) => self.on_report(report),
                    None => return self.finish(None),
                },
                line = lines.recv(), if reads => self.on_line(line).await,
                Some(news) = news.recv() => self.on_news(news).await,
                () = until(self.due()) => self.on_due(),
            }
        }
    }

    async fn on_line(&mut self, line: Option<Line>) {
        self.screen.typed();
        let typed = match line {
            Some(Line::Text(line)) => Typed::read(&line),
            Some(Line::TooLong) => Typed::Wrong("that line is too long for a message".to_owned()),
            Some(Line::NotText) => Typed::Wrong("that line is not UTF-8".to_owned()),
            None => {
                self.ended = Some(Instant::now());
                return;
            }
        };
        if self.is_interactive && typed.is_immediate() {
            self.obey(typed).await;
            self.screen.prompt();
            return;
        }
        if self.is_interactive && typed.is_message() && self.phase == Phase::Away {
            self.screen.trouble("not connected; this will be sent when the connection is back");
        }
        self.waiting.push_back(typed);
    }

    async fn obey_what_can_be_obeyed(&mut self) {
        while self.phase == Phase::Here
            && self.under_way.len() < MOST_UNDER_WAY
            && self.files.under_way < MOST_TRANSFERS
        {
            let Some(typed) = self.waiting.pop_front() else { return };
            self.obey(typed).await;
            if self.is_interactive {
                self.screen.prompt();
            }
        }
    }

    /// Whether everything that was typed is done.
    fn is_finished(&self) -> bool {
        if self.has_given_up {
            return true;
        }
        self.ended.is_some()
            && self.waiting.is_empty()
            && self.under_way.is_empty()
            && self.unanswered.is_empty()
            && self.files.under_way == 0
            // A pipe without a line still wants to know whether the server is there.
            && (self.was_here || self.is_interactive)
    }

    /// Nothing more will be typed. A script may still wait for its files, a person does not.
    pub(super) fn quits(&mut self) {
        self.ended = Some(Instant::now());
        self.has_given_up = self.is_interactive;
    }

    /// When something is to be done although nothing happens.
    fn due(&self) -> Option<Instant> {
        match self.phase {
            Phase::Arriving(due) => Some(due),
            Phase::Away if !self.is_closing => self.ended.map(|since| since + GIVE_UP),
            Phase::Here if !self.unanswered.is_empty() => self.ended.map(|since| since + LIST_DUE),
            _ => None,
        }
    }

    fn on_due(&mut self) {
        if let Phase::Arriving(_) = self.phase {
            self.screen.trouble("the server does not say who is here");
            self.phase = Phase::Here;
            self.was_here = true;
            return;
        }
        if self.phase == Phase::Here {
            for (_, what) in std::mem::take(&mut self.unanswered) {
                self.screen.trouble(&format!("the server does not answer {what}"));
            }
            self.has_failed = true;
            return;
        }
        self.screen.trouble("no connection for too long; giving up");
        self.forget_waiting();
        self.has_failed = true;
        self.has_given_up = true;
    }

    /// Gives up what could not be sent, and says so.
    pub(super) fn forget_waiting(&mut self) {
        let messages = self.waiting.iter().filter(|typed| typed.is_message()).count();
        if messages > 0 {
            self.screen.trouble(&format!("not sent: {messages} of your lines"));
            self.has_failed = true;
        }
        self.waiting.clear();
    }

    fn finish(mut self, reason: Option<String>) -> Outcome {
        self.forget_waiting();
        match reason {
            Some(reason) => {
                self.screen.trouble(&format!("the end: {reason}"));
                Outcome::Failed
            }
            None if self.has_failed && !self.is_interactive => Outcome::Failed,
            None => Outcome::Done,
        }
    }

    pub(super) fn arrives(&mut self) {
        self.phase = Phase::Arriving(Instant::now() + LIST_DUE);
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

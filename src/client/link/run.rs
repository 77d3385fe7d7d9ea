//! Dialling, holding, waiting, dialling again.

use std::{pin::pin, sync::Arc, time::Duration};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use rustls::ClientConfig;
use tokio::{
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    Connector, connect_async_tls_with_config,
    tungstenite::{client::IntoClientRequest as _, protocol::WebSocketConfig},
};

use super::{
    command::{Command, NotSent, Receipt, Report},
    doors::Doors,
    line::{End, Line, Socket, inform},
    words::{self, Farewell},
};
use crate::{
    client::{
        about::{Home, Inquiry},
        door::Door,
        person::PersonId,
        voice::{Say, Voice},
    },
    domain::{backoff::Backoff, refusal::DOORS},
};

/// How long a server may take to open the connection.
const LONGEST_DIAL: Duration = Duration::from_secs(15);
/// The same where there are other doors to try.
const LONGEST_TRY: Duration = Duration::from_secs(5);
/// The library would allocate 128 KiB each way for every connection; a bench holds thousands.
const BUFFER_BYTES: usize = 8 << 10;
/// The list of a large neighbourhood is the largest message there is.
const LARGEST_MESSAGE: usize = 32 << 20;
/// Reports and commands that wait. Beyond it the link reads no more, and the server notices.
const MOST_REPORTS: usize = 256;
const MOST_COMMANDS: usize = 64;

/// What a link has to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to. If its home has several doors, the others are learnt from it.
    pub door: Door,
    /// Whose certificates are believed.
    pub trust: Arc<ClientConfig>,
    /// The first wait before dialling again.
    pub least_wait: Duration,
    /// The longest.
    pub most_wait: Duration,
    /// Who finds out what the server offers beside its dialects; without, it is nothing.
    pub inquiry: Option<Inquiry>,
}

impl Config {
    /// The usual waits.
    #[must_use]
    pub const fn new(door: Door, trust: Arc<ClientConfig>) -> Self {
        let (least_wait, most_wait) = (Duration::from_millis(500), Duration::from_secs(30));
        Self { door, trust, least_wait, most_wait, inquiry: None }
    }
}

/// A connection that stays up. It closes when this is dropped.
#[derive(Clone, Debug)]
pub struct Link {
    commands: mpsc::Sender<Command>,
}

impl Link {
    /// Starts to dial, on the runtime that is there.
    #[must_use]
    pub fn open(config: Config, voice: Box<dyn Voice>) -> (Self, mpsc::Receiver<Report>) {
        let (commands, to_do) = mpsc::channel(MOST_COMMANDS);
        let (reports, told) = mpsc::channel(MOST_REPORTS);
        tokio::spawn(async move {
            let doors = Doors::new(config.door.clone());
            let runner = Runner { config, doors, voice, commands: to_do, reports };
            runner.run().await;
        });
        (Self { commands }, told)
    }

    /// Sends a letter; the report about it carries this number.
    pub async fn say(&self, ticket: u64, say: Say) {
        // A link that has ended has reported so.
        let _ = self.commands.send(Command::Say(Receipt::Report(ticket), say)).await;
    }

    /// Says something, and waits until it is handed to the system whole.
    ///
    /// # Errors
    /// It was not sent, or nobody knows.
    pub async fn carry(&self, say: Say) -> Result<(), NotSent> {
        let (told, fate) = oneshot::channel();
        let command = Command::Say(Receipt::Tell(told), say);
        self.commands.send(command).await.map_err(|_| NotSent::NotConnected)?;
        fate.await.unwrap_or(Err(NotSent::Lost))
    }

    /// Believes the key that somebody comes with now.
    pub async fn trust(&self, person: PersonId) {
        let _ = self.commands.send(Command::Trust(person)).await;
    }

    /// Asks the server for the list.
    pub fn ask_for_list(&self) {
        // If the channel is full of commands, the wish is not worth waiting for.
        let _ = self.commands.try_send(Command::AskForList);
    }

    /// Says what is still to be said, and closes.
    pub async fn close(&self) {
        let _ = self.commands.send(Command::Close).await;
    }
}

struct Runner {
    config: Config,
    doors: Doors,
    voice: Box<dyn Voice>,
    commands: mpsc::Receiver<Command>,
    reports: mpsc::Sender<Report>,
}

impl Runner {
    async fn run(mut self) {
        let mut backoff = Backoff::new(self.config.least_wait, self.config.most_wait);
        let mut again = None;
        loop {
            if self.reports.send(Report::Connecting).await.is_err() {
                return;
            }
            match self.once(&mut backoff).await {
                End::Asked => return self.end(None).await,
                End::Farewell(Farewell { words, again: false, .. }) => return self.end(Some(words)).await,
                End::Farewell(Farewell { words, moved, stands_by, .. }) => {
                    again = again.or_else(|| stands_by.flatten());
                    let _ = self.reports.send(Report::Lost(words)).await;
                    if self.doors.step(moved.as_deref()) {
                        continue;
                    }
                    let wait = self.wait(&mut backoff, again.take());
                    let _ = self.reports.send(Report::Retrying(wait)).await;
                    tokio::select! {
                        () = sleep(wait) => {}
                        () = refuse(&mut self.commands, &self.reports) => return self.end(None).await,
                    }
                }
            }
        }
    }

    /// How long to wait, if a server has said when it may be asked again. A home of which nodes stand by is looking for
    /// one that serves, and that is a matter of seconds; a single server that is full is asked ever less often.
    fn wait(&self, backoff: &mut Backoff, again: Option<Duration>) -> Duration {
        let wait = backoff.wait(random());
        match again.filter(|_| self.doors.are_several()) {
            Some(again) => wait.min(again.max(self.config.least_wait)),
            None => wait,
        }
    }

    /// One attempt and the connection it may become.
    async fn once(&mut self, backoff: &mut Backoff) -> End {
        let Self { config, doors, voice, commands, reports } = self;
        let inquiry = config.inquiry.as_ref();
        let dialling = async {
            let dialled = dial(config, doors).await;
            if matches!(&dialled, Err(farewell) if farewell.stands_by.is_some())
                && let Some(home) = home_behind(doors.present(), inquiry).await
            {
                doors.learn(&home);
            }
            dialled
        };
        let dialled = tokio::select! {
            dialled = dialling => dialled,
            () = refuse(commands, reports) => return End::Asked,
        };
        let (socket, has_doors) = match dialled {
            Ok(dialled) => dialled,
            Err(farewell) => return End::Farewell(unreachable(farewell, doors)),
        };
        let end = {
            let door = doors.present().clone();
            let line = Line::new(&mut **voice, backoff, reports, door.clone(), inquiry);
            let mut holding = pin!(line.hold(socket, commands));
            tokio::select! {
                end = &mut holding => end,
                Some(home) = home_behind(&door, inquiry.filter(|_| has_doors)) => {
                    doors.learn(&home);
                    holding.await
                }
            }
        };
        if backoff.was_good() {
            doors.was_good();
        }
        end
    }

    /// The last report. What was still to be said is not forgotten silently.
    async fn end(mut self, reason: Option<String>) {
        self.commands.close();
        while let Some(command) = self.commands.recv().await {
            if let Command::Say(receipt, _) = command {
                let _ = inform(receipt, Err(NotSent::NotConnected), &self.reports).await;
            }
        }
        let _ = self.reports.send(Report::Ended(reason)).await;
    }
}

/// Says "not connected" to everybody who wants to speak, until somebody wants to close.
async fn refuse(commands: &mut mpsc::Receiver<Command>, reports: &mpsc::Sender<Report>) {
    loop {
        match commands.recv().await {
            Some(Command::Say(receipt, _)) => {
                let _ = inform(receipt, Err(NotSent::NotConnected), reports).await;
            }
            Some(Command::AskForList | Command::Trust(_)) => {}
            Some(Command::Close) | None => return,
        }
    }
}

/// What a door that cannot be entered means. Where there are others, nothing is the last word.
fn unreachable(farewell: Farewell, doors: &mut Doors) -> Farewell {
    if !doors.are_several() {
        return farewell;
    }
    let words = format!("{}: {}", doors.present(), farewell.words);
    if !farewell.again {
        doors.forget();
    }
    Farewell { words, again: true, ..farewell }
}

/// What the server behind a door says of its home.
async fn home_behind(door: &Door, inquiry: Option<&Inquiry>) -> Option<Home> {
    inquiry?.ask(door).await.ok()??.home
}

/// Opens a connection. Says whether its home has several doors, too.
async fn dial(config: &Config, doors: &Doors) -> Result<(Socket, bool), Farewell> {
    let door = doors.present();
    let request = door.socket().into_client_request().map_err(|error| words::failed(&error))?;
    let limits = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE));
    let connector =
        if door.is_secure() { Connector::Rustls(Arc::clone(&config.trust)) } else { Connector::Plain };
    let dialling = connect_async_tls_with_config(request, Some(limits), true, Some(connector));
    let patience = if doors.are_several() { LONGEST_TRY } else { LONGEST_DIAL };
    match timeout(patience, dialling).await {
        Ok(Ok((socket, answer))) => Ok((socket, answer.headers().contains_key(DOORS))),
        Ok(Err(error)) => Err(words::failed(&error)),
        Err(_) => Err(Farewell::passing("nobody answered in time")),
    }
}

fn random() -> u16 {
    let mut bytes = [0; 2];
    // Without randomness everybody waits the shortest time, which is no reason not to dial.
    let _ = SystemRandom::new().fill(&mut bytes);
    u16::from_ne_bytes(bytes)
}

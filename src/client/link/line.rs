//! One connection, from the greeting to its end: reading never waits for writing, nor writing for
//! reading, because a server that slows a busy writer down must still be listened to.

use std::{
    collections::VecDeque,
    future::poll_fn,
    task::{Poll, ready},
    time::Duration,
};

use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    sync::mpsc,
    time::{Instant, interval_at, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Error, Message},
};

use super::{
    backoff::Backoff,
    command::{Command, NotSent, Report, Say},
    words::{self, Farewell},
};
use crate::client::olaf::{Event, Output, SayError, Session};

pub(super) type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// How often a server is asked whether it lives, and the silence after which it does not.
const PING_EVERY: Duration = Duration::from_secs(20);
const LONGEST_SILENCE: Duration = Duration::from_secs(50);
/// How long nothing may be taken from us while something waits.
const LONGEST_STALL: Duration = Duration::from_secs(30);
/// How long the other side may take to say goodbye.
const LONGEST_GOODBYE: Duration = Duration::from_secs(2);
/// Messages that wait here; further commands wait in their channel.
const MOST_WAITING: usize = 32;

/// Why a connection is over.
#[derive(Debug)]
pub(super) enum End {
    /// Somebody here wanted it.
    Asked,
    /// It was lost, or taken from us.
    Farewell(Farewell),
}

/// One live connection.
pub(super) struct Line<'a> {
    pub(super) session: &'a mut Session,
    pub(super) backoff: &'a mut Backoff,
    pub(super) reports: &'a mpsc::Sender<Report>,
    outbox: Outbox,
    goodbye: Option<Instant>,
}

impl<'a> Line<'a> {
    pub(super) fn new(
        session: &'a mut Session,
        backoff: &'a mut Backoff,
        reports: &'a mpsc::Sender<Report>,
    ) -> Self {
        Self { session, backoff, reports, outbox: Outbox::default(), goodbye: None }
    }

    /// Holds the connection until it ends.
    pub(super) async fn hold(mut self, socket: Socket, commands: &mut mpsc::Receiver<Command>) -> End {
        let (mut sink, mut stream) = socket.split();
        let end = match self.greet().await {
            Ok(()) => self.talk(&mut sink, &mut stream, commands).await,
            Err(end) => end,
        };
        for ticket in self.outbox.tickets() {
            let _ = self.reports.send(Report::NotSent(ticket, NotSent::Lost)).await;
        }
        end
    }

    async fn greet(&mut self) -> Result<(), End> {
        let failed = |error: SayError| End::Farewell(Farewell::passing(error.to_string()));
        for text in self.session.greet().map_err(failed)? {
            self.outbox.push(Message::text(text), None);
        }
        self.report(Report::Connected).await
    }

    async fn talk(
        &mut self,
        sink: &mut SplitSink<Socket, Message>,
        stream: &mut SplitStream<Socket>,
        commands: &mut mpsc::Receiver<Command>,
    ) -> End {
        let mut heard = Instant::now();
        let mut clock = interval_at(heard + PING_EVERY, PING_EVERY);
        loop {
            let goodbye = self.goodbye;
            let step = tokio::select! {
                message = stream.next() => {
                    heard = Instant::now();
                    self.on_message(message, sink).await
                }
                written = self.outbox.drive(sink), if !self.outbox.is_idle() => self.on_written(written).await,
                command = commands.recv(), if goodbye.is_none() && self.outbox.has_room() => {
                    self.on_command(command).await
                }
                _ = clock.tick() => self.on_tick(heard),
                () = until(goodbye) => Err(End::Asked),
            };
            if let Err(end) = step {
                return if self.goodbye.is_some() { End::Asked } else { end };
            }
        }
    }

    async fn on_message(
        &mut self,
        message: Option<Result<Message, Error>>,
        sink: &mut SplitSink<Socket, Message>,
    ) -> Result<(), End> {
        match message {
            Some(Ok(Message::Text(text))) => self.on_text(&text).await,
            Some(Ok(Message::Binary(bytes))) => match std::str::from_utf8(&bytes) {
                Ok(text) => self.on_text(text).await,
                Err(_) => Ok(()),
            },
            Some(Ok(Message::Close(frame))) => {
                // The answer to the close frame is written by the library, if there is still somebody.
                let _ = timeout(LONGEST_GOODBYE, sink.flush()).await;
                let (code, reason) =
                    frame.as_ref().map_or((1000, ""), |frame| (u16::from(frame.code), frame.reason.as_str()));
                Err(End::Farewell(words::closed(code, reason)))
            }
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(End::Farewell(words::failed(&error))),
            None => Err(End::Farewell(Farewell::passing("the server hung up without a word"))),
        }
    }

    async fn on_text(&mut self, text: &str) -> Result<(), End> {
        let mut outputs = Vec::new();
        self.session.receive(text, &mut outputs);
        for output in outputs {
            match output {
                Output::Send(text) => self.outbox.push(Message::text(text), None),
                Output::Event(event) => {
                    if matches!(event, Event::Listed { .. }) {
                        // Only a server that let us in was worth the wait.
                        self.backoff.reset();
                    }
                    self.report(Report::Event(event)).await?;
                }
            }
        }
        Ok(())
    }

    async fn on_written(&mut self, written: Result<Vec<u64>, Error>) -> Result<(), End> {
        match written {
            Ok(tickets) => {
                for ticket in tickets {
                    self.report(Report::Sent(ticket)).await?;
                }
                Ok(())
            }
            Err(error) => Err(End::Farewell(words::failed(&error))),
        }
    }

    async fn on_command(&mut self, command: Option<Command>) -> Result<(), End> {
        match command {
            Some(Command::Say(ticket, say)) => {
                let written = match say {
                    Say::Public(text) => self.session.public(&text),
                    Say::Private(to, text) => self.session.private(&to, &text),
                };
                match written {
                    Ok(text) => self.outbox.push(Message::text(text), Some(ticket)),
                    Err(error) => self.report(Report::NotSent(ticket, error.into())).await?,
                }
            }
            Some(Command::AskForList) => {
                let text = self.session.ask_for_list();
                self.outbox.push(Message::text(text), None);
            }
            Some(Command::Close) | None => {
                self.outbox.push(Message::Close(None), None);
                self.goodbye = Some(Instant::now() + LONGEST_GOODBYE + LONGEST_STALL);
            }
        }
        Ok(())
    }

    fn on_tick(&mut self, heard: Instant) -> Result<(), End> {
        let lost = |words: &str| Err(End::Farewell(Farewell::passing(words)));
        if heard.elapsed() > LONGEST_SILENCE {
            return lost("nothing was heard of the server for too long");
        }
        if self.outbox.is_stalled() {
            return lost("the server takes nothing from us any more");
        }
        if self.goodbye.is_none() {
            self.outbox.push(Message::Ping(Default::default()), None);
        }
        Ok(())
    }

    /// Nobody who listens is as good as being asked to close.
    async fn report(&self, report: Report) -> Result<(), End> {
        self.reports.send(report).await.map_err(|_| End::Asked)
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// What is on its way to the socket.
#[derive(Debug, Default)]
struct Outbox {
    queue: VecDeque<(Message, Option<u64>)>,
    /// Handed to the library, not yet to the system.
    written: Vec<u64>,
    is_flushed: bool,
    progress: Option<Instant>,
}

impl Outbox {
    fn push(&mut self, message: Message, ticket: Option<u64>) {
        if self.is_idle() {
            self.progress = Some(Instant::now());
        }
        self.queue.push_back((message, ticket));
        self.is_flushed = false;
    }

    fn is_idle(&self) -> bool {
        self.queue.is_empty() && (self.is_flushed || self.progress.is_none())
    }

    fn has_room(&self) -> bool {
        self.queue.len() < MOST_WAITING
    }

    fn is_stalled(&self) -> bool {
        !self.is_idle() && self.progress.is_some_and(|last| last.elapsed() > LONGEST_STALL)
    }

    /// The letters of which nobody knows how they went.
    fn tickets(&self) -> Vec<u64> {
        self.written.iter().copied().chain(self.queue.iter().filter_map(|(_, ticket)| *ticket)).collect()
    }

    /// Writes until everything is with the system; may be dropped and called again at any time.
    async fn drive(&mut self, sink: &mut SplitSink<Socket, Message>) -> Result<Vec<u64>, Error> {
        poll_fn(|context| {
            while !self.queue.is_empty() {
                ready!(sink.poll_ready_unpin(context))?;
                let Some((message, ticket)) = self.queue.pop_front() else { break };
                self.written.extend(ticket);
                self.progress = Some(Instant::now());
                sink.start_send_unpin(message)?;
            }
            ready!(sink.poll_flush_unpin(context))?;
            self.is_flushed = true;
            Poll::Ready(Ok(std::mem::take(&mut self.written)))
        })
        .await
    }
}

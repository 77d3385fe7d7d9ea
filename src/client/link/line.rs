//! One connection, from the greeting to its end: reading never waits for writing, nor writing for
//! reading, because a server that slows a busy writer down must still be listened to.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, interval_at, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Error, Message},
};

use super::{
    command::{Command, NotSent, Receipt, Report},
    outbox::{LONGEST_STALL, Outbox},
    words::{self, Farewell},
};
use crate::{
    client::{
        about::{About, Inquiry},
        door::Door,
        event::{Event, Output, SayError},
        rooms::Offer,
        voice::{Say, Voice},
    },
    domain::{backoff::Backoff, letter::Frame},
};

pub(super) type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// How often a server is asked whether it lives and told that we do, and the silence after which it does not.
const TICK_EVERY: Duration = Duration::from_secs(15);
const LONGEST_SILENCE: Duration = Duration::from_secs(50);
/// What a ping says. There are servers whose answer fits only pings of eight bytes.
const PING: [u8; 8] = *b"kithping";
/// How long the other side may take to say goodbye, and what it said before it went may take to be read.
const LONGEST_GOODBYE: Duration = Duration::from_secs(2);

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
    pub(super) voice: &'a mut dyn Voice,
    pub(super) backoff: &'a mut Backoff,
    pub(super) reports: &'a mpsc::Sender<Report>,
    door: Door,
    inquiry: Option<&'a Inquiry>,
    /// What the server offers is being asked.
    asking: Option<oneshot::Receiver<Option<About>>>,
    /// What is said when that is known.
    held: Option<(Receipt, Say)>,
    outbox: Outbox,
    goodbye: Option<Instant>,
    /// Nothing is taken from us any more, for this reason. What was said to us before is still read, until then.
    broken: Option<(Farewell, Instant)>,
}

impl<'a> Line<'a> {
    pub(super) fn new(
        voice: &'a mut dyn Voice,
        backoff: &'a mut Backoff,
        reports: &'a mpsc::Sender<Report>,
        door: Door,
        inquiry: Option<&'a Inquiry>,
    ) -> Self {
        let (asking, held, outbox, goodbye, broken) = (None, None, Outbox::default(), None, None);
        Self { voice, backoff, reports, door, inquiry, asking, held, outbox, goodbye, broken }
    }

    /// Holds the connection until it ends.
    pub(super) async fn hold(mut self, socket: Socket, commands: &mut mpsc::Receiver<Command>) -> End {
        let (mut sink, mut stream) = socket.split();
        let end = match self.greet().await {
            Ok(()) => self.talk(&mut sink, &mut stream, commands).await,
            Err(end) => end,
        };
        let held = self.held.take().map(|(receipt, _)| receipt);
        for receipt in self.outbox.receipts().into_iter().chain(held) {
            let _ = inform(receipt, Err(NotSent::Lost), self.reports).await;
        }
        end
    }

    async fn greet(&mut self) -> Result<(), End> {
        let failed = |error: SayError| End::Farewell(Farewell::passing(error.to_string()));
        for frame in self.voice.greet(now_ms()).map_err(failed)? {
            self.outbox.push_frame(frame);
        }
        if self.voice.wonders(None) {
            self.wonder();
        }
        self.report(Report::Connected(self.door.clone())).await
    }

    async fn talk(
        &mut self,
        sink: &mut SplitSink<Socket, Message>,
        stream: &mut SplitStream<Socket>,
        commands: &mut mpsc::Receiver<Command>,
    ) -> End {
        let mut heard = Instant::now();
        let mut clock = interval_at(heard + TICK_EVERY, TICK_EVERY);
        loop {
            let (goodbye, is_asking) = (self.goodbye, self.asking.is_some());
            let (is_whole, last) = (self.broken.is_none(), self.broken.as_ref().map(|(_, last)| *last));
            let wakes = self.voice.wakes_at().map(in_ms);
            let step = tokio::select! {
                message = stream.next() => {
                    heard = Instant::now();
                    if let Some((_, last)) = &mut self.broken {
                        // There was more than expected, and there may be even more.
                        *last = heard + LONGEST_GOODBYE;
                    }
                    self.on_message(message, sink).await
                }
                written = self.outbox.drive(sink), if is_whole && !self.outbox.is_idle() => {
                    self.on_written(written).await
                }
                about = answer(&mut self.asking) => self.on_offer(about.and_then(About::offer)).await,
                command = commands.recv(),
                    if is_whole && goodbye.is_none() && !is_asking && self.outbox.has_room() =>
                {
                    self.on_command(command).await
                }
                _ = clock.tick() => self.on_tick(heard).await,
                () = until(wakes) => self.on_wake().await,
                () = until(goodbye) => Err(End::Asked),
                () = until(last) => Err(self.lost(Farewell::passing("the connection broke"))),
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
            Some(Ok(Message::Text(text))) => self.on_frame(&Frame::Text(text.as_str().into())).await,
            Some(Ok(Message::Binary(bytes))) => self.on_frame(&Frame::Binary(bytes)).await,
            Some(Ok(Message::Close(frame))) => {
                // The answer to the close frame is written by the library, if there is still somebody.
                let _ = timeout(LONGEST_GOODBYE, sink.flush()).await;
                let (code, reason) =
                    frame.as_ref().map_or((1000, ""), |frame| (u16::from(frame.code), frame.reason.as_str()));
                Err(End::Farewell(words::closed(code, reason)))
            }
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(self.lost(words::failed(&error))),
            None => Err(self.lost(Farewell::passing("the server hung up without a word"))),
        }
    }

    async fn on_frame(&mut self, frame: &Frame) -> Result<(), End> {
        let mut outputs = Vec::new();
        self.voice.receive(frame, now_ms(), &mut outputs);
        self.follow(outputs).await
    }

    async fn on_wake(&mut self) -> Result<(), End> {
        let mut outputs = Vec::new();
        self.voice.wake(now_ms(), &mut outputs);
        self.follow(outputs).await
    }

    async fn follow(&mut self, outputs: Vec<Output>) -> Result<(), End> {
        for output in outputs {
            match output {
                Output::Send(frame) => self.outbox.push_frame(frame),
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

    async fn on_written(&mut self, written: Result<Vec<Receipt>, Error>) -> Result<(), End> {
        match written {
            Ok(receipts) => {
                for receipt in receipts {
                    inform(receipt, Ok(()), self.reports).await?;
                }
                Ok(())
            }
            Err(error) => {
                // A server that went a moment ago may have said something before, a last word among it.
                let last = Instant::now() + LONGEST_GOODBYE;
                self.broken.get_or_insert_with(|| (words::failed(&error), last));
                Ok(())
            }
        }
    }

    /// What went wrong first says more than what followed from it.
    fn lost(&mut self, words: Farewell) -> End {
        End::Farewell(self.broken.take().map_or(words, |(first, _)| first))
    }

    async fn on_command(&mut self, command: Option<Command>) -> Result<(), End> {
        match command {
            Some(Command::Say(receipt, say)) if self.inquiry.is_some() && self.voice.wonders(Some(&say)) => {
                self.held = Some((receipt, say));
                self.wonder();
            }
            Some(Command::Say(receipt, say)) => self.say(receipt, &say).await?,
            Some(Command::AskForList) => {
                let wish = self.voice.ask_for_list(now_ms());
                wish.into_iter().for_each(|frame| self.outbox.push_frame(frame));
            }
            Some(Command::Trust(person)) => {
                let mut outputs = Vec::new();
                self.voice.trust(&person, &mut outputs);
                self.follow(outputs).await?;
            }
            Some(Command::Close) | None => {
                let goodbye = self.voice.goodbye();
                goodbye.into_iter().for_each(|frame| self.outbox.push_frame(frame));
                self.outbox.push(Message::Close(None), None);
                self.goodbye = Some(Instant::now() + LONGEST_GOODBYE + LONGEST_STALL);
            }
        }
        Ok(())
    }

    async fn say(&mut self, receipt: Receipt, say: &Say) -> Result<(), End> {
        match self.voice.say(say, now_ms()) {
            Ok(frames) => self.outbox.push_all(frames, receipt),
            Err(error) => inform(receipt, Err(error.into()), self.reports).await?,
        }
        Ok(())
    }

    /// Asks what the server offers. Until that is known nothing else is said.
    fn wonder(&mut self) {
        self.asking = self.inquiry.map(|inquiry| inquiry.ask(&self.door));
    }

    async fn on_offer(&mut self, offer: Option<Offer>) -> Result<(), End> {
        let mut outputs = Vec::new();
        self.voice.offered(offer, &mut outputs);
        self.follow(outputs).await?;
        match self.held.take() {
            Some((receipt, say)) => self.say(receipt, &say).await,
            None => Ok(()),
        }
    }

    async fn on_tick(&mut self, heard: Instant) -> Result<(), End> {
        let lost = |words: &str| Err(End::Farewell(Farewell::passing(words)));
        if heard.elapsed() > LONGEST_SILENCE {
            return lost("nothing was heard of the server for too long");
        }
        if self.outbox.is_stalled() {
            return lost("the server takes nothing from us any more");
        }
        if self.goodbye.is_some() {
            return Ok(());
        }
        self.outbox.push(Message::Ping(PING.to_vec().into()), None);
        let mut outputs = Vec::new();
        self.voice.tick(now_ms(), &mut outputs);
        self.follow(outputs).await
    }

    /// Nobody who listens is as good as being asked to close.
    async fn report(&self, report: Report) -> Result<(), End> {
        self.reports.send(report).await.map_err(|_| End::Asked)
    }
}

/// Tells whoever wants to know.
pub(super) async fn inform(
    receipt: Receipt,
    fate: Result<(), NotSent>,
    reports: &mpsc::Sender<Report>,
) -> Result<(), End> {
    let report = match (receipt, fate) {
        (Receipt::Tell(teller), fate) => {
            // Whoever has stopped waiting does not want to know.
            let _ = teller.send(fate);
            return Ok(());
        }
        (Receipt::Report(ticket), Ok(())) => Report::Sent(ticket),
        (Receipt::Report(ticket), Err(why)) => Report::NotSent(ticket, why),
    };
    reports.send(report).await.map_err(|_| End::Asked)
}

/// A clock before 1970 shows 0.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The moment at which the clock shows so many milliseconds. One that is over is now.
fn in_ms(at_ms: i64) -> Instant {
    let wait = u64::try_from(at_ms.saturating_sub(now_ms())).unwrap_or(0);
    Instant::now() + Duration::from_millis(wait)
}

/// The answer, once; without a question there is none.
async fn answer(asking: &mut Option<oneshot::Receiver<Option<About>>>) -> Option<About> {
    let Some(question) = asking else { return std::future::pending().await };
    let offer = question.await.unwrap_or_default();
    *asking = None;
    offer
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

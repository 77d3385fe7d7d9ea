//! One socket of a node, from the first byte to the last: reading never waits for writing, nor writing for reading.

use std::{collections::VecDeque, io, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{
    direct::{Direct, Told},
    hub::Inner,
    seal::Broken,
    wire::{Refusal, Text},
};
use crate::domain::{Moment, id::ConnectionId};

/// How long nothing may be taken from us while something waits.
const LONGEST_STALL: Duration = Duration::from_secs(10);
/// How long the other side may go on after we have said goodbye.
const LONGEST_GOODBYE: Duration = Duration::from_secs(2);
/// How long a link that is not needed any more is kept: the other side may still be moving.
const GRACE: Duration = Duration::from_millis(500);
/// Pieces that wait to be written; further words wait in their channel.
const MOST_WAITING: usize = 64;
/// One read.
const READ_BYTES: usize = 8 << 10;

/// What the hub wants of a link.
#[derive(Debug)]
pub(super) enum ToLink {
    /// Say this.
    Say(Text),
    /// Who has proven itself is believed.
    Accept,
    /// It is not.
    Refuse(Refusal),
    /// Another link has taken its place.
    Close,
    /// Everything is over.
    Leave,
}

/// Why a link is over.
#[derive(Debug, thiserror::Error)]
pub enum Over {
    /// The other side hung up, or both have said goodbye.
    #[error("it has hung up")]
    Gone,
    /// The socket.
    #[error("{0}")]
    Socket(#[from] io::Error),
    /// What was said on it.
    #[error("{0}")]
    Broken(#[from] Broken),
    /// It takes nothing any more.
    #[error("it takes nothing any more")]
    Stalled,
}

/// The moment of the process at which something happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn now(self) -> Moment {
        self.0.elapsed()
    }

    /// Waits until then, or for ever.
    pub(super) async fn until(self, moment: Option<Moment>) {
        match moment {
            Some(moment) => sleep_until(self.0 + moment).await,
            None => std::future::pending().await,
        }
    }
}

/// One socket.
pub(super) struct Link {
    pub(super) id: ConnectionId,
    pub(super) direct: Direct,
    pub(super) clock: Clock,
    pub(super) hub: mpsc::Sender<Inner>,
    pub(super) to: mpsc::Receiver<ToLink>,
}

/// What goes on beside the talk.
struct Course {
    waiting: VecDeque<Vec<u8>>,
    progress: Moment,
    /// When we say goodbye.
    leaves_at: Option<Moment>,
    /// We have said goodbye; until then the other side may go on.
    until: Option<Moment>,
    has_shut: bool,
}

impl Link {
    /// Holds the socket until it is over, and says so.
    pub(super) async fn run(mut self, stream: TcpStream, first: Vec<Told>) {
        let over = self.hold(stream, first).await;
        // Whoever does not listen any more does not want to know.
        let _ = self.hub.send(Inner::Over(self.id, over)).await;
    }

    async fn hold(&mut self, stream: TcpStream, first: Vec<Told>) -> Over {
        let (mut reader, mut writer) = stream.into_split();
        let mut course = Course {
            waiting: VecDeque::new(),
            progress: self.clock.now(),
            leaves_at: None,
            until: None,
            has_shut: false,
        };
        let end = match self.tell(first, &mut course).await {
            Ok(()) => self.talk(&mut reader, &mut writer, &mut course).await,
            Err(over) => over,
        };
        // The last words, such as why a link is refused.
        let last = async {
            for piece in &course.waiting {
                writer.write_all(piece).await?;
            }
            writer.shutdown().await
        };
        let _ = tokio::time::timeout(LONGEST_GOODBYE, last).await;
        end
    }

    async fn talk(
        &mut self,
        reader: &mut OwnedReadHalf,
        writer: &mut OwnedWriteHalf,
        course: &mut Course,
    ) -> Over {
        let mut bytes = vec![0; READ_BYTES];
        loop {
            let wakes = [self.direct.wakes_at(), course.due()].into_iter().flatten().min();
            let has_room = course.waiting.len() < MOST_WAITING && course.until.is_none();
            let front = course.waiting.front().cloned().unwrap_or_default();
            let step = tokio::select! {
                read = reader.read(&mut bytes) => match read {
                    Ok(0) => {
                        let mut out = Vec::new();
                        self.direct.end(&mut out);
                        let _ = self.tell(out, course).await;
                        Err(Over::Gone)
                    }
                    Ok(count) => self.on_bytes(bytes.get(..count).unwrap_or_default(), course).await,
                    Err(error) => Err(error.into()),
                },
                written = writer.write(&front), if !front.is_empty() => {
                    written.map_err(Over::from).map(|count| course.written(count, self.clock.now()))
                }
                command = self.to.recv(), if has_room => self.on_command(command, course).await,
                () = self.clock.until(wakes) => self.on_time(course).await,
            };
            if let Err(over) = step {
                return over;
            }
            if course.until.is_some() && course.waiting.is_empty() && !course.has_shut {
                course.has_shut = true;
                if let Err(error) = writer.shutdown().await {
                    return error.into();
                }
            }
        }
    }

    async fn on_bytes(&mut self, bytes: &[u8], course: &mut Course) -> Result<(), Over> {
        let mut out = Vec::new();
        let step = self.direct.receive(bytes, self.clock.now(), &mut out);
        self.tell(out, course).await?;
        Ok(step?)
    }

    async fn on_time(&mut self, course: &mut Course) -> Result<(), Over> {
        let now = self.clock.now();
        if course.until.is_some_and(|until| now >= until) {
            return Err(Over::Gone);
        }
        if !course.waiting.is_empty() && now >= course.progress + LONGEST_STALL {
            return Err(Over::Stalled);
        }
        if course.leaves_at.is_some_and(|at| now >= at) {
            self.leave(course).await?;
        }
        let mut out = Vec::new();
        let step = self.direct.wake(now, &mut out);
        self.tell(out, course).await?;
        Ok(step?)
    }

    async fn on_command(&mut self, command: Option<ToLink>, course: &mut Course) -> Result<(), Over> {
        let mut out = Vec::new();
        let now = self.clock.now();
        let step = match command {
            Some(ToLink::Say(text)) => {
                self.direct.say(text, &mut out);
                Ok(())
            }
            Some(ToLink::Accept) => self.direct.accept(now, &mut out),
            Some(ToLink::Refuse(why)) => Err(self.direct.refuse(why, &mut out)),
            Some(ToLink::Close) => {
                course.leaves_at = Some(now + GRACE);
                Ok(())
            }
            Some(ToLink::Leave) | None => return self.leave(course).await,
        };
        self.tell(out, course).await?;
        Ok(step?)
    }

    async fn leave(&mut self, course: &mut Course) -> Result<(), Over> {
        course.leaves_at = None;
        course.until = Some(self.clock.now() + LONGEST_GOODBYE);
        let mut out = Vec::new();
        self.direct.goodbye(&mut out);
        self.tell(out, course).await
    }

    async fn tell(&self, told: Vec<Told>, course: &mut Course) -> Result<(), Over> {
        for one in told {
            match one {
                Told::Send(bytes) => {
                    if course.waiting.is_empty() {
                        course.progress = self.clock.now();
                    }
                    course.waiting.push_back(bytes);
                }
                other => self.hub.send(Inner::Told(self.id, other)).await.map_err(|_| Over::Gone)?,
            }
        }
        Ok(())
    }
}

impl Course {
    fn due(&self) -> Option<Moment> {
        let stall = (!self.waiting.is_empty()).then_some(self.progress + LONGEST_STALL);
        [stall, self.leaves_at, self.until].into_iter().flatten().min()
    }

    fn written(&mut self, count: usize, now: Moment) {
        self.progress = now;
        let Some(front) = self.waiting.front_mut() else { return };
        front.drain(..count.min(front.len()));
        if front.is_empty() {
            self.waiting.pop_front();
        }
    }
}

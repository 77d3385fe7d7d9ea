//! What is to be written: in order, and with a receipt for whoever wants to know how it went.

use std::{
    collections::VecDeque,
    future::poll_fn,
    task::{Poll, ready},
    time::Duration,
};

use futures_util::{SinkExt as _, stream::SplitSink};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{command::Receipt, line::Socket};
use crate::domain::letter::Frame;

/// How long nothing may be taken from us while something waits.
pub(super) const LONGEST_STALL: Duration = Duration::from_secs(30);
/// Messages that wait here; further commands wait in their channel.
const MOST_WAITING: usize = 32;

/// What is on its way to the socket.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: VecDeque<(Message, Option<Receipt>)>,
    /// Handed to the library, not yet to the system.
    written: Vec<Receipt>,
    is_flushed: bool,
    progress: Option<Instant>,
}

impl Outbox {
    pub(super) fn push(&mut self, message: Message, receipt: Option<Receipt>) {
        if self.is_idle() {
            self.progress = Some(Instant::now());
        }
        self.queue.push_back((message, receipt));
        self.is_flushed = false;
    }

    pub(super) fn push_frame(&mut self, frame: Frame) {
        self.push(message(frame), None);
    }

    /// What takes several frames is sent when the last of them is.
    pub(super) fn push_all(&mut self, frames: Vec<Frame>, receipt: Receipt) {
        let last = frames.len().saturating_sub(1);
        let mut receipt = Some(receipt);
        for (at, frame) in frames.into_iter().enumerate() {
            let receipt = if at == last { receipt.take() } else { None };
            self.push(message(frame), receipt);
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && (self.is_flushed || self.progress.is_none())
    }

    pub(super) fn has_room(&self) -> bool {
        self.queue.len() < MOST_WAITING
    }

    pub(super) fn is_stalled(&self) -> bool {
        !self.is_idle() && self.progress.is_some_and(|last| last.elapsed() > LONGEST_STALL)
    }

    /// Of what nobody knows how it went.
    pub(super) fn receipts(&mut self) -> Vec<Receipt> {
        let waiting = self.queue.drain(..).filter_map(|(_, receipt)| receipt);
        self.written.drain(..).chain(waiting).collect()
    }

    /// Writes until everything is with the system; may be dropped and called again at any time.
    pub(super) async fn drive(
        &mut self,
        sink: &mut SplitSink<Socket, Message>,
    ) -> Result<Vec<Receipt>, Error> {
        poll_fn(|context| {
            while !self.queue.is_empty() {
                ready!(sink.poll_ready_unpin(context))?;
                let Some((message, receipt)) = self.queue.pop_front() else { break };
                self.written.extend(receipt);
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

/// A frame as the library takes it.
fn message(frame: Frame) -> Message {
    match frame {
        Frame::Text(text) => Message::text(&*text),
        Frame::Binary(bytes) => Message::Binary(bytes),
    }
}

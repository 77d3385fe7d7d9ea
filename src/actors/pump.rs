//! Our own pump between a socket and a WebSocket actor.
//!
//! An actor that is the body of an HTTP response is not polled while its socket is full: no
//! heartbeat, no mailbox, no end. So the socket is taken out of the HTTP dispatcher, and this task
//! polls the actor whatever the socket does. It joins what waits into one
//! write, and keeps no buffer while idle.
//!
//! **Invariant:** a reader that takes nothing for `write_timeout_s` is gone, and costs its neighbours
//! nothing until then.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf as _, Bytes};
use futures_util::Stream;
use tokio::{
    io::{AsyncRead as _, AsyncWrite as _, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::{flow::Flow, inlet::with_scratch, lane::LaneEnd, socket::Socket};
use crate::domain::refusal::Ending;

/// Bytes that may wait for the socket before we stop reading from it: who does not listen is not heard.
const BACKLOG: usize = 256 << 10;
/// Turns of one poll.
const TURNS: usize = 4;
/// Chunks joined into one write.
const CHUNKS: usize = 16;
/// Bytes that a closed connection may still send; more than any frame under way.
const PATIENCE: usize = 4 << 20;
/// How long a closed connection may take to say so too, and how long what came before a loss may take to be read.
const LINGER: Duration = Duration::from_secs(2);

/// The task of one connection.
pub struct Pump<S> {
    socket: Rc<RefCell<Socket>>,
    flow: Rc<Flow>,
    lane: LaneEnd,
    /// The actor, until it is done.
    actor: Option<S>,
    waiting: VecDeque<Bytes>,
    unsent: usize,
    /// Runs while we pause reading, and when the actor is done.
    timer: Option<Pin<Box<Sleep>>>,
    is_shut: bool,
    /// What a closed connection may still send before we stop being polite.
    patience: usize,
    /// Runs from the moment at which the line was lost. What was said before lies in the system and is still read.
    lost: Option<Pin<Box<Sleep>>>,
}

impl<S> std::fmt::Debug for Pump<S> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Pump({} bytes unsent)", self.unsent)
    }
}

impl<S, E> Pump<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    /// A pump for an actor whose output is `actor`. `first` is sent before anything else.
    pub fn new(socket: Rc<RefCell<Socket>>, flow: Rc<Flow>, lane: LaneEnd, first: Bytes, actor: S) -> Self {
        Self {
            socket,
            flow,
            lane,
            actor: Some(actor),
            unsent: first.len(),
            waiting: VecDeque::from([first]),
            timer: None,
            is_shut: false,
            patience: PATIENCE,
            lost: None,
        }
    }

    /// Lets the actor have its turn. Returns false when it is done.
    fn run_actor(&mut self, cx: &mut Context<'_>) -> bool {
        self.flow.begin_turn(self.unsent >= BACKLOG);
        let Some(actor) = &mut self.actor else { return false };
        match Pin::new(actor).poll_next(cx) {
            Poll::Ready(Some(Ok(bytes))) => {
                self.unsent += bytes.len();
                self.waiting.push_back(bytes);
                // There may be more to do; the next turn finds out.
                self.flow.want_more();
                true
            }
            Poll::Ready(Some(Err(_)) | None) => false,
            Poll::Pending => true,
        }
    }

    /// Writes what the socket takes. Returns an error when the connection is beyond help.
    fn write(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.lost.is_some() {
            self.forget_all();
            return Ok(());
        }
        let mut socket = self.socket.borrow_mut();
        while self.unsent > 0 {
            let mut parts = [IoSlice::new(&[]); CHUNKS];
            for (part, chunk) in parts.iter_mut().zip(&self.waiting) {
                *part = IoSlice::new(chunk);
            }
            let count = self.waiting.len().min(CHUNKS);
            match Pin::new(&mut *socket).poll_write_vectored(cx, &parts[..count])? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(written) => {
                    self.unsent -= written;
                    forget(&mut self.waiting, written);
                }
                Poll::Pending => break,
            }
        }
        if self.unsent == 0 {
            // An idle connection keeps no queue.
            self.waiting = VecDeque::new();
            // Only TLS has anything to flush.
            if let Poll::Ready(result) = Pin::new(&mut *socket).poll_flush(cx) {
                result?;
            }
        }
        self.lane.unsent(self.unsent);
        Ok(())
    }

    /// Whether the actor should have another turn at once.
    fn wants_turn(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(until) = self.flow.paused_until() {
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
            if timer.deadline() != until {
                // What came last has cost more than was known when the pause began.
                timer.as_mut().reset(until);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return false;
            }
            self.timer = None;
            self.flow.resume();
            return true;
        }
        self.flow.wants_more() || (self.flow.is_blocked() && self.unsent < BACKLOG)
    }

    /// Nothing can be written. Returns false if there is no point in reading either.
    fn is_lost(&mut self, error: &io::Error, cx: &mut Context<'_>) -> bool {
        let stalled = error.kind() == io::ErrorKind::TimedOut;
        self.flow.give_up(if stalled { Ending::Stalled } else { Ending::Left });
        // What is written from now on goes another way, if it has one; and whoever was not heard because too much
        // waited is heard now.
        self.lane.close();
        self.forget_all();
        self.flow.want_more();
        // Polled once, so that it wakes us.
        let timer = self.lost.insert(Box::pin(sleep_until(Instant::now() + LINGER)));
        !stalled && timer.as_mut().poll(cx).is_pending()
    }

    fn forget_all(&mut self) {
        self.waiting = VecDeque::new();
        self.unsent = 0;
        self.lane.unsent(0);
    }

    /// The actor is done: send what is left, say so, and wait a moment for the other side.
    ///
    /// A socket closed with unread input would make the kernel throw away what we just sent.
    fn linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + LINGER)));
        if timer.as_mut().poll(cx).is_ready() || self.write(cx).is_err() {
            return Poll::Ready(());
        }
        let mut socket = self.socket.borrow_mut();
        if self.unsent == 0 && !self.is_shut {
            match Pin::new(&mut *socket).poll_shutdown(cx) {
                Poll::Ready(Ok(())) => self.is_shut = true,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => {}
            }
        }
        with_scratch(|scratch| {
            for _ in 0..TURNS {
                let mut buffer = ReadBuf::new(scratch);
                match Pin::new(&mut *socket).poll_read(cx, &mut buffer) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(())) if !buffer.filled().is_empty() && self.patience > 0 => {
                        self.patience = self.patience.saturating_sub(buffer.filled().len());
                    }
                    Poll::Ready(_) => return Poll::Ready(()),
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }
}

/// Forgets bytes that were written.
fn forget(waiting: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(chunk) = waiting.front_mut() {
        if chunk.len() > written {
            chunk.advance(written);
            return;
        }
        written -= chunk.len();
        waiting.pop_front();
    }
}

impl<S, E> Future for Pump<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.actor.is_none() {
            return this.linger(cx);
        }
        if this.lost.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(());
        }
        for _ in 0..TURNS {
            let alive = this.run_actor(cx);
            if let Err(error) = this.write(cx)
                && !this.is_lost(&error, cx)
            {
                return Poll::Ready(());
            }
            if !alive {
                // The actor is dropped here, which is what tells the registry. What it read last is dealt with.
                this.actor = None;
                this.flow.has_read_nothing();
                this.timer = None;
                return this.linger(cx);
            }
            if !this.wants_turn(cx) {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

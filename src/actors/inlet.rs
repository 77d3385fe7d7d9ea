//! The actor's way in: reads the socket when the actor is polled, as far as the flow allows, and
//! decodes one frame at a time.
//!
//! The decoder of `actix-web-actors` takes whatever the socket has before it looks at the first frame,
//! and collects a frame whole before it looks at its length. Here a frame that announces too much is
//! refused by its head, a text that can no longer become UTF-8 by its first bad byte, and while a signature
//! is checked what waits is one read; the rest waits at the sender. Reading goes through one scratch buffer
//! per thread, so an idle connection keeps none.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use actix_codec::Decoder as _;
use actix_http::ws::{Codec, Frame, Message};
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use futures_util::Stream;
use tokio::io::{AsyncRead as _, ReadBuf};

use super::{
    flow::Flow,
    socket::Socket,
    websocket::{announced, text_so_far, violation, whole_characters},
};
use crate::domain::refusal::Violation;

/// What one read may bring.
const SCRATCH_BYTES: usize = 64 << 10;

thread_local! {
    /// Where every connection of this thread reads to.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_BYTES]);
}

/// Runs something with the scratch buffer of this thread.
pub fn with_scratch<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    SCRATCH.with_borrow_mut(|scratch| work(scratch))
}

/// Messages of one socket.
pub struct Inlet {
    socket: Rc<RefCell<Socket>>,
    flow: Rc<Flow>,
    codec: Codec,
    /// Read and not decoded; at first, what came in together with the HTTP request.
    held: BytesMut,
    /// So many bytes of a text that is not all here are whole characters.
    whole: usize,
    broken: bool,
}

impl std::fmt::Debug for Inlet {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Inlet({} bytes held)", self.held.len())
    }
}

impl Inlet {
    /// An inlet for a socket. `held` was read already.
    #[must_use]
    pub fn new(socket: Rc<RefCell<Socket>>, flow: Rc<Flow>, held: BytesMut, codec: Codec) -> Self {
        // The size is looked at before the codec sees a frame, because it may grow.
        Self { socket, flow, codec: codec.max_size(usize::MAX), held, whole: 0, broken: false }
    }

    /// The next message in what was read.
    fn decode(&mut self) -> Result<Option<Message>, Violation> {
        if announced(&self.held).is_some_and(|length| length > self.flow.largest_frame().into()) {
            return Err(Violation::TooLarge);
        }
        let Some(frame) = self.codec.decode(&mut self.held).map_err(|error| violation(&error))? else {
            if let Some(text) = text_so_far(&self.held, self.whole) {
                self.whole += whole_characters(&text)?;
            }
            return Ok(None);
        };
        self.whole = 0;
        if self.held.is_empty() {
            // An empty buffer still holds on to its memory.
            self.held = BytesMut::new();
        }
        message(frame).map(Some)
    }

    /// Reads more. Returns false at the end of the stream.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let budget = self.flow.budget();
        if budget == 0 {
            return Poll::Pending;
        }
        with_scratch(|scratch| {
            let size = budget.min(scratch.len());
            let mut buffer = ReadBuf::new(&mut scratch[..size]);
            let result = ready!(Pin::new(&mut *self.socket.borrow_mut()).poll_read(cx, &mut buffer));
            let bytes = buffer.filled();
            self.held.extend_from_slice(bytes);
            self.flow.spend(bytes.len());
            Poll::Ready(result.is_ok() && !bytes.is_empty())
        })
    }
}

fn message(frame: Frame) -> Result<Message, Violation> {
    Ok(match frame {
        Frame::Text(bytes) => Message::Text(ByteString::try_from(bytes).map_err(|_| Violation::NotUtf8)?),
        Frame::Binary(bytes) => Message::Binary(bytes),
        Frame::Continuation(item) => Message::Continuation(item),
        // Control frames are small; a copy lets go of what was read.
        Frame::Ping(bytes) => Message::Ping(Bytes::copy_from_slice(&bytes)),
        Frame::Pong(_) => Message::Pong(Bytes::new()),
        Frame::Close(reason) => Message::Close(reason),
    })
}

impl Stream for Inlet {
    type Item = Result<Message, Violation>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.broken {
                self.flow.has_read_nothing();
                return Poll::Pending;
            }
            if !self.flow.may_read() {
                return Poll::Pending;
            }
            match self.decode() {
                Ok(Some(message)) => return Poll::Ready(Some(Ok(message))),
                Ok(None) => {}
                Err(violation) => {
                    // Whatever follows a broken frame means nothing.
                    self.broken = true;
                    return Poll::Ready(Some(Err(violation)));
                }
            }
            match self.read(cx) {
                Poll::Ready(true) => {}
                end => {
                    self.flow.has_read_nothing();
                    return end.map(|_| None);
                }
            }
        }
    }
}

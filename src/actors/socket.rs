//! A TCP connection, plain or under TLS, together with the place it takes.
//!
//! The place is dropped with the socket, so an address is charged exactly as long as it costs us a
//! file descriptor. The write deadline lives here, too, because whoever takes a long list and whoever
//! takes a large file must both take it: **Invariant:** a peer that accepts nothing for the write
//! timeout while bytes wait for it gets an error of kind `TimedOut`, and with it its end.

use std::{
    future::Future as _,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use awc::BoxedSocket;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};
use tokio_rustls::server::TlsStream;

use super::gate::Place;

/// The bytes' way in and out.
enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// What we dialled ourselves, with TLS or without.
    Dialled(BoxedSocket),
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Tls(_) => "Tls",
            Self::Dialled(_) => "Dialled",
        })
    }
}

/// One connection.
#[derive(Debug)]
pub struct Socket {
    wire: Wire,
    places: [Option<Place>; 2],
    write_timeout: Duration,
    /// Runs while the peer accepts nothing.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    /// A connection without TLS.
    #[must_use]
    pub const fn plain(stream: TcpStream, place: Option<Place>, write_timeout: Duration) -> Self {
        Self { wire: Wire::Plain(stream), places: [place, None], write_timeout, deadline: None }
    }

    /// A connection under TLS.
    #[must_use]
    pub fn tls(stream: TlsStream<TcpStream>, place: Option<Place>, write_timeout: Duration) -> Self {
        Self { wire: Wire::Tls(Box::new(stream)), places: [place, None], write_timeout, deadline: None }
    }

    /// A connection that we opened. It takes no place at the gate.
    #[must_use]
    pub const fn dialled(stream: BoxedSocket, write_timeout: Duration) -> Self {
        Self { wire: Wire::Dialled(stream), places: [None, None], write_timeout, deadline: None }
    }

    /// Turns a peer that takes nothing into an error once its time is over.
    fn watch(&mut self, written: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.deadline = None;
            return written;
        }
        let timeout = self.write_timeout;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(timeout)));
        deadline.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Also takes the place of the client behind a trusted proxy.
    pub fn occupy(&mut self, place: Place) {
        self.places[1] = Some(place);
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Wire::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
            Wire::Dialled(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Wire::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Wire::Dialled(stream) => Pin::new(stream).poll_write(cx, bytes),
        };
        self.watch(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
            Wire::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
            Wire::Dialled(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
        };
        self.watch(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Wire::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Wire::Dialled(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Wire::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Wire::Dialled(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

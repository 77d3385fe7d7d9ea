//! The line through which one server dials another: a small TCP proxy that can be cut and slowed.
//!
//! A cut line behaves as a network that loses everything: sockets stay open, what was written waits,
//! a close or reset at one end is not seen at the other, and a new connection is taken and hears
//! nothing. When the line heals, what waits arrives in order; only connections that were begun and given
//! up during the cut never existed. A refusing line says so at once: open connections are reset, and
//! its port is closed.

mod pipe;

#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinHandle,
};

use self::pipe::carry;
use super::ports::{Reserved, on_loopback};

/// Connections on one line at once. Two servers need one or two.
const CONNECTIONS: usize = 64;
/// How long to wait before asking again for a port or a socket that the system did not give.
const PAUSE: Duration = Duration::from_millis(200);

/// What a line lets pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Passage {
    /// Everything.
    #[default]
    Open,
    /// Nothing, and nobody is told.
    Cut,
    /// Nothing, and everybody is told.
    Refused,
}

/// How a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) passage: Passage,
    /// How much later everything arrives.
    pub(super) delay: Duration,
}

/// A line. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Proxy {
    port: u16,
    line: watch::Sender<Line>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Opens the line to a server, at this port if it is free. Needs a running actix system.
    pub(super) fn open(port: Option<u16>, target: SocketAddr) -> io::Result<Self> {
        let reserved = Reserved::preferably(port)?;
        let port = reserved.port();
        let (line, changes) = watch::channel(Line::default());
        let task = actix_rt::spawn(keep_open(port, reserved.listen()?, target, changes));
        Ok(Self { port, line, task })
    }

    /// Where it is dialled.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// How it is.
    pub(super) fn line(&self) -> Line {
        *self.line.borrow()
    }

    /// Changes how it is, from now on.
    pub(super) fn change(&self, change: impl FnOnce(&mut Line)) {
        self.line.send_modify(change);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes connections whenever the line is not refused.
async fn keep_open(
    port: u16,
    mut listener: TcpListener,
    target: SocketAddr,
    mut changes: watch::Receiver<Line>,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let place = Arc::clone(&room).acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        tokio::select! {
            (accepted, place) = accepted => match accepted {
                Ok((near, _)) => {
                    let changes = changes.clone();
                    actix_rt::spawn(async move {
                        serve(near, target, changes).await;
                        drop(place);
                    });
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            refused = becomes(&mut changes, |passage| passage == Passage::Refused) => {
                if refused.is_err() {
                    return;
                }
                drop(listener);
                let Some(again) = closed(port, &mut changes).await else { return };
                listener = again;
            }
        }
    }
}

/// Waits until the line is as wished.
///
/// # Errors
/// There is no line any more.
async fn becomes(changes: &mut watch::Receiver<Line>, wish: impl Fn(Passage) -> bool) -> io::Result<()> {
    let reached = changes.wait_for(|line| wish(line.passage)).await;
    reached.map(drop).map_err(|_| io::ErrorKind::ConnectionAborted.into())
}

/// Keeps the port shut until the line is refused no more; nothing if the line is gone.
async fn closed(port: u16, changes: &mut watch::Receiver<Line>) -> Option<TcpListener> {
    let held = Reserved::exactly(port).ok();
    becomes(changes, |passage| passage != Passage::Refused).await.ok()?;
    drop(held);
    loop {
        match Reserved::exactly(port).and_then(Reserved::listen) {
            Ok(listener) => return Some(listener),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// One connection, from its beginning to its end.
async fn serve(mut near: TcpStream, target: SocketAddr, changes: watch::Receiver<Line>) {
    let mut far = None;
    let mut watched = changes.clone();
    let outcome = tokio::select! {
        outcome = carry(&mut near, &mut far, target, changes) => outcome,
        _ = becomes(&mut watched, |passage| passage == Passage::Refused) => {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    };
    if outcome.is_err() {
        // With zero linger a close becomes a reset.
        for socket in [Some(near), far].into_iter().flatten() {
            let _ = socket.set_zero_linger();
        }
    }
}

/// Where a line at this port leads from: what a server dials.
pub(super) fn url(port: u16) -> String {
    format!("ws://{}", on_loopback(port))
}

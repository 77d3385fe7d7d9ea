//! How it ends: the reasons, and the order of closing.

use std::{
    io::{self, Read as _},
    time::Duration,
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc::{UnboundedReceiver, UnboundedSender},
};

use crate::{
    actors::{
        archivist::{Flush, Flushed},
        keeper::FlushOffline,
        neighbourhood,
        registry::{Count, Drain},
        rendezvous,
    },
    http::{site::Site, tls::Tls},
    telemetry,
};

/// How long the last close frames may take after the last connection left the map.
const FAREWELL: Duration = Duration::from_secs(3);

/// What an end may take beyond all that it has to wait for, before a process that nobody looks after is ended by force.
const GRACE: Duration = Duration::from_secs(10);

/// Ends this process when its standard input closes: whoever held the other end wants it to, or is gone.
///
/// The pipe is closed by the kernel whatever way its holder dies, so a server that was started this way
/// never outlives the one that started it. `longest`: how long giving the home away and draining may take.
pub(super) fn with_standard_input(stop: UnboundedSender<()>, longest: Duration) {
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        let mut scrap = [0; 512];
        loop {
            match input.read(&mut scrap) {
                Ok(0) => break,
                Err(error) if error.kind() != io::ErrorKind::Interrupted => break,
                _ => {}
            }
        }
        // Fails if the process is closing already.
        let _ = stop.send(());
        std::thread::sleep(longest + FAREWELL + GRACE);
        tracing::error!("closing takes too long; nobody is left who would wait");
        telemetry::exit(1);
    });
}

/// Why the process should end: a signal, or a wish of the admin API. Listened for before anything is ready, so
/// that none is missed.
pub(super) struct End {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    stopped: UnboundedReceiver<()>,
}

impl End {
    pub(super) fn listen(stopped: UnboundedReceiver<()>) -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            stopped,
        })
    }

    /// Returns when the process should end. Nothing is lost if this is given up and asked again.
    pub(super) async fn comes(&mut self, tls: Option<&Tls>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
                _ = self.stopped.recv() => break,
                _ = self.hang_up.recv() => match tls.map(Tls::reload) {
                    None => tracing::info!("nothing to reload: the main door speaks no TLS"),
                    Some(Ok(())) => tracing::info!("the certificate was read again"),
                    Some(Err(error)) => tracing::error!(%error, "the old certificate stays"),
                },
            }
        }
    }

    /// From now on a signal ends the process at once: who asks twice does not want to wait.
    pub(super) fn has_come(mut self) {
        actix_rt::spawn(async move {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            telemetry::exit(1);
        });
    }
}

/// Tells everybody, waits for them, and writes down what is left to write.
pub(super) async fn close(site: &Site, span: Duration) {
    let house = &site.house;
    let told = house.registry.send(Drain(span)).await;
    // Its clients keep what links they have, and come back when it does.
    house.rendezvous.do_send(rendezvous::Close);
    if told.is_err() {
        tracing::error!("the connection map does not answer");
    }
    let deadline = tokio::time::Instant::now() + span + FAREWELL;
    while tokio::time::Instant::now() < deadline {
        let present = house.registry.send(Count).await.unwrap_or(0);
        if present == 0 && house.gate.connections() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // What cannot be written was logged.
    let _ = house.neighbourhood.send(neighbourhood::Written).await;
    flush(async || site.archivist.send(Flush).await).await;
    if let Some(keeper) = &site.keeper {
        flush(async || keeper.send(FlushOffline).await).await;
    }
    site.store.close().await;
}

/// Has everything written that waits for it, and says whether it is.
pub(super) async fn flush(write: impl AsyncFn() -> Result<Flushed, actix::MailboxError>) -> bool {
    loop {
        match write().await {
            Ok(Flushed::Whole) => return true,
            Ok(Flushed::Partly) => tokio::time::sleep(Duration::from_millis(5)).await,
            Ok(Flushed::Failed) | Err(_) => {
                tracing::error!("the last records could not be written");
                return false;
            }
        }
    }
}

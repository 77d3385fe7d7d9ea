//! The line to the rendezvous: it says where we listen, once and at once, and hears who else is there.
//!
//! **Invariant:** to a server that has not shown that it is of the newer kind nothing is ever sent but the registration, in one
//! piece, the moment the connection is there. The first servers take anything else for an address, and fall over while
//! somebody is connected who has not registered.

use std::{io, net::IpAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{
    dial::dial_name,
    hub::{Inner, WRITE_PATIENCE},
};
use crate::{
    dialect::rendezvous::{
        LIST_QUIET,
        line::Line,
        server::{FromServer, Heard},
    },
    domain::endpoint::Endpoint,
};

/// One read.
const READ_BYTES: usize = 8 << 10;

/// What comes of the line.
#[derive(Debug)]
pub(super) enum Rendezvous {
    /// We are registered.
    Registered,
    /// It says something.
    Heard(Heard),
    /// It is gone, or was not reached.
    Lost(io::Error),
}

/// One life of the line.
pub(super) struct Post {
    pub(super) life: u64,
    pub(super) name: String,
    pub(super) me: Endpoint,
    pub(super) from: Option<IpAddr>,
    pub(super) hub: mpsc::Sender<Inner>,
    pub(super) to: mpsc::Receiver<Line>,
}

impl Post {
    /// Holds the line until it is lost.
    pub(super) async fn run(mut self) {
        if let Err(error) = self.hold().await {
            let _ = self.tell(Rendezvous::Lost(error)).await;
        }
    }

    async fn hold(&mut self) -> io::Result<()> {
        let mut stream = dial_name(&self.name, self.from).await?;
        stream.write_all(self.me.to_string().as_bytes()).await?;
        self.tell(Rendezvous::Registered).await?;
        let (mut reader, mut writer) = stream.split();
        let (mut bytes, mut parser, mut heard) = (vec![0; READ_BYTES], FromServer::default(), Vec::new());
        loop {
            let waits = parser.waits_for_quiet();
            tokio::select! {
                count = reader.read(&mut bytes) => match count? {
                    0 => {
                        parser.end(&mut heard);
                        self.pass_on(&mut heard).await?;
                        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it has hung up"));
                    }
                    count => parser.push(bytes.get(..count).unwrap_or_default(), &mut heard),
                },
                () = sleep(LIST_QUIET), if waits => parser.quiet(&mut heard),
                line = self.to.recv() => {
                    // Nobody wants the line any more.
                    let Some(line) = line else { return Ok(()) };
                    timeout(WRITE_PATIENCE, writer.write_all(&line.bytes())).await??;
                }
            }
            self.pass_on(&mut heard).await?;
        }
    }

    async fn pass_on(&self, heard: &mut Vec<Heard>) -> io::Result<()> {
        for one in heard.drain(..) {
            self.tell(Rendezvous::Heard(one)).await?;
        }
        Ok(())
    }

    async fn tell(&self, what: Rendezvous) -> io::Result<()> {
        let told = self.hub.send(Inner::Rendezvous(self.life, what)).await;
        told.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody listens"))
    }
}

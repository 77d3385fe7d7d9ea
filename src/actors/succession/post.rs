//! Asking the other nodes: one connection, one question, one answer.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, ToSocketAddrs},
    time::timeout,
};

use super::driver::Postman;
use crate::{
    actors::clock::unix_ms,
    crypto::home::HomeKey,
    dialect::succession::{MOST_BYTES, open_reply, seal_ask, utc},
    domain::succession::{
        home::{Home, Seat},
        message::{Ask, Failure, Reply},
        sequence::Sequence,
    },
};

/// Numbers its questions, so that no other node takes one of them twice.
pub(super) struct Post {
    key: Arc<HomeKey>,
    home: Home,
    run: u64,
    count: AtomicU64,
    /// How long a connection may take; all together may take twice as long.
    patience: Duration,
}

impl Post {
    pub(super) fn new(key: Arc<HomeKey>, home: Home, run: u64, patience: Duration) -> Self {
        Self { key, home, run, count: AtomicU64::new(0), patience }
    }
}

impl Postman for Post {
    async fn ask(&self, seat: Seat, ask: Ask) -> Result<Reply, Failure> {
        let member = self.home.member(seat).ok_or(Failure::NoSuchName)?;
        let sequence = Sequence { run: self.run, count: self.count.fetch_add(1, Ordering::Relaxed) + 1 };
        let sealed = seal_ask(&ask, sequence, &utc(unix_ms()), &self.key);
        let answer = exchange(&*member.address, &sealed.text, self.patience).await?;
        open_reply(&answer, &sealed.mark, &self.key).map_err(Failure::from)
    }
}

/// Asks a question of whoever listens there. Connecting and talking may each take as long as `patience`.
pub(super) async fn exchange(
    address: impl ToSocketAddrs,
    question: &str,
    patience: Duration,
) -> Result<Vec<u8>, Failure> {
    let mut stream = timeout(patience, connect(address)).await.map_err(|_| Failure::TimedOut)??;
    let talk = async {
        stream.write_all(question.as_bytes()).await?;
        // What programs of the first form wait for.
        stream.shutdown().await?;
        let mut answer = Vec::new();
        let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        stream.take(most).read_to_end(&mut answer).await?;
        Ok(answer)
    };
    match timeout(patience, talk).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(failure(&error)),
        Err(_) => Err(Failure::TimedOut),
    }
}

async fn connect(address: impl ToSocketAddrs) -> Result<TcpStream, Failure> {
    let mut found = tokio::net::lookup_host(address).await.map_err(|_| Failure::NoSuchName)?;
    let address = found.next().ok_or(Failure::NoSuchName)?;
    TcpStream::connect(address).await.map_err(|error| failure(&error))
}

fn failure(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Failure::Refused,
        io::ErrorKind::TimedOut => Failure::TimedOut,
        _ => Failure::Reset,
    }
}

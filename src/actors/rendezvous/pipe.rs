//! One socket of the rendezvous: read in pieces, written in segments, and bounded in both directions.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc::{Receiver, Sender, channel},
    time::{sleep, timeout},
};

use super::{Connected, Gone, Spoken};
use crate::{
    actors::{gate::Place, house::House},
    dialect::rendezvous::{
        REGISTRATION_QUIET,
        client::{FromClient, Said},
    },
    domain::{id::ConnectionId, limits::seconds, rate::Bucket},
};

/// Writes that may wait for one socket. The largest is a directory of thousands, and there is one in flight.
const WAITING: usize = 32;
/// Bytes that are read at once.
const PIECE: usize = 4096;
/// How long a socket that was told goodbye may take to close its own side, so that it has read it.
const LINGER: Duration = Duration::from_secs(2);

/// The way to one socket. Dropping it ends the socket once everything before was written.
#[derive(Debug)]
pub(super) struct Pipe(Sender<Bytes>);

impl Pipe {
    /// Whether there was room.
    pub(super) fn offer(&self, bytes: Bytes) -> bool {
        self.0.try_send(bytes).is_ok()
    }
}

/// What a socket needs to live.
pub(super) struct Terms {
    pub(super) socket: ConnectionId,
    pub(super) from: SocketAddr,
    pub(super) place: Place,
    pub(super) house: Arc<House>,
}

/// Serves one socket to its end.
pub(super) async fn serve(stream: TcpStream, terms: Terms) {
    let (pipe, waiting) = channel(WAITING);
    let Terms { socket, from, place, house } = terms;
    // Two lists in one segment are one for the first clients.
    let _ = stream.set_nodelay(true);
    let (input, output) = stream.into_split();
    if house.rendezvous.send(Connected { socket, from, pipe: Pipe(pipe) }).await.is_err() {
        return;
    }
    let mut listening = std::pin::pin!(listen(input, socket, from, &house));
    let written = write(waiting, output, seconds(house.limits.write_timeout_s));
    tokio::select! {
        () = &mut listening => {}
        () = written => {
            let _ = timeout(LINGER, listening).await;
        }
    }
    house.rendezvous.do_send(Gone(socket));
    drop(place);
}

/// Reads until nothing comes any more.
async fn listen(mut input: OwnedReadHalf, socket: ConnectionId, from: SocketAddr, house: &House) {
    let limits = &house.limits;
    let mut reader = FromClient::default();
    let mut said = Vec::new();
    let mut frames = Bucket::new(limits.frames_per_second, limits.frames_burst);
    let mut piece = vec![0; PIECE];
    loop {
        let read = if reader.waits_for_quiet() {
            timeout(REGISTRATION_QUIET, input.read(&mut piece)).await.ok()
        } else {
            Some(input.read(&mut piece).await)
        };
        let is_over = match read {
            None => {
                reader.quiet(&mut said);
                false
            }
            Some(Ok(length)) if length > 0 => {
                reader.push(piece.get(..length).unwrap_or_default(), &mut said);
                false
            }
            Some(_) => {
                reader.end(&mut said);
                true
            }
        };
        for one in said.drain(..) {
            // Who says more than it may is read more slowly.
            sleep(frames.charge(1, house.clock.now())).await;
            // Each registration goes out to everybody.
            if matches!(one, Said::Registration { .. })
                && let Err(refusal) = house.gate.hello(from.ip())
            {
                house.tally.refusal(refusal);
                return;
            }
            if house.rendezvous.send(Spoken(socket, one)).await.is_err() {
                return;
            }
        }
        if is_over {
            return;
        }
    }
}

/// Writes what comes, each piece in a segment of its own as far as the system lets it, until there is no more.
async fn write(mut waiting: Receiver<Bytes>, mut output: OwnedWriteHalf, patience: Duration) {
    while let Some(bytes) = waiting.recv().await {
        match timeout(patience, output.write_all(&bytes)).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
    let _ = output.shutdown().await;
}

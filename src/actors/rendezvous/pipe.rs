//! One socket of the rendezvous: read in pieces, written in segments, and bounded in both directions.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, Interest},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc::{Receiver, Sender, channel},
    time::{sleep, timeout},
};

use super::{Connected, Gone, ListensOnly, Spoken};
use crate::{
    actors::{gate::Place, house::House},
    dialect::rendezvous::{
        REGISTRATION_QUIET,
        client::{FromClient, Said},
        line::Line,
    },
    domain::{id::ConnectionId, limits::seconds, rate::Bucket},
};

/// Writes that may wait for one socket. The largest is a directory of thousands, and there is one in flight.
const WAITING: usize = 32;
/// Bytes that are read at once.
const PIECE: usize = 4096;
/// How long a socket that was told goodbye may take to close its own side, so that it has read it.
const LINGER: Duration = Duration::from_secs(2);
/// How long after its registration a socket that closes its own side may only have ended that.
const WITH_IT: Duration = Duration::from_secs(1);

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
    let mut writing = std::pin::pin!(write(waiting, output, seconds(house.limits.write_timeout_s)));
    tokio::select! {
        end = &mut listening => if end == End::OfItsSide {
            house.rendezvous.do_send(ListensOnly(socket));
            writing.await;
        },
        () = &mut writing => {
            let _ = timeout(LINGER, listening).await;
        }
    }
    house.rendezvous.do_send(Gone(socket));
    drop(place);
}

/// Why nothing is read any more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The socket is over.
    OfAll,
    /// Whoever has just registered has closed its own side, which may be how its registration ends. It may still read; the
    /// network tells that apart from the end of all only when it is sent something.
    OfItsSide,
}

/// Reads until nothing comes any more.
async fn listen(mut input: OwnedReadHalf, socket: ConnectionId, from: SocketAddr, house: &House) -> End {
    let limits = &house.limits;
    let mut reader = FromClient::default();
    let mut said = Vec::new();
    let mut frames = Bucket::new(limits.frames_per_second, limits.frames_burst);
    let mut piece = vec![0; PIECE];
    let (mut registered, mut is_node) = (None, false);
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
            Some(Ok(_)) => {
                reader.end(&mut said);
                true
            }
            Some(Err(_)) => return End::OfAll,
        };
        for one in said.drain(..) {
            if matches!(one, Said::Registration { .. }) {
                registered = Some(house.clock.now());
            }
            is_node |= one == Said::Line(Line::Node);
            // Who says more than it may is read more slowly.
            sleep(frames.charge(1, house.clock.now())).await;
            // Each registration goes out to everybody.
            if matches!(one, Said::Registration { .. })
                && let Err(refusal) = house.gate.hello(from.ip())
            {
                house.tally.refusal(refusal);
                return End::OfAll;
            }
            if house.rendezvous.send(Spoken(socket, one)).await.is_err() {
                return End::OfAll;
            }
        }
        if is_over {
            let end_of_registration = |at| house.clock.now().saturating_sub(at) < WITH_IT;
            // Nodes close when they leave, and so does whoever registered long ago.
            let may_listen = !is_node && registered.is_some_and(end_of_registration);
            return if may_listen { End::OfItsSide } else { End::OfAll };
        }
    }
}

/// Writes what comes, each piece in a segment of its own as far as the system lets it, until there is no more or the other
/// end takes no more.
async fn write(mut waiting: Receiver<Bytes>, mut output: OwnedWriteHalf, patience: Duration) {
    loop {
        let bytes = tokio::select! {
            bytes = waiting.recv() => bytes,
            _ = output.ready(Interest::ERROR) => return,
        };
        let Some(bytes) = bytes else { break };
        match timeout(patience, output.write_all(&bytes)).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
    let _ = output.shutdown().await;
}

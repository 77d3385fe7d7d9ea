//! What happens to the bytes of one connection: they wait their delay, in order, and pass while the
//! line is open.

use std::{io, net::SocketAddr};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use super::{Line, Passage, becomes};

/// The most that is read at once.
const CHUNK: usize = 16 << 10;
/// Chunks on their way in one direction: with them, 1 MiB waits at most, then its writer does.
const CHUNKS: usize = 64;

/// Carries a connection to its target until both ends are done with it.
///
/// # Errors
/// It broke at either end, or the line was taken away.
pub(super) async fn carry(
    near: &mut TcpStream,
    far: &mut Option<TcpStream>,
    target: SocketAddr,
    mut changes: watch::Receiver<Line>,
) -> io::Result<()> {
    let Some(early) = wait_at_the_door(near, &mut changes).await? else { return Ok(()) };
    let far = far.insert(TcpStream::connect(target).await?);
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (near_in, near_out) = near.split();
    let (far_in, far_out) = far.split();
    tokio::try_join!(
        one_way(near_in, far_out, early, changes.clone()),
        one_way(far_in, near_out, Bytes::new(), changes),
    )?;
    Ok(())
}

/// Waits until the line is open, with what was said meanwhile; nothing if the one who dialled has given
/// up, who is then as if never there.
async fn wait_at_the_door(
    near: &mut TcpStream,
    changes: &mut watch::Receiver<Line>,
) -> io::Result<Option<Bytes>> {
    let mut early = BytesMut::new();
    let opened = is_open(changes);
    tokio::pin!(opened);
    loop {
        tokio::select! {
            biased;
            outcome = &mut opened => return outcome.map(|()| Some(early.freeze())),
            read = near.read_buf(&mut early), if early.len() < CHUNK => match read {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Ok(None),
            },
        }
    }
}

/// Returns when the line is open.
async fn is_open(changes: &mut watch::Receiver<Line>) -> io::Result<()> {
    becomes(changes, |passage| passage == Passage::Open).await
}

/// Carries the bytes of one direction, and its end.
async fn one_way(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    early: Bytes,
    mut changes: watch::Receiver<Line>,
) -> io::Result<()> {
    let (queue, mut waiting) = mpsc::channel(CHUNKS);
    let mut line = changes.clone();
    let reading = async move {
        let mut due = Instant::now();
        let mut early = Some(early).filter(|early| !early.is_empty());
        loop {
            let next = match early.take() {
                Some(early) => early,
                None => read(&mut from, &mut line).await?,
            };
            let is_end = next.is_empty();
            // A delay that was made shorter never lets what comes later arrive earlier.
            due = due.max(Instant::now() + line.borrow().delay);
            if queue.send((due, next)).await.is_err() || is_end {
                return Ok(());
            }
        }
    };
    let writing = async move {
        while let Some((due, chunk)) = waiting.recv().await {
            sleep_until(due).await;
            is_open(&mut changes).await?;
            if chunk.is_empty() {
                break;
            }
            to.write_all(&chunk).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(reading, writing)?;
    Ok(())
}

/// What comes next; nothing at the end.
async fn read(from: &mut ReadHalf<'_>, line: &mut watch::Receiver<Line>) -> io::Result<Bytes> {
    let mut buffer = BytesMut::with_capacity(CHUNK);
    match from.read_buf(&mut buffer).await {
        Ok(_) => Ok(buffer.freeze()),
        Err(error) => {
            // Not even a broken socket is known behind a cut.
            is_open(line).await?;
            Err(error)
        }
    }
}

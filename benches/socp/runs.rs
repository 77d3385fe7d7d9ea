//! A crowd of sockets, and what it costs to send letters through it.

use std::{
    cell::{Cell, RefCell},
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{
    io::AsyncWriteExt as _,
    net::tcp::{OwnedReadHalf, OwnedWriteHalf},
    sync::Notify,
    task::{JoinHandle, spawn_local},
    time::timeout,
};

use crate::{
    server::{Server, own_cpu_s},
    wire::{Tape, open},
};

/// How the types of frames begin that are counted.
pub(crate) mod mark {
    /// `ACK`, of a hello.
    pub(crate) const WELCOME: u8 = b'A';
    /// `USER_ADVERTISE` while people come, `USER_DELIVER` while they write.
    pub(crate) const USER: u8 = b'U';
    /// `MSG_PUBLIC_CHANNEL`.
    pub(crate) const PUBLIC: u8 = b'M';
    /// `SERVER_WELCOME` and what else servers hear of each other.
    pub(crate) const SERVER: u8 = b'S';
    /// `HEARTBEAT`.
    pub(crate) const HEARTBEAT: u8 = b'H';
}

/// How long anything may take to arrive.
const PATIENCE: Duration = Duration::from_secs(40);
/// What counts as quiet.
const PAUSE: Duration = Duration::from_millis(300);

/// What all sockets have heard.
struct Board {
    seen: RefCell<[u64; 128]>,
    scratch: RefCell<Vec<u8>>,
    closed: Cell<u64>,
    news: Notify,
}

/// Sockets that are read all the time.
pub(crate) struct Crowd {
    board: Rc<Board>,
    readers: Vec<JoinHandle<()>>,
    writers: Vec<OwnedWriteHalf>,
}

impl Crowd {
    pub(crate) fn new() -> Self {
        let (seen, scratch) = (RefCell::new([0; 128]), RefCell::new(vec![0; 64 << 10]));
        let board = Rc::new(Board { seen, scratch, closed: Cell::new(0), news: Notify::new() });
        Self { board, readers: Vec::new(), writers: Vec::new() }
    }

    /// Opens a socket and says hello on it.
    pub(crate) async fn enter(&mut self, server: &Server, hello: &[u8]) -> io::Result<()> {
        let (read, mut write) = open(server.address).await?.into_split();
        write.write_all(hello).await?;
        self.readers.push(spawn_local(listen(read, Rc::clone(&self.board))));
        self.writers.push(write);
        Ok(())
    }

    pub(crate) fn count(&self, mark: u8) -> u64 {
        self.board.seen.borrow()[usize::from(mark)]
    }

    /// Waits until so many frames have been heard; says how many are missing after a while.
    pub(crate) async fn until(&self, mark: u8, count: u64) -> u64 {
        let waiting = async {
            while self.count(mark) < count {
                self.board.news.notified().await;
            }
        };
        let _ = timeout(PATIENCE, waiting).await;
        count.saturating_sub(self.count(mark))
    }

    /// Waits until nothing is heard any more.
    pub(crate) async fn quiet(&self) {
        while timeout(PAUSE, self.board.news.notified()).await.is_ok() {}
        assert_eq!(self.board.closed.get(), 0, "the server hung up");
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for reader in &self.readers {
            reader.abort();
        }
    }
}

async fn listen(stream: OwnedReadHalf, board: Rc<Board>) {
    let mut tape = Tape::default();
    while stream.readable().await.is_ok() {
        let mut scratch = board.scratch.borrow_mut();
        match stream.try_read(&mut scratch) {
            Ok(0) => break,
            Ok(count) => tape.feed(&scratch[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(_) => break,
        }
        for (mark, seen) in (0..).zip(board.seen.borrow_mut().iter_mut()) {
            *seen += tape.count(mark);
        }
        tape = tape.recounting();
        board.news.notify_one();
    }
    board.closed.set(board.closed.get() + 1);
}

/// Signatures of the server since it started.
#[derive(Clone, Copy)]
pub(crate) struct Made {
    /// Made.
    pub(crate) fresh: f64,
    /// Made before, and used again.
    pub(crate) kept: f64,
}

impl Made {
    pub(crate) fn so_far(server: &Server) -> Self {
        let of = |kept| server.metric(&format!("kith_signatures_made_total{{kept=\"{kept}\"}}"));
        Self { fresh: of("no"), kept: of("yes") }
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self { fresh: self.fresh - before.fresh, kept: self.kept - before.kept }
    }
}

/// What a run cost.
pub(crate) struct Cost {
    /// From the first letter to the last delivery.
    pub(crate) span_s: f64,
    /// Frames that reached somebody.
    pub(crate) frames: u64,
    /// Frames that did not.
    pub(crate) missing: u64,
    /// Signatures of the server.
    pub(crate) made: Made,
    /// CPU seconds of the server and of the load generator.
    pub(crate) cpu: (f64, f64),
}

/// How letters go out.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    /// How the type begins of what arrives.
    pub(crate) mark: u8,
    /// How many hear each.
    pub(crate) copies: u64,
    /// How many may be on their way.
    pub(crate) window: u64,
}

/// Sends letters, each from the socket of its number, and waits until everybody has them.
pub(crate) async fn send(server: &Server, crowd: &mut Crowd, letters: &[(usize, Bytes)], way: Way) -> Cost {
    crowd.quiet().await;
    let Way { mark, copies, window } = way;
    let (before, heard) = (Made::so_far(server), crowd.count(mark));
    let (server_s, client_s, started) = (server.cpu_s(), own_cpu_s(), Instant::now());
    let mut sent = 0;
    for (from, letter) in letters {
        if crowd.until(mark, heard + (sent * copies + copies).saturating_sub(window * copies)).await > 0 {
            break;
        }
        crowd.writers[*from].write_all(letter).await.expect("a server that listens");
        sent += 1;
    }
    let missing = crowd.until(mark, heard + sent * copies).await;
    let span_s = started.elapsed().as_secs_f64();
    let cpu = (server.cpu_s() - server_s, own_cpu_s() - client_s);
    crowd.quiet().await;
    let made = Made::so_far(server).since(before);
    Cost { span_s, frames: crowd.count(mark) - heard, missing, made, cpu }
}

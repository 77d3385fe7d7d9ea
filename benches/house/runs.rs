//! The measurements: each opens its own connections, and closes them when it is done.

use std::{
    cell::{Cell, RefCell},
    io,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::{JoinHandle, JoinSet, spawn_local},
    time::{sleep, timeout},
};

use crate::{
    client::{LETTER, Person, join},
    server::{Server, own_cpu_s},
    wire::{Tape, open},
};

/// How long a run may wait for what is still on its way.
const PATIENCE: Duration = Duration::from_secs(20);
/// A client's goodbye.
pub(crate) const CLOSE: [u8; 8] = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8];
/// A frame that makes the server say goodbye: the end of a message without a beginning.
pub(crate) const BROKEN: [u8; 6] = [0x80, 0x80, 0, 0, 0, 0];
/// Connections that are opened at the same time.
const AT_ONCE: usize = 32;

/// What several tasks of one run share.
#[derive(Default)]
struct Board {
    sent: RefCell<Vec<Instant>>,
    waits_us: RefCell<Vec<u32>>,
    received: Cell<u64>,
    scratch: RefCell<Vec<u8>>,
}

/// Opens connections that say nothing.
pub(crate) async fn open_many(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut streams = Vec::with_capacity(count);
    let mut opening: JoinSet<io::Result<_>> = JoinSet::new();
    for _ in 0..count {
        if opening.len() >= AT_ONCE {
            streams
                .extend(opening.join_next().await.map(|stream| stream.expect("no panic").expect("a place")));
        }
        opening.spawn_local(open(address));
    }
    streams.extend(opening.join_all().await.into_iter().map(|stream| stream.expect("a place")));
    streams
}

/// Opens connections that say hello, and waits until each has seen its first list.
pub(crate) async fn join_many(address: SocketAddr, hellos: Vec<Bytes>) -> Vec<(TcpStream, Tape)> {
    let mut streams = Vec::with_capacity(hellos.len());
    let mut joining: JoinSet<io::Result<_>> = JoinSet::new();
    for hello in hellos {
        if joining.len() >= AT_ONCE {
            streams
                .extend(joining.join_next().await.map(|stream| stream.expect("no panic").expect("a place")));
        }
        joining.spawn_local(async move { join(address, &hello).await });
    }
    streams.extend(joining.join_all().await.into_iter().map(|stream| stream.expect("a place")));
    streams
}

/// One hello for each of so many connections; people take turns.
pub(crate) fn hellos(people: &[Person], count: usize) -> Vec<Bytes> {
    people.iter().cycle().take(count).map(Person::hello).collect()
}

/// Readers and one sender.
pub(crate) struct Crowd {
    board: Rc<Board>,
    readers: Vec<JoinHandle<()>>,
    sender: TcpStream,
    tape: Tape,
}

impl Crowd {
    /// `count` members, the sender included.
    pub(crate) async fn gather(address: SocketAddr, people: &[Person], count: usize) -> Self {
        let mut streams = join_many(address, hellos(people, count - 1)).await;
        streams.extend(join_many(address, vec![people[0].hello()]).await);
        // What the newcomers set off must not be measured.
        sleep(Duration::from_millis(300)).await;
        let (sender, tape) = streams.pop().expect("a sender");
        let board = Rc::new(Board { scratch: RefCell::new(vec![0; 64 << 10]), ..Board::default() });
        let listen = |(stream, tape)| spawn_local(listen(stream, tape, Rc::clone(&board)));
        let readers = streams.into_iter().map(listen).collect();
        Self { readers, sender, tape: tape.recounting(), board }
    }

    fn members(&self) -> u64 {
        self.readers.len() as u64 + 1
    }

    /// Reads what is there for the sender; waits for it if `wait`.
    async fn hear(&mut self, wait: bool) -> io::Result<()> {
        if wait {
            self.sender.readable().await?;
        }
        let before = self.tape.count(LETTER);
        read_some(&self.sender, &mut self.tape, &self.board)?;
        self.board.note(before, self.tape.count(LETTER));
        Ok(())
    }

    /// Waits until everybody has heard every letter; says how many deliveries are missing.
    async fn settle(&mut self, letters: u64) -> u64 {
        let all = letters * self.members();
        let started = Instant::now();
        while self.board.received.get() < all && started.elapsed() < PATIENCE {
            if timeout(Duration::from_millis(1), self.hear(true)).await.is_ok_and(|heard| heard.is_err()) {
                break;
            }
        }
        all - self.board.received.get()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for reader in &self.readers {
            reader.abort();
        }
    }
}

impl Board {
    /// Letters of these numbers have just arrived.
    fn note(&self, from: u64, to: u64) {
        if to == from {
            return;
        }
        let (now, sent) = (Instant::now(), self.sent.borrow());
        self.received.set(self.received.get() + to - from);
        let range = usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0);
        let waits = sent.get(range).into_iter().flatten();
        let waits = waits.map(|sent| u32::try_from((now - *sent).as_micros()).unwrap_or(u32::MAX));
        self.waits_us.borrow_mut().extend(waits);
    }
}

fn read_some(stream: &TcpStream, tape: &mut Tape, board: &Board) -> io::Result<()> {
    let mut scratch = board.scratch.borrow_mut();
    match stream.try_read(&mut scratch) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(count) => {
            tape.feed(&scratch[..count]);
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error),
    }
}

async fn listen(stream: TcpStream, tape: Tape, board: Rc<Board>) {
    let mut tape = tape.recounting();
    while stream.readable().await.is_ok() {
        let before = tape.count(LETTER);
        if read_some(&stream, &mut tape, &board).is_err() {
            return;
        }
        board.note(before, tape.count(LETTER));
    }
}

/// So many waits in a hundred, which are in order, are no longer than this.
pub(crate) fn percentile_ms(waits_us: &[u32], percent: usize) -> f64 {
    let at = waits_us.len().saturating_sub(1) * percent / 100;
    waits_us.get(at).map_or(f64::NAN, |wait| f64::from(*wait) / 1000.0)
}

/// How long it takes from a frame that ends a connection to the end of the server's stream, while our end
/// stays open: microseconds, in order.
pub(crate) async fn closes(address: SocketAddr, last: &[u8], count: usize) -> io::Result<Vec<u32>> {
    let mut waits_us = Vec::with_capacity(count);
    let mut heard = Vec::new();
    for _ in 0..count {
        let mut stream = open(address).await?;
        let asked = Instant::now();
        stream.write_all(last).await?;
        stream.read_to_end(&mut heard).await?;
        waits_us.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    waits_us.sort_unstable();
    Ok(waits_us)
}

/// What a run cost.
pub(crate) struct Cost {
    /// Frames that reached a reader.
    pub(crate) deliveries: u64,
    /// Frames that did not.
    pub(crate) missing: u64,
    /// From the first letter to the last delivery.
    pub(crate) span_s: f64,
    /// CPU seconds of the server.
    pub(crate) server_s: f64,
    /// CPU seconds of the load generator.
    pub(crate) client_s: f64,
    /// How long letters took, in microseconds, in order.
    pub(crate) waits_us: Vec<u32>,
}

impl Cost {
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        percentile_ms(&self.waits_us, percent)
    }
}

/// How letters are sent.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// So many may be on their way; the next one waits for an echo.
    Window(u64),
    /// So many a second, whatever happens.
    PerSecond(f64),
}

/// Sends letters to a crowd and waits until everybody has them.
pub(crate) async fn send(server: &Server, mut crowd: Crowd, letters: &[Bytes], pace: Pace) -> Cost {
    let (server_s, client_s, started) = (server.cpu_s(), own_cpu_s(), Instant::now());
    let mut at = 0;
    while at < letters.len() {
        let due = match pace {
            Pace::Window(window) => crowd.tape.count(LETTER) + window,
            Pace::PerSecond(rate) => (started.elapsed().as_secs_f64() * rate) as u64 + 1,
        };
        let until = letters.len().min(usize::try_from(due).unwrap_or(usize::MAX));
        if until > at {
            let batch = letters[at..until].concat();
            crowd.board.sent.borrow_mut().extend((at..until).map(|_| Instant::now()));
            crowd.sender.write_all(&batch).await.expect("a server that listens");
            at = until;
        }
        match pace {
            Pace::Window(_) => crowd.hear(true).await.expect("a server that answers"),
            Pace::PerSecond(_) => {
                sleep(Duration::from_millis(1)).await;
                crowd.hear(false).await.expect("a server that answers");
            }
        }
    }
    let missing = crowd.settle(letters.len() as u64).await;
    let span_s = started.elapsed().as_secs_f64();
    let mut waits_us = crowd.board.waits_us.take();
    waits_us.sort_unstable();
    let deliveries = crowd.board.received.get();
    let (server_s, client_s) = (server.cpu_s() - server_s, own_cpu_s() - client_s);
    Cost { deliveries, missing, span_s, server_s, client_s, waits_us }
}

//! The rendezvous: the board of `domain::directory` with its sockets, on a thread of its own.
//!
//! `pipe` is one socket and `door` takes them in; here what they say goes to the board, and what the board orders is
//! carried out. **Invariant:** what waits for one socket is bounded, and a socket without room is let go, so that the
//! directory of nobody is late because somebody does not read.

mod door;
mod handlers;
mod message;
mod pipe;

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use actix::{Actor, Addr, Arbiter, AsyncContext as _, Context, Recipient, SpawnHandle};
use bytes::Bytes;
use tokio::{
    net::TcpStream,
    sync::{Mutex, Semaphore},
    time::timeout,
};

pub use self::{
    door::Open,
    message::{
        Close, Dismiss, Introduce, NotIntroduced, Publish, Release, Rename, Restore, Show, Shown, Told,
        Withdraw,
    },
};
use self::{
    message::{Connected, Gone, ListensOnly, Spoken},
    pipe::Pipe,
};
use super::{
    clock::{Clock, unix_ms},
    event::{Bulletin, Kind},
    neighbourhood::Recommend,
    tally::Tally,
};
use crate::{
    dialect::rendezvous::{FULL, TEARDOWN, line::Line, list},
    domain::{
        Moment,
        directory::{
            board::Board,
            listed::Directory,
            order::{Farewell, Order},
            rules::{Rules, Unrelayed},
        },
        endpoint::Endpoint,
        id::ConnectionId,
    },
    store::Store,
};

/// How long a host may take to let itself be dialled. Less than the board waits for the answer.
const DIAL: Duration = Duration::from_millis(1500);
/// Addresses that are tried at once.
const DIALS: usize = 16;

/// What the operator has decided.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Who may register what.
    pub rules: Rules,
    /// Whether lists of the first kind end with a zero byte.
    pub nul: bool,
    /// Whether neighbours are told of our entries, and theirs are heard.
    pub share: bool,
}

/// What a rendezvous is made of.
#[derive(Debug)]
pub struct Parts {
    /// What the operator has decided.
    pub policy: Policy,
    /// Who tells neighbours of our entries, if they are told.
    pub neighbours: Option<Recipient<Recommend>>,
    /// What time it is.
    pub clock: Clock,
    /// What is counted.
    pub tally: Tally,
    /// Where events go.
    pub bulletin: Bulletin,
    /// Where that is written down which outlives this process.
    pub store: Store,
}

/// The actor.
#[derive(Debug)]
pub struct Rendezvous {
    parts: Parts,
    board: Board,
    pipes: HashMap<ConnectionId, (Pipe, SocketAddr)>,
    /// When the board wants to be woken.
    alarm: Option<(Moment, SpawnHandle)>,
    /// The loop that takes sockets in.
    door: Option<SpawnHandle>,
    /// Directories that were printed last: for those who can be dialled, and for those who cannot.
    printed: Vec<(Arc<Directory>, Bytes)>,
    dials: Arc<Semaphore>,
    /// Whoever holds it has operators' words written down: one after the other, or the board and the disk could part.
    writing: Arc<Mutex<()>>,
    /// Numbers the questions whether somebody lives.
    asked: u64,
}

impl Rendezvous {
    /// A rendezvous without a door, on a thread of its own.
    #[must_use]
    pub fn open(parts: Parts) -> Addr<Self> {
        Self::start_in_arbiter(&Arbiter::new().handle(), move |_| Self::new(parts))
    }

    fn new(parts: Parts) -> Self {
        let epoch = u64::try_from(unix_ms()).unwrap_or_default();
        Self {
            board: Board::new(parts.policy.rules.clone(), epoch),
            parts,
            pipes: HashMap::new(),
            alarm: None,
            door: None,
            printed: Vec::new(),
            dials: Arc::new(Semaphore::new(DIALS)),
            writing: Arc::default(),
            asked: 0,
        }
    }

    /// Has the board do something, and does what it orders.
    fn step<T>(
        &mut self,
        ctx: &mut Context<Self>,
        deed: impl FnOnce(&mut Board, (Moment, u64), &mut Vec<Order>) -> T,
    ) -> T {
        let mut orders = Vec::new();
        let times = (self.parts.clock.now(), u64::try_from(unix_ms()).unwrap_or_default());
        let outcome = deed(&mut self.board, times, &mut orders);
        for order in orders {
            self.obey(order, ctx);
        }
        let tally = &self.parts.tally;
        tally.rendezvous_sockets.set(gauge(self.pipes.len()));
        tally.directory_entries.set(gauge(self.board.directory().members.len()));
        self.set_alarm(ctx);
        outcome
    }

    fn obey(&mut self, order: Order, ctx: &mut Context<Self>) {
        match order {
            Order::Greet(socket) => self.say(socket, &Line::Greeting, ctx),
            Order::Acknowledge(socket) => {
                let seen = self.pipes.get(&socket).map(|(_, from)| *from);
                if let Some(at) = seen.and_then(|from| Endpoint::new(from.ip(), from.port())) {
                    self.say(socket, &Line::You { at }, ctx);
                }
            }
            Order::List(socket, entries) => {
                self.parts.tally.rendezvous_lists.inc();
                self.offer(socket, list::print(&entries, self.parts.policy.nul).into(), ctx);
            }
            Order::Directory(socket, directory) => {
                self.parts.tally.rendezvous_lists.inc();
                let bytes = self.print(&directory);
                self.offer(socket, bytes, ctx);
            }
            Order::Ping(socket) => {
                self.asked = self.asked.wrapping_add(1);
                self.say(socket, &Line::Ping { n: self.asked }, ctx);
            }
            Order::Test(at) => self.test(at, ctx),
            Order::Relay { sender, from, recipient, to, payload } => {
                let length = u64::try_from(payload.len()).unwrap_or_default();
                let bytes = Line::RelayFrom { peer: from, payload }.bytes().into();
                let is_taken = self.pipes.get(&recipient).is_some_and(|(pipe, _)| pipe.offer(bytes));
                if is_taken {
                    self.parts.tally.relayed_bytes.inc_by(length);
                } else {
                    self.say(sender, &Line::Unrelayed { peer: to, why: Unrelayed::Busy }, ctx);
                }
            }
            Order::Unrelayed(socket, peer, why) => self.say(socket, &Line::Unrelayed { peer, why }, ctx),
            Order::Close(socket, farewell) => self.let_go(socket, farewell),
            Order::Joined(listed) => self.parts.bulletin.publish(Kind::DirectoryJoined { listed }),
            Order::Left(listed) => self.parts.bulletin.publish(Kind::DirectoryLeft { listed }),
            Order::Share(entries) => {
                if let Some(neighbours) = &self.parts.neighbours {
                    neighbours.do_send(Recommend(entries));
                }
            }
            Order::Over => {
                tracing::info!("the rendezvous takes nobody any more");
                self.close_door(ctx);
            }
        }
    }

    /// The last words to a socket. It closes once they are written.
    fn let_go(&mut self, socket: ConnectionId, farewell: Farewell) {
        let Some((pipe, from)) = self.pipes.remove(&socket) else { return };
        let words: Option<Bytes> = match farewell {
            Farewell::Full => Some(format!("{FULL}\n").into()),
            Farewell::Teardown => Some(format!("{TEARDOWN}\n").into()),
            Farewell::Refused(why) => Some(Line::Refused { why }.bytes().into()),
            Farewell::Silent | Farewell::Replaced | Farewell::Draining => None,
        };
        tracing::debug!(%socket, %from, ?farewell, "a socket of the rendezvous is let go");
        self.parts.tally.rendezvous_closed(farewell);
        if let Some(words) = words {
            // Without room it learns from the end alone.
            let _ = pipe.offer(words);
        }
    }

    fn say(&mut self, socket: ConnectionId, line: &Line, ctx: &mut Context<Self>) {
        self.offer(socket, line.bytes().into(), ctx);
    }

    fn offer(&mut self, socket: ConnectionId, bytes: Bytes, ctx: &mut Context<Self>) {
        if self.pipes.get(&socket).is_some_and(|(pipe, _)| !pipe.offer(bytes)) {
            tracing::debug!(%socket, "a socket of the rendezvous does not read");
            self.pipes.remove(&socket);
            ctx.notify(Gone(socket));
        }
    }

    /// The bytes of a directory. Everybody is sent the same few, so each is printed once.
    fn print(&mut self, directory: &Arc<Directory>) -> Bytes {
        if let Some((_, bytes)) = self.printed.iter().find(|(known, _)| Arc::ptr_eq(known, directory)) {
            return bytes.clone();
        }
        let bytes: Bytes = Line::of(directory).iter().flat_map(Line::bytes).collect();
        self.printed.retain(|(known, _)| known.version == directory.version);
        self.printed.push((Arc::clone(directory), bytes.clone()));
        bytes
    }

    /// Tries whether somebody can be dialled there, and hangs up at once.
    fn test(&self, at: Endpoint, ctx: &Context<Self>) {
        let (dials, me) = (Arc::clone(&self.dials), ctx.address());
        actix_rt::spawn(async move {
            let Ok(_permit) = dials.acquire().await else { return };
            let is_dialable = matches!(timeout(DIAL, TcpStream::connect(at.socket())).await, Ok(Ok(_)));
            me.do_send(handlers::Tested { at, is_dialable });
        });
    }

    fn set_alarm(&mut self, ctx: &mut Context<Self>) {
        let next = self.board.wakes_at();
        if self.alarm.as_ref().map(|(at, _)| *at) == next {
            return;
        }
        if let Some((_, alarm)) = self.alarm.take() {
            ctx.cancel_future(alarm);
        }
        if let Some(at) = next {
            let span = at.saturating_sub(self.parts.clock.now());
            let alarm = ctx.run_later(span, |rendezvous, ctx| {
                rendezvous.alarm = None;
                rendezvous.step(ctx, |board, (now, _), out| board.tick(now, out));
            });
            self.alarm = Some((at, alarm));
        }
    }

    fn close_door(&mut self, ctx: &mut Context<Self>) {
        if let Some(door) = self.door.take() {
            ctx.cancel_future(door);
        }
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Actor for Rendezvous {
    type Context = Context<Self>;
}

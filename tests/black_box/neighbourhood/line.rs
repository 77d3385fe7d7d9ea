//! The network between two servers, so that a test can break it.
//!
//! A line accepts connections and hands on their bytes. While it is stopped, everything waits as in a
//! network that loses all packets: a new connection is taken and hears nothing, a close is not seen at the
//! other end. A cut breaks one connection behind a certain byte.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use actix_web::rt::{spawn, task::JoinHandle, time::sleep};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::place::Place;
use crate::app::PATIENCE;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the one who dialled.
    Up,
    /// To the one who dialled.
    Down,
}

/// How a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Both ends are told.
    Reset,
    /// Nobody is told, and nothing arrives any more.
    Swallow,
}

/// Where a connection breaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) way: Way,
    /// Behind so many bytes of that way.
    pub(crate) after: usize,
    pub(crate) how: How,
}

/// What is asked of all connections.
#[derive(Clone, Copy, Debug, Default)]
struct Orders {
    stopped: bool,
    /// Connections up to this number are broken.
    broken: usize,
}

struct State {
    orders: watch::Sender<Orders>,
    /// Connections so far.
    count: Cell<usize>,
    /// For the next connection.
    cut: Cell<Option<Cut>>,
    /// The first pieces of the last connection, as they came.
    pieces: RefCell<Vec<(Way, usize)>>,
}

/// A line to one server.
pub(crate) struct Line {
    address: String,
    state: Rc<State>,
    task: JoinHandle<()>,
}

impl Line {
    /// A line to a place, for one who dials its own address.
    pub(crate) async fn to(place: &Place) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address").to_string();
        let state = Rc::new(State {
            orders: watch::Sender::new(Orders::default()),
            count: Cell::new(0),
            cut: Cell::new(None),
            pieces: RefCell::default(),
        });
        let task = spawn(accept(listener, place.address(), Rc::clone(&state)));
        Self { address, state, task }
    }

    /// Where it is dialled.
    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// From now on everything waits.
    pub(crate) fn stop(&self) {
        self.state.orders.send_modify(|orders| orders.stopped = true);
    }

    /// What waits goes on.
    pub(crate) fn go(&self) {
        self.state.orders.send_modify(|orders| orders.stopped = false);
    }

    /// Breaks every connection of this moment, and both ends are told.
    pub(crate) fn reset(&self) {
        let count = self.state.count.get();
        self.state.orders.send_modify(|orders| orders.broken = count);
    }

    /// The next connection is cut; those behind it are not.
    pub(crate) fn cut_next(&self, cut: Cut) {
        self.state.cut.set(Some(cut));
    }

    /// Connections so far.
    pub(crate) fn count(&self) -> usize {
        self.state.count.get()
    }

    /// The first pieces of the last connection: which way, and how many bytes.
    pub(crate) fn pieces(&self) -> Vec<(Way, usize)> {
        self.state.pieces.borrow().clone()
    }

    /// Waits for a connection behind this number.
    pub(crate) async fn dialled_after(&self, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.count() <= count {
            assert!(Instant::now() < deadline, "nobody dials");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
        self.reset();
    }
}

async fn accept(listener: TcpListener, to: String, state: Rc<State>) {
    loop {
        let Ok((near, _)) = listener.accept().await else { return };
        state.count.set(state.count.get() + 1);
        spawn(carry(near, to.clone(), Rc::clone(&state)));
    }
}

/// Waits until bytes may go on, and says whether they may at all.
async fn may_go_on(orders: &mut watch::Receiver<Orders>, number: usize) -> bool {
    let decided = |orders: &Orders| orders.broken >= number || !orders.stopped;
    orders.wait_for(decided).await.is_ok_and(|orders| orders.broken < number)
}

async fn carry(mut near: TcpStream, to: String, state: Rc<State>) {
    let (number, cut) = (state.count.get(), state.cut.take());
    state.pieces.borrow_mut().clear();
    let mut orders = state.orders.subscribe();
    if !may_go_on(&mut orders, number).await {
        return reset(&near);
    }
    // Who is away is away through the line, too.
    let Ok(mut far) = TcpStream::connect(to).await else { return reset(&near) };
    for end in [&near, &far] {
        end.set_nodelay(true).expect("an option");
    }
    let mut passed = [0; 2];
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        if let Some(cut) = cut
            && passed[cut.way as usize] >= cut.after
        {
            return break_off(near, far, cut.how).await;
        }
        if !may_go_on(&mut orders, number).await {
            reset(&near);
            return reset(&far);
        }
        let (way, read) = tokio::select! {
            read = near.read(&mut up) => (Way::Up, read),
            read = far.read(&mut down) => (Way::Down, read),
            _ = orders.changed() => continue,
        };
        let Ok(mut count @ 1..) = read else { return };
        if let Some(cut) = cut.filter(|cut| cut.way == way) {
            count = count.min(cut.after - passed[way as usize]);
        }
        passed[way as usize] += count;
        if state.count.get() == number && state.pieces.borrow().len() < 16 {
            state.pieces.borrow_mut().push((way, count));
        }
        // While the line was stopped, this read may have been under way.
        if !may_go_on(&mut orders, number).await {
            reset(&near);
            return reset(&far);
        }
        let written = match way {
            Way::Up => far.write_all(&up[..count]).await,
            Way::Down => near.write_all(&down[..count]).await,
        };
        if written.is_err() {
            return;
        }
    }
}

/// The other end of this socket is told that something went wrong.
fn reset(end: &TcpStream) {
    end.set_zero_linger().expect("an option");
}

async fn break_off(mut near: TcpStream, mut far: TcpStream, how: How) {
    if how == How::Reset {
        reset(&near);
        return reset(&far);
    }
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let (mut near_is_open, mut far_is_open) = (true, true);
    while near_is_open || far_is_open {
        tokio::select! {
            read = near.read(&mut up), if near_is_open => near_is_open = matches!(read, Ok(1..)),
            read = far.read(&mut down), if far_is_open => far_is_open = matches!(read, Ok(1..)),
        }
    }
}

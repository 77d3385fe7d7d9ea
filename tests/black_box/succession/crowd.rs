//! A stranger who holds the door of succession with words that never end keeps no node of the home out.

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use actix_web::rt::{spawn, task::JoinHandle, time::sleep};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
};

use crate::neighbourhood::home::{Home, all_follow, app, serving};

/// What a stranger begins, and how often it comes again.
type Beginning = (&'static str, Duration);
/// A request.
const REQUEST: Beginning = ("No-Id\n", Duration::from_millis(5));
/// The line of whoever wants a copy.
const COPY: Beginning = ("kith-copy/1 ", Duration::from_millis(15));
/// Half requests at once at each door: more than there are places.
const HALVES: usize = 400;

/// Begins to say something at this door, from an address of the stranger's own.
async fn half_a_request(door: SocketAddr, beginning: &str) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 0, 77), 0).into())?;
    let mut stream = socket.connect(door).await?;
    stream.write_all(beginning.as_bytes()).await?;
    Ok(stream)
}

struct Crowds(Vec<JoinHandle<()>>);

async fn crowd(door: SocketAddr, (beginning, pace): Beginning) {
    let mut held = VecDeque::new();
    loop {
        held.extend(half_a_request(door, beginning).await.ok());
        if held.len() > HALVES {
            held.pop_front();
        }
        sleep(pace).await;
    }
}

impl Crowds {
    /// At the doors of these nodes.
    fn at(home: &Home, nodes: impl IntoIterator<Item = usize>, beginning: Beginning) -> Self {
        let doors =
            nodes.into_iter().map(|node| home.nodes[node].succession.address().parse().expect("an address"));
        Self(doors.map(|door| spawn(crowd(door, beginning))).collect())
    }

    fn leave(self) {
        assert!(self.0.iter().all(|crowd| !crowd.is_finished()));
        self.0.iter().for_each(|crowd| crowd.abort());
    }
}

#[actix_web::test]
async fn who_holds_many_half_requests_keeps_no_node_of_the_home_out() {
    // Each of two nodes needs the answers of the other one.
    let home = Home::of(2, None);
    let apps = home.start_all();
    let first = serving(&apps).await;
    all_follow(&apps, first).await;
    let before = app(&apps, first).get("/api/v1/hosts").await;
    let crowds = Crowds::at(&home, 0..2, REQUEST);
    // For several leases, and for longer than a half request is listened to.
    let end = Instant::now() + Duration::from_secs(7);
    while Instant::now() < end {
        let view = app(&apps, first).get("/api/v1/hosts").await;
        assert_eq!((&view["role"], &view["epoch"]), (&before["role"], &before["epoch"]), "{view}");
    }
    crowds.leave();
}

#[actix_web::test]
async fn who_begins_many_copies_keeps_no_node_of_the_home_from_its_own() {
    let home = Home::of(3, None);
    let mut apps = home.start_all();
    let first = serving(&apps).await;
    all_follow(&apps, first).await;
    let other = (0..3).find(|at| *at != first).expect("another one");
    let folder = apps[other].take().expect("a node").kill();
    for file in ["kith.db", "kith.db-wal", "kith.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join("data").join(file));
    }
    let crowds = Crowds::at(&home, [first], COPY);
    apps[other] = Some(home.start(other, folder, &[]));
    all_follow(&apps, first).await;
    crowds.leave();
}

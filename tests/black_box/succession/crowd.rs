//! A stranger who holds the door of succession with requests that never end keeps no node of the home out.

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use actix_web::rt::{spawn, time::sleep};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
};

use crate::neighbourhood::home::{Home, all_follow, app, serving};

/// Half requests at once at each door: more than there are places.
const HALVES: usize = 400;
/// How often it comes again.
const PACE: Duration = Duration::from_millis(5);

/// Begins to say something at this door, from an address of the stranger's own.
async fn half_a_request(door: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 0, 77), 0).into())?;
    let mut stream = socket.connect(door).await?;
    stream.write_all(b"No-Id\n").await?;
    Ok(stream)
}

async fn crowd(door: SocketAddr) {
    let mut held = VecDeque::new();
    loop {
        held.extend(half_a_request(door).await.ok());
        if held.len() > HALVES {
            held.pop_front();
        }
        sleep(PACE).await;
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
    let doors = home.nodes.iter().map(|node| node.succession.address().parse().expect("an address"));
    let crowds: Vec<_> = doors.map(|door| spawn(crowd(door))).collect();
    // For several leases, and for longer than a half request is listened to.
    let end = Instant::now() + Duration::from_secs(7);
    while Instant::now() < end {
        let view = app(&apps, first).get("/api/v1/hosts").await;
        assert_eq!((&view["role"], &view["epoch"]), (&before["role"], &before["epoch"]), "{view}");
    }
    assert!(crowds.iter().all(|crowd| !crowd.is_finished()));
    crowds.iter().for_each(|crowd| crowd.abort());
}

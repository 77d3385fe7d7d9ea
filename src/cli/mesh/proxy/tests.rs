//! Lines between real sockets.

use std::time::Instant;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);
/// How long nothing must be heard before silence is believed.
const SILENCE: Duration = Duration::from_millis(150);

/// A line with a listener at its end.
struct Scene {
    proxy: Proxy,
    end: TcpListener,
}

fn scene() -> Scene {
    let end = Reserved::exactly(0).expect("a port").listen().expect("a listener");
    let proxy = Proxy::open(None, end.local_addr().expect("an address")).expect("a line");
    Scene { proxy, end }
}

impl Scene {
    async fn dial(&self) -> TcpStream {
        TcpStream::connect(on_loopback(self.proxy.port())).await.expect("somebody who takes it")
    }

    async fn pair(&self) -> (TcpStream, TcpStream) {
        let near = self.dial().await;
        let (far, _) = timeout(PATIENCE, self.end.accept()).await.expect("in time").expect("a connection");
        (near, far)
    }

    fn set(&self, passage: Passage) {
        self.proxy.change(|line| line.passage = passage);
    }
}

async fn hears(socket: &mut TcpStream, text: &[u8]) {
    let mut heard = vec![0; text.len()];
    timeout(PATIENCE, socket.read_exact(&mut heard)).await.expect("in time").expect("bytes");
    assert_eq!(heard, text);
}

async fn hears_nothing(socket: &mut TcpStream) {
    let heard = timeout(SILENCE, socket.read(&mut [0; 64])).await;
    assert!(heard.is_err(), "{heard:?}");
}

async fn ends(socket: &mut TcpStream) -> io::Result<usize> {
    timeout(PATIENCE, socket.read(&mut [0; 64])).await.expect("an end in time")
}

#[actix_web::test]
async fn bytes_pass_both_ways_and_so_does_the_end() {
    let scene = scene();
    let (mut near, mut far) = scene.pair().await;
    let big: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    let sent = big.clone();
    let writing = actix_rt::spawn(async move {
        near.write_all(&sent).await.expect("room");
        near.shutdown().await.expect("an end");
        near
    });
    let mut heard = Vec::new();
    timeout(PATIENCE, far.read_to_end(&mut heard)).await.expect("in time").expect("bytes");
    assert!(heard == big);
    // The other direction is still open.
    let mut near = writing.await.expect("no panic");
    far.write_all(b"answer").await.expect("room");
    hears(&mut near, b"answer").await;
    drop(far);
    assert_eq!(ends(&mut near).await.expect("an end in order"), 0);
}

#[actix_web::test]
async fn a_cut_line_passes_nothing_until_it_heals() {
    let scene = scene();
    let (mut near, mut far) = scene.pair().await;
    near.write_all(b"before").await.expect("room");
    hears(&mut far, b"before").await;
    scene.set(Passage::Cut);
    near.write_all(b"lost?").await.expect("room");
    far.write_all(b"anybody?").await.expect("room");
    hears_nothing(&mut far).await;
    hears_nothing(&mut near).await;
    scene.set(Passage::Open);
    hears(&mut far, b"lost?").await;
    hears(&mut near, b"anybody?").await;
}

#[actix_web::test]
async fn an_end_behind_a_cut_is_not_seen() {
    let scene = scene();
    for reset in [false, true] {
        let (near, mut far) = scene.pair().await;
        scene.set(Passage::Cut);
        if reset {
            near.set_zero_linger().expect("an option");
        }
        drop(near);
        hears_nothing(&mut far).await;
        scene.set(Passage::Open);
        let end = ends(&mut far).await;
        assert!(matches!((&end, reset), (Ok(0), false) | (Err(_), true)), "{end:?}");
    }
}

#[actix_web::test]
async fn who_dials_a_cut_line_hears_nothing_and_may_give_up() {
    let scene = scene();
    scene.set(Passage::Cut);
    let mut given_up = scene.dial().await;
    given_up.write_all(b"hello?").await.expect("room");
    let mut patient = scene.dial().await;
    patient.write_all(b"I wait").await.expect("room");
    hears_nothing(&mut given_up).await;
    assert!(timeout(SILENCE, scene.end.accept()).await.is_err(), "nobody arrives");
    given_up.shutdown().await.expect("an end");
    // The line is let go of on this side, which is how we know that it was noticed.
    assert_eq!(ends(&mut given_up).await.expect("an end"), 0);
    scene.set(Passage::Open);
    let (mut far, _) = timeout(PATIENCE, scene.end.accept()).await.expect("in time").expect("one of them");
    hears(&mut far, b"I wait").await;
    assert!(timeout(SILENCE, scene.end.accept()).await.is_err(), "the other was never there");
}

#[actix_web::test]
async fn a_refusing_line_resets_what_is_open_and_takes_nobody() {
    let scene = scene();
    let (mut near, mut far) = scene.pair().await;
    near.write_all(b"before").await.expect("room");
    hears(&mut far, b"before").await;
    scene.set(Passage::Refused);
    let told = (ends(&mut near).await, ends(&mut far).await);
    assert!(matches!(told, (Err(_), Err(_))), "both are told, {told:?}");
    let port = on_loopback(scene.proxy.port());
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(port).await.is_ok() {
        assert!(Instant::now() < deadline, "it still takes connections");
    }
    scene.set(Passage::Open);
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(port).await.is_err() {
        assert!(Instant::now() < deadline, "it takes no connections");
    }
}

#[actix_web::test]
async fn a_target_that_is_away_ends_the_connection() {
    let Scene { proxy, end } = scene();
    drop(end);
    let mut near = TcpStream::connect(on_loopback(proxy.port())).await.expect("a line");
    assert!(ends(&mut near).await.is_err(), "it is told");
}

#[actix_web::test]
async fn a_slow_line_keeps_the_order() {
    let scene = scene();
    let (mut near, mut far) = scene.pair().await;
    let delay = Duration::from_millis(200);
    scene.proxy.change(|line| line.delay = delay);
    let begun = Instant::now();
    near.write_all(b"1").await.expect("room");
    hears(&mut far, b"1").await;
    assert!(begun.elapsed() >= delay, "{:?}", begun.elapsed());
    let begun = Instant::now();
    far.write_all(b"a").await.expect("room");
    hears(&mut near, b"a").await;
    assert!(begun.elapsed() >= delay, "{:?}", begun.elapsed());
    // What is on its way when the delay ends is not overtaken.
    for number in b'2'..=b'9' {
        near.write_all(&[number]).await.expect("room");
        actix_rt::time::sleep(Duration::from_millis(2)).await;
        if number == b'5' {
            scene.proxy.change(|line| line.delay = Duration::ZERO);
        }
    }
    hears(&mut far, b"23456789").await;
    assert_eq!(scene.proxy.line(), Line::default());
}

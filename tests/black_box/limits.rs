//! Bad input costs nothing: the server serves on, and its memory comes back.

use std::{
    io::Write as _,
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::{
    app::{App, PATIENCE},
    client::Client,
    raw::{CONTINUATION, FINAL, PING, PONG, Raw, TEXT, handshake, header},
};

/// Memory that may stay behind after an assault: what the allocator keeps for the next one.
const SLACK_KIB: u64 = 20 << 10;
/// What one connection that never says all of its request may cost at most. With glibc it leaves about 12 KiB
/// the first time and 20 KiB in the end, more if many threads are busy: each has an arena of its own.
const HALF_OPEN_KIB: u64 = 48;
/// What it may leave behind every time. The allocator keeps less with each repetition; a leak stays the same.
const LEAK_KIB: u64 = 2;

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides).expect("a small number")
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| u8::try_from(self.roll(256)).expect("a byte")).collect()
    }
}

/// Waits until memory is back where it was.
fn recovers(app: &App, before: u64, after_what: &str) {
    let deadline = Instant::now() + PATIENCE;
    while app.memory_kib() > before + SLACK_KIB {
        assert!(
            Instant::now() < deadline,
            "after {after_what} the server keeps {} KiB, before it were {before}",
            app.memory_kib()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

async fn still_serves(app: &App) {
    let mut client = Client::join(app, 3).await;
    client.say("are we well?").await;
    client.hear("are we well?").await;
}

#[actix_web::test]
async fn ten_thousand_random_and_truncated_frames() {
    let app = App::with(&[("LIMITS__FRAMES_PER_SECOND", "100000"), ("LIMITS__FRAMES_BURST", "100000")]);
    still_serves(&app).await;
    let before = app.memory_kib();
    let hello = Client::dial(&app, 0).await.hello_frame();
    let mut dice = Dice(7);
    let mut sent = 0;
    let mut raw = Raw::open(&app.listen);
    while sent < 10_000 {
        let frame = match dice.roll(8) {
            // Noise instead of a frame.
            0 => {
                let count = dice.roll(60) + 1;
                dice.bytes(count)
            }
            // A frame that announces more than it holds; what follows is swallowed by it.
            1 => header(FINAL | TEXT, dice.roll(300) as u64 + 1),
            // Brackets without an end.
            2 => text_frame(&"[{\"data\":".repeat(dice.roll(400))),
            // Noise in a good frame.
            3 => {
                let count = dice.roll(200);
                let noise: String = dice.bytes(count).iter().map(|byte| char::from(byte & 0x7f)).collect();
                text_frame(&noise)
            }
            // A good message cut short.
            _ => text_frame(&hello[..dice.roll(hello.len() as u64)]),
        };
        // A frame counts when the server was there to read it; one that ended the connection did.
        sent += 1;
        let alive = raw.stream.write_all(&frame).is_ok() && raw.is_open();
        if !alive {
            raw = Raw::open(&app.listen);
        }
    }
    still_serves(&app).await;
    recovers(&app, before, "random frames");
}

fn text_frame(text: &str) -> Vec<u8> {
    let mut frame = header(FINAL | TEXT, text.len() as u64);
    frame.extend(text.bytes().zip([1, 2, 3, 4].iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

#[actix_web::test]
async fn a_frame_of_100_megabytes() {
    let app = App::start();
    still_serves(&app).await;
    let before = app.memory_kib();
    let mut raw = Raw::open(&app.listen);
    raw.stream.write_all(&header(FINAL | TEXT, 100 << 20)).expect("a head");
    let chunk = vec![0; 1 << 16];
    let mut peak = 0;
    for _ in 0..(100 << 20) / chunk.len() {
        peak = peak.max(app.memory_kib());
        if raw.stream.write_all(&chunk).is_err() {
            break;
        }
    }
    assert!(peak < before + SLACK_KIB, "{peak} KiB at the peak, {before} before");
    still_serves(&app).await;
    recovers(&app, before, "a huge frame");
}

#[actix_web::test]
async fn a_thousand_half_open_handshakes_and_a_slow_loris() {
    const COUNT: u64 = 1000;
    let app =
        App::with(&[("LIMITS__CONNECTIONS_PER_ADDRESS", "5000"), ("LIMITS__REQUEST_HEAD_TIMEOUT_S", "1")]);
    still_serves(&app).await;
    let before = app.memory_kib();
    let dial = || TcpStream::connect(&app.listen).expect("a connection");
    let request = handshake("/", &app.listen, "");
    let half = request.len() / 2;
    let mut kept = Vec::new();
    for _ in 0..5 {
        let mut sockets: Vec<TcpStream> = (0..COUNT).map(|_| dial()).collect();
        for socket in &mut sockets {
            socket.write_all(&request.as_bytes()[..half]).expect("half a request");
        }
        still_serves(&app).await;
        for socket in sockets {
            assert!(Raw { stream: socket }.ends_within(PATIENCE), "a half-open handshake stayed");
        }
        still_serves(&app).await;
        kept.push(app.memory_kib());
    }
    assert!(kept[4] < before + COUNT * HALF_OPEN_KIB, "{before} KiB before, {kept:?} KiB after each assault");
    let least = kept.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).min().expect("repetitions");
    assert!(least < COUNT * LEAK_KIB, "memory grows with every assault: {kept:?} KiB");
    // The loris keeps sending, a byte at a time, and never comes to an end.
    let mut loris = dial();
    loris.set_nonblocking(false).expect("an option");
    let started = Instant::now();
    let mut letters =
        request[..request.len() - 2].bytes().chain("X-Slow: ".bytes()).chain(std::iter::repeat(b'a'));
    while loris.write_all(&[letters.next().expect("a letter")]).is_ok() {
        assert!(started.elapsed() < PATIENCE, "the slow loris was never shown the door");
        std::thread::sleep(Duration::from_millis(5));
    }
    still_serves(&app).await;
}

#[actix_web::test]
async fn a_full_way_to_the_map_makes_writers_wait_and_loses_nothing() {
    // One byte: a letter is only checked when no other one waits for the map.
    let app = App::with(&[("LIMITS__REGISTRY_BYTES", "1")]);
    let (mut anna, mut ben) = (Client::join(&app, 0).await, Client::join(&app, 1).await);
    for number in 0..40 {
        anna.say(&format!("anna {number}.")).await;
        ben.say(&format!("ben {number}.")).await;
    }
    for (listener, speaker) in [(&mut anna, "ben"), (&mut ben, "anna")] {
        for number in 0..40 {
            listener.hear(&format!("{speaker} {number}.")).await;
        }
    }
}

#[test]
fn pings_and_fragments_are_frames_like_any_other() {
    let app = App::with(&[("LIMITS__FRAMES_PER_SECOND", "50"), ("LIMITS__FRAMES_BURST", "50")]);
    for (first, answered) in [(FINAL | PING, true), (CONTINUATION, false)] {
        let mut raw = Raw::open(&app.listen);
        raw.send(TEXT, b"");
        let started = Instant::now();
        for _ in 0..100 {
            raw.send(first, b"");
        }
        if !answered {
            raw.send(FINAL | PING, b"");
        }
        for _ in 0..if answered { 100 } else { 1 } {
            assert_eq!(raw.next().expect("a pong").opcode, PONG);
        }
        // A burst of 50 at once, the rest at 50 a second.
        assert!(started.elapsed().as_millis() > 800, "{first:#x} passed in {:?}", started.elapsed());
    }
}

#[test]
fn a_second_request_head_has_no_longer_time_than_the_first() {
    let app = App::with(&[("LIMITS__REQUEST_HEAD_TIMEOUT_S", "1")]);
    for door in [&app.listen, &app.admin] {
        let mut raw = Raw::dial(door);
        let answer = raw.request(&format!("GET /healthz HTTP/1.1\r\nHost: {door}\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
        let _ = raw.stream.write_all(b"GET / HT");
        assert!(raw.ends_within(PATIENCE), "half a second request is waited for without end at {door}");
    }
}

#[actix_web::test]
async fn one_address_takes_no_more_than_its_share() {
    let app = App::with(&[("LIMITS__CONNECTIONS_PER_ADDRESS", "3")]);
    let kept: Vec<Raw> = (0..3).map(|_| Raw::open(&app.listen)).collect();
    assert!(Raw::dial(&app.listen).ends_within(PATIENCE));
    drop(kept);
    // Places are given back, whatever way the others left.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut raw = Raw::dial(&app.listen);
        let request = handshake("/", &app.listen, "");
        let _ = raw.stream.write_all(request.as_bytes());
        if raw.ends_within(Duration::from_millis(100)) {
            assert!(Instant::now() < deadline, "places are never given back");
        } else {
            break;
        }
    }
}

#[actix_web::test]
async fn one_member_and_one_address_say_hello_only_so_often() {
    let app = App::with(&[("LIMITS__CONNECTIONS_PER_MEMBER", "2")]);
    let _kept = [Client::join(&app, 0).await, Client::join(&app, 0).await];
    let mut third = Client::dial(&app, 0).await;
    third.hello().await;
    assert_eq!(third.goodbye().await, Some((1013, "too_many_of_member".to_owned())));

    let app = App::with(&[("LIMITS__HELLOS_PER_ADDRESS_PER_MINUTE", "2")]);
    let _kept = [Client::join(&app, 0).await, Client::join(&app, 1).await];
    let mut third = Client::dial(&app, 2).await;
    third.hello().await;
    assert_eq!(third.goodbye().await, Some((1013, "too_many_hellos".to_owned())));
}

#[actix_web::test]
async fn a_reader_that_stalls_is_closed_and_its_neighbours_do_not_notice() {
    let app = App::with(&[
        ("LIMITS__WRITE_TIMEOUT_S", "1"),
        ("LIMITS__FRAMES_PER_SECOND", "100000"),
        ("LIMITS__FRAMES_BURST", "100000"),
        ("LIMITS__BYTES_PER_SECOND", "1000000000"),
        ("LIMITS__BYTES_BURST", "1000000000"),
    ]);
    let mut anna = Client::join(&app, 0).await;
    let mut ben = Client::join(&app, 1).await;
    anna.list(|keys| keys.len() == 2).await;
    let quiet = latency(&mut anna, &mut ben, 40).await;

    // It says hello and never reads again.
    let mut stalled = Raw::open(&app.listen);
    let hello = Client::dial(&app, 2).await.hello_frame();
    stalled.send(FINAL | TEXT, hello.as_bytes());
    anna.list(|keys| keys.len() == 3).await;
    ben.list(|keys| keys.len() == 3).await;
    let mut loud = Vec::new();
    let big = "x".repeat(700_000);
    let started = Instant::now();
    // The map is asked, because the list that says so may come at any moment.
    while app.clients().await.len() == 3 {
        assert!(started.elapsed() < PATIENCE, "the stalled reader is still there");
        anna.say(&big).await;
        ben.hear(&big).await;
        anna.hear(&big).await;
        loud.push(latency(&mut anna, &mut ben, 5).await);
    }
    // A frozen neighbour would cost whole write deadlines; noise of the machine does not.
    loud.sort_unstable();
    let typical = loud[loud.len() / 2];
    assert!(
        typical < quiet * 10 + Duration::from_millis(20),
        "{typical:?} beside a stalled reader, {quiet:?} without"
    );
    still_serves(&app).await;
}

/// The median time from a word to its echo at somebody else.
async fn latency(from: &mut Client, to: &mut Client, count: usize) -> Duration {
    let mut spans = Vec::new();
    for number in 0..count {
        let word = format!("tick {number} {:?}", Instant::now());
        let started = Instant::now();
        from.say(&word).await;
        to.hear("tick").await;
        spans.push(started.elapsed());
        from.hear("tick").await;
    }
    spans.sort_unstable();
    spans[spans.len() / 2]
}

#[actix_web::test]
async fn a_download_that_nobody_takes_is_given_up() {
    let app = App::with(&[("LIMITS__WRITE_TIMEOUT_S", "1")]);
    let url = format!("http://{}/api/upload", app.listen);
    let mut answer = awc::Client::default().post(url).send_body(vec![7; 30 << 20]).await.expect("an answer");
    let answer: serde_json::Value = answer.json().await.expect("a link");
    let path = answer["file_url"].as_str().and_then(|link| link.split_once("/files/")).expect("a path").1;
    let mut raw = Raw::dial(&app.listen);
    let head = raw.request(&format!("GET /files/{path} HTTP/1.1\r\nHost: {}\r\n\r\n", app.listen));
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let taken = app.metric("kith_connections").await;
    app.until("/metrics", |answer| {
        let line = answer.text.lines().find(|line| line.starts_with("kith_connections ")).expect("a gauge");
        line.rsplit_once(' ').and_then(|(_, count)| count.parse::<f64>().ok()).expect("a number") < taken
    })
    .await;
    drop(raw);
}

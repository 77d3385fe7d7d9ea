//! Neighbours that say too much, or listen to nothing: local clients hardly notice, and memory stays in
//! bounds.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use kith::{
    dialect::kith::wire,
    domain::{letter::Frame, member::Member},
};

use super::stranger::{LAIR, Stranger, goodbye, letter, somebody};
use crate::{
    app::{App, PATIENCE},
    client::{Client, Goodbye},
};

/// How long a flood lasts at least.
const SPELL: Duration = Duration::from_secs(3);
/// How long a client waits for its own letter at most, on a slow machine with a slow build.
const PATIENT: Duration = Duration::from_secs(5);
/// Memory that a flood may take. The queues on its way hold 32 MiB and 4 MiB for each client.
const MEMORY_KIB: u64 = 150 << 10;

/// What a neighbour may say in a second, for a build that is not optimised.
const MODEST: [(&str, &str); 3] = [
    ("LIMITS__PEER_FRAMES_PER_SECOND", "1000"),
    ("LIMITS__PEER_FRAMES_BURST", "1000"),
    ("LIMITS__PRESENCE_BYTES_PER_SECOND", "4000000"),
];

/// A neighbour that talks without end, on a thread of its own.
struct Flood {
    thread: Option<JoinHandle<Goodbye>>,
    stop: Arc<AtomicBool>,
    said: Arc<AtomicU64>,
}

impl Flood {
    /// Says what `next` makes of the number of each message.
    fn begin(app: &App, members: Vec<Arc<Member>>, next: impl Fn(u64) -> Frame + Send + 'static) -> Self {
        let (door, stop, said) =
            (app.listen.clone(), Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (until, count) = (Arc::clone(&stop), Arc::clone(&said));
        let flood = async move {
            let mut stranger = Stranger::greeted(&door, 0, LAIR).await;
            stranger.lists(0, &members).await;
            while !until.load(Relaxed) {
                let number = count.fetch_add(1, Relaxed) + 1;
                // Whoever is read slowly waits here.
                if !stranger.manages_to_say(next(number)).await {
                    return goodbye(&mut stranger.socket).await;
                }
            }
            None
        };
        let thread = thread::spawn(move || actix_web::rt::System::new().block_on(flood));
        Self { thread: Some(thread), stop, said }
    }

    /// How often it has said something.
    fn said(&self) -> u64 {
        self.said.load(Relaxed)
    }

    /// Ends it, and says how it had ended if it did so by itself.
    fn end(mut self) -> Goodbye {
        self.stop.store(true, Relaxed);
        self.thread.take().expect("a thread").join().expect("a flood")
    }
}

/// A member with a key as long as real ones are.
fn realistic(number: usize) -> Arc<Member> {
    somebody(&format!("{number:0>450}"))
}

/// Talks for a while, and returns how long the slowest letter took.
async fn talks(client: &mut Client, app: &App, before_kib: u64) -> Duration {
    let (start, mut worst, mut number) = (Instant::now(), Duration::ZERO, 0);
    while start.elapsed() < SPELL || number < 20 {
        number += 1;
        let asked = Instant::now();
        let frame = client.say(&format!("number {number}")).await;
        client.hears_until(&frame).await;
        worst = worst.max(asked.elapsed());
        let memory = app.memory_kib();
        assert!(memory < before_kib + MEMORY_KIB, "{memory} KiB, before it were {before_kib}");
        assert!(start.elapsed() < PATIENCE, "only {number} letters came through");
    }
    worst
}

/// It is quiet again, and everything is as it was.
async fn is_well(app: &App, anna: Client) {
    // She may have been let go meanwhile, because she did not read.
    drop(anna);
    let mut client = Client::join(app, 3).await;
    let said = client.say("are we well?").await;
    client.hears_until(&said).await;
    app.until_peer(LAIR, |peer| peer["state"] != "up").await;
    app.until_metric("kith_connections", |count| count == 1.0).await;
}

#[actix_web::test]
async fn a_neighbour_that_floods_us_with_letters_does_not_silence_us() {
    let app = App::with(&MODEST);
    let mut anna = Client::join(&app, 0).await;
    let before = app.memory_kib();
    let own = somebody("its own");
    let author = Arc::clone(&own);
    let flood =
        Flood::begin(&app, vec![own], move |number| letter(&author, number.into(), "{\"type\":\"noise\"}"));
    anna.hear("noise").await;
    let worst = talks(&mut anna, &app, before).await;
    assert!(worst < PATIENT, "{worst:?}");
    assert!(flood.said() > 1000, "it was no flood: {}", flood.said());
    assert_eq!(flood.end(), None, "it was read slowly, and not cut off");
    is_well(&app, anna).await;
}

#[actix_web::test]
async fn a_neighbour_whose_members_come_and_go_all_the_time_does_not_silence_us() {
    let app = App::with(&MODEST);
    let mut anna = Client::join(&app, 0).await;
    let before = app.memory_kib();
    let mut members: Vec<_> = (0..500).map(realistic).collect();
    members.sort_by_key(|member| member.key);
    let restless = realistic(1000);
    let flood = Flood::begin(&app, members, move |number| wire::change(number, &restless, number % 2 == 1));
    anna.looks(|homes| homes.get(LAIR).is_some_and(|keys| keys.len() > 499)).await;
    let worst = talks(&mut anna, &app, before).await;
    assert!(worst < PATIENT, "{worst:?}");
    assert!(flood.said() > 1000, "it was no flood: {}", flood.said());
    assert_eq!(flood.end(), None, "it was read slowly, and not cut off");
    is_well(&app, anna).await;
}

#[actix_web::test]
async fn a_neighbour_that_asks_for_the_list_all_the_time_does_not_silence_us() {
    let app = App::with(&MODEST);
    let mut anna = Client::join(&app, 0).await;
    let before = app.memory_kib();
    // It never reads what it asks for.
    let flood = Flood::begin(&app, vec![], |_| wire::want_list());
    app.until_state(LAIR, "up").await;
    let worst = talks(&mut anna, &app, before).await;
    assert!(worst < PATIENT, "{worst:?}");
    flood.end();
    is_well(&app, anna).await;
}

#[actix_web::test]
async fn a_neighbour_that_never_reads_is_cut_off_and_nobody_else_minds() {
    let app = App::with(&[
        ("LIMITS__MESSAGE_BYTES", "65536"),
        ("LIMITS__PEER_MESSAGE_BYTES", "131072"),
        ("LIMITS__PEER_QUEUE_BYTES", "262144"),
        ("LIMITS__WRITE_TIMEOUT_S", "2"),
        ("LIMITS__BYTES_PER_SECOND", "1000000000"),
        ("LIMITS__BYTES_BURST", "1000000000"),
        ("LIMITS__FRAMES_PER_SECOND", "10000"),
        ("LIMITS__FRAMES_BURST", "10000"),
    ]);
    let mut anna = Client::join(&app, 0).await;
    let mut ben = Client::join(&app, 1).await;
    let before = app.memory_kib();
    let mut watch = app.watch().await;
    let mut deaf = Stranger::linked(&app, 0, LAIR).await;
    deaf.lists(1, &[somebody("its own")]).await;
    anna.looks(|homes| homes.contains_key(LAIR)).await;
    let long = "x".repeat(60_000);
    let start = Instant::now();
    // What the two sockets hold is some megabytes.
    while app.metric("kith_peers{state=\"up\"}").await == 1.0 {
        assert!(start.elapsed() < PATIENCE, "it is never cut off");
        for _ in 0..20 {
            let said = anna.say(&long).await;
            assert!(anna.hears_until(&said).await.is_empty());
            assert!(ben.hears_until(&said).await.is_empty());
        }
        assert!(app.memory_kib() < before + MEMORY_KIB);
    }
    let down = watch.about_link("link_down").await;
    assert!(["slow", "stalled"].contains(&down["code"].as_str().expect("a code")), "{down}");
    // Its members are gone with it.
    for client in [&mut anna, &mut ben] {
        client.looks(|homes| !homes.contains_key(LAIR)).await;
    }
    drop(deaf);
}

//! What the signatures of SOCP cost: the real program over loopback sockets, beside what the same machine
//! can check and make if it does nothing else.
//!
//! A plain program, as `house` is: every figure is measured once, so read ratios, not digits. It runs with
//! `cargo bench --bench socp` only and takes about a minute; `-- --test` behind that makes it a short one,
//! whose figures mean nothing.

mod people;
mod runs;
#[allow(dead_code, reason = "the other bench that starts a server uses the rest")]
#[path = "../house/server.rs"]
mod server;
#[allow(dead_code, reason = "the other bench that opens sockets uses the rest")]
#[path = "../house/wire.rs"]
mod wire;

use std::{
    hint::black_box,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use kith::crypto::signature::{Salt, Verifier, sign};
use people::{Key, Person};
use runs::{Cost, Crowd, Made, Way, mark, send};
use server::{Server, own_cpu_s};
use tokio::{runtime::Builder, task::LocalSet};

/// Keys, and as many people who write.
const KEYS: usize = 8;
/// Letters on their way: enough that no notary has to wait for the next one.
const WINDOW: u64 = 32;
/// How often the machine is asked what it can do alone.
const ROUNDS: usize = 4;
/// Servers that prove who they are are let in; neither side pings while this lasts.
const SETTINGS: [(&str, &str); 3] = [
    ("NEIGHBOURHOOD__ADMIT", "anyone"),
    ("LIMITS__PEER_HEARTBEAT_S", "600"),
    ("LIMITS__PEER_SILENCE_S", "1800"),
];

/// How much is measured.
struct Size {
    members: usize,
    signed: u64,
    unsigned: u64,
    direct: u64,
    heartbeats: u64,
    raw: Duration,
}

const FULL: Size = Size {
    members: 100,
    signed: 4000,
    unsigned: 2000,
    direct: 3000,
    heartbeats: 2,
    raw: Duration::from_secs(1),
};
const SHORT: Size = Size {
    members: 10,
    signed: 20,
    unsigned: 20,
    direct: 20,
    heartbeats: 0,
    raw: Duration::from_millis(100),
};

/// What the machine can do if it does nothing else.
struct Raw {
    checks: Rate,
    signatures: Rate,
}

/// How fast something is done by all cores together, and the CPU seconds that each takes.
struct Rate {
    per_s: f64,
    each_s: f64,
}

fn main() {
    let is_told = |word: &str| std::env::args().any(|argument| argument == word);
    if !is_told("--bench") {
        println!("socp: run with `cargo bench --bench socp`");
        return;
    }
    let size = if is_told("--test") { SHORT } else { FULL };
    let data = tempfile::TempDir::new().expect("a folder");
    let keys: Vec<Arc<Key>> = (0..KEYS).map(|_| Arc::new(Key::new())).collect();
    println!("\n{:<46} {:>18}   server CPU  client CPU", "", "measured");
    let raw = raw(&keys, size.raw);
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let server = Server::start_with(data.path(), &SETTINGS);
        letters(&server, &keys, &size, &raw).await;
        drop(server);
        if size.heartbeats > 0 {
            heartbeats(data.path(), &keys, &size).await;
        }
    });
}

/// One line of the table.
fn row(what: &str, figure: &str, cpu: Option<(f64, f64)>) {
    let cpu = cpu.map(|(server, client)| format!("{server:>9.2} s {client:>9.2} s")).unwrap_or_default();
    println!("{what:<46} {figure:>18}   {cpu}");
}

/// Checks and signatures on as many threads as the server has notaries, with nobody beside them.
fn raw(keys: &[Arc<Key>], span: Duration) -> Raw {
    let checks = best_rate(keys, span, |key| {
        let verifier = Verifier::new(key.private().public()).expect("a verifier");
        let question = key.question();
        move || assert!(verifier.judge(black_box(&question)).is_some())
    });
    let signatures = best_rate(keys, span, |key| {
        let text = key.question().texts.concat();
        move || drop(black_box(sign(key.private(), black_box(&text), Salt::Digest)))
    });
    for (name, rate) in [("checks", &checks), ("signatures", &signatures)] {
        let what = format!("RSA-4096 {name}, all cores, nothing else");
        row(&what, &format!("{:.0}/s", rate.per_s), None);
        row("  CPU for each", &format!("{:.3} ms", rate.each_s * 1000.0), None);
    }
    Raw { checks, signatures }
}

/// The best of some rounds, because the machine has other work, too.
fn best_rate<'k, W: FnMut()>(
    keys: &'k [Arc<Key>],
    span: Duration,
    work: impl Fn(&'k Key) -> W + Sync,
) -> Rate {
    let rounds = (0..ROUNDS).map(|_| rate(keys, span, &work));
    let best = |best: Rate, rate: Rate| Rate {
        per_s: best.per_s.max(rate.per_s),
        each_s: best.each_s.min(rate.each_s),
    };
    rounds.reduce(best).expect("a round")
}

fn rate<'k, W: FnMut()>(keys: &'k [Arc<Key>], span: Duration, work: &(impl Fn(&'k Key) -> W + Sync)) -> Rate {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (cpu_s, started) = (own_cpu_s(), Instant::now());
    let count: u32 = thread::scope(|scope| {
        let busy = |key: &'k Arc<Key>| {
            scope.spawn(move || {
                let (mut once, mut count) = (work(key), 0);
                while started.elapsed() < span {
                    once();
                    count += 1;
                }
                count
            })
        };
        let busy: Vec<_> = keys.iter().cycle().take(threads).map(busy).collect();
        busy.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    let count = f64::from(count.max(1));
    Rate { per_s: count / started.elapsed().as_secs_f64(), each_s: (own_cpu_s() - cpu_s) / count }
}

/// Everybody comes in one after another, and then writes.
async fn letters(server: &Server, keys: &[Arc<Key>], size: &Size, raw: &Raw) {
    let people = Person::many(keys, size.members);
    let mut crowd = arrivals(server, &people).await;
    let members = size.members as u64;
    // Nobody hears their own.
    let everybody = Way { mark: mark::PUBLIC, copies: members - 1, window: WINDOW };
    let writers = || people[..KEYS].iter().enumerate().cycle();
    let public = |from: u64, count: u64, is_signed: bool| -> Vec<(usize, Bytes)> {
        (from..from + count).zip(writers()).map(|(n, (at, who))| (at, who.public(n, is_signed))).collect()
    };

    let frames = public(0, size.signed, true);
    let cost = send(server, &mut crowd, &frames, everybody).await;
    report(&format!("signed letters among {members} members"), &cost, frames.len());
    compare("checks", &cost, frames.len(), &raw.checks);

    let frames = public(size.signed, size.unsigned, false);
    let cost = send(server, &mut crowd, &frames, everybody).await;
    report(&format!("unsigned letters among {members} members"), &cost, frames.len());
    compare("signatures", &cost, frames.len(), &raw.signatures);

    let readers = people.iter().rev().take(people.len().saturating_sub(KEYS).max(1)).cycle();
    let numbered = (0..size.direct).zip(writers()).zip(readers);
    let frames: Vec<_> = numbered.map(|((n, (at, who)), to)| (at, who.direct(n, to))).collect();
    let cost = send(server, &mut crowd, &frames, Way { mark: mark::USER, copies: 1, window: WINDOW }).await;
    report("private letters", &cost, frames.len());
    compare("signatures", &cost, frames.len(), &raw.signatures);
}

fn report(name: &str, cost: &Cost, letters: usize) {
    let letters = letters as f64;
    row(name, &format!("{:.0}/s", letters / cost.span_s), Some(cost.cpu));
    row("  frames delivered", &format!("{:.0}/s", cost.frames as f64 / cost.span_s), None);
    let (fresh, kept) = (cost.made.fresh / letters, cost.made.kept / letters);
    row("  signatures made for each, used again", &format!("{fresh:.2}, {kept:.2}"), None);
    if cost.missing > 0 {
        row("  never arrived", &cost.missing.to_string(), None);
    }
}

/// A run beside what bounds it.
fn compare(name: &str, cost: &Cost, letters: usize, raw: &Rate) {
    let ratio = |count: f64| count / cost.span_s / raw.per_s;
    let (each, all) = (ratio(letters as f64), ratio(cost.frames as f64));
    row(&format!("  letters and frames to {name}"), &format!("{each:.2}, {all:.2}"), None);
    let (server_s, _) = cost.cpu;
    let worth = server_s / letters as f64 / raw.each_s;
    row(&format!("  server CPU for each, in {name}"), &format!("{worth:.2}"), None);
}

/// People say hello, each once everybody has heard of the one before.
async fn arrivals(server: &Server, people: &[Person]) -> Crowd {
    let (mut crowd, before, started) = (Crowd::new(), Made::so_far(server), Instant::now());
    let mut missing = 0;
    for (already, person) in (0_u64..).zip(people) {
        let hello = person.hello();
        crowd.enter(server, &hello).await.expect("a place");
        missing += crowd.until(mark::WELCOME, already + 1).await;
        // Everybody hears of everybody, of themselves as well.
        missing += crowd.until(mark::USER, (already + 1) * (already + 1)).await;
    }
    let span_s = started.elapsed().as_secs_f64();
    crowd.quiet().await;
    let made = Made::so_far(server).since(before);
    let count = people.len() as f64;
    row(&format!("{count} people come, one after another"), &format!("{:.0}/s", count / span_s), None);
    let told = (crowd.count(mark::USER) + crowd.count(mark::WELCOME)) as f64;
    row("  frames that tell of each", &format!("{:.1}", told / count), None);
    let (fresh, kept) = (made.fresh / count, made.kept / count);
    row("  signatures made for each, used again", &format!("{fresh:.2}, {kept:.2}"), None);
    if missing > 0 {
        row("  never arrived", &missing.to_string(), None);
    }
    crowd
}

/// Servers that are linked and say nothing.
async fn heartbeats(data: &Path, keys: &[Arc<Key>], size: &Size) {
    let server = Server::start_with(data, &SETTINGS);
    let (mut crowd, peers) = (Crowd::new(), Person::many(keys, KEYS));
    for (peer, port) in peers.iter().zip(1..) {
        crowd.enter(&server, &peer.join(port)).await.expect("a place");
    }
    let count = KEYS as u64;
    let strangers = crowd.until(mark::SERVER, count).await;
    crowd.quiet().await;
    let before = Made::so_far(&server);
    let missing = crowd.until(mark::HEARTBEAT, count * size.heartbeats).await;
    let made = Made::so_far(&server).since(before);
    let heard = crowd.count(mark::HEARTBEAT);
    row(&format!("heartbeats heard by {count} servers"), &heard.to_string(), None);
    row("  signatures made in all, used again", &format!("{:.0}, {:.0}", made.fresh, made.kept), None);
    if strangers + missing > 0 {
        row("  never welcomed, never arrived", &format!("{strangers}, {missing}"), None);
    }
}

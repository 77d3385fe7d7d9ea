//! The whole house under load: the real program as a process of its own, over loopback sockets.
//!
//! A plain program, not a statistics harness: every figure is measured once, on whatever else the
//! machine is doing, so read ratios, not digits. It runs with `cargo bench --bench house` only, takes
//! about a minute, and stops the server in every case. The load generator is one thread; its own CPU
//! time is printed beside the server's, because both share the machine.

mod client;
mod runs;
#[allow(dead_code, reason = "the other bench that starts a server uses the rest")]
mod server;
mod wire;

use std::{path::Path, time::Instant};

use bytes::Bytes;
use client::{Person, join};
use runs::{BROKEN, CLOSE, Cost, Crowd, Pace, closes, hellos, join_many, open_many, percentile_ms, send};
use server::{Server, most_files, own_cpu_s};
use tokio::{
    runtime::Builder,
    task::LocalSet,
    time::{Duration, sleep},
};

/// Different members. Making thousands of RSA keys would take minutes, so connections share these, and
/// client lists stay small: about 7 KiB.
const PEOPLE: usize = 16;
/// Idle connections to weigh.
const IDLE: usize = 4000;
/// Connections whose end is timed.
const CLOSES: usize = 1000;
/// Files kept for everything that is not a connection.
const SPARE_FILES: usize = 500;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("house: run with `cargo bench --bench house`");
        return;
    }
    let data = tempfile::TempDir::new().expect("a folder");
    let people: Vec<Person> = (0..PEOPLE).map(|_| Person::new()).collect();
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        println!("\n{:<46} {:>18}   server CPU  client CPU", "", "measured");
        idle(data.path(), &people).await;
        load(data.path(), &people).await;
        ends(data.path()).await;
    });
}

/// One line of the table.
fn row(what: &str, figure: &str, cpu: Option<(f64, f64)>) {
    let cpu = cpu.map(|(server, client)| format!("{server:>9.2} s {client:>9.2} s")).unwrap_or_default();
    println!("{what:<46} {figure:>18}   {cpu}");
}

/// (a) Memory of connections that do nothing, and (c) how fast they come in. Fresh processes, because
/// an allocator reuses what earlier connections left.
async fn idle(data: &Path, people: &[Person]) {
    let count = IDLE.min(most_files().saturating_sub(SPARE_FILES));
    let server = Server::start(data);
    let before = server.rss_kib();
    let silent = open_many(server.address, count).await;
    sleep(Duration::from_secs(1)).await;
    let each = (server.rss_kib() - before) / silent.len() as f64;
    row(&format!("memory of each of {count} before hello"), &format!("{each:.1} KiB"), None);
    drop((silent, server));

    let server = Server::start(data);
    let before = server.rss_kib();
    let hellos = hellos(people, count);
    let (server_s, client_s, started) = (server.cpu_s(), own_cpu_s(), Instant::now());
    let members = join_many(server.address, hellos).await;
    let rate = members.len() as f64 / started.elapsed().as_secs_f64();
    let cpu = (server.cpu_s() - server_s, own_cpu_s() - client_s);
    row("connects, hello and first list", &format!("{rate:.0}/s"), Some(cpu));
    sleep(Duration::from_secs(1)).await;
    let each = (server.rss_kib() - before) / members.len() as f64;
    row(&format!("memory of each of {count} after hello"), &format!("{each:.1} KiB"), None);
    row("memory of the empty house", &format!("{:.1} MiB", before / 1024.0), None);
}

/// Letters with rising counters, signed before the clock runs.
fn letters(person: &Person, count: usize) -> Vec<Bytes> {
    (2..).take(count).map(|counter| person.letter(counter)).collect()
}

/// (b) Deliveries, (d) latency, (e) neighbours of a client that never reads.
async fn load(data: &Path, people: &[Person]) {
    let server = Server::start(data);
    let mut capacity = 0.0;
    for (members, count) in [(100, 4000), (1000, 500)] {
        for (window, name) in [(1, "each awaited"), (16, "16 on their way")] {
            let letters = letters(&people[0], count);
            let crowd = Crowd::gather(server.address, people, members).await;
            let cost = send(&server, crowd, &letters, Pace::Window(window)).await;
            report_deliveries(&format!("{members} members, {name}"), &cost);
            // Full load without the help of batches, as when letters come from many people.
            if (members, window) == (100, 1) {
                capacity = count as f64 / cost.span_s;
            }
            sleep(Duration::from_millis(500)).await;
        }
    }
    println!("\nlatency at half of {capacity:.0} letters/s to 100 members:");
    let rate = capacity / 2.0;
    let count = (rate * 4.0) as usize;
    // Twice each, by turns, and the better one of both: the machine has other work too.
    let mut best = [(f64::INFINITY, f64::INFINITY); 2];
    for stuck in [false, true, false, true] {
        let letters = letters(&people[0], count);
        let crowd = Crowd::gather(server.address, people, 100).await;
        // This one joins and then never reads a byte.
        let deaf = if stuck { join(server.address, &people[1].hello()).await.ok() } else { None };
        let cost = send(&server, crowd, &letters, Pace::PerSecond(rate)).await;
        let name = if stuck { "beside a client that never reads" } else { "alone" };
        let (p50, p99) = (cost.percentile_ms(50), cost.percentile_ms(99));
        row(
            &format!("  p50 and p99 {name}"),
            &format!("{p50:.2}, {p99:.1} ms"),
            Some((cost.server_s, cost.client_s)),
        );
        let best = &mut best[usize::from(stuck)];
        *best = (best.0.min(p50), best.1.min(p99));
        if let Some((stream, mut tape)) = deaf {
            row(
                "  and that client was let go",
                if was_closed(&stream, &mut tape) { "yes" } else { "not yet" },
                None,
            );
        }
        sleep(Duration::from_millis(500)).await;
    }
    let [alone, beside] = best;
    row(
        "  ratio of p50 and p99, beside to alone",
        &format!("{:.2}, {:.2}", beside.0 / alone.0, beside.1 / alone.1),
        None,
    );
}

/// (f) How long the end of a connection takes, whoever begins it.
async fn ends(data: &Path) {
    let server = Server::start(data);
    println!("\nfrom the frame that ends a connection to the end of its stream:");
    for (name, last) in [("a close", &CLOSE[..]), ("a broken frame", &BROKEN)] {
        let waits = closes(server.address, last, CLOSES).await.expect("a server that answers");
        let (p50, p99, most) =
            (percentile_ms(&waits, 50), percentile_ms(&waits, 99), percentile_ms(&waits, 100));
        row(&format!("  p50, p99 and most, {name}"), &format!("{p50:.2}, {p99:.2}, {most:.1} ms"), None);
    }
}

/// Whether the server has closed a connection that was never read.
fn was_closed(stream: &tokio::net::TcpStream, tape: &mut wire::Tape) -> bool {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match stream.try_read(&mut buffer) {
            Ok(0) => return true,
            Ok(count) => tape.feed(&buffer[..count]),
            Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock || tape.closed,
        }
    }
}

fn report_deliveries(name: &str, cost: &Cost) {
    let rate = cost.deliveries as f64 / cost.span_s;
    row(&format!("deliveries, {name}"), &format!("{rate:.0}/s"), Some((cost.server_s, cost.client_s)));
    let each = cost.server_s * 1e5 / cost.deliveries as f64;
    row("  server CPU for 100,000 deliveries", &format!("{each:.3} s"), None);
    if cost.missing > 0 {
        row("  never arrived", &cost.missing.to_string(), None);
    }
}

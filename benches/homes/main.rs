//! What people notice when the node that serves a home ends: three real processes, and a hundred members who chat
//! through the links of our own client, half of them in a room and half of them in OLAF.
//!
//! A plain program that runs with `cargo bench --bench homes` only; three rounds of it take about six minutes. A line
//! or letter counts as *accepted* if anybody but its author has heard it. A line is *lost* if it was accepted and the node
//! that serves next does not have it, a letter if it was accepted and one of those present has not heard it.

mod home;
mod people;

use std::{
    fmt::Display,
    sync::Arc,
    time::{Duration, Instant},
};

use home::Node;
use kith::crypto::keys::PrivateKey;
use people::{Count, Crowd, Figures};
use tokio::time::sleep;

/// The numbers of succession, about a tenth of what they are by default.
const QUICK: [(&str, &str); 7] = [
    ("SUCCESSION__REPORT_MS", "100"),
    ("SUCCESSION__PULSE_MS", "200"),
    ("SUCCESSION__RETRY_MS", "250"),
    ("SUCCESSION__SUSPECT_MS", "400"),
    ("SUCCESSION__LEASE_MS", "1000"),
    ("SUCCESSION__TAKEOVER_MS", "1500"),
    ("SUCCESSION__STAGGER_MS", "50"),
];
/// How long people talk before the end, and behind it.
const TALK: Duration = Duration::from_secs(5);
/// How often each end is played.
const ROUNDS: usize = 3;
/// How long everybody may take to be back.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy)]
enum End {
    Killed,
    Asked,
}

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("homes: run with `cargo bench --bench homes`");
        return;
    }
    let (keys, people) = (home::keys(), people::keys());
    actix_rt::System::new().block_on(async {
        println!("\nthe least, the middle and the most of {ROUNDS} rounds\n");
        for (name, settings) in [("quick", &QUICK[..]), ("default", &[])] {
            for (end, what) in [(End::Killed, "kill -9"), (End::Asked, "planned")] {
                let mut rounds = Vec::with_capacity(ROUNDS);
                for _ in 0..ROUNDS {
                    rounds.push(run(home::start(keys.path(), settings).await, &people, end).await);
                }
                println!("{what}, {name} numbers");
                show("without service, ms", &rounds, |round| round.gap.as_millis());
                for (kind, of) in KINDS {
                    show(&format!("{kind} accepted"), &rounds, |round| of(round).accepted);
                    show(&format!("{kind} lost"), &rounds, |round| of(round).lost);
                    show(&format!("{kind} not read by somebody"), &rounds, |round| of(round).unread);
                    show(&format!("{kind} never taken"), &rounds, |round| of(round).never);
                }
            }
        }
    });
}

/// What is counted apart: its name, and where it stands in the figures.
type Kind = (&'static str, fn(&Figures) -> &Count);
const KINDS: [Kind; 2] = [("lines", |figures| &figures.lines), ("letters", |figures| &figures.letters)];

fn show<T: Ord + Display>(what: &str, rounds: &[Figures], of: impl Fn(&Figures) -> T) {
    let mut values: Vec<T> = rounds.iter().map(of).collect();
    values.sort();
    if let [least, .., most] = &values[..] {
        println!("  {what:<30} {least:>8} {:>8} {most:>8}", values[values.len() / 2]);
    }
}

/// Lets people talk, ends the node that serves, and looks at what came of it.
async fn run(mut nodes: Vec<Node>, keys: &[Arc<PrivateKey>], end: End) -> Figures {
    let doors: Vec<String> = nodes.iter().map(Node::door).collect();
    let crowd = Crowd::enter(&doors[0], keys);
    let first = until(&crowd, &doors, None).await;
    sleep(TALK).await;
    match end {
        End::Killed => nodes[first].kill(),
        End::Asked => nodes[first].ask_to_end(),
    }
    let next = until(&crowd, &doors, Some(first)).await;
    sleep(TALK).await;
    crowd.be_silent();
    // What is on its way arrives, and is written down.
    sleep(TALK).await;
    crowd.figures(&nodes[next].lines().await)
}

/// Waits until everybody is in by one door, which is another one than that of this node. Says whose it is.
async fn until(crowd: &Crowd, doors: &[String], not: Option<usize>) -> usize {
    let started = Instant::now();
    loop {
        if let Some(door) = crowd.door()
            && let Some(at) = doors.iter().position(|known| *known == door)
            && Some(at) != not
        {
            return at;
        }
        assert!(started.elapsed() < PATIENCE, "not everybody is in");
        sleep(Duration::from_millis(10)).await;
    }
}

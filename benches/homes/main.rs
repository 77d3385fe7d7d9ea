//! What people notice when the node that serves a home ends: three real processes, and a hundred members who chat
//! through the links of our own client.
//!
//! A plain program, measured once; it runs with `cargo bench --bench homes` only and takes about two minutes. A line
//! counts as *accepted* if anybody but its author has heard it, and as *lost* if it was accepted and the node that
//! serves next does not have it.

mod home;
mod people;

use std::time::{Duration, Instant};

use home::Node;
use people::{Crowd, Figures};
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
    let keys = home::keys();
    actix_rt::System::new().block_on(async {
        println!(
            "\n{:<28} {:>15} {:>9} {:>6} {:>9} {:>12}",
            "", "without service", "accepted", "lost", "unread by", "never taken"
        );
        for (name, settings) in [("quick", &QUICK[..]), ("default", &[])] {
            for (end, what) in [(End::Killed, "kill -9"), (End::Asked, "planned")] {
                let figures = run(home::start(keys.path(), settings).await, end).await;
                let Figures { gap, accepted, lost, unread, never } = figures;
                let (what, gap) = (format!("{what}, {name} numbers"), gap.as_secs_f64());
                println!("{what:<28} {gap:>13.2} s {accepted:>9} {lost:>6} {unread:>9} {never:>12}");
            }
        }
    });
}

/// Lets people talk, ends the node that serves, and looks at what came of it.
async fn run(mut nodes: Vec<Node>, end: End) -> Figures {
    let doors: Vec<String> = nodes.iter().map(Node::door).collect();
    let crowd = Crowd::enter(&doors[0]);
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

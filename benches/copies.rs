//! What it costs to follow a home: a whole copy of a large database, and the changes of a busy one.
//!
//! A plain program, measured once; it runs with `cargo bench --bench copies` only.

use std::{path::Path, time::Instant};

use kith::{
    domain::{dialect::Dialect, id::KeyId},
    store::{Copy, Mark, Seen, Since, Store},
};

/// Rows of the large database, and how many change in each round of the busy one.
const ROWS: u32 = 100_000;
const BUSY: u32 = 2_000;
const ROUNDS: u32 = 10;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("copies: run with `cargo bench --bench copies`");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let leader = Store::open(&folder.path().join("leader.db")).await.expect("a store");
        leader.begin_changes(1).await.expect("a log");
        write(&leader, 0..ROWS, 0, "members written, as they come").await;
        let copy = everything(&leader, &folder.path().join("copy.db")).await;
        for round in 1..=ROUNDS {
            write(&leader, 0..BUSY, i64::from(round), "members changed").await;
            follow(&leader, &copy).await;
        }
    });
}

fn seen(number: u32, at: i64) -> Seen {
    let key = KeyId(std::array::from_fn(|place| number.to_be_bytes()[place % 4]));
    Seen::now(key, Dialect::Olaf, "k".repeat(450), at)
}

/// In batches, as the archivist writes.
async fn write(store: &Store, numbers: std::ops::Range<u32>, at: i64, what: &str) {
    let (began, count) = (Instant::now(), numbers.len());
    let members: Vec<Seen> = numbers.map(|number| seen(number, at)).collect();
    for batch in members.chunks(256) {
        store.remember_members(batch).await.expect("room");
    }
    report(what, count, began);
}

async fn everything(leader: &Store, path: &Path) -> Copy {
    let began = Instant::now();
    let (mut whole, mut rows) = (leader.whole().await.expect("a view"), 0);
    while let Some(batch) = whole.next().await.expect("rows") {
        rows += batch.changes.len();
    }
    report("rows read for a whole copy", rows, began);
    drop(whole);
    let copy = Copy::open(path).await.expect("a copy");
    let began = Instant::now();
    let (mut whole, mut replacement) =
        (leader.whole().await.expect("a view"), copy.replace().await.expect("a beginning"));
    while let Some(batch) = whole.next().await.expect("rows") {
        replacement.add(&batch).await.expect("room");
    }
    replacement.finish(Mark { epoch: 1, seq: whole.through() }).await.expect("an end");
    report("rows read and written by a whole copy", rows, began);
    copy
}

async fn follow(leader: &Store, copy: &Copy) {
    let (began, mut rows) = (Instant::now(), 0);
    loop {
        let known = copy.mark().await.expect("a mark").expect("a copy");
        let Since::Changes(batch) = leader.changes_since(known.seq).await.expect("changes") else {
            panic!("the log is too short")
        };
        if batch.changes.is_empty() {
            return report("changes followed", rows, began);
        }
        rows += batch.changes.len();
        copy.apply(1, &batch).await.expect("room");
    }
}

fn report(what: &str, rows: usize, began: Instant) {
    let span = began.elapsed().as_secs_f64();
    println!("{what:<40} {rows:>8} in {span:>7.3} s, {:>9.0} a second", rows as f64 / span);
}

//! What it costs that a commit survives a power cut: batches as the archivist writes them, with and without waiting
//! for the disk. The figures are those of the disk under the folder for temporary files.

use std::time::{Duration, Instant};

use kith::{
    domain::{dialect::Dialect, id::KeyId},
    store::{Seen, Store, StoreOptions},
};

/// Batches of each kind.
const BATCHES: u32 = 200;

fn members(batch: u32, count: u32) -> Vec<Seen> {
    let member = |number: u32| {
        let digest = kith::crypto::sha256(&[batch.to_be_bytes(), number.to_be_bytes()].concat());
        // As long as a public key is.
        Seen::now(KeyId(digest), Dialect::Olaf, "k".repeat(450), i64::from(batch))
    };
    (0..count).map(member).collect()
}

async fn measure(power_cuts: bool, count: u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = StoreOptions { power_cuts, ..StoreOptions::default() };
    let store = Store::open_with(&folder.path().join("kith.db"), &options).await.expect("a store");
    let mut times = Vec::new();
    for batch in 0..BATCHES {
        let members = members(batch, count);
        let begun = Instant::now();
        store.remember_members(&members).await.expect("written");
        times.push(begun.elapsed());
    }
    store.close().await;
    times.sort();
    let mean = times.iter().sum::<Duration>() / BATCHES;
    let late = times[times.len() * 99 / 100];
    println!(
        "power cuts: {power_cuts:<5}  rows: {count:>3}  mean {mean:>9.2?}  one in a hundred {late:>9.2?}"
    );
}

fn main() {
    actix_rt::System::new().block_on(async {
        for count in [1, 32, 256] {
            for power_cuts in [false, true] {
                measure(power_cuts, count).await;
            }
        }
    });
}

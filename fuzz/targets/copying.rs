//! What a node that copies may be sent, behind the seal: no panic, and rows that come land in tables of the home and nowhere else.
//!
//! The first byte says whether the rest is read as it is, or taken for the values of a row of some table: a batch that fits is
//! hard to guess.
#![no_main]

use std::sync::LazyLock;

use kith::{
    actors::succession::copying::fuzzed,
    store::{Batch, Cell, Change, Copy, Shape, Store},
};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

const TABLES: [(&str, &[&str]); 3] = [
    ("facts", &["key", "value"]),
    ("introductions", &["address", "member", "seq", "until"]),
    ("ban_lists", &["key_id", "issue"]),
];

static PLACE: LazyLock<(Runtime, Copy, Store)> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = std::env::temp_dir().join(format!("kith-fuzz-{}", std::process::id()));
    let path = folder.join("kith.db");
    let (copy, store) = runtime.block_on(async {
        let copy = Copy::open(&path).await.expect("a copy");
        (copy, Store::open(&path).await.expect("a store"))
    });
    (runtime, copy, store)
});

/// A value, and the rest.
fn cell(bytes: &[u8]) -> Option<(Cell, &[u8])> {
    let ([kind, length], rest) = bytes.split_first_chunk::<2>()?;
    let (value, rest) = rest.split_at(usize::from(*length).min(rest.len()));
    let cell = match kind % 4 {
        0 => Cell::Nothing,
        1 => Cell::Number(value.iter().fold(0, |sum, byte| sum << 8 | i64::from(*byte))),
        2 => Cell::Text(String::from_utf8_lossy(value).into_owned()),
        _ => Cell::Bytes(value.to_vec()),
    };
    Some((cell, rest))
}

fn row(table: usize, mut bytes: &[u8]) -> Batch {
    let (table, columns) = TABLES[table % TABLES.len()];
    let columns = columns.iter().map(|&column| column.to_owned()).collect();
    let mut cells = Vec::new();
    while let Some((cell, rest)) = cell(bytes) {
        cells.push(cell);
        bytes = rest;
    }
    let shape = Shape { table: table.to_owned(), columns, key: 1 };
    Batch { shapes: vec![shape], changes: vec![Change { shape: 0, cells }], through: 1 }
}

fuzz_target!(|data: &[u8]| {
    let Some((how, rest)) = data.split_first() else { return };
    let batch = match how {
        0..128 => fuzzed::read(rest),
        how => Some(row(usize::from(*how), rest)),
    };
    let Some(batch) = batch else { return };
    let (runtime, copy, store) = &*PLACE;
    runtime.block_on(async {
        let before = copy.mark().await.expect("a mark");
        let applied = copy.apply(1, &batch).await;
        let after = copy.mark().await.expect("a mark");
        assert!(applied.is_ok() || before == after, "all of it and the mark, or nothing");
        // What was taken is read back, or said to be odd.
        let _ = store.introductions(0).await;
        store.probe().await.expect("a database that is whole");
    });
});

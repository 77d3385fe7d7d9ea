//! SOCP as values: what four groups' programs really sent, the texts that others sign, and laws of reading.

mod canonical;
mod forms;
mod laws;
mod partners;
mod payloads;
mod plain;
mod recordings;

use std::{fs, path::PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

/// The recordings.
const NAMES: [&str; 4] = ["g17", "g2", "g45", "g56"];

fn read(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/socp").join(name);
    fs::read_to_string(path).expect("a file of vectors")
}

/// The frames of a recording, with the number of each line.
fn frames(name: &str) -> Vec<(usize, String)> {
    #[derive(Deserialize)]
    struct Line<'a> {
        #[serde(borrow)]
        frame: &'a RawValue,
    }
    let text = read(&format!("{name}.jsonl"));
    let frame = |line| serde_json::from_str::<Line<'_>>(line).expect("a line").frame.get().to_owned();
    text.lines().zip(1..).map(|(line, number)| (number, frame(line))).collect()
}

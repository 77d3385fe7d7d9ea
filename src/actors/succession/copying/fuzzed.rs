//! What comes out of the seal of a copying stream, and the line before it, as fuzzing reads them (`fuzz/targets/copying.rs`).

use super::wire::{Asked, Told, parse};
use crate::store::Batch;

/// Reads bytes as everything that can be said there. The rows among it, if there are any.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Batch> {
    if let Ok(line) = std::str::from_utf8(bytes) {
        let _ = parse(line);
    }
    if let Ok(asked) = postcard::from_bytes::<Asked>(bytes) {
        let again = postcard::to_allocvec(&asked).expect("bytes");
        assert!(postcard::from_bytes::<Asked>(&again).is_ok());
    }
    match postcard::from_bytes::<Told>(bytes).ok()? {
        Told::Rows(batch) | Told::Changes(batch) => Some(batch),
        _ => None,
    }
}

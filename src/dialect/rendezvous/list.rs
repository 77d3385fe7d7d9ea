//! The list that the first clients read.

use super::{LEGACY_BYTES, LIST};
use crate::domain::endpoint::Endpoint;

/// Prints a list of these entries, one in each line, the last line ended as well. Addresses of IPv6 are left out, and
/// so is whatever would make it longer than the first clients can read. With `nul`, a zero byte ends it.
#[must_use]
pub fn print<'a>(entries: impl IntoIterator<Item = &'a Endpoint>, nul: bool) -> Vec<u8> {
    let most = LEGACY_BYTES - usize::from(nul);
    let mut text = format!("{LIST}\n");
    for entry in entries.into_iter().filter(|entry| entry.is_v4()) {
        let line = format!("{entry}\n");
        if text.len() + line.len() > most {
            break;
        }
        text.push_str(&line);
    }
    let mut bytes = text.into_bytes();
    bytes.extend(nul.then_some(0));
    bytes
}

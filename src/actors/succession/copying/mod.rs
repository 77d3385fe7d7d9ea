//! How the node that serves tells the others of its home what changes: a sealed stream on the succession port.
//!
//! Whoever follows dials, with a line that no other program says there; see `docs/succession.md`. Both sides
//! mix the home's secret into the keys of the channel, so whoever does not have it reads nothing and is
//! noticed with the first message.

mod copies;
mod follow;
#[cfg(fuzzing)]
pub mod fuzzed;
mod lead;
#[cfg(test)]
mod tests;
mod wire;

pub use copies::Copies;
pub use follow::follow;
pub use lead::{Reign, lead};
pub use wire::{CopyError, GREETING};

//! How the node that serves tells the others of its home what changes: a sealed stream on the succession port.
//!
//! Whoever follows dials, with a line that no other program says there; see `docs/succession.md`. Both sides
//! mix the home's secret into the keys of the channel, so whoever does not have it reads nothing and is
//! noticed with the first message.
//!
//! Uploaded files go over connections of their own, so that they hold up no rows: `contents` compares the folder with
//! the rows, `ledger` notes what is lacking, `fetch` asks for it and `give` answers, whoever of both serves.

mod contents;
mod copies;
mod dial;
mod fetch;
mod follow;
#[cfg(fuzzing)]
pub mod fuzzed;
mod give;
mod guest;
mod lead;
mod ledger;
#[cfg(test)]
mod tests;
mod wire;

pub use contents::Contents;
pub use copies::Copies;
pub use dial::{AGAIN, LONGEST, dial};
pub use fetch::Asker;
pub use follow::Follower;
pub use give::lend;
pub use guest::{Guest, Newcomer};
pub use lead::{Reign, lead};
pub use ledger::{Lacks, Ledger, Shown};
pub use wire::{CopyError, GREETING};

//! The section `bans`: what is shared of them with neighbours.

use serde::{Deserialize, Serialize};

/// The section `bans`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bans {
    /// Whether Kith neighbours are told the operator's own bans.
    pub publish: bool,
    /// The neighbours whose bans count here, too: their fingerprints, addresses or names.
    pub subscribe: Vec<String>,
}

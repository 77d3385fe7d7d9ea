//! What a host says about itself: how busy it is, and what it has.
//!
//! The figures are what the first form of the protocol carries, in its units. Nobody proves them, so they decide
//! about rank and about nothing else.

use std::sync::Arc;

/// The figures of one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// What it calls itself.
    pub name: Arc<str>,
    /// How busy its processors are, in per cent of all of them.
    pub cpu_percent: u32,
    /// Memory in use, in millions of bytes.
    pub ram_used_mb: u64,
    /// All its memory, in millions of bytes.
    pub ram_total_mb: u64,
    /// What its network could still carry, in millions of bytes.
    pub bandwidth_mb: u64,
    /// Free space of its disk, in thousands of millions of bytes.
    pub disk_free_gb: u64,
}

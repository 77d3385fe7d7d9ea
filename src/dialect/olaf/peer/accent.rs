//! How one implementation of OLAF's server side deviates.

/// The accent of one neighbour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Accent {}

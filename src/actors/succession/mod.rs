//! The nodes of one home on the wire: who serves, and what the others keep of it.

pub mod copying;
pub mod helm;
pub mod shell;

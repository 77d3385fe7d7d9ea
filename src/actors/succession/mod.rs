//! The nodes of one home on the wire: who serves, and what the others keep of it.
//!
//! `shell` puts it together. `driver` owns the election (`domain/succession`) and does what it says; `door` is where
//! others ask us, `places` how many may at once, `post` how we ask them, `guest` how we report to a server of the first
//! form, `ballots` what is never forgotten, `figures` how busy we are, `lease` the last word about serving, `copying` the
//! stream of changes. `helm` is all that the rest of the program sees of it.

mod ballots;
pub mod copying;
mod door;
mod driver;
#[cfg(test)]
mod driver_tests;
mod figures;
mod guest;
pub mod helm;
mod lease;
pub mod places;
mod post;
pub mod shell;

//! Servers that are linked with each other, from outside: real processes that find, lose and prove each
//! other, clients that talk across them, and neighbours that mean harm.
//!
//! `place` is where servers live and what is asked of them, `line` breaks the network between two of them,
//! and `stranger` is a neighbour whose every message is ours.

mod bans;
mod bridge;
mod bridge_links;
mod crossing;
mod cuts;
mod down;
mod flood;
mod garbage;
mod gossip;
pub(crate) mod home;
mod homes;
mod homes_directory;
mod homes_files;
mod homes_moving;
mod hostile;
mod impostor;
mod introduced;
pub(crate) mod line;
mod links;
mod moves;
pub(crate) mod pair;
pub(crate) mod place;
mod rooms;
mod shunned;
mod stranger;
mod trust;

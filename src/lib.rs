//! Kith: run your own chat server and join it with your neighbours' servers.
//!
//! The house has floors, and imports only ever run downwards:
//! `domain` < `crypto`, `store`, `settings` < `dialect` < `actors`, `client` < `http`, `cli` <
//! `startup` < `main`. The floors `domain`, `crypto` and `dialect` are pure: they build without the
//! feature `io`, which is how the compiler keeps sockets, clocks and databases out of them.
//! `ARCHITECTURE.md` draws the whole picture.

#[cfg(feature = "io")]
pub mod actors;
#[cfg(feature = "io")]
pub mod cli;
#[cfg(feature = "io")]
pub mod client;
pub mod crypto;
pub mod dialect;
pub mod domain;
#[cfg(feature = "io")]
pub mod http;
#[cfg(feature = "io")]
pub mod identity;
#[cfg(feature = "io")]
pub mod settings;
#[cfg(feature = "io")]
pub mod startup;
#[cfg(feature = "io")]
pub mod store;
#[cfg(feature = "io")]
pub mod telemetry;

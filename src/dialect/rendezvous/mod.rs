//! The rendezvous: plain text on TCP by which clients that mesh by themselves find each other.
//!
//! Its first clients and servers send texts without an end and take each read for a message; here everything is a
//! stream, and the same bytes mean the same however they are cut. `client` reads what clients send and `server`
//! what servers send, `list` prints the list that everybody reads, `line` has the lines that only newer programs
//! send, and `hello` is what somebody says who has dialled. docs/rendezvous.md specifies all of it.

pub mod client;
pub mod hello;
pub mod line;
pub mod list;
pub mod server;
#[cfg(test)]
mod tests;

use std::time::Duration;

/// The port where the first servers listen.
pub const PORT: u16 = 8888;
/// How a list begins.
pub const LIST: &str = "list:";
/// What ends every client for good. Servers say it before they close on purpose.
pub const TEARDOWN: &str = "teardown";
/// What a server says to whom it has no room for.
pub const FULL: &str = "full";
/// How a line of newer programs begins.
pub const KITH: &str = "kith/1";

/// Silence after which a registration without an end is whole: its port can be cut in two on the way.
pub const REGISTRATION_QUIET: Duration = Duration::from_millis(150);
/// Silence after which a list is whole, and a hello.
pub const LIST_QUIET: Duration = Duration::from_millis(100);

/// The longest registration. The first servers read no more into one message.
const REGISTRATION_BYTES: usize = 255;
/// The longest list of the first kind. The first clients read 256 bytes and need one to end them.
const LEGACY_BYTES: usize = 255;
/// The longest list that is read; what is behind that is left out.
const LIST_BYTES: usize = 64 << 10;
/// The longest line of newer programs: a relayed payload in base64 and what stands before it.
const LINE_BYTES: usize = 8 << 10;
/// The most bytes of one relayed payload.
pub const PAYLOAD_BYTES: usize = 4 << 10;
/// The most entries of a directory in the new form that are read.
const MEMBERS: usize = 4096;

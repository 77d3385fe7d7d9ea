//! Files: by HTTP, as OLAF has them, where one is posted for an address and an address is fetched into a
//! folder; and part by part through the chat itself, as SOCP has them.
//!
//! By HTTP a file goes from the disk to the wire in pieces and the other way round and is never held whole;
//! what letters carry is small.
//! **Invariant:** a download writes one new file inside the folder it was given, whatever its name
//! says, and never over another one.

mod carry;
mod download;
mod error;
mod http;
mod name;
mod save;
mod upload;

pub use carry::{LARGEST_CARRIED, carry};
pub use download::{Fetched, LARGEST_DOWNLOAD, download};
pub use error::TransferError;
pub use http::Progress;
pub use save::save;
pub use upload::upload;

#[cfg(test)]
mod tests;

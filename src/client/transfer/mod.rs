//! Files by HTTP, as OLAF has them: post one and get an address, fetch an address into a folder.
//!
//! A file goes from the disk to the wire in pieces and the other way round; none is ever held whole.
//! **Invariant:** a download writes one new file inside the folder it was given, whatever its name
//! says, and never over another one.

mod download;
mod error;
mod http;
mod name;
mod upload;

pub use download::{Fetched, LARGEST_DOWNLOAD, download};
pub use error::TransferError;
pub use http::Progress;
pub use upload::upload;

#[cfg(test)]
mod tests;

//! Why a file was not transferred, in words for people.

use std::io;

use crate::client::link::NotSent;

/// Why a file was not transferred.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A file or folder here.
    #[error("{path}: {error}")]
    File {
        /// Which one.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// What was to be sent is no file.
    #[error("{0} is not a file")]
    NotAFile(String),
    /// A part of it was not sent.
    #[error(transparent)]
    NotSent(NotSent),
    /// The address is none that can be fetched.
    #[error("{0:?} is no http:// or https:// address")]
    NoAddress(String),
    /// The server cannot be reached, or broke off.
    #[error("the server did not take part: {0}")]
    Unreachable(String),
    /// The server takes no file of that size, or we do not.
    #[error("the file is too large")]
    TooLarge,
    /// More came by itself than is kept.
    #[error("more files came than are kept in one conversation")]
    TooMuch,
    /// The server takes no files.
    #[error("the server has no such address (404)")]
    NotFound,
    /// Too many files in a short time.
    #[error("too many transfers in a short time; try again later")]
    TooMany,
    /// The address leads elsewhere. Following it would be a decision of the server, not of the member.
    #[error("the address leads on to {0}; get that if you trust it")]
    Moved(String),
    /// Any other answer.
    #[error("the server answered {0}")]
    Status(String),
    /// Neither a length nor chunks: the end could not be told from a broken connection.
    #[error("the server does not say where the file ends")]
    NoLength,
    /// An answer without the address of the file.
    #[error("the server's answer names no file")]
    NoUrl,
}

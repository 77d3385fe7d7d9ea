//! Files by HTTP, as OLAF has them: post one and get an address, fetch an address into a folder.
//!
//! A file goes from the disk to the wire in pieces and the other way round; none is ever held whole.
//! **Invariant:** a download writes one new file inside the folder it was given, whatever its name
//! says, and never over another one.

mod download;
mod name;
mod upload;

use std::{io, rc::Rc, sync::Arc, time::Duration};

use awc::{Client, Connector, error::SendRequestError};
use rustls::ClientConfig;

pub use download::{Fetched, LARGEST_DOWNLOAD, download};
pub use upload::upload;

/// How long a server may take to begin its answer, and to go on with it.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// Hears how far a transfer is: bytes done, and of how many if that is known.
pub type Progress = Rc<dyn Fn(u64, Option<u64>)>;

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
    /// The address is none that can be fetched.
    #[error("{0:?} is no http:// or https:// address")]
    NoAddress(String),
    /// The server cannot be reached, or broke off.
    #[error("the server did not take part: {0}")]
    Unreachable(String),
    /// The server takes no file of that size, or we do not.
    #[error("the file is too large")]
    TooLarge,
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

/// An HTTP client that believes the same certificates as the chat.
fn client(trust: &Arc<ClientConfig>) -> Client {
    let connector = Connector::new().rustls_0_23(Arc::clone(trust)).timeout(Duration::from_secs(15));
    Client::builder().connector(connector).disable_redirects().timeout(LONGEST_SILENCE).finish()
}

fn unreachable(error: SendRequestError) -> TransferError {
    let text = match error {
        SendRequestError::Connect(error) => error.to_string(),
        SendRequestError::Send(_) | SendRequestError::Body(_) => {
            "it broke off; perhaps the file is too large for it".to_owned()
        }
        other => other.to_string(),
    };
    TransferError::Unreachable(text)
}

fn refused<S>(response: &awc::ClientResponse<S>) -> Option<TransferError> {
    let status = response.status();
    match status.as_u16() {
        200..=299 => None,
        404 => Some(TransferError::NotFound),
        413 => Some(TransferError::TooLarge),
        429 => Some(TransferError::TooMany),
        300..=399 => {
            let to = response.headers().get(awc::http::header::LOCATION).and_then(|to| to.to_str().ok());
            Some(TransferError::Moved(to.unwrap_or("nowhere").to_owned()))
        }
        _ => Some(TransferError::Status(status.to_string())),
    }
}

#[cfg(test)]
mod tests;

//! What the answers of a server mean in both directions.

use std::rc::Rc;

use awc::error::SendRequestError;

use super::error::TransferError;

/// Hears how far a transfer is: bytes done, and of how many if that is known.
pub type Progress = Rc<dyn Fn(u64, Option<u64>)>;

/// What a request that was never answered means.
pub(super) fn unreachable(error: SendRequestError) -> TransferError {
    let text = match error {
        SendRequestError::Connect(error) => error.to_string(),
        SendRequestError::Send(_) | SendRequestError::Body(_) => {
            "it broke off; perhaps the file is too large for it".to_owned()
        }
        other => other.to_string(),
    };
    TransferError::Unreachable(text)
}

/// What an answer other than success means.
pub(super) fn refused<S>(response: &awc::ClientResponse<S>) -> Option<TransferError> {
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

//! Dialling another node of the home, and the pauses of whoever dials it again and again: for rows and for files alike.

use std::time::Duration;

use tokio::{net::TcpStream, time::timeout};

use super::wire::CopyError;

/// The pause after the first failure.
pub const AGAIN: Duration = Duration::from_millis(250);
/// The longest pause.
pub const LONGEST: Duration = Duration::from_secs(30);
/// How long dialling may take.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Dials the succession door of a node.
///
/// # Errors
/// Nobody is there, or nobody answers in time.
pub async fn dial(address: &str) -> Result<TcpStream, CopyError> {
    let stream = timeout(PATIENCE, TcpStream::connect(address)).await;
    Ok(stream.map_err(|_| CopyError::Silent)??)
}

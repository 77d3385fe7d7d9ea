//! A file that letters carry, part by part, where a dialect has no other way.
//!
//! A server reads only so many frames a second, and whoever is faster waits in its own socket, letters and
//! signs of life included. So the parts are paced below what a server reads, and there is always room for a
//! word in between.

use std::{path::Path, time::Duration};

use tokio::{
    fs,
    time::{Instant, sleep_until},
};
use uuid::Uuid;

use super::{error::TransferError, http::Progress};
use crate::{
    client::{
        link::Link,
        person::PersonId,
        voice::{Chunks, Part, Piece, Say},
    },
    crypto::sha256,
};

/// What is carried at most: it is held whole at both ends.
pub const LARGEST_CARRIED: u64 = 32 << 20;
/// Parts a second: most of the 50 frames that a server reads by default.
const PARTS_PER_SECOND: u64 = 40;
/// Bytes a second: what those who hear it must be able to take.
const BYTES_PER_SECOND: u64 = 512 << 10;
/// Parts that need not wait, of the 200 frames that a server reads at once.
const HEAD_START: u64 = 100;

/// Sends a file to these, one after the other, or to everybody; says how long it is.
///
/// # Errors
/// It cannot be read, is too large, or the connection did not take all of it.
pub async fn carry(
    link: &Link,
    chunks: Chunks,
    to: Option<&[PersonId]>,
    path: &Path,
    progress: Progress,
) -> Result<u64, TransferError> {
    let failed = |error| TransferError::File { path: path.display().to_string(), error };
    let about = fs::metadata(path).await.map_err(failed)?;
    if !about.is_file() {
        return Err(TransferError::NotAFile(path.display().to_string()));
    }
    if about.len() > LARGEST_CARRIED {
        return Err(TransferError::TooLarge);
    }
    let bytes = fs::read(path).await.map_err(failed)?;
    if bytes.len() as u64 > LARGEST_CARRIED {
        return Err(TransferError::TooLarge);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match to {
        None => one(link, None, &name, &bytes, chunks.public, &progress).await?,
        Some(people) => {
            for person in people {
                one(link, Some(person), &name, &bytes, chunks.private, &progress).await?;
            }
        }
    }
    Ok(bytes.len() as u64)
}

async fn one(
    link: &Link,
    to: Option<&PersonId>,
    name: &str,
    bytes: &[u8],
    chunk: usize,
    progress: &Progress,
) -> Result<(), TransferError> {
    let file = Uuid::new_v4();
    let send = async |what| {
        let say = Say::Part(to.cloned(), Part { file, what });
        link.carry(say).await.map_err(TransferError::NotSent)
    };
    let whole = bytes.len() as u64;
    send(Piece::Start { name: name.to_owned(), size: whole, sha256: sha256(bytes) }).await?;
    let start = Instant::now();
    for (index, piece) in (0..).zip(bytes.chunks(chunk)) {
        sleep_until(start + due(index, chunk)).await;
        send(Piece::Chunk(index, piece.to_vec())).await?;
        progress(((index + 1) * chunk as u64).min(whole), Some(whole));
    }
    send(Piece::End).await
}

/// How long after the beginning a part may be sent.
fn due(index: u64, chunk: usize) -> Duration {
    let by_number = 1000 * index.saturating_sub(HEAD_START) / PARTS_PER_SECOND;
    let by_length = 1000 * index * chunk as u64 / BYTES_PER_SECOND;
    Duration::from_millis(by_number.max(by_length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_never_asked_to_read_too_much() {
        assert!(due(HEAD_START, 446) < Duration::from_millis(100));
        assert_eq!(due(HEAD_START + 400, 446), Duration::from_secs(10));
        assert_eq!(due(16, 32 << 10), Duration::from_secs(1));
    }
}

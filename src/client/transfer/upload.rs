//! Posting a file: multipart, field `file`, which every known server but two understands.

use std::{io, path::Path, sync::Arc};

use actix_http::body::SizedStream;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use rustls::ClientConfig;
use serde_json::Value;
use tokio::{fs::File, io::AsyncReadExt as _};
use tokio_util::io::ReaderStream;

use super::{
    error::TransferError,
    http::{Progress, refused, unreachable},
    name,
};
use crate::client::{door::Door, web::client};

/// An answer is one address and a few braces.
const LARGEST_ANSWER: usize = 64 << 10;

/// Uploads a file and returns the address under which everybody who knows it can fetch it.
///
/// # Errors
/// The file cannot be read, or the server does not want it.
pub async fn upload(
    door: &Door,
    trust: &Arc<ClientConfig>,
    path: &Path,
    progress: Progress,
) -> Result<String, TransferError> {
    let shown = path.display().to_string();
    let failed = |error| TransferError::File { path: shown.clone(), error };
    let file = File::open(path).await.map_err(failed)?;
    let metadata = file.metadata().await.map_err(failed)?;
    if !metadata.is_file() {
        return Err(TransferError::NotAFile(shown));
    }
    let boundary = boundary().map_err(failed)?;
    let wish = path.file_name().unwrap_or_default().to_string_lossy();
    let head = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\
         content-type: application/octet-stream\r\n\r\n",
        name::harmless(&wish)
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    let length = (head.len() + tail.len()) as u64 + metadata.len();
    let body = stream::once(async { Ok(Bytes::from(head)) })
        .chain(pieces(file, metadata.len(), progress))
        .chain(stream::once(async { Ok(Bytes::from(tail)) }));
    let request = client(trust)
        .post(format!("{}/api/upload", door.web()))
        .insert_header(("content-type", format!("multipart/form-data; boundary={boundary}")));
    let mut response =
        request.send_body(SizedStream::new(length, Box::pin(body))).await.map_err(unreachable)?;
    if let Some(error) = refused(&response) {
        return Err(error);
    }
    let answer = response.body().limit(LARGEST_ANSWER).await;
    let answer = answer.map_err(|error| TransferError::Unreachable(error.to_string()))?;
    file_url(&answer, door).ok_or(TransferError::NoUrl)
}

/// The file in pieces. A file that shrinks meanwhile is an error, one that grows is cut.
fn pieces(
    file: File,
    length: u64,
    progress: Progress,
) -> impl futures_util::Stream<Item = io::Result<Bytes>> {
    let mut done = 0;
    ReaderStream::with_capacity(file.take(length), 32 << 10).map(move |piece| {
        done += piece.as_ref().map_or(0, Bytes::len) as u64;
        progress(done, Some(length));
        piece
    })
}

/// A line that stands in no file by accident.
fn boundary() -> io::Result<String> {
    let mut random = [0; 16];
    SystemRandom::new().fill(&mut random).map_err(|_| io::Error::other("no randomness"))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The address, wherever in the answer it stands, as one that can be fetched.
fn file_url(answer: &[u8], door: &Door) -> Option<String> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let places = ["/file_url", "/body/file_url", "/response/body/file_url"];
    let url = places.into_iter().find_map(|place| answer.pointer(place)?.as_str())?;
    let scheme = if door.is_secure() { "https" } else { "http" };
    let whole = match url {
        url if url.starts_with("http://") || url.starts_with("https://") => url.to_owned(),
        path if path.starts_with('/') => format!("{}{path}", door.web()),
        // Some servers leave the scheme out.
        address => format!("{scheme}://{address}"),
    };
    let is_plain = |letter: char| letter.is_ascii_graphic();
    (whole.len() < 2_000 && whole.chars().all(is_plain)).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_every_known_answer() {
        let door = Door::read("ws://host:1").expect("a door");
        for (answer, url) in [
            (r#"{"file_url":"http://host/f/1.txt"}"#, Some("http://host/f/1.txt")),
            (r#"{"body":{"file_url":"host:8080/ab.txt"}}"#, Some("http://host:8080/ab.txt")),
            (r#"{"response":{"body":{"file_url":"/files/x"}}}"#, Some("http://host:1/files/x")),
            (r#"{"file_url":"http://x/\u001b[2J"}"#, None),
            (r#"{"file_url":7}"#, None),
            ("<html>", None),
        ] {
            assert_eq!(file_url(answer.as_bytes(), &door).as_deref(), url, "{answer}");
        }
    }
}

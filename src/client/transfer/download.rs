//! Fetching a file that somebody named, into a folder of the member's choice.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use awc::http::{
    StatusCode,
    header::{CONTENT_DISPOSITION, CONTENT_LENGTH, HeaderMap, LOCATION, TRANSFER_ENCODING},
};
use futures_util::StreamExt as _;
use rustls::ClientConfig;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::http::Uri;

use super::{
    error::TransferError,
    http::{Progress, refused, unreachable},
    name,
};
use crate::client::web::{LONGEST_SILENCE, client};

/// What is fetched at most, unless somebody says otherwise.
pub const LARGEST_DOWNLOAD: u64 = 512 << 20;

/// A file that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where it lies.
    pub path: PathBuf,
    /// How long it is.
    pub bytes: u64,
}

/// Fetches an address into a folder, which is made if need be.
///
/// # Errors
/// The address cannot be fetched, is larger than `most` bytes, or the file cannot be written. What was
/// written until then is removed.
pub async fn download(
    url: &str,
    trust: &Arc<ClientConfig>,
    folder: &Path,
    most: u64,
    progress: Progress,
) -> Result<Fetched, TransferError> {
    let address = web_address(url).ok_or_else(|| TransferError::NoAddress(url.to_owned()))?;
    let mut response = client(trust).get(url).send().await.map_err(unreachable)?;
    if let Some(there) = served_at(&address, response.status(), response.headers()) {
        response = client(trust).get(there.to_string()).send().await.map_err(unreachable)?;
    }
    if let Some(error) = refused(&response) {
        return Err(error);
    }
    let length = declared(response.headers());
    if length.is_none() && !response.headers().contains_key(TRANSFER_ENCODING) {
        return Err(TransferError::NoLength);
    }
    if length.is_some_and(|length| length > most) {
        return Err(TransferError::TooLarge);
    }
    let wish = suggested(response.headers()).unwrap_or_else(|| last_part(address.path()));
    let failed = |path: &Path, error| TransferError::File { path: path.display().to_string(), error };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let (mut file, path) =
        name::make(folder, &name::harmless(&wish)).map_err(|error| failed(folder, error))?;
    let mut bytes = 0;
    let mut receive = async || {
        while let Some(piece) = next(&mut response).await? {
            bytes += piece.len() as u64;
            if bytes > most {
                return Err(TransferError::TooLarge);
            }
            file.write_all(&piece).map_err(|error| failed(&path, error))?;
            progress(bytes, length);
        }
        match length {
            Some(length) if length != bytes => Err(TransferError::Unreachable("it broke off".to_owned())),
            _ => Ok(()),
        }
    };
    let received = receive().await;
    match received {
        Ok(()) => Ok(Fetched { path, bytes }),
        Err(error) => {
            let _ = std::fs::remove_file(&path);
            Err(error)
        }
    }
}

fn web_address(text: &str) -> Option<Uri> {
    let address: Uri = text.parse().ok()?;
    let is_web = matches!(address.scheme_str(), Some("http" | "https")) && address.host().is_some();
    is_web.then_some(address)
}

/// Where the same file is, if a node that stands by names the one that serves its home. Nobody is followed to
/// another file, nor from an encrypted way to an open one: what somebody names in a chat need not be well meant.
fn served_at(asked: &Uri, status: StatusCode, headers: &HeaderMap) -> Option<Uri> {
    let there = web_address(headers.get(LOCATION)?.to_str().ok()?)?;
    let is_open = there.scheme_str() == Some("http");
    let is_same =
        status == StatusCode::TEMPORARY_REDIRECT && there.path_and_query() == asked.path_and_query();
    (is_same && !(is_open && asked.scheme_str() == Some("https"))).then_some(there)
}

async fn next<S>(response: &mut awc::ClientResponse<S>) -> Result<Option<bytes::Bytes>, TransferError>
where
    S: futures_util::Stream<Item = Result<bytes::Bytes, actix_http::error::PayloadError>> + Unpin,
{
    let broke_off = |text: String| TransferError::Unreachable(text);
    match timeout(LONGEST_SILENCE, response.next()).await {
        Ok(piece) => piece.transpose().map_err(|error| broke_off(error.to_string())),
        Err(_) => Err(broke_off("it fell silent".to_owned())),
    }
}

fn declared(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The name that the server suggests; only the plain form, the others are not worth their parsers.
fn suggested(headers: &HeaderMap) -> Option<String> {
    let header = headers.get(CONTENT_DISPOSITION)?.to_str().ok()?;
    let (_, name) = header.split_once("filename=")?;
    let name = match name.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => name.split(';').next()?,
    };
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

fn last_part(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

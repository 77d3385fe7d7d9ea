//! Leaving a file and fetching it: `POST /api/upload` (one client posts to `/`) and `GET /files/{id}`.
//!
//! Whoever knows the address of a file may fetch it, so addresses are random and never logged. What
//! strangers uploaded is handed out as an attachment that no browser runs as a page of ours.

use std::{net::IpAddr, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError as _,
    body::SizedStream,
    http::{Method, StatusCode, header},
    web::{self, Data, Payload, ServiceConfig},
};
use serde::Serialize;
use tokio_util::io::ReaderStream;

use super::{cors, info, page, problem::Problem, receive, site::Site};
use crate::{
    actors::clock::unix_ms,
    domain::refusal::Refusal,
    store::{FileRecord, StoreError},
};

/// Where files are left.
pub const UPLOAD_PATH: &str = "/api/upload";
/// Where they are fetched, each by its id behind that.
pub const PATH: &str = "/files/";
/// Bytes that are read from the disk at once.
const CHUNK: usize = 64 << 10;
/// How long a download waits for being counted: a locked database stops no download.
const COUNT: Duration = Duration::from_millis(500);
/// What is handed out under its own name. Everything else is just bytes.
const SAFE_TYPES: [&str; 10] = [
    "application/pdf",
    "audio/mpeg",
    "audio/ogg",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/plain",
    "video/mp4",
    "video/webm",
];

/// The routes of the main door that are no WebSocket, with problems for whatever else is asked.
pub fn configure(config: &mut ServiceConfig) {
    let wrong = || web::to(|| async { method_not_allowed() });
    config
        .service(
            web::resource("/")
                .route(web::get().to(front))
                .route(web::head().to(front))
                .route(web::post().to(upload))
                .route(web::method(Method::OPTIONS).to(before_upload))
                .default_service(wrong()),
        )
        .service(
            web::resource(UPLOAD_PATH)
                .route(web::post().to(upload))
                .route(web::method(Method::OPTIONS).to(before_upload))
                .default_service(wrong()),
        )
        .service(
            web::resource([PATH, "{id}"].concat())
                .route(web::get().to(download))
                .route(web::head().to(download))
                .route(web::method(Method::OPTIONS).to(before_download))
                .default_service(wrong()),
        )
        .default_service(web::to(|| async { Problem::not_found("no such path").error_response() }));
}

/// What this is, for people or for programs.
async fn front(request: HttpRequest, site: Data<Site>) -> HttpResponse {
    match page::entrance(&request) {
        Some(page) => page,
        None => info::show(site).await,
    }
}

pub(super) fn method_not_allowed() -> HttpResponse {
    let code = StatusCode::METHOD_NOT_ALLOWED;
    Problem::new(code, "method_not_allowed", "This path does not take this method").error_response()
}

async fn before_upload(request: HttpRequest, site: Data<Site>) -> HttpResponse {
    cors::preflight(&site, &request, "POST, OPTIONS")
}

async fn before_download(request: HttpRequest, site: Data<Site>) -> HttpResponse {
    cors::preflight(&site, &request, "GET, HEAD, OPTIONS")
}

/// The answer to an upload, in every nesting that clients look into.
#[derive(Debug, Serialize)]
struct Left<'a> {
    file_url: &'a str,
    body: Address<'a>,
    response: Nested<'a>,
}

#[derive(Debug, Serialize)]
struct Address<'a> {
    file_url: &'a str,
}

#[derive(Debug, Serialize)]
struct Nested<'a> {
    body: Address<'a>,
}

async fn upload(request: HttpRequest, payload: Payload, site: Data<Site>) -> HttpResponse {
    let response = match take(&request, payload, &site).await {
        Ok(record) => {
            let file_url = &url(&site, &record.id);
            let left = Left {
                file_url,
                body: Address { file_url },
                response: Nested { body: Address { file_url } },
            };
            HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(left)
        }
        Err(problem) => problem.error_response(),
    };
    cors::reveal(&site, &request, response)
}

/// The absolute address of a file.
pub(super) fn url(site: &Site, id: &str) -> String {
    format!("{}{PATH}{id}", site.about.url)
}

async fn take(request: &HttpRequest, payload: Payload, site: &Site) -> Result<FileRecord, Problem> {
    cors::demand(site, request)?;
    if site.house.is_draining() {
        return Err(Refusal::Draining.into());
    }
    if site.house.stillness.is_on() {
        return Err(Problem::handing_over());
    }
    let address = address(site, request);
    site.house.gate.upload(address).map_err(|refusal| {
        site.house.tally.refusal(refusal);
        // One more is free after this many seconds, whatever else happens.
        let wait = 60_u32.div_ceil(site.house.limits.uploads_per_address_per_minute.max(1));
        Problem::from(refusal).retry_after(wait)
    })?;
    let (draft, kind) = receive::file(request, payload, &site.filing, site.house.limits.upload_bytes).await?;
    // From here on a hand-over waits for its row, or it is not taken at all: the next node is told what there is.
    let under_way = site.house.stillness.look();
    if site.house.stillness.is_on() {
        return Err(Problem::handing_over());
    }
    let record = draft.keep(&kind, under_way).await?;
    site.house.gate.uploaded(address, record.bytes);
    // The id is the secret of whoever gets the link.
    tracing::debug!(%address, bytes = record.bytes, "a file was uploaded");
    Ok(record)
}

fn address(site: &Site, request: &HttpRequest) -> IpAddr {
    // A socket without an address is none of the network.
    let peer = request.peer_addr().map_or_else(|| IpAddr::from([127, 0, 0, 1]), |peer| peer.ip());
    site.client_address(peer, request.headers())
}

async fn download(request: HttpRequest, id: web::Path<String>, site: Data<Site>) -> HttpResponse {
    let response = fetch(&request, &id, &site).await.unwrap_or_else(|problem| problem.error_response());
    cors::reveal(&site, &request, response)
}

async fn fetch(request: &HttpRequest, id: &str, site: &Site) -> Result<HttpResponse, Problem> {
    let now = unix_ms();
    let gone = || Problem::not_found("no such file, or its time is over");
    let record = site.filing.find(id, now).await?.ok_or_else(gone)?;
    // Not 410: a node that is away may have it, and come back.
    let lost = || Problem::not_found("this file was lost with the node to which it was uploaded");
    let file = site.filing.read(&record).await?.ok_or_else(lost)?;
    let seconds = record.expires_at.saturating_sub(now).max(0) / 1000;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, media_type(&record.content_type)))
        .insert_header((header::CONTENT_DISPOSITION, disposition(&record.name)))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
        .insert_header((header::CACHE_CONTROL, format!("private, max-age={seconds}")))
        .insert_header((header::REFERRER_POLICY, "no-referrer"));
    if request.method() == Method::HEAD {
        return Ok(response.body(SizedStream::new(record.bytes, futures_util::stream::empty::<Chunk>())));
    }
    count(site, id).await;
    Ok(response.body(SizedStream::new(record.bytes, ReaderStream::with_capacity(file, CHUNK))))
}

type Chunk = Result<web::Bytes, std::io::Error>;

/// A download that cannot be counted is a download all the same.
async fn count(site: &Site, id: &str) {
    let _under_way = site.house.stillness.look();
    if site.house.stillness.is_on() {
        // Another node has been told already how far the database goes.
        return;
    }
    match actix_rt::time::timeout(COUNT, site.store.count_download(id)).await {
        Ok(Ok(_)) => {}
        Ok(Err(StoreError::Busy(_))) | Err(_) => tracing::debug!("a download was not counted: busy"),
        Ok(Err(error)) => tracing::debug!(%error, "a download was not counted"),
    }
}

/// The type that a browser is told. Looked up when handing out, so that an old row gains no rights.
fn media_type(claimed: &str) -> &'static str {
    let essence = claimed.split(';').next().unwrap_or_default().trim();
    let known = SAFE_TYPES.into_iter().find(|known| known.eq_ignore_ascii_case(essence));
    match known {
        Some("text/plain") => "text/plain; charset=utf-8",
        Some(known) => known,
        None => "application/octet-stream",
    }
}

/// RFC 6266: the name for old readers in ASCII, and the whole name as RFC 8187 writes it.
fn disposition(name: &str) -> String {
    use std::fmt::Write as _;

    let plain = |letter: char| letter.is_ascii_alphanumeric() || " ._-".contains(letter);
    let fallback: String = name.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect();
    let mut text = format!("attachment; filename=\"{fallback}\"; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;

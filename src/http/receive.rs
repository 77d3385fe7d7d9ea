//! Taking an uploaded file out of a request, whichever way the client packed it.
//!
//! Known clients send a multipart form with a field `file`, a form with some other field, or the bare
//! bytes with an `x-filename`. **Invariant:** a client that stops, crawls or never ends costs a bounded
//! time and a bounded number of bytes.

use std::{
    io,
    pin::Pin,
    time::{Duration, Instant},
};

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::{
    HttpRequest,
    error::PayloadError,
    http::{StatusCode, header},
    web::{Bytes, Payload},
};
use futures_util::{Stream, StreamExt as _, stream};

use super::{
    filing::{Draft, Filing, FilingError},
    problem::Problem,
};

/// How long nothing may arrive.
const IDLE: Duration = Duration::from_secs(30);
/// The slowest line that may fill a place for uploads, in bytes a second, counted after [`IDLE`].
const SLOWEST: u64 = 4 << 10;
/// What a form may add to a file: boundaries, heads, small fields.
const PACKING: u64 = 64 << 10;

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

/// Reads the request to its end: its file, and the type that it is said to have.
pub(super) async fn file(
    request: &HttpRequest,
    payload: Payload,
    filing: &Filing,
    most: u64,
) -> Result<(Draft, String), Problem> {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > most.saturating_add(PACKING)) {
        return Err(FilingError::TooLarge(most).into());
    }
    let content_type = content_type(request);
    let chunks: Chunks = Box::pin(paced(payload, most.saturating_add(PACKING), IDLE));
    if content_type.starts_with("multipart/") {
        form(Multipart::new(request.headers(), chunks), filing, most).await
    } else {
        let name = request.headers().get("x-filename").map(header::HeaderValue::as_bytes);
        let name = String::from_utf8_lossy(name.unwrap_or_default()).into_owned();
        Ok((bare(chunks, filing, &name, most).await?, content_type))
    }
}

fn content_type(request: &HttpRequest) -> String {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().trim().to_ascii_lowercase()
}

/// The field `file`, else the first file of the form.
async fn form(mut form: Multipart, filing: &Filing, most: u64) -> Result<(Draft, String), Problem> {
    let mut found: Option<(Draft, String)> = None;
    let mut is_named = false;
    while let Some(field) = form.next().await {
        let field = field.map_err(|error| form_problem(&error, most))?;
        let is_file = field.name() == Some("file");
        let file_name = file_name(&field);
        let wanted = !is_named && (is_file || (found.is_none() && file_name.is_some()));
        if wanted {
            let content_type = field.content_type().map(ToString::to_string).unwrap_or_default();
            // A better field takes the place of an earlier one, which gives its quota back.
            drop(found.take());
            let mut draft = filing.draft(&file_name.unwrap_or_default()).await?;
            pour(field, Some(&mut draft), most).await?;
            found = Some((draft, content_type));
            is_named = is_file;
        } else {
            pour(field, None, most).await?;
        }
    }
    found.ok_or_else(|| Problem::bad_request("the form has no file"))
}

fn file_name(field: &Field) -> Option<String> {
    let disposition = field.content_disposition()?;
    let extended =
        disposition.get_filename_ext().map(|name| String::from_utf8_lossy(&name.value).into_owned());
    extended.or_else(|| disposition.get_filename().map(str::to_owned))
}

async fn pour(mut field: Field, mut draft: Option<&mut Draft>, most: u64) -> Result<(), Problem> {
    while let Some(chunk) = field.next().await {
        let chunk = chunk.map_err(|error| form_problem(&error, most))?;
        if let Some(draft) = &mut draft {
            draft.write(&chunk).await?;
        }
    }
    Ok(())
}

/// The body itself is the file.
async fn bare(mut chunks: Chunks, filing: &Filing, name: &str, most: u64) -> Result<Draft, Problem> {
    let mut draft: Option<Draft> = None;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| payload_problem(&error, most))?;
        if draft.is_none() && !chunk.is_empty() {
            draft = Some(filing.draft(name).await?);
        }
        if let Some(draft) = &mut draft {
            draft.write(&chunk).await?;
        }
    }
    draft.ok_or_else(|| Problem::bad_request("the body is empty"))
}

struct Pace<S> {
    chunks: S,
    started: Instant,
    bytes: u64,
    most: u64,
    idle: Duration,
}

impl<S: Stream<Item = Result<Bytes, PayloadError>> + Unpin> Pace<S> {
    async fn next(&mut self) -> Option<Result<Bytes, PayloadError>> {
        let Ok(chunk) = actix_rt::time::timeout(self.idle, self.chunks.next()).await else {
            return Some(Err(too_slow()));
        };
        let chunk = match chunk? {
            Ok(chunk) => chunk,
            Err(error) => return Some(Err(error)),
        };
        self.bytes = self.bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if self.bytes > self.most {
            return Some(Err(PayloadError::Overflow));
        }
        Some(if is_too_slow(self.bytes, self.started.elapsed()) { Err(too_slow()) } else { Ok(chunk) })
    }
}

fn is_too_slow(bytes: u64, elapsed: Duration) -> bool {
    elapsed > IDLE + Duration::from_secs(bytes / SLOWEST)
}

fn too_slow() -> PayloadError {
    PayloadError::Io(io::ErrorKind::TimedOut.into())
}

/// The chunks, as long as they keep coming and do not become too many. Ends with the first error.
fn paced<S>(chunks: S, most: u64, idle: Duration) -> impl Stream<Item = Result<Bytes, PayloadError>>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    let pace = Pace { chunks, started: Instant::now(), bytes: 0, most, idle };
    let chunks = stream::unfold(Some(pace), |pace| async move {
        let mut pace = pace?;
        let chunk = pace.next().await?;
        let further = chunk.is_ok().then_some(pace);
        Some((chunk, further))
    });
    // The reader of forms asks once more after the end.
    chunks.fuse()
}

fn form_problem(error: &MultipartError, most: u64) -> Problem {
    match error {
        MultipartError::Payload(error) => payload_problem(error, most),
        other => Problem::bad_request(other),
    }
}

fn payload_problem(error: &PayloadError, most: u64) -> Problem {
    match error {
        PayloadError::Overflow => FilingError::TooLarge(most).into(),
        PayloadError::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "The upload came too slowly")
        }
        other => Problem::bad_request(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn total(chunks: impl Stream<Item = Result<Bytes, PayloadError>>) -> (usize, Option<PayloadError>) {
        let mut chunks = Box::pin(chunks);
        let (mut bytes, mut error) = (0, None);
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) => bytes += chunk.len(),
                Err(failed) => error = Some(failed),
            }
        }
        (bytes, error)
    }

    fn chunks(count: usize) -> impl Stream<Item = Result<Bytes, PayloadError>> + Unpin {
        stream::iter((0..count).map(|_| Ok(Bytes::from_static(&[0; 10]))))
    }

    #[actix_web::test]
    async fn a_body_ends_with_its_first_byte_too_many() {
        assert!(matches!(total(paced(chunks(3), 30, IDLE)).await, (30, None)));
        assert!(matches!(total(paced(chunks(9), 30, IDLE)).await, (30, Some(PayloadError::Overflow))));
    }

    #[actix_web::test]
    async fn a_client_that_stops_is_given_up() {
        let stalled = chunks(2).chain(stream::pending());
        let (bytes, error) = total(paced(stalled, 1000, Duration::from_millis(20))).await;
        assert_eq!(bytes, 20);
        let problem = payload_problem(&error.expect("an error"), 0);
        assert_eq!(problem.status, 408);
    }

    #[test]
    fn a_client_that_crawls_is_too_slow_and_an_old_modem_is_not() {
        let hour = Duration::from_secs(3600);
        assert!(!is_too_slow(0, IDLE));
        assert!(is_too_slow(120, hour));
        assert!(!is_too_slow(7 * 1024 * 3600, hour));
    }
}

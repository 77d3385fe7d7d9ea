//! Why a connection is not there, in words for people, and whether it is worth trying again.

use std::{io, time::Duration};

use tokio_tungstenite::tungstenite::{
    Error,
    error::CapacityError,
    http::{HeaderMap, StatusCode, header::RETRY_AFTER},
};

use crate::{
    client::door::Door,
    domain::refusal::{Ending, MOVED, Refusal, Violation},
};

/// The end of a connection or of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Farewell {
    pub(super) words: String,
    /// Whether the next attempt may go better.
    pub(super) again: bool,
    /// Where the home is served from now on, if the server said so.
    pub(super) moved: Option<Box<Door>>,
    /// The server is there and does not serve. How soon it may be asked again, if it said so.
    pub(super) stands_by: Option<Option<Duration>>,
}

impl Farewell {
    pub(super) fn passing(words: impl Into<String>) -> Self {
        Self { words: words.into(), again: true, moved: None, stands_by: None }
    }

    fn lasting(words: impl Into<String>) -> Self {
        Self { again: false, ..Self::passing(words) }
    }
}

/// What a close frame says. Other servers than ours write what they like behind the code.
pub(super) fn closed(code: u16, reason: &str) -> Farewell {
    let moved = reason.strip_prefix(MOVED).filter(|url| url.contains("://"));
    if let Some(door) = moved.and_then(|url| Door::read(url).ok()) {
        let words = format!("the server hands over, this home is served at {door} now");
        return Farewell { moved: Some(Box::new(door)), ..Farewell::passing(words) };
    }
    if let Some(ending) = known(reason) {
        return ended(ending);
    }
    let words = match code {
        1000 => "the server closed the connection",
        1001 => "the server goes away",
        1002 => "the server says that we broke the WebSocket protocol",
        1003 | 1007 => "the server could not read what we sent",
        1008 => "the server does not allow what we did",
        1009 => "the server found a message too large",
        1011 => "something failed inside the server",
        1012 => "the server restarts",
        1013 => "the server is busy",
        1014 => "the gateway cannot reach the server",
        _ => "the server closed the connection with an unusual code",
    };
    Farewell::passing(match reason {
        "" => format!("{words} ({code})"),
        reason => format!("{words} ({code}: {reason})"),
    })
}

/// The ending that has this stable code.
fn known(code: &str) -> Option<Ending> {
    let plain = [
        Ending::Silent,
        Ending::Stalled,
        Ending::Slow,
        Ending::NoHello,
        Ending::Kicked,
        Ending::Draining,
        Ending::Failed,
    ];
    let violated = Violation::ALL.map(Ending::Violated);
    let refused = Refusal::ALL.map(Ending::Refused);
    plain.into_iter().chain(violated).chain(refused).find(|ending| ending.code() == code)
}

fn ended(ending: Ending) -> Farewell {
    let code = ending.code();
    match ending {
        Ending::Left => Farewell::passing("the server closed the connection"),
        Ending::Silent => Farewell::passing("the server heard nothing from here for too long"),
        Ending::Stalled | Ending::Slow => {
            Farewell::passing("more waited for us than the server keeps: we read too slowly")
        }
        Ending::NoHello => Farewell::passing("the server waited in vain for our hello"),
        Ending::Violated(Violation::BadKey) => Farewell::lasting("the server does not allow our key"),
        Ending::Violated(Violation::BadSignature) => {
            Farewell::lasting("the server could not verify our signature")
        }
        Ending::Violated(Violation::TooLarge) => Farewell::passing("the server found a message too large"),
        Ending::Violated(_) => {
            Farewell::passing(format!("the server says that we broke the protocol ({code})"))
        }
        Ending::Refused(refusal) | Ending::RefusedUs(refusal) => refused(refusal),
        Ending::Replaced => Farewell::passing("another connection took the place of this one"),
        Ending::Kicked => Farewell::lasting("an administrator closed this connection"),
        Ending::Draining => Farewell::passing("the server shuts down or restarts"),
        Ending::Failed => Farewell::passing("something failed inside the server"),
    }
}

fn refused(refusal: Refusal) -> Farewell {
    let words = match refusal {
        Refusal::ServerFull => "the server is full",
        Refusal::TooManyFromAddress => "too many connections come from this address",
        Refusal::TooManyOfMember => "this key is connected too often",
        Refusal::TooManyHellos => "too many hellos come from this address",
        Refusal::TooManyUploads => "too many uploads come from this address",
        Refusal::TooManyChecks => "the server is busy checking signatures of this address",
        Refusal::Replayed => "the server has seen our hello before",
        Refusal::Draining => "the server shuts down or restarts",
        // After a loss it may be our own connection, which the server has not missed yet.
        Refusal::NameInUse => "somebody is connected under our name",
        Refusal::Banned => return Farewell::lasting("we are banned from this server"),
        Refusal::WrongKey => return Farewell::lasting("the server knows our name with another key"),
        // Said to servers only.
        Refusal::UnknownPeer
        | Refusal::Unproven
        | Refusal::RemovedPeer
        | Refusal::KnownPeer
        | Refusal::TooManyPeers
        | Refusal::TakenAddress
        | Refusal::Crossed
        | Refusal::Ourselves
        | Refusal::NoCommonVersion => return Farewell::lasting("the server takes us for another server"),
    };
    // A hello that was seen before is none of ours: the next one has another counter.
    Farewell::passing(words)
}

/// What went wrong below the protocol.
pub(super) fn failed(error: &Error) -> Farewell {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => {
            Farewell::passing("the server closed the connection")
        }
        Error::Io(error) => io_failed(error),
        Error::Http(response) => refused_upgrade(response.status(), response.headers()),
        Error::Capacity(CapacityError::MessageTooLong { size, .. }) => {
            Farewell::passing(format!("the server sent a message of {size} bytes, more than is read here"))
        }
        Error::Protocol(error) => {
            Farewell::passing(format!("the server broke the WebSocket protocol: {error}"))
        }
        Error::Tls(error) => Farewell::lasting(format!("no secure connection: {error}")),
        Error::Url(error) => Farewell::lasting(format!("that is no address of a server: {error}")),
        other => Farewell::passing(other.to_string()),
    }
}

fn io_failed(error: &io::Error) -> Farewell {
    let text = error.to_string();
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Farewell::passing("nobody listens there (connection refused)"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
            Farewell::passing("the connection broke")
        }
        io::ErrorKind::TimedOut => Farewell::passing("nobody answered in time"),
        _ if text.contains("certificate") => Farewell::lasting(format!(
            "its certificate is not trusted ({text}); a private one needs --ca FILE"
        )),
        _ => Farewell::passing(text),
    }
}

fn refused_upgrade(status: StatusCode, headers: &HeaderMap) -> Farewell {
    let words = format!("the server answered \"{status}\" instead of opening a WebSocket");
    // Too early, too often or too slow may pass; a wrong path does not become right.
    if status.is_client_error() && ![408, 425, 429].contains(&status.as_u16()) {
        return Farewell::lasting(words);
    }
    let seconds = headers.get(RETRY_AFTER).and_then(|text| text.to_str().ok()?.parse().ok());
    let again = seconds.map(Duration::from_secs);
    let stands_by = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(again);
    Farewell { stands_by, ..Farewell::passing(words) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_ours_has_words_of_its_own() {
        for ending in [Ending::Kicked, Ending::Draining, Ending::Violated(Violation::BadSignature)] {
            assert_eq!(known(ending.code()).map(Ending::code), Some(ending.code()));
        }
        assert!(!closed(1008, "kicked").again);
        assert!(!closed(1008, "bad_signature").again);
        assert!(closed(1012, "draining").again);
        let full = closed(1013, "server_full");
        assert_eq!((full.words.as_str(), full.again), ("the server is full", true));
    }

    #[test]
    fn foreign_words_are_passed_on_behind_the_code() {
        assert_eq!(closed(1008, "").words, "the server does not allow what we did (1008)");
        assert_eq!(
            closed(4000, "bye").words,
            "the server closed the connection with an unusual code (4000: bye)"
        );
        let moved = closed(1012, "moved ws://10.0.0.2:8080");
        assert_eq!(moved.moved.map(|door| *door), Door::read("ws://10.0.0.2:8080").ok());
        assert_eq!(closed(1012, "moved house").moved, None);
        let mut headers = HeaderMap::new();
        assert!(!refused_upgrade(StatusCode::NOT_FOUND, &headers).again);
        assert_eq!(refused_upgrade(StatusCode::SERVICE_UNAVAILABLE, &headers).stands_by, Some(None));
        headers.insert(RETRY_AFTER, "1".parse().expect("a number"));
        let standby = refused_upgrade(StatusCode::SERVICE_UNAVAILABLE, &headers);
        assert_eq!((standby.again, standby.stands_by), (true, Some(Some(Duration::from_secs(1)))));
    }
}

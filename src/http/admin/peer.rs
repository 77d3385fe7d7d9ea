//! One neighbour, as the API shows it.

use std::{collections::HashMap, time::Duration};

use serde::Serialize;
use utoipa::ToSchema;

use super::{clients::accent, stamp::rfc3339};
use crate::{
    actors::{
        neighbourhood::{PeerView, Step, Trouble},
        registry::Homes,
    },
    domain::{
        id::HomeId,
        neighbourhood::Direction,
        peer::{LinkDialect, Trust},
    },
    http::{problem::Problem, site::Site},
};

/// A neighbour.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Peer {
    /// The same across restarts.
    #[schema(example = "9f2c41aa03be")]
    id: String,
    /// What it calls itself, or its operator does.
    name: Option<String>,
    /// Where it is dialled; null if it only ever came to us.
    url: Option<String>,
    /// The name under which lists and letters know it.
    address: Option<String>,
    /// `dialling`, `greeting`, `up`, `suspect`, `down` or `refused`.
    #[schema(example = "up")]
    state: &'static str,
    /// Since when.
    since: String,
    /// `pinned`, `tofu` or `legacy`; null while it was never linked.
    trust: Option<&'static str>,
    /// Who named it: `settings`, `api`, `introduced` or `inbound`.
    source: &'static str,
    /// `kith`, `olaf` or `socp`; null while it is unknown.
    dialect: Option<&'static str>,
    /// How it deviates from its dialect; null while it is unknown.
    accent: Option<String>,
    /// Who opened its sockets: `out` if we did, `in`, or `both`; null without a link.
    direction: Option<&'static str>,
    /// The last round trip, in milliseconds.
    round_trip_ms: Option<f64>,
    /// Members known to be present there.
    members: usize,
    /// What went wrong last, if anything did since the link came up.
    last_error: Option<LastError>,
    /// Why somebody was turned away last who came under its name and had not proven to be it. That says
    /// nothing about the link.
    refused_claim: Option<LastError>,
    /// When it is dialled again.
    next_retry: Option<String>,
    /// Attempts in a row that came to nothing.
    attempts: u32,
    /// Messages that came from it.
    frames_in: u64,
    /// Messages that went to it.
    frames_out: u64,
    /// Their payload.
    bytes_in: u64,
    /// Their payload.
    bytes_out: u64,
    /// How often it did what its protocol forbids or this house refuses.
    violations: u64,
    /// How often it told of members of other servers. That is left to those.
    overheard: u64,
    /// Bytes that wait for it.
    queue_bytes: usize,
    /// The fingerprint of the key it is held to.
    key: Option<String>,
    /// Another key, which it showed at the last attempt and for which it was refused.
    presented_key: Option<String>,
    /// The last attempt, step by step; only if one neighbour is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    transcript: Option<Vec<StepView>>,
}

/// What went wrong last.
#[derive(Debug, Serialize, ToSchema)]
struct LastError {
    /// The stable name of the reason.
    #[schema(example = "unreachable")]
    code: &'static str,
    /// What happened.
    message: String,
    /// What may help.
    hint: &'static str,
    /// When.
    at: String,
}

impl From<&Trouble> for LastError {
    fn from(trouble: &Trouble) -> Self {
        let Trouble { code, message, hint, at_ms } = trouble;
        Self { code, message: message.clone(), hint, at: rfc3339(*at_ms) }
    }
}

/// One step of an attempt.
#[derive(Debug, Serialize, ToSchema)]
struct StepView {
    /// When.
    at: String,
    /// Which one.
    #[schema(example = "dial")]
    step: &'static str,
    /// What happened.
    detail: String,
}

impl From<&Step> for StepView {
    fn from(step: &Step) -> Self {
        Self { at: rfc3339(step.at_ms), step: step.step, detail: step.detail.clone() }
    }
}

impl Peer {
    /// Without the steps of the last attempt.
    pub(super) fn new(view: &PeerView, members: usize) -> Self {
        let (entry, status, reading) = (&view.entry, &view.status, view.reading);
        Self {
            id: entry.id.hex(),
            name: entry.name.clone(),
            url: entry.url.clone(),
            address: entry.shown_address(),
            state: status.state.name(),
            since: rfc3339(status.since_ms),
            trust: trust(view).map(Trust::name),
            source: entry.source.name(),
            dialect: entry.dialect.map(LinkDialect::name),
            accent: status.ear.map(accent).or_else(|| entry.accent.clone()),
            direction: direction(view),
            round_trip_ms: view.round_trip_us.map(milliseconds),
            members,
            last_error: status.trouble.as_ref().map(LastError::from),
            refused_claim: status.doubt.as_ref().map(LastError::from),
            next_retry: status.next_dial_ms.map(rfc3339),
            attempts: status.attempts,
            frames_in: reading.frames_in,
            frames_out: reading.frames_out,
            bytes_in: reading.bytes_in,
            bytes_out: reading.bytes_out,
            violations: reading.violations,
            overheard: reading.overheard,
            queue_bytes: view.waiting_bytes,
            key: entry.expected().map(|key| key.hex()),
            presented_key: entry.presented.map(|key| key.hex()),
            transcript: None,
        }
    }

    /// With the steps of the last attempt.
    pub(super) fn with_transcript(self, view: &PeerView) -> Self {
        Self { transcript: Some(view.status.steps.iter().map(StepView::from).collect()), ..self }
    }
}

pub(super) fn milliseconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64() * 1000.0
}

/// How far it is trusted, or was when it was linked last.
fn trust(view: &PeerView) -> Option<Trust> {
    let entry = &view.entry;
    match (view.status.trust, entry.pinned, entry.seen) {
        (None, ..) if entry.linked_at.is_none() => None,
        // The key was pinned after it was proven.
        (None | Some(Trust::Tofu), Some(_), _) => Some(Trust::Pinned),
        (None, None, Some(_)) => Some(Trust::Tofu),
        (None, None, None) => Some(Trust::Legacy),
        (known, ..) => known,
    }
}

fn direction(view: &PeerView) -> Option<&'static str> {
    let opened = |by| view.status.sockets.iter().any(|socket| socket.direction == by);
    match (opened(Direction::Out), opened(Direction::In)) {
        (true, true) => Some("both"),
        (true, false) => Some("out"),
        (false, true) => Some("in"),
        (false, false) => None,
    }
}

/// How many members are known to be on each home.
pub(super) async fn members(site: &Site) -> Result<HashMap<HomeId, usize>, Problem> {
    let homes = site.house.registry.send(Homes(0)).await?;
    Ok(homes.into_iter().map(|home| (home.home, home.count)).collect())
}

//! What happens, as it happens: server-sent events.
//!
//! A watcher that reads too slowly misses events and is told how many; it never holds up the house.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    HttpResponse, get,
    http::header,
    web::{Bytes, Data},
};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use utoipa::ToSchema;

use super::{stamp::rfc3339, who::Who};
use crate::{
    actors::{
        event::{Event, Kind, Naming},
        house::House,
    },
    domain::neighbourhood::State,
    http::{problem::Problem, site::Site},
};

/// How long a stream may say nothing; proxies close one that is silent for longer.
const SILENCE: Duration = Duration::from_secs(15);
/// How often a silent stream looks whether the house closes.
const TICK: Duration = Duration::from_millis(500);

/// The data of an event. Its name and number stand beside it.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct EventView {
    /// When.
    at: String,
    /// Which connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    /// Its member; of a name that was refused, the name and the key that came with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<Who>,
    /// What it speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    dialect: Option<&'static str>,
    /// From where it was refused, or the address of the neighbour.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// Which neighbour.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    /// What the neighbour calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// How the link is doing now.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    /// Why the link is down or refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// Which room.
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<String>,
    /// Which line of a room.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<String>,
    /// The number of a guest of a room.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u32>,
    /// Who the member was, before it took another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Who>,
    /// Why it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    ending: Option<&'static str>,
    /// What this node of the home is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// In which epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    /// The first words of a server that was refused: of which kind, from whom, and where that listens.
    #[serde(skip_serializing_if = "Option::is_none")]
    hello: Option<String>,
    /// Why a server was refused, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Which ban.
    #[serde(skip_serializing_if = "Option::is_none")]
    ban: Option<String>,
    /// Whom a ban is about, as in `name anna`; or who was muted, as the roster of a room shows it; or which member
    /// registered an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

impl EventView {
    fn of_peer(self, peer: &Naming, state: Option<State>, code: Option<&'static str>) -> Self {
        let Naming { id, name, address } = peer.clone();
        Self { peer: Some(id.hex()), name, address, state: state.map(State::name), code, ..self }
    }
}

impl From<&Event> for EventView {
    fn from(event: &Event) -> Self {
        let blank = Self { at: rfc3339(event.at_ms), ..Self::default() };
        match &event.kind {
            Kind::LinkUp { peer, state } | Kind::LinkSuspect { peer, state } => {
                blank.of_peer(peer, Some(*state), None)
            }
            Kind::LinkDown { peer, state, code } | Kind::LinkRefused { peer, state, code } => {
                blank.of_peer(peer, Some(*state), *code)
            }
            Kind::PeerAdded { peer } | Kind::PeerRemoved { peer } => blank.of_peer(peer, None, None),
            Kind::Joined { client, member, dialect } => Self {
                client: Some(client.to_string()),
                member: Some(Who::from(&**member)),
                dialect: Some(dialect.name()),
                ..blank
            },
            Kind::Left { client, member, ending } => Self {
                client: Some(client.to_string()),
                member: Some(Who::from(&**member)),
                ending: Some(ending.code()),
                ..blank
            },
            Kind::Renamed { client, before, member } => Self {
                client: Some(client.to_string()),
                member: Some(Who::from(&**member)),
                before: Some(Who::from(&**before)),
                ..blank
            },
            Kind::RoomOpened { room }
            | Kind::RoomClosed { room }
            | Kind::RoomForgotten { room }
            | Kind::TopicSet { room } => Self { room: Some(room.to_string()), ..blank },
            Kind::LineWithdrawn { room, line } => {
                Self { room: Some(room.to_string()), line: Some(line.to_string()), ..blank }
            }
            Kind::Expelled { room, number } => {
                Self { room: Some(room.to_string()), number: Some(*number), ..blank }
            }
            Kind::BridgeBusy => blank,
            Kind::Role { role, cause, epoch } => {
                Self { role: Some(role.word()), code: Some(cause.word()), epoch: Some(epoch.0), ..blank }
            }
            Kind::HandOver { node, step } => {
                Self { target: Some(node.to_string()), code: Some(step.word()), ..blank }
            }
            Kind::Muted { member } | Kind::Unmuted { member } => Self { target: Some(member.hex()), ..blank },
            Kind::NameRefused { address, member } => {
                Self { address: Some(address.clone()), member: Some(Who::from(member)), ..blank }
            }
            Kind::Banned { ban } | Kind::Unbanned { ban } => {
                Self { ban: Some(ban.id.to_string()), target: Some(ban.said.target.to_string()), ..blank }
            }
            Kind::DirectoryJoined { listed } | Kind::DirectoryLeft { listed } => Self {
                address: Some(listed.at.to_string()),
                state: Some(if listed.undialable { "undialable" } else { "dialable" }),
                target: listed.member.map(|member| member.hex()),
                ..blank
            },
            Kind::Refused { address, ending, server } => Self {
                address: Some(address.to_string()),
                ending: Some(ending.code()),
                hello: server.as_ref().map(|server| server.hello.clone()),
                reason: server.as_ref().map(|server| server.reason.clone()),
                ..blank
            },
        }
    }
}

fn frame(event: &Event) -> String {
    // Plain structs of text always serialise.
    let data = serde_json::to_string(&EventView::from(event)).unwrap_or_default();
    format!("event: {}\nid: {}\ndata: {data}\n\n", event.kind.name(), event.number)
}

fn lagged(missed: u64) -> String {
    format!("event: lagged\ndata: {{\"missed\":{missed}}}\n\n")
}

struct Watcher {
    events: Receiver<Event>,
    /// None where nobody is: such a stream ends with its door.
    house: Option<Arc<House>>,
    spoke: Instant,
    greeted: bool,
}

impl Watcher {
    /// The next piece of the stream; `None` at its end.
    async fn next(&mut self) -> Option<String> {
        if !std::mem::replace(&mut self.greeted, true) {
            // Whoever sees this misses nothing from now on.
            return Some("retry: 3000\n: watching\n\n".to_owned());
        }
        loop {
            match actix_rt::time::timeout(TICK, self.events.recv()).await {
                Ok(Ok(event)) => return Some(frame(&event)),
                Ok(Err(RecvError::Lagged(missed))) => return Some(lagged(missed)),
                Ok(Err(RecvError::Closed)) => return None,
                // A closing house is watched until the last one has left.
                Err(_) if self.house.as_deref().is_some_and(is_empty) => return None,
                Err(_) if self.spoke.elapsed() >= SILENCE => return Some(": still here\n\n".to_owned()),
                Err(_) => {}
            }
        }
    }
}

fn is_empty(house: &House) -> bool {
    house.is_draining() && house.tally.clients.get() == 0
}

/// What happens from now on, as server-sent events: `joined`, `left`, `kicked`, `refused`, `link_up`,
/// `link_suspect`, `link_down`, `link_refused`, `peer_added`, `peer_removed`, `name_refused`, `banned`,
/// `unbanned`, `directory_joined`, `directory_left`, `role`, `handover`, and `lagged` if this watcher was too slow.
/// Ends with the server.
#[utoipa::path(
    tag = "events",
    operation_id = "watch_events",
    responses(
        (status = 200, description = "Events without end; the data of each is as described", body = EventView,
         content_type = "text/event-stream"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/events")]
pub(super) async fn watch(site: Data<Site>) -> HttpResponse {
    stream_of(site.house.bulletin.watch(), Some(Arc::clone(&site.house)))
}

/// These events, for as long as the house is open; without one, until the door is closed.
pub(super) fn stream_of(events: Receiver<Event>, house: Option<Arc<House>>) -> HttpResponse {
    let watcher = Watcher { events, house, spoke: Instant::now(), greeted: false };
    let pieces = stream::unfold(watcher, |mut watcher| async move {
        let piece = watcher.next().await?;
        watcher.spoke = Instant::now();
        Some((Ok::<_, actix_web::Error>(Bytes::from(piece)), watcher))
    });
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(pieces)
}

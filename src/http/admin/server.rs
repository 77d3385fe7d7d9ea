//! This server itself: who it is, how it is, and the numbers in force.

use std::sync::Arc;

use actix_web::{
    get,
    web::{Data, Json},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{stamp::rfc3339, who::Who};
use crate::{
    actors::{
        archivist::Trouble,
        clock::unix_ms,
        neighbourhood::Peers,
        registry::{Bridges, Count},
    },
    domain::member::Member,
    http::{
        info::{Spoken, spoken},
        meeting::Meeting,
        problem::Problem,
        site::Site,
    },
    store::Store,
};

/// A server.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ServerView {
    /// Made at first start and kept.
    id: String,
    /// What its operator calls it.
    name: String,
    /// The address in client lists.
    address: String,
    /// The base of links to uploaded files.
    url: String,
    /// The version of the program.
    version: &'static str,
    /// When the process started.
    started_at: String,
    /// Since how many seconds it runs.
    uptime_s: i64,
    /// Whether it is closing.
    draining: bool,
    /// The key for OLAF.
    olaf: OlafView,
    /// The digest that names the server's own key.
    key_id: String,
    /// Whether the public conversations of all dialects are one, and who says it to whom.
    bridge: BridgeView,
    /// What is spoken here, and where.
    dialects: Vec<Spoken>,
    /// The door of the rendezvous; null if the settings want none.
    rendezvous: Option<MeetingView>,
    /// How many there are.
    counts: Counts,
    /// How the store is.
    store: StoreView,
    /// Every limit in force, under its name in the settings.
    #[schema(value_type = BTreeMap<String, u64>)]
    limits: serde_json::Value,
}

/// The key for OLAF.
#[derive(Debug, Serialize, ToSchema)]
struct OlafView {
    /// As v1.2 writes it.
    fingerprint: String,
    /// In canonical PEM.
    public_key: String,
}

/// The bridge between dialects.
#[derive(Debug, Serialize, ToSchema)]
struct BridgeView {
    /// Whether it is on for the public conversation.
    public: bool,
    /// As whom it has spoken since the start, one for each dialect.
    members: Vec<Voice>,
}

/// A member of the house's own, who says again what others cannot say themselves.
#[derive(Debug, Serialize, ToSchema)]
struct Voice {
    /// In which dialect.
    dialect: &'static str,
    /// Who.
    member: Who,
}

/// The door of the rendezvous.
#[derive(Debug, Serialize, ToSchema)]
struct MeetingView {
    /// Where it is, or should be.
    listen: String,
    /// Whether it is open. A node of a home serves without it, and goes on trying.
    open: bool,
    /// Why not.
    trouble: Option<String>,
}

fn meeting(meeting: Meeting) -> Option<MeetingView> {
    match meeting {
        Meeting::Unwanted => None,
        Meeting::Open(door) => Some(MeetingView { listen: door.to_string(), open: true, trouble: None }),
        Meeting::Shut { wanted, why } => {
            Some(MeetingView { listen: wanted.to_string(), open: false, trouble: Some(why.to_string()) })
        }
    }
}

/// How many there are of what.
#[derive(Debug, Serialize, ToSchema)]
struct Counts {
    /// Open sockets.
    connections: u32,
    /// Those that introduced themselves.
    clients: usize,
    /// Distinct keys among them.
    members: i64,
    /// Members ever seen; null while the store cannot be read.
    known_members: Option<u64>,
    /// Neighbours, linked or not.
    peers: usize,
    /// Those that are linked.
    linked: usize,
    /// Letters accepted since the start.
    letters: u64,
    /// Bytes of uploaded files, uploads under way included.
    upload_bytes: u64,
}

/// How the store is.
#[derive(Debug, Serialize, ToSchema)]
struct StoreView {
    /// Whether it takes writes.
    healthy: bool,
    /// Why not.
    trouble: Option<String>,
    /// The version of its schema.
    schema: i64,
}

/// This server, the numbers in force, and how it is.
#[utoipa::path(
    tag = "server",
    responses(
        (status = 200, description = "The server", body = ServerView),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/server")]
pub(super) async fn show(site: Data<Site>) -> Result<Json<ServerView>, Problem> {
    let trouble = site.archivist.send(Trouble).await?;
    let clients = site.house.registry.send(Count).await?;
    let voices = site.house.registry.send(Bridges).await?;
    let voice = |member: &Arc<Member>| Voice { dialect: member.dialect.name(), member: Who::from(&**member) };
    let members = voices.iter().map(voice).collect();
    let peers = site.house.neighbourhood.send(Peers).await?;
    let settings = serde_json::to_value(&site.settings).map_err(|_| Problem::internal())?;
    let (about, tally) = (&site.about, &site.house.tally);
    Ok(Json(ServerView {
        id: about.id.to_string(),
        name: about.name.clone(),
        address: about.address.clone(),
        url: about.url.clone(),
        version: env!("CARGO_PKG_VERSION"),
        started_at: rfc3339(about.started_ms),
        uptime_s: unix_ms().saturating_sub(about.started_ms) / 1000,
        draining: site.house.is_draining(),
        olaf: OlafView { fingerprint: about.olaf_fingerprint.clone(), public_key: about.olaf_key.clone() },
        key_id: about.server_key_id.clone(),
        bridge: BridgeView { public: site.settings.bridge.public, members },
        dialects: spoken(&site),
        rendezvous: meeting(site.meeting.get()),
        counts: Counts {
            connections: site.house.gate.connections(),
            clients,
            members: tally.members.get(),
            // This page is where one looks when the store is ill, so it must come without it.
            known_members: site.store.count_members().await.ok(),
            peers: peers.len(),
            linked: peers.iter().filter(|peer| peer.status.state.is_linked()).count(),
            letters: tally.letters.get(),
            upload_bytes: site.filing.used_bytes(),
        },
        store: StoreView {
            healthy: trouble.is_none(),
            trouble: trouble.map(|trouble| trouble.to_string()),
            schema: Store::schema_version(),
        },
        limits: settings.get("limits").cloned().unwrap_or_default(),
    }))
}

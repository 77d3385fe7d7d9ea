//! The hosts of this home: who leads and why, and how each of them is.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use actix_web::{
    get,
    http::StatusCode,
    web::{Data, Json},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    actors::succession::{
        copying::{Lacks, Shown},
        helm::Helm,
    },
    domain::{
        refusal::Refusal,
        succession::{
            election::{HostRow, View},
            home::Member,
            hosts::{Kind, Liveness},
            message::Failure,
        },
    },
    http::{home::Nodes, problem::Problem},
};

/// Who leads, and all hosts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HostsView {
    /// The node that answers this.
    own: String,
    /// What it is: `leader`, `standby`, `candidate` or `fenced`.
    role: &'static str,
    /// Why, in a word.
    why: &'static str,
    /// For how long it has been that.
    since_ms: u64,
    /// How often the home has changed hands, as far as it knows.
    epoch: u64,
    /// Who leads, as far as it knows.
    leader: Option<Leader>,
    /// What is left of the lease, if somebody leads.
    lease_left_ms: Option<u64>,
    /// Attempts in a row in which the leader gave no answer.
    attempts: u32,
    /// Who is next, best first.
    successors: Vec<String>,
    /// A hand-over that is under way.
    handover: Option<Handover>,
    /// How often another node gave no answer that counts, by kind.
    failures: BTreeMap<&'static str, u64>,
    /// Uploaded files of which this node has only the rows.
    files: Files,
    /// The hosts, best first; then the nodes of the settings that were never heard.
    hosts: Vec<Host>,
}

/// Who leads.
#[derive(Debug, Serialize, ToSchema)]
struct Leader {
    /// Which node.
    id: String,
    /// What it calls itself.
    name: String,
    /// Where clients find it.
    door: Option<String>,
}

/// Uploaded files of which this node has only the rows.
#[derive(Debug, Serialize, ToSchema)]
struct Files {
    /// Those that are still to be fetched.
    lacking: u64,
    /// Their bytes.
    lacking_bytes: u64,
    /// Those that whoever was asked does not have either.
    lost: u64,
    /// How often fetching failed.
    failures: u64,
    /// Why it failed last, if nothing has come since.
    trouble: Option<String>,
}

impl From<Shown> for Files {
    fn from(shown: Shown) -> Self {
        let Shown { lacks, lost, failures, trouble } = shown;
        let trouble = trouble.map(|why| why.to_string());
        Self { lacking: lacks.files, lacking_bytes: lacks.bytes, lost, failures, trouble }
    }
}

/// A hand-over that is under way.
#[derive(Debug, Serialize, ToSchema)]
struct Handover {
    /// To which node.
    to: String,
    /// `ordered` by somebody, or because the leader is `outranked`.
    why: &'static str,
    /// For how long it has been in its present step.
    since_ms: u64,
}

/// One host.
#[derive(Debug, Serialize, ToSchema)]
struct Host {
    /// Its place, from 1 on; only hosts that live have one.
    rank: Option<u32>,
    /// Its id; null for a node that was never heard.
    id: Option<String>,
    /// What it calls itself, or what the settings call it.
    name: String,
    /// `own`: this node. `node`: another one of the home. `host`: one of the first form, which has no vote.
    kind: &'static str,
    /// `connected`, `suspect` or `disconnected`.
    state: &'static str,
    /// Whether it leads.
    leads: bool,
    /// How busy its processors are, in per cent of all of them.
    cpu_percent: Option<u32>,
    /// Memory in use, in millions of bytes.
    ram_used_mb: Option<u64>,
    /// All its memory, in millions of bytes.
    ram_total_mb: Option<u64>,
    /// What its network could still carry, in millions of bytes.
    bandwidth_mb: Option<u64>,
    /// Free space of its disk, in thousands of millions of bytes.
    disk_free_gb: Option<u64>,
    /// How good that is: 100 is a host with nothing to do.
    score: Option<f64>,
    /// The succession door of a node, or where a host was heard from.
    address: Option<String>,
    /// Where clients find a node when it serves.
    door: Option<String>,
    /// How far its copy of the database goes: an epoch, and the number of a change.
    position: Option<String>,
    /// How many uploaded files it still lacks; each node knows that of itself, and the one that leads of all that
    /// follow it.
    files_lacking: Option<u64>,
    /// Their bytes.
    files_lacking_bytes: Option<u64>,
    /// For how long nothing was heard; null if nothing ever was.
    silence_ms: Option<u64>,
    /// Why a node counts for nothing here, or this one there, until settings are changed: `other-numbers` (`lease_ms`,
    /// `takeover_ms`, `stagger_ms`) or `other-home` (how many nodes there are, and which is the fallback).
    differs: Option<&'static str>,
}

impl Host {
    /// A node that stands in the settings and was never heard.
    fn unheard(member: &Member, view: &View) -> Self {
        Self {
            rank: None,
            id: None,
            name: member.name.to_string(),
            kind: Kind::Node.word(),
            state: Liveness::Disconnected.word(),
            leads: false,
            cpu_percent: None,
            ram_used_mb: None,
            ram_total_mb: None,
            bandwidth_mb: None,
            disk_free_gb: None,
            score: None,
            address: Some(member.address.to_string()),
            door: Some(member.door.to_string()),
            position: None,
            files_lacking: None,
            files_lacking_bytes: None,
            silence_ms: None,
            differs: differs(view, &member.address),
        }
    }
}

/// The way to the election.
///
/// # Errors
/// This server takes no part in any.
pub(super) fn helm(nodes: &Nodes) -> Result<&Helm, Problem> {
    nodes.helm().ok_or_else(|| {
        let title = "This server takes no part in succession";
        let problem = Problem::new(StatusCode::NOT_FOUND, "no_succession", title);
        problem.detail("set succession.listen, and home.members for a home of several nodes")
    })
}

/// What the election shows now.
pub(super) async fn look(helm: &Helm) -> Result<View, Problem> {
    helm.look().await.ok_or_else(|| Problem::from(Refusal::Draining))
}

fn shown(view: &View, nodes: &Nodes, helm: &Helm) -> HostsView {
    let hosts: Vec<Host> = view.hosts.iter().map(|row| host(row, view, nodes, helm)).collect();
    let is_heard =
        |member: &&Member| hosts.iter().any(|host| host.address.as_deref() == Some(&*member.address));
    let unheard = helm.others.iter().filter(|member| !is_heard(member));
    let unheard: Vec<Host> = unheard.map(|member| Host::unheard(member, view)).collect();
    let leader = view.leader.map(|id| {
        let id = id.to_string();
        let row = hosts.iter().find(|host| host.id.as_ref() == Some(&id));
        let name = row.map(|host| host.name.clone()).unwrap_or_default();
        Leader { id, name, door: row.and_then(|host| host.door.clone()) }
    });
    HostsView {
        own: view.own.to_string(),
        role: view.role.word(),
        why: view.why,
        since_ms: ms(view.since),
        epoch: view.epoch.0,
        leader,
        lease_left_ms: view.lease_left.map(ms),
        attempts: view.attempts,
        successors: view.successors.iter().map(ToString::to_string).collect(),
        handover: view.handing.as_ref().map(|handing| Handover {
            to: handing.to.to_string(),
            why: handing.why.word(),
            since_ms: ms(handing.since),
        }),
        failures: failures(view).collect(),
        files: helm.ledger.shown().into(),
        hosts: hosts.into_iter().chain(unheard).collect(),
    }
}

fn host(row: &HostRow, view: &View, nodes: &Nodes, helm: &Helm) -> Host {
    let said = |text: &Arc<str>| (!text.is_empty()).then(|| text.to_string());
    let lacks = lacks(row, helm);
    let own_door = nodes.own_door().filter(|_| row.kind == Kind::Ourselves).map(ToOwned::to_owned);
    Host {
        rank: row.rank,
        id: Some(row.id.to_string()),
        name: row.figures.name.to_string(),
        kind: row.kind.word(),
        state: row.state.word(),
        leads: row.leads,
        cpu_percent: Some(row.figures.cpu_percent),
        ram_used_mb: Some(row.figures.ram_used_mb),
        ram_total_mb: Some(row.figures.ram_total_mb),
        bandwidth_mb: Some(row.figures.bandwidth_mb),
        disk_free_gb: Some(row.figures.disk_free_gb),
        score: Some(f64::from(row.score) / 1000.0),
        address: said(&row.address),
        door: own_door.or_else(|| said(&row.door)),
        position: row.position.map(|position| position.to_string()),
        files_lacking: lacks.map(|lacks| lacks.files),
        files_lacking_bytes: lacks.map(|lacks| lacks.bytes),
        silence_ms: Some(ms(row.silence)),
        differs: differs(view, &row.address),
    }
}

/// Why the node at this succession door counts for nothing here, if it does not.
fn differs(view: &View, address: &str) -> Option<&'static str> {
    view.differing.iter().find(|(known, _)| **known == *address).map(|(_, why)| why.word())
}

/// Which uploaded files a host lacks, as far as that is known here.
fn lacks(row: &HostRow, helm: &Helm) -> Option<Lacks> {
    match row.kind {
        Kind::Ourselves => helm.ledger.known(),
        _ => helm.copies.lacking(row.id),
    }
}

/// How often questions got no answer, by the word for why.
pub(super) fn failures(view: &View) -> impl Iterator<Item = (&'static str, u64)> {
    let word = |kind: Failure| Failure::ALL.iter().find(|(known, _)| *known == kind).map(|(_, word)| *word);
    view.failures.iter().filter_map(move |(kind, count)| Some((word(*kind)?, *count)))
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// The hosts of this home, best first; who leads, why, and for how long its lease lasts.
#[utoipa::path(
    tag = "succession",
    operation_id = "list_hosts",
    responses(
        (status = 200, description = "The hosts", body = HostsView),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "This server takes no part in succession", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/hosts")]
pub(super) async fn show(nodes: Data<Nodes>) -> Result<Json<HostsView>, Problem> {
    let helm = helm(&nodes)?;
    Ok(Json(shown(&look(helm).await?, &nodes, helm)))
}

//! Live connections that introduced themselves: the list, one of them, and the door for one of them.

use actix_web::{
    HttpResponse, delete, get,
    web::{Data, Json, Path, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    paging::{self, Listing},
    stamp::rfc3339,
    who::Who,
};
use crate::{
    actors::registry::{Client, Clients, Find, Kick},
    dialect::{
        Ear,
        olaf::accent::{Letters, Lists},
    },
    domain::id::ConnectionId,
    http::{problem::Problem, site::Site},
};

/// The name of this list in cursors.
const LIST: &str = "clients";

/// A live connection.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClientView {
    /// Its number, as text: it may outgrow the numbers of JavaScript.
    #[schema(example = "17")]
    id: String,
    /// Whose it is.
    member: Who,
    /// What it speaks.
    #[schema(example = "olaf")]
    dialect: &'static str,
    /// How it wants to be written to.
    #[schema(example = "plain")]
    accent: String,
    /// Where it is.
    address: String,
    /// Since when.
    connected_at: String,
    /// Bytes that wait for it.
    queue_bytes: usize,
}

impl From<Client> for ClientView {
    fn from(client: Client) -> Self {
        Self {
            id: client.connection.to_string(),
            member: Who::from(&*client.member),
            dialect: client.member.dialect.name(),
            accent: accent(client.ear),
            address: client.address.to_string(),
            connected_at: rfc3339(client.since_ms),
            queue_bytes: client.waiting_bytes,
        }
    }
}

/// The names by which a client may ask for this shape.
pub(super) fn accent(ear: Ear) -> String {
    let ear = match ear {
        Ear::Olaf(ear) => ear,
        Ear::OlafPeer(accent) => return accent.name(),
        Ear::Socp(accent) | Ear::SocpPeer(accent) => return accent.name(),
        Ear::Tpacket(version) => return version.name().to_owned(),
        // Not a client's.
        Ear::Kith => return String::new(),
    };
    let letters = (ear.letters == Letters::DataAsObject).then_some("object-letters");
    let lists = (ear.lists == Lists::Numbered).then_some("numbered-list");
    let names: Vec<_> = letters.into_iter().chain(lists).collect();
    if names.is_empty() { "plain".to_owned() } else { names.join("+") }
}

/// Which clients are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ClientsQuery {
    /// Only those who speak this.
    #[param(example = "olaf")]
    dialect: Option<String>,
    /// At most so many items; more than 500 are never given.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

fn connection(text: &str) -> Option<ConnectionId> {
    text.parse().ok().map(ConnectionId)
}

/// No such number is no such client, whatever the text looks like.
pub(super) fn named(id: &str) -> Result<ConnectionId, Problem> {
    connection(id).ok_or_else(gone)
}

pub(super) fn gone() -> Problem {
    Problem::not_found("no such client, or it is gone")
}

/// The clients, those who came first in front.
#[utoipa::path(
    tag = "clients",
    operation_id = "list_clients",
    params(ClientsQuery),
    responses(
        (status = 200, description = "A page of clients", body = Listing<ClientView>),
        (status = 400, description = "A bad limit, cursor or dialect", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/clients")]
pub(super) async fn list(
    site: Data<Site>,
    query: Query<ClientsQuery>,
) -> Result<Json<Listing<ClientView>>, Problem> {
    let limit = usize::try_from(paging::limit(query.limit)?).unwrap_or(usize::MAX);
    let after = paging::decode(LIST, query.cursor.as_deref(), connection)?;
    let dialect = paging::dialect(query.dialect.as_deref())?;
    // One more than wanted shows whether there is another page.
    let mut clients = site.house.registry.send(Clients { dialect, after, limit: limit + 1 }).await?;
    let more = clients.len() > limit;
    clients.truncate(limit);
    let last = clients.last().filter(|_| more);
    let next = last.map(|client| paging::encode(LIST, client.connection));
    Ok(Json(Listing { items: clients.into_iter().map(ClientView::from).collect(), next }))
}

/// One client.
#[utoipa::path(
    tag = "clients",
    operation_id = "show_client",
    params(("id" = String, Path, description = "Its number")),
    responses(
        (status = 200, description = "The client", body = ClientView),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "It is not here", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/clients/{id}")]
pub(super) async fn show(site: Data<Site>, id: Path<String>) -> Result<Json<ClientView>, Problem> {
    let client = site.house.registry.send(Find(named(&id)?)).await?;
    Ok(Json(client.ok_or_else(gone)?.into()))
}

/// Shows a client the door. It may come back.
#[utoipa::path(
    tag = "clients",
    operation_id = "kick_client",
    params(("id" = String, Path, description = "Its number")),
    responses(
        (status = 204, description = "It is told to go"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "It is not here", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[delete("/clients/{id}")]
pub(super) async fn kick(site: Data<Site>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let connection = named(&id)?;
    if !site.house.registry.send(Kick(connection)).await? {
        return Err(gone());
    }
    tracing::info!(client = %connection, "kicked by an administrator");
    Ok(HttpResponse::NoContent().finish())
}

//! Rooms: which there are, who is in one of them, and what operators order in them.
//!
//! `history` is what was said, `orders` what operators change, `mutes` who may say nothing.

pub(super) mod history;
pub(super) mod mutes;
pub(super) mod orders;

use actix_web::{
    get,
    http::StatusCode,
    web::{Data, Json, Path, Query},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::paging::{self, Listing, PageQuery};
use crate::{
    actors::{
        archivist::Settled,
        registry::{ListRooms, RoomOrder, Roster, ShowRoom},
    },
    domain::{
        dialect::Dialect,
        id::HomeId,
        rooms::{Objection, Order, RoomName, RoomView},
    },
    http::{problem::Problem, site::Site},
};

/// The name of this list in cursors.
const LIST: &str = "rooms";

/// Every route of rooms.
pub(super) fn configure(api: &mut ServiceConfig<'_>) {
    api.service(list)
        .service(show)
        .service(history::list)
        .service(history::withdraw)
        .service(orders::topic)
        .service(orders::close)
        .service(orders::reopen)
        .service(orders::kick)
        .service(orders::forget)
        .service(mutes::list)
        .service(mutes::mute)
        .service(mutes::unmute);
}

/// A room.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RoomItem {
    /// Its name.
    #[schema(example = "lobby")]
    name: String,
    /// What it is about; null if nobody has said.
    topic: Option<String>,
    /// Whether an operator has closed it here.
    closed: bool,
    /// Guests of this home.
    guests_here: usize,
    /// Guests of all homes.
    guests: usize,
    /// Lines in its history.
    lines: usize,
    /// What they count for.
    bytes: usize,
}

impl From<&RoomView> for RoomItem {
    fn from(room: &RoomView) -> Self {
        Self {
            name: room.name.to_string(),
            topic: room.topic.as_ref().map(ToString::to_string),
            closed: room.closed,
            guests_here: room.guests.iter().filter(|guest| guest.home == HomeId::OWN).count(),
            guests: room.guests.len(),
            lines: room.lines,
            bytes: room.bytes,
        }
    }
}

/// A room with everybody who is in it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RoomDetail {
    /// The room.
    #[serde(flatten)]
    room: RoomItem,
    /// Its guests, in the order in which they came.
    roster: Vec<GuestView>,
}

/// Somebody in a room.
#[derive(Debug, Serialize, ToSchema)]
struct GuestView {
    /// The number by which this home tells guests apart.
    number: u32,
    /// What she is called.
    name: String,
    /// Who: the fingerprint of her key, or the digest of her name in dialects in which a name is all there is.
    member: String,
    /// What she speaks; null, if only newer programs know that.
    #[schema(example = "tpacket")]
    dialect: Option<&'static str>,
    /// The address of her home.
    home: String,
    /// Whether that is this one.
    here: bool,
    /// Whether an operator lets her say nothing here.
    muted: bool,
}

impl From<Roster> for RoomDetail {
    fn from(Roster { room, guests }: Roster) -> Self {
        let roster = guests.into_iter().map(|(guest, home, muted)| GuestView {
            number: guest.number,
            name: guest.name.to_string(),
            member: guest.member.hex(),
            dialect: guest.dialect.map(Dialect::name),
            home,
            here: guest.home == HomeId::OWN,
            muted,
        });
        Self { room: RoomItem::from(&room), roster: roster.collect() }
    }
}

fn gone() -> Problem {
    Problem::not_found("no such room")
}

/// No such name is no such room.
fn named(name: &str) -> Result<RoomName, Problem> {
    RoomName::new(name).ok_or_else(gone)
}

/// Has an order carried out. It is on disk when this is answered.
async fn order(site: &Site, order: Order) -> Result<(), Problem> {
    site.house.registry.send(RoomOrder(order)).await?.map_err(refused)?;
    if site.archivist.send(Settled).await? {
        return Ok(());
    }
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store", "The store does not answer");
    Err(problem.detail("it is in force, and will be written down when the store takes writes again"))
}

fn refused(objection: Objection) -> Problem {
    match objection {
        Objection::Unknown => Problem::not_found("no such room, guest or line"),
        Objection::Unsupported => Problem::new(StatusCode::CONFLICT, "not_ours", "It is another server's")
            .detail("guests are put out at the server that they belong to"),
        Objection::TooLong => Problem::bad_request("it is longer than limits.room_line_bytes allows"),
        other => Problem::new(StatusCode::CONFLICT, other.code(), "This cannot be done"),
    }
}

/// The rooms, in the order of their names.
#[utoipa::path(
    tag = "rooms",
    operation_id = "list_rooms",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of rooms", body = Listing<RoomItem>),
        (status = 400, description = "A bad limit or cursor", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/rooms")]
pub(super) async fn list(
    site: Data<Site>,
    query: Query<PageQuery>,
) -> Result<Json<Listing<RoomItem>>, Problem> {
    let limit = usize::try_from(paging::limit(query.limit)?).unwrap_or(usize::MAX);
    let after = paging::decode(LIST, query.cursor.as_deref(), RoomName::new)?;
    // One more than wanted shows whether there is another page.
    let mut rooms = site.house.registry.send(ListRooms { after, limit: limit + 1 }).await?;
    let more = rooms.len() > limit;
    rooms.truncate(limit);
    let next = rooms.last().filter(|_| more).map(|room| paging::encode(LIST, &room.name));
    Ok(Json(Listing { items: rooms.iter().map(RoomItem::from).collect(), next }))
}

/// One room, and who is in it.
#[utoipa::path(
    tag = "rooms",
    operation_id = "show_room",
    params(("name" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "The room", body = RoomDetail),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room", body = Problem,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/rooms/{name}")]
pub(super) async fn show(site: Data<Site>, name: Path<String>) -> Result<Json<RoomDetail>, Problem> {
    let roster = site.house.registry.send(ShowRoom(named(&name)?)).await?;
    Ok(Json(roster.ok_or_else(gone)?.into()))
}

//! `GET /` on the main door, asked as plain HTTP: what this is, and what a client should know of it.

use actix_web::{HttpResponse, http::header, web::Data};
use serde::Serialize;

use super::{files::UPLOAD_PATH, home::HomeDoors, site::Site};
use crate::{
    dialect::rooms,
    domain::{dialect::Dialect, limits::Limits},
};

/// The document. Only facts that every client may see anyway.
#[derive(Debug, Serialize)]
struct Info<'a> {
    software: Software,
    server: Server<'a>,
    dialects: Vec<Spoken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rooms: Option<Rooms>,
    #[serde(skip_serializing_if = "Option::is_none")]
    home: Option<HomeDoors>,
    limits: Bounds,
    upload: Upload,
}

#[derive(Debug, Serialize)]
struct Software {
    name: &'static str,
    version: &'static str,
}

#[derive(Debug, Serialize)]
struct Server<'a> {
    id: String,
    name: &'a str,
    address: &'a str,
    url: &'a str,
    olaf_public_key: &'a str,
    olaf_fingerprint: &'a str,
    key_id: &'a str,
}

/// A dialect and the paths of its WebSockets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Spoken {
    /// The name of the dialect.
    pub name: &'static str,
    /// Where it is spoken at the main door: `/` decides by the first frame, the other path is pinned.
    pub paths: Vec<String>,
    /// The address of a door of its own, where any path will do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

#[derive(Debug, Serialize)]
struct Bounds {
    message_bytes: u32,
    hello_timeout_s: u32,
    recipients_per_letter: u32,
    upload_bytes: u64,
    upload_keep_s: u32,
}

#[derive(Debug, Serialize)]
struct Upload {
    path: &'static str,
    field: &'static str,
}

/// Rooms for clients whose dialect has none.
#[derive(Debug, Serialize)]
struct Rooms {
    version: u32,
    key: &'static str,
    dialects: Vec<&'static str>,
    rooms_per_member: u32,
    line_bytes: u32,
    /// Whether the room `public` is everybody's, who speak there in the words of their own dialects.
    bridged: bool,
}

impl Rooms {
    /// What is offered to the clients of these dialects, if any of them has no rooms of its own.
    fn beside(spoken: &[Spoken], limits: &Limits, bridged: bool) -> Option<Self> {
        let has_none = |name: &&str| [Dialect::Olaf.name(), Dialect::Socp.name()].contains(name);
        let dialects: Vec<_> = spoken.iter().map(|spoken| spoken.name).filter(has_none).collect();
        (!dialects.is_empty()).then_some(Self {
            version: rooms::VERSION,
            key: rooms::KEY,
            dialects,
            rooms_per_member: limits.rooms_per_member,
            line_bytes: limits.room_line_bytes,
            bridged,
        })
    }
}

/// The dialects that are spoken here.
#[must_use]
pub fn spoken(site: &Site) -> Vec<Spoken> {
    let pinned = site.settings.listen.dialect.0;
    let spoken = Dialect::ALL.into_iter().map(|dialect| {
        let at_main = pinned.is_none_or(|only| only == dialect);
        Spoken {
            name: dialect.name(),
            paths: if at_main { vec!["/".to_owned(), format!("/{dialect}")] } else { Vec::new() },
            address: site.about.own_door(dialect).map(str::to_owned),
        }
    });
    spoken.filter(|spoken| !spoken.paths.is_empty() || spoken.address.is_some()).collect()
}

/// Shows the document. Any page may read it: it is how a chat page finds out where it is.
pub(super) async fn show(site: Data<Site>) -> HttpResponse {
    let (about, limits) = (&site.about, &site.house.limits);
    let dialects = spoken(&site);
    let info = Info {
        software: Software { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        server: Server {
            id: about.id.to_string(),
            name: &about.name,
            address: &about.address,
            url: &about.url,
            olaf_public_key: &about.olaf_key,
            olaf_fingerprint: &about.olaf_fingerprint,
            key_id: &about.server_key_id,
        },
        rooms: Rooms::beside(&dialects, limits, site.settings.bridge.public),
        dialects,
        home: site.nodes.doors().await,
        limits: Bounds {
            message_bytes: limits.message_bytes,
            hello_timeout_s: limits.hello_timeout_s,
            recipients_per_letter: limits.recipients_per_letter,
            upload_bytes: limits.upload_bytes,
            upload_keep_s: limits.upload_keep_s,
        },
        upload: Upload { path: UPLOAD_PATH, field: "file" },
    };
    HttpResponse::Ok()
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=60"))
        // The same address answers a WebSocket request in quite another way.
        .insert_header((header::VARY, "Accept, Upgrade"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .json(info)
}

//! What is counted, for Prometheus.

use actix_web::{HttpResponse, get, http::header, web::Data};
use prometheus_client::{
    encoding::text::{encode_eof, encode_registry},
    metrics::{gauge::Gauge, info::Info},
    registry::Registry,
};

use super::links::Links;
use crate::{
    actors::{neighbourhood::Peers, registry::RoomCounts},
    http::{problem::Problem, site::Site},
};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The names under which everything is shown. Made once: the counters in it are shared with the actors.
#[derive(Debug)]
pub(super) struct Metrics {
    house: Registry,
    /// Has no prefix: dashboards know these names of any program.
    process: Registry,
    connections: Gauge,
    rooms: Gauge,
    guests: Gauge,
    links: Links,
}

impl Metrics {
    pub(super) fn new(site: &Site) -> Self {
        let (connections, start, links) = (Gauge::default(), <Gauge>::default(), Links::default());
        let (rooms, guests) = (Gauge::default(), Gauge::default());
        let mut house = site.house.tally.registry();
        house.register("connections", "open sockets, introduced or not", connections.clone());
        house.register("rooms", "rooms, empty ones included", rooms.clone());
        house.register("room_guests", "guests of this home in rooms", guests.clone());
        house.register_collector(Box::new(links.clone()));
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        house.register("build", "the program", Info::new(version));
        start.set(site.about.started_ms / 1000);
        let mut process = Registry::default();
        process.register("process_start_time_seconds", "when the process started", start);
        Self { house, process, connections, rooms, guests, links }
    }

    fn text(&self, connections: u32) -> Result<String, std::fmt::Error> {
        self.connections.set(i64::from(connections));
        let mut text = String::new();
        encode_registry(&mut text, &self.house)?;
        encode_registry(&mut text, &self.process)?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

/// Counters and gauges, as OpenMetrics 1.0 writes them.
#[utoipa::path(
    tag = "server",
    responses(
        (status = 200, description = "The metrics", body = String,
         content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("")]
pub(super) async fn show(site: Data<Site>, metrics: Data<Metrics>) -> Result<HttpResponse, Problem> {
    let counts = site.house.registry.send(RoomCounts).await?;
    metrics.rooms.set(i64::try_from(counts.rooms).unwrap_or(i64::MAX));
    metrics.guests.set(i64::try_from(counts.own_guests).unwrap_or(i64::MAX));
    metrics.links.set(site.house.neighbourhood.send(Peers).await?);
    let text = metrics.text(site.house.gate.connections()).map_err(|_| Problem::internal())?;
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, CONTENT_TYPE)).body(text))
}

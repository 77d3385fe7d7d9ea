//! What is counted, for Prometheus.

use actix_web::{HttpResponse, get, http::header, web::Data};
use prometheus_client::{
    collector::Collector,
    encoding::{
        DescriptorEncoder, NoLabelSet,
        text::{encode_eof, encode_registry},
    },
    metrics::{MetricType, gauge::Gauge, info::Info},
    registry::Registry,
};

use super::{
    links::{Links, Written},
    succession::Succession,
};
use crate::{
    actors::{neighbourhood::Peers, registry::RoomCounts},
    http::{home::Nodes, meeting::Meeting, problem::Problem, site::Site},
    telemetry,
};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The names under which everything is shown. Made once: the counters in it are shared with the actors.
#[derive(Debug)]
pub(super) struct Metrics {
    pages: Pages,
    connections: Gauge,
    rooms: Gauge,
    guests: Gauge,
    shut: Gauge,
    links: Links,
}

/// What became of the log.
#[derive(Debug)]
struct Log;

impl Collector for Log {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Written {
        let help = "lines of the log for which there was no room, because nobody takes it";
        let mut metric = encoder.encode_descriptor("log_lost_lines", help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, _, u64>(&telemetry::lost(), None)
    }
}

/// What every node shows, serving or not, beside what its house counts.
#[derive(Debug)]
pub(super) struct Pages {
    house: Registry,
    /// Has no prefix: dashboards know these names of any program.
    process: Registry,
    succession: Succession,
}

impl Pages {
    /// Adds it to what a house counts.
    pub(super) fn new(mut house: Registry, started_ms: i64) -> Self {
        let (start, succession) = (<Gauge>::default(), Succession::default());
        house.register_collector(Box::new(succession.clone()));
        house.register_collector(Box::new(Log));
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        house.register("build", "the program", Info::new(version));
        start.set(started_ms / 1000);
        let mut process = Registry::default();
        process.register("process_start_time_seconds", "when the process started", start);
        Self { house, process, succession }
    }

    /// All of it, as it is now.
    pub(super) async fn answer(&self, nodes: &Nodes) -> Result<HttpResponse, Problem> {
        self.succession.look(nodes).await;
        let text = self.text().map_err(|_| Problem::internal())?;
        Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, CONTENT_TYPE)).body(text))
    }

    fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.house)?;
        encode_registry(&mut text, &self.process)?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

impl Metrics {
    pub(super) fn new(site: &Site) -> Self {
        let (connections, links) = (Gauge::default(), Links::default());
        let (rooms, guests) = (Gauge::default(), Gauge::default());
        let mut house = site.house.tally.registry();
        house.register("connections", "open sockets, introduced or not", connections.clone());
        house.register("rooms", "rooms, empty ones included", rooms.clone());
        house.register("room_guests", "guests of this home in rooms", guests.clone());
        let (shut, help) = (Gauge::default(), "1 while the door of the rendezvous cannot be bound");
        house.register("rendezvous_shut", help, shut.clone());
        house.register_collector(Box::new(links.clone()));
        Self { pages: Pages::new(house, site.about.started_ms), connections, rooms, guests, shut, links }
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
    metrics.shut.set(i64::from(matches!(site.meeting.get(), Meeting::Shut { .. })));
    metrics.connections.set(i64::from(site.house.gate.connections()));
    metrics.pages.answer(&site.nodes).await
}

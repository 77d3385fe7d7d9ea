//! How the links are doing, for Prometheus. Asked for anew at every scrape: neighbours come and go, and
//! what is counted of them stands with their sockets.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};

use crate::{
    actors::neighbourhood::PeerView,
    domain::{neighbourhood::State, peer::LinkDialect},
};

/// What the last scrape was told.
#[derive(Clone, Debug, Default)]
pub(super) struct Links(Arc<Mutex<Vec<PeerView>>>);

impl Links {
    /// What the next scrape shows.
    pub(super) fn set(&self, mut peers: Vec<PeerView>) {
        // Nothing here may keep a socket that is gone.
        peers.iter_mut().for_each(|peer| peer.status.sockets.clear());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = peers;
    }
}

pub(super) type Written = Result<(), std::fmt::Error>;

impl Collector for Links {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Written {
        let peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        states(&mut encoder, &peers)?;
        facts(&mut encoder, &peers)?;
        let linked = |peer: &PeerView| Some(u64::from(peer.status.state.is_linked()));
        gauge(&mut encoder, &peers, "peer_linked", "1 while a neighbour is linked", linked)?;
        let name = "peer_round_trip_seconds";
        gauge(&mut encoder, &peers, name, "the last round trip to a linked neighbour", |peer| {
            peer.round_trip_us.map(|micros| std::time::Duration::from_micros(micros).as_secs_f64())
        })?;
        let waiting = |peer: &PeerView| Some(peer.waiting_bytes);
        gauge(&mut encoder, &peers, "peer_queue_bytes", "bytes that wait for a neighbour", waiting)?;
        let help = "messages between a neighbour and us";
        counter(&mut encoder, &peers, "peer_frames", help, |peer| {
            (peer.reading.frames_in, peer.reading.frames_out)
        })?;
        counter(&mut encoder, &peers, "peer_bytes", "their payload", |peer| {
            (peer.reading.bytes_in, peer.reading.bytes_out)
        })
    }
}

fn states(encoder: &mut DescriptorEncoder, peers: &[PeerView]) -> Written {
    let help = "neighbours, by the state of their link";
    let mut metric = encoder.encode_descriptor("peers", help, None, MetricType::Gauge)?;
    State::ALL.into_iter().try_for_each(|state| {
        let count = peers.iter().filter(|peer| peer.status.state == state).count();
        sample(&mut metric, &[("state", state.name())], &count)
    })
}

/// Who is behind an id, so that a dashboard can show a name.
fn facts(encoder: &mut DescriptorEncoder, peers: &[PeerView]) -> Written {
    let mut metric = encoder.encode_descriptor("peer", "who a neighbour is", None, MetricType::Info)?;
    peers.iter().try_for_each(|peer| {
        let entry = &peer.entry;
        metric.encode_info(&[
            ("peer", entry.id.hex()),
            ("name", entry.name.clone().unwrap_or_default()),
            ("address", entry.shown_address().unwrap_or_default()),
            ("dialect", entry.dialect.map(LinkDialect::name).unwrap_or_default().to_owned()),
        ])
    })
}

fn gauge<V: EncodeGaugeValue>(
    encoder: &mut DescriptorEncoder,
    peers: &[PeerView],
    name: &str,
    help: &str,
    value: impl Fn(&PeerView) -> Option<V>,
) -> Written {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    let known = peers.iter().filter_map(|peer| Some((peer, value(peer)?)));
    known
        .into_iter()
        .try_for_each(|(peer, value)| sample(&mut metric, &[("peer", peer.entry.id.hex())], &value))
}

pub(super) fn sample<V: EncodeGaugeValue>(
    metric: &mut MetricEncoder,
    labels: &impl EncodeLabelSet,
    value: &V,
) -> Written {
    metric.encode_family(labels)?.encode_gauge(value)
}

/// A counter of what came in, and of what went out.
fn counter(
    encoder: &mut DescriptorEncoder,
    peers: &[PeerView],
    name: &str,
    help: &str,
    values: impl Fn(&PeerView) -> (u64, u64),
) -> Written {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    peers.iter().try_for_each(|peer| {
        let (inward, outward) = values(peer);
        [("in", inward), ("out", outward)].into_iter().try_for_each(|(way, value)| {
            let labels = [("peer", peer.entry.id.hex()), ("way", way.to_owned())];
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&value, None)
        })
    })
}

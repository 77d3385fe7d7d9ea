//! How the election is doing, for Prometheus. A server without one shows nothing of it.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeGaugeValue, NoLabelSet},
    metrics::MetricType,
};

use super::{
    hosts,
    links::{Written, sample},
};
use crate::{
    actors::succession::copying::{Lacks, Shown},
    domain::succession::{
        election::{ROLES, View},
        hosts::Liveness,
    },
    http::home::Nodes,
};

/// What the last scrape was told.
#[derive(Clone, Debug, Default)]
pub(super) struct Succession(Arc<Mutex<Option<(View, Shown)>>>);

impl Succession {
    /// Asks for what the next scrape shows.
    pub(super) async fn look(&self, nodes: &Nodes) {
        let view = match nodes.helm() {
            Some(helm) => helm.look().await.map(|view| (view, helm.ledger.shown())),
            None => None,
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = view;
    }
}

impl Collector for Succession {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Written {
        let view = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((view, files)) = view.as_ref() else { return Ok(()) };
        let roles = ROLES.map(|role| (role, u32::from(role == view.role.word())));
        gauges(&mut encoder, "succession_role", "1 for what this node is", "role", &roles)?;
        let states = Liveness::ALL
            .map(|state| (state.word(), view.hosts.iter().filter(|host| host.state == state).count()));
        gauges(&mut encoder, "succession_hosts", "hosts in the table, by state", "state", &states)?;
        gauge(&mut encoder, "succession_epoch", "the highest epoch heard of", &view.epoch.0)?;
        let left = view.lease_left.unwrap_or_default().as_secs_f64();
        gauge(&mut encoder, "succession_lease_seconds", "what is left of the leader's lease", &left)?;
        let Lacks { files: count, bytes } = files.lacks;
        gauge(&mut encoder, "succession_files_lacking", "uploaded files still to be fetched", &count)?;
        gauge(&mut encoder, "succession_files_lacking_bytes", "their bytes", &bytes)?;
        gauge(
            &mut encoder,
            "succession_files_lost",
            "uploaded files that nobody who was asked has",
            &files.lost,
        )?;
        let help = "how often fetching an uploaded file failed";
        let mut metric =
            encoder.encode_descriptor("succession_file_failures", help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, _, u64>(&files.failures, None)?;
        let help = "questions to other nodes without an answer that counts";
        let mut metric = encoder.encode_descriptor("succession_failures", help, None, MetricType::Counter)?;
        hosts::failures(view).try_for_each(|(kind, count)| {
            let labels = [("kind", kind)];
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)
        })
    }
}

fn gauges<V: EncodeGaugeValue>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &'static str,
    values: &[(&'static str, V)],
) -> Written {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    values.iter().try_for_each(|(word, value)| sample(&mut metric, &[(label, *word)], value))
}

fn gauge<V: EncodeGaugeValue>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: &V,
) -> Written {
    encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(value)
}

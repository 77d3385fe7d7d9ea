//! What is counted, for `/metrics`. One registry of metrics per house, never a global one.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::domain::{
    dialect::Dialect,
    directory::order::Farewell,
    refusal::{Ending, Refusal, Violation},
};

/// A label with a stable code in it.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Code {
    code: &'static str,
}

/// Whether a kept signature did.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Kept {
    kept: &'static str,
}

/// A line on its way through the bridge.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Bridged {
    dialect: &'static str,
    way: &'static str,
}

/// Counters and gauges that actors update.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Connections that introduced themselves and are still here.
    pub clients: Gauge,
    /// Distinct keys among them.
    pub members: Gauge,
    /// Letters accepted.
    pub letters: Counter,
    /// Lines said in rooms, here and at neighbours.
    pub lines: Counter,
    /// Lines that the bridge left out.
    pub bridge_skipped: Counter,
    /// Frames handed to lanes.
    pub deliveries: Counter,
    /// Lists handed to lanes.
    pub lists: Counter,
    /// Lists or letters that found no room in a lane.
    pub dropped: Counter,
    /// Private letters for homes that are not linked.
    pub unreachable: Counter,
    /// Private letters kept for those who are away.
    pub offline_kept: Counter,
    /// Of those, handed over.
    pub offline_delivered: Counter,
    /// Of those, let go because nobody came for them in time.
    pub offline_expired: Counter,
    /// Letters that could have been kept and found no room, or no disk.
    pub offline_refused: Counter,
    /// Signatures found good.
    pub signatures_good: Counter,
    /// Signatures found bad.
    pub signatures_bad: Counter,
    /// Seconds a check took, waiting included.
    pub check_seconds: Histogram,
    /// Members written to the store.
    pub stored: Counter,
    /// Failed writes to the store.
    pub store_failures: Counter,
    /// Records that were given up because the store stayed away for too long.
    pub store_dropped: Counter,
    /// 1 while the store takes writes.
    pub store_healthy: Gauge,
    /// Sockets at the rendezvous.
    pub rendezvous_sockets: Gauge,
    /// Entries of the directory, those of neighbours included.
    pub directory_entries: Gauge,
    /// Registrations at the rendezvous, repeated ones included.
    pub rendezvous_registrations: Counter,
    /// Lists and directories that it sent.
    pub rendezvous_lists: Counter,
    /// What it was told and could not read.
    pub rendezvous_nonsense: Counter,
    /// Bytes that went through it between nodes.
    pub relayed_bytes: Counter,
    /// Bytes of uploaded files.
    pub upload_bytes: Gauge<u64, AtomicU64>,
    bridged: Family<Bridged, Counter>,
    signatures_made: Family<Kept, Counter>,
    violations: Family<Code, Counter>,
    endings: Family<Code, Counter>,
    refusals: Family<Code, Counter>,
    rendezvous_closed: Family<Code, Counter>,
}

impl Default for Tally {
    fn default() -> Self {
        let tally = Self {
            clients: Gauge::default(),
            members: Gauge::default(),
            letters: Counter::default(),
            lines: Counter::default(),
            bridge_skipped: Counter::default(),
            deliveries: Counter::default(),
            lists: Counter::default(),
            dropped: Counter::default(),
            unreachable: Counter::default(),
            offline_kept: Counter::default(),
            offline_delivered: Counter::default(),
            offline_expired: Counter::default(),
            offline_refused: Counter::default(),
            signatures_good: Counter::default(),
            signatures_bad: Counter::default(),
            check_seconds: Histogram::new([0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0]),
            stored: Counter::default(),
            store_failures: Counter::default(),
            store_dropped: Counter::default(),
            store_healthy: Gauge::default(),
            rendezvous_sockets: Gauge::default(),
            directory_entries: Gauge::default(),
            rendezvous_registrations: Counter::default(),
            rendezvous_lists: Counter::default(),
            rendezvous_nonsense: Counter::default(),
            relayed_bytes: Counter::default(),
            upload_bytes: Gauge::default(),
            bridged: Family::default(),
            signatures_made: Family::default(),
            violations: Family::default(),
            endings: Family::default(),
            refusals: Family::default(),
            rendezvous_closed: Family::default(),
        };
        // A counter that was never touched shows as zero, so that a first event is a visible change.
        for kept in ["no", "yes"] {
            let _ = tally.signatures_made.get_or_create(&Kept { kept });
        }
        for ending in Ending::PLAIN {
            let _ = tally.endings.get_or_create(&Code { code: ending.code() });
        }
        for violation in Violation::ALL {
            let _ = tally.violations.get_or_create(&Code { code: violation.code() });
        }
        for refusal in Refusal::ALL {
            let _ = tally.refusals.get_or_create(&Code { code: refusal.code() });
        }
        for code in Farewell::CODES {
            let _ = tally.rendezvous_closed.get_or_create(&Code { code });
        }
        tally.store_healthy.set(1);
        tally
    }
}

impl Tally {
    /// A frame broke its protocol.
    pub fn violation(&self, violation: Violation) {
        self.violations.get_or_create(&Code { code: violation.code() }).inc();
    }

    /// A connection ended.
    pub fn ending(&self, ending: Ending) {
        self.endings.get_or_create(&Code { code: ending.code() }).inc();
        match ending {
            Ending::Violated(violation) => self.violation(violation),
            Ending::Refused(refusal) | Ending::RefusedUs(refusal) => self.refusal(refusal),
            _ => {}
        }
    }

    /// The bridge has taken a line from a protocol, or said one again in it.
    pub fn bridged(&self, dialect: Dialect, way: &'static str) {
        self.bridged.get_or_create(&Bridged { dialect: dialect.name(), way }).inc();
    }

    /// We signed something, or had a signature of the same text.
    pub fn signature(&self, was_kept: bool) {
        let kept = if was_kept { "yes" } else { "no" };
        self.signatures_made.get_or_create(&Kept { kept }).inc();
    }

    /// A socket of the rendezvous was let go.
    pub fn rendezvous_closed(&self, farewell: Farewell) {
        self.rendezvous_closed.get_or_create(&Code { code: farewell.code() }).inc();
    }

    /// A wish was not granted.
    pub fn refusal(&self, refusal: Refusal) {
        self.refusals.get_or_create(&Code { code: refusal.code() }).inc();
    }

    fn register_rendezvous(&self, r: &mut Registry) {
        r.register("rendezvous_sockets", "sockets at the rendezvous", self.rendezvous_sockets.clone());
        r.register("directory_entries", "entries of the directory", self.directory_entries.clone());
        let (all, help) = (self.rendezvous_registrations.clone(), "registrations, repeated ones included");
        r.register("rendezvous_registrations", help, all);
        r.register("rendezvous_lists", "lists that the rendezvous sent", self.rendezvous_lists.clone());
        r.register(
            "rendezvous_nonsense",
            "what the rendezvous could not read",
            self.rendezvous_nonsense.clone(),
        );
        r.register("relayed_bytes", "bytes handed on between nodes", self.relayed_bytes.clone());
        r.register("rendezvous_closed", "sockets let go, by reason", self.rendezvous_closed.clone());
    }

    /// Everything under the names that `/metrics` shows.
    #[must_use]
    pub fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("kith");
        let r = &mut registry;
        r.register("clients", "connections that introduced themselves", self.clients.clone());
        r.register("members", "distinct keys present", self.members.clone());
        r.register("letters", "letters accepted", self.letters.clone());
        r.register("lines", "lines said in rooms, here and at neighbours", self.lines.clone());
        r.register("bridged_lines", "lines from a protocol and said again in one", self.bridged.clone());
        r.register("bridge_skipped", "lines that the bridge left out", self.bridge_skipped.clone());
        r.register("deliveries", "frames handed to connections", self.deliveries.clone());
        r.register("lists", "client lists handed to connections", self.lists.clone());
        r.register("dropped", "frames that found no room at a slow reader", self.dropped.clone());
        r.register("unreachable", "private letters for homes that are not linked", self.unreachable.clone());
        r.register(
            "offline_kept",
            "private letters kept for members who are away",
            self.offline_kept.clone(),
        );
        r.register("offline_delivered", "kept letters handed over", self.offline_delivered.clone());
        r.register("offline_expired", "kept letters for which nobody came", self.offline_expired.clone());
        r.register("offline_refused", "letters that found no room to be kept", self.offline_refused.clone());
        r.register("signatures_good", "signatures found good", self.signatures_good.clone());
        r.register("signatures_bad", "signatures found bad", self.signatures_bad.clone());
        r.register("signatures_made", "our own, by whether a kept one did", self.signatures_made.clone());
        r.register("check_seconds", "time from asking for a check to its answer", self.check_seconds.clone());
        r.register("stored", "records written to the store", self.stored.clone());
        r.register("store_failures", "writes that the store refused", self.store_failures.clone());
        r.register("store_dropped", "records given up while the store was away", self.store_dropped.clone());
        r.register("store_healthy", "1 while the store takes writes", self.store_healthy.clone());
        self.register_rendezvous(r);
        r.register("upload_bytes", "bytes of uploaded files", self.upload_bytes.clone());
        r.register("violations", "frames that broke their protocol, by code", self.violations.clone());
        r.register("endings", "connections that ended, by reason", self.endings.clone());
        r.register("refusals", "wishes that were not granted, by code", self.refusals.clone());
        registry
    }
}

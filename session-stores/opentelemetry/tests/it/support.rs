//! Telemetry that is kept in memory, one of every event, and what the exporters make of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use session_core::error::ProofError;
use session_core::import::RefusedImport;
use session_core::machine::cookie::RejectReason;
use session_core::machine::{FlashBag, Unproven};
use session_core::store::{Etag, Record, StoreErrorKind, StoreKey};
use session_core::{Event, Handle, Timestamp};
use session_opentelemetry::{InstrumentedStore, Telemetry};
use session_store_memory::MemoryStore;
use session_testkit::FaultyStore;

pub(crate) struct Kept {
    pub(crate) telemetry: Telemetry,
    pub(crate) tracers: SdkTracerProvider,
    meters: SdkMeterProvider,
    spans: InMemorySpanExporter,
    metrics: InMemoryMetricExporter,
}

/// A metric as it was exported.
#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) unit: String,
    pub(crate) description: String,
    /// The attributes of each point, and its value; of a histogram, the number of measurements.
    pub(crate) points: Vec<(BTreeMap<String, String>, u64)>,
    pub(crate) bounds: Vec<f64>,
}

impl Kept {
    pub(crate) fn new() -> Self {
        let (spans, metrics) = (InMemorySpanExporter::default(), InMemoryMetricExporter::default());
        let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
        let reader = PeriodicReader::builder(metrics.clone()).build();
        let meters = SdkMeterProvider::builder().with_reader(reader).build();
        let telemetry = Telemetry::new(&tracers, &meters);
        Self { telemetry, tracers, meters, spans, metrics }
    }

    /// An instrumented store, and the store inside, which fails on demand.
    pub(crate) fn store(&self) -> (InstrumentedStore<FaultyStore<MemoryStore>>, FaultyStore<MemoryStore>) {
        let inner = FaultyStore::new(MemoryStore::new());
        (self.telemetry.store(Arc::new(inner.clone())), inner)
    }

    pub(crate) fn spans(&self) -> Vec<SpanData> {
        self.spans.get_finished_spans().unwrap()
    }

    /// The only span there is.
    pub(crate) fn span(&self) -> SpanData {
        let mut spans = self.spans();
        assert_eq!(spans.len(), 1, "{spans:?}");
        spans.remove(0)
    }

    pub(crate) fn metrics(&self) -> BTreeMap<String, Metric> {
        self.metrics.reset();
        self.meters.force_flush().unwrap();
        let mut found = BTreeMap::new();
        for exported in self.metrics.get_finished_metrics().unwrap() {
            for metric in exported.scope_metrics().flat_map(|scope| scope.metrics()) {
                let (points, bounds) = match metric.data() {
                    AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                        let points =
                            sum.data_points().map(|point| (pairs(point.attributes()), point.value()));
                        (points.collect(), Vec::new())
                    }
                    AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                        let points =
                            histogram.data_points().map(|point| (pairs(point.attributes()), point.count()));
                        let bounds = histogram.data_points().flat_map(|point| point.bounds()).collect();
                        (points.collect(), bounds)
                    }
                    other => panic!("another kind of metric: {other:?}"),
                };
                let (unit, description) = (metric.unit().to_owned(), metric.description().to_owned());
                found.insert(metric.name().to_owned(), Metric { unit, description, points, bounds });
            }
        }
        found
    }

    /// Everything that was exported, as text.
    pub(crate) fn everything(&self) -> String {
        format!("{:?} {:?}", self.spans(), self.metrics())
    }
}

impl Metric {
    pub(crate) fn attributes(&self) -> BTreeSet<String> {
        self.points.iter().flat_map(|(attributes, _)| attributes.keys().cloned()).collect()
    }

    /// The value of the point with exactly these attributes.
    pub(crate) fn value(&self, attributes: &[(&str, &str)]) -> Option<u64> {
        let wanted =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.points.iter().find(|(attributes, _)| *attributes == wanted).map(|(_, value)| *value)
    }
}

pub(crate) fn pairs<'a>(attributes: impl IntoIterator<Item = &'a KeyValue>) -> BTreeMap<String, String> {
    let pair = |pair: &KeyValue| (pair.key.to_string(), pair.value.to_string());
    attributes.into_iter().map(pair).collect()
}

pub(crate) fn key(byte: u8) -> StoreKey {
    StoreKey::from_bytes([byte; 32])
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(crate) fn record() -> Record {
    Record::new(Etag::new(1), at(0), at(7_200_000), b"{}".to_vec().into())
}

pub(crate) fn handle() -> Handle {
    key(7).handle()
}

/// One of every event.
pub(crate) fn events() -> Vec<Event> {
    vec![
        Event::Initiated { fresh: true },
        Event::RejectedCookie(RejectReason::UnknownKey),
        Event::DuplicateCookies(2),
        Event::IgnoredCookies(3),
        Event::UnsealedWithOldKey,
        Event::Expired,
        Event::Corrupt,
        Event::Created(handle()),
        Event::Committed(handle()),
        Event::Touched(handle()),
        Event::Migrated { from: handle(), to: key(8).handle() },
        Event::Destroyed(handle()),
        Event::Conflict(4),
        Event::Contended,
        Event::Gone,
        Event::Unseen,
        Event::Unproven(Unproven::Stale),
        Event::OldCookie(handle()),
        Event::Imported(handle()),
        Event::RefusedImport(RefusedImport::Forged),
        Event::Unbound,
        Event::Bound(handle()),
        Event::Proved(handle()),
        Event::RefusedProof(ProofError::Replayed),
        Event::TooLarge { size: 2, limit: 1 },
        Event::GaveWay(FlashBag::Input),
        Event::Newer,
        Event::StoreError { store: "postgres", kind: StoreErrorKind::Timeout },
    ]
}

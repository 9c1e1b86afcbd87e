//! The spans of store calls: names, attributes, parents, and how they end.

use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::global::{BoxedTracer, ObjectSafeTracer};
use opentelemetry::trace::{
    FutureExt as _, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry_sdk::trace::SpanData;
use session_core::store::{Etag, SessionStore, StoreError, StoreErrorKind, async_trait};
use session_store_memory::MemoryStore;
use session_testkit::{Call, Fault, GateStore, Hook, Hooked, Outcome, Verb, When};
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::{Kept, at, key, pairs, record};

fn attribute(span: &SpanData, name: &str) -> Option<String> {
    pairs(&span.attributes).remove(name)
}

#[tokio::test]
async fn a_call_is_a_span_with_the_names_of_the_conventions() {
    let kept = Kept::new();
    let (store, _) = kept.store();
    store.create(&key(1), &record(), at(1)).await.unwrap();
    let span = kept.span();
    assert_eq!((&*span.name, span.span_kind.clone()), ("session.create", SpanKind::Internal));
    assert_eq!(span.status, Status::Unset);
    assert_eq!(span.instrumentation_scope.name(), "session-opentelemetry");
    assert_eq!(span.instrumentation_scope.version(), Some(env!("CARGO_PKG_VERSION")));
    let found = pairs(&span.attributes);
    let expected = [
        ("db.operation.name", "session.create"),
        ("db.system.name", "memory"),
        ("web_session.outcome", "applied"),
    ];
    assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

#[tokio::test]
async fn every_verb_and_capability_has_a_span_of_its_own_with_its_outcome() {
    let kept = Kept::new();
    let (store, _) = kept.store();
    let (old, new) = (key(1), key(2));
    let next = record().with_etag(Etag::new(2));
    store.load(&old).await.unwrap();
    store.create(&old, &record(), at(1)).await.unwrap();
    store.load(&old).await.unwrap();
    store.replace(&old, Etag::new(9), &next, at(1)).await.unwrap();
    store.touch(&old, at(7_300_000), at(1)).await.unwrap();
    store.rotate(&old, Etag::new(1), &new, &next, at(1), at(60_000)).await.unwrap();
    store.replace(&old, Etag::new(1), &record(), at(1)).await.unwrap();
    store.load(&old).await.unwrap();
    store.destroy(&new, at(60_000)).await.unwrap();
    let index = store.owners().unwrap();
    index.page("ada", None, 1, at(1)).await.unwrap();
    index.heads("ada", None, 1, at(1)).await.unwrap();
    index.list("ada", at(1)).await.unwrap();
    index.count("ada", at(1)).await.unwrap();
    index.destroy_all("ada", None, at(1), at(60_000)).await.unwrap();
    store.sweeper().unwrap().sweep(at(1), 1).await.unwrap();
    store.census().unwrap().survey(None, 1, at(1)).await.unwrap();
    let told: Vec<String> = kept
        .spans()
        .iter()
        .map(|span| match attribute(span, "web_session.outcome") {
            Some(outcome) => format!("{}: {outcome}", span.name),
            None => span.name.to_string(),
        })
        .collect();
    let expected = [
        "session.load: missing",
        "session.create: applied",
        "session.load: found",
        "session.replace: conflict",
        "session.touch: applied",
        "session.rotate: applied",
        "session.replace: moved",
        "session.load: ended",
        "session.destroy: applied",
        "session.page",
        "session.heads",
        "session.list",
        "session.count",
        "session.destroy_all",
        "session.sweep",
        "session.survey",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_failed_call_has_its_kind_and_not_the_words_of_the_driver() {
    let kept = Kept::new();
    let (store, inner) = kept.store();
    inner.fail(Fault::nth(1).kind(StoreErrorKind::Refused));
    assert!(store.load(&key(1)).await.is_err());
    let span = kept.span();
    assert_eq!(span.status, Status::error(""));
    assert_eq!(attribute(&span, "error.type").as_deref(), Some("refused"));
    assert_eq!(attribute(&span, "web_session.outcome"), None);
}

#[tokio::test]
async fn a_call_whose_client_goes_away_ends_as_cancelled() {
    let kept = Kept::new();
    let gates = GateStore::new(MemoryStore::new());
    let mut gate = gates.hold(Verb::Load, When::Before);
    let store = kept.telemetry.store(Arc::new(gates));
    let loading = tokio::spawn(async move { store.load(&key(1)).await.map(|_| ()) });
    gate.arrived().await;
    loading.abort();
    assert!(loading.await.unwrap_err().is_cancelled());
    let span = kept.span();
    assert_eq!(attribute(&span, "error.type").as_deref(), Some("cancelled"));
    let duration = &kept.metrics()["db.client.operation.duration"];
    let expected =
        [("db.system.name", "memory"), ("db.operation.name", "session.load"), ("error.type", "cancelled")];
    assert_eq!(duration.value(&expected), Some(1));
}

#[tokio::test]
async fn handles_are_named_when_they_are_asked_for_and_only_then() {
    for asked in [false, true] {
        let kept = Kept::new();
        let store = kept.telemetry.clone().session_ids(asked).store(Arc::new(MemoryStore::new()));
        store.create(&key(1), &record(), at(1)).await.unwrap();
        let next = record().with_etag(Etag::new(2));
        store.rotate(&key(1), Etag::new(1), &key(2), &next, at(1), at(60_000)).await.unwrap();
        let ids = |span: &SpanData| (attribute(span, "session.id"), attribute(span, "session.previous_id"));
        let handle = |byte| asked.then(|| key(byte).handle().to_string());
        let spans = kept.spans();
        assert_eq!(ids(&spans[0]), (handle(1), None));
        assert_eq!(ids(&spans[1]), (handle(2), handle(1)));
        // Neither names the store key, which is longer than a handle.
        let everything = kept.everything();
        assert!(!everything.contains(&key(1).to_string()), "{everything}");
        assert!(!format!("{:?}", kept.metrics()).contains("session.id"));
    }
}

#[tokio::test]
async fn a_call_is_a_part_of_the_trace_of_its_request() {
    let kept = Kept::new();
    let (store, _) = kept.store();
    let tracer = kept.tracers.tracer("the application");
    let request = Context::new().with_span(tracer.start("GET /"));
    let id = request.span().span_context().span_id();
    store.load(&key(1)).with_context(request.clone()).await.unwrap();
    let span = kept.span();
    assert_eq!(span.parent_span_id, id);
    assert_eq!(span.span_context.trace_id(), request.span().span_context().trace_id());
}

#[tokio::test]
async fn a_call_is_a_part_of_the_trace_of_its_request_with_tracing() {
    let kept = Kept::new();
    let (store, _) = kept.store();
    let layer = tracing_opentelemetry::layer().with_tracer(kept.tracers.tracer("the application"));
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    store.load(&key(1)).instrument(tracing::info_span!("request")).await.unwrap();
    let spans = kept.spans();
    let of = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    assert_eq!(of("session.load").parent_span_id, of("request").span_context.span_id());
}

/// A driver that is instrumented itself.
struct Driver(BoxedTracer);

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Driver")
    }
}

#[async_trait]
impl Hook for Driver {
    async fn before(&self, _: &Call) -> Result<(), StoreError> {
        self.0.in_span("GET", |_| ());
        Ok(())
    }
    async fn after(&self, _: &Call, _: Outcome) -> Result<(), StoreError> {
        Ok(())
    }
}

#[tokio::test]
async fn spans_of_the_stores_driver_are_below_the_call() {
    let kept = Kept::new();
    let tracer: Box<dyn ObjectSafeTracer + Send + Sync> = Box::new(kept.tracers.tracer("the driver"));
    let inner = Hooked::with(MemoryStore::new(), Driver(BoxedTracer::new(tracer)));
    kept.telemetry.store(Arc::new(inner)).load(&key(1)).await.unwrap();
    let spans = kept.spans();
    let of = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    assert_eq!(of("GET").parent_span_id, of("session.load").span_context.span_id());
}

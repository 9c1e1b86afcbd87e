//! An instrumented store keeps everything that a store promises.

use std::sync::Arc;

use opentelemetry_sdk::{metrics::SdkMeterProvider, trace::SdkTracerProvider};
use session_conformance::Fixture;
use session_opentelemetry::Telemetry;
use session_store_memory::MemoryStore;

async fn fixture() -> Fixture {
    let telemetry = Telemetry::new(&SdkTracerProvider::default(), &SdkMeterProvider::default());
    let inner = Arc::new(MemoryStore::new());
    let instrumented = move || telemetry.store(inner.clone());
    Fixture::new(instrumented())
        .rounds(50)
        .reopen(move || std::future::ready(instrumented()))
        .in_one_process()
        .without_damage()
        .without_owner_entries()
        .without_stall()
}

session_conformance::store_suite!(fixture);

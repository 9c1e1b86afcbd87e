//! What an application configures: the providers to report to, and whether spans carry session ids.

use std::fmt;
use std::sync::Arc;

use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry::{InstrumentationScope, global::ObjectSafeTracer};
use session_core::SessionsBuilder;
use session_core::store::SessionStore;

use crate::metrics::SessionMetrics;
use crate::names::SCOPE;
use crate::store::InstrumentedStore;

/// Where sessions report their metrics and spans.
///
/// [`instrument`](Self::instrument) is all that most applications need. [`metrics`](Self::metrics) and [`store`](Self::store)
/// are its two parts, for those that need one of them, or one in another place.
///
/// ```
/// use opentelemetry_sdk::{metrics::SdkMeterProvider, trace::SdkTracerProvider};
/// use session_core::{SecretKey, Sessions};
/// use session_opentelemetry::Telemetry;
/// use session_store_memory::MemoryStore;
///
/// // In an application: with an exporter each.
/// let (tracers, meters) = (SdkTracerProvider::default(), SdkMeterProvider::default());
/// let builder = Sessions::builder().store(MemoryStore::new()).key(SecretKey::generate()?);
/// let sessions = Telemetry::new(&tracers, &meters).instrument(builder).build()?;
/// # let _ = sessions;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Telemetry {
    tracer: Arc<BoxedTracer>,
    meter: Meter,
    session_ids: bool,
}

impl Telemetry {
    /// Reports to the global providers. Call it after they have been set: what was made before reports to nobody.
    #[must_use]
    pub fn global() -> Self {
        let tracer = global::tracer_with_scope(scope());
        Self { tracer: Arc::new(tracer), meter: global::meter_with_scope(scope()), session_ids: false }
    }

    /// Reports to these providers. For metrics without spans, pass a
    /// [`NoopTracerProvider`](opentelemetry::trace::noop::NoopTracerProvider).
    #[must_use]
    pub fn new<T, M>(tracers: &T, meters: &M) -> Self
    where
        T: TracerProvider,
        T::Tracer: Send + Sync + 'static,
        <T::Tracer as Tracer>::Span: Span + Send + Sync + 'static,
        M: MeterProvider + ?Sized,
    {
        let tracer: Box<dyn ObjectSafeTracer + Send + Sync> = Box::new(tracers.tracer_with_scope(scope()));
        let tracer = Arc::new(BoxedTracer::new(tracer));
        Self { tracer, meter: meters.meter_with_scope(scope()), session_ids: false }
    }

    /// Sets whether spans name the session by its public [`Handle`](session_core::Handle), as `session.id`; off by default.
    /// With it, the traces of one visitor can be found and connected, so treat them as personal data. Metrics never have it.
    #[must_use]
    pub fn session_ids(mut self, session_ids: bool) -> Self {
        self.session_ids = session_ids;
        self
    }

    /// Adds [`metrics`](Self::metrics) to the observers of a configuration, and wraps its store in [`store`](Self::store).
    ///
    /// Call it after the store has been set; a configuration without a store (sessions in the cookie) gets the metrics alone.
    pub fn instrument(&self, builder: SessionsBuilder) -> SessionsBuilder {
        builder.observer(self.metrics()).map_store(|store| self.store(store))
    }

    /// Returns the observer that counts events. Use one per process, or one for each configuration of sessions: all
    /// add to the same counters.
    #[must_use]
    pub fn metrics(&self) -> SessionMetrics {
        SessionMetrics::new(&self.meter)
    }

    /// Wraps a store, so that its calls have spans and are measured.
    #[must_use]
    pub fn store<S: SessionStore + ?Sized>(&self, store: Arc<S>) -> InstrumentedStore<S> {
        InstrumentedStore::new(store, self.tracer.clone(), &self.meter, self.session_ids)
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("session_ids", &self.session_ids).finish_non_exhaustive()
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder(SCOPE).with_version(env!("CARGO_PKG_VERSION")).build()
}

//! One call of a store: its span, and its duration.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use opentelemetry::global::BoxedTracer;
use opentelemetry::metrics::{Histogram, Meter};
use opentelemetry::trace::{FutureExt as _, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, StringValue};
use session_core::store::{Loaded, StoreAnswer, StoreCall, StoreError, StoreKey, Verb, Written};

use crate::names::{
    CANCELLED, DB_OPERATION, DB_SYSTEM, ERROR_TYPE, OUTCOME, PREVIOUS_ID, SESSION_ID, kind, system,
};

/// What all calls of a store share.
pub(crate) struct Calls {
    tracer: Arc<BoxedTracer>,
    duration: Histogram<f64>,
    session_ids: bool,
    system: Cow<'static, str>,
    kind: SpanKind,
}

impl Calls {
    pub(crate) fn new(
        store: &'static str,
        tracer: Arc<BoxedTracer>,
        meter: &Meter,
        session_ids: bool,
    ) -> Self {
        let duration = meter
            .f64_histogram("db.client.operation.duration")
            .with_unit("s")
            .with_description("Duration of database client operations.")
            .with_boundaries(BOUNDARIES.to_vec())
            .build();
        Self { tracer, duration, session_ids, system: system(store), kind: kind(store) }
    }

    /// Awaits a call inside a span, and records its duration. The span is a child of the one that is current when the call
    /// is first polled, and the parent of those that the store's driver starts.
    pub(crate) async fn measure<T: StoreAnswer>(
        &self,
        call: StoreCall<'_>,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let running = self.start(call);
        let result = work.with_context(running.context.clone()).await;
        match &result {
            Ok(answer) => running.succeeded(outcome(answer)),
            Err(error) => running.failed(error),
        }
        result
    }

    fn start(&self, call: StoreCall<'_>) -> Running<'_> {
        let operation = StringValue::from(format!("session.{}", call.verb.name()));
        let mut attributes = Vec::with_capacity(4);
        attributes.push(KeyValue::new(DB_SYSTEM, self.system.clone()));
        attributes.push(KeyValue::new(DB_OPERATION, operation.clone()));
        if self.session_ids {
            let handle = |name, key: &StoreKey| KeyValue::new(name, key.handle().to_string());
            let (id, previous) = subject(call);
            attributes.extend(id.map(|key| handle(SESSION_ID, key)));
            attributes.extend(previous.map(|key| handle(PREVIOUS_ID, key)));
        }
        let builder = self.tracer.span_builder(operation.to_string());
        let span =
            builder.with_kind(self.kind.clone()).with_attributes(attributes).start(self.tracer.as_ref());
        let context = Context::current_with_span(span);
        Running { calls: self, operation, context, started: Instant::now(), error: Some(CANCELLED) }
    }
}

/// The session that a call is about, and the one that it was before a rotation.
fn subject(call: StoreCall<'_>) -> (Option<&StoreKey>, Option<&StoreKey>) {
    match (call.verb, call.new_key) {
        // The key is that of the session which stays.
        (Verb::DestroyAll, _) => (None, None),
        (_, Some(new)) => (Some(new), call.key),
        (_, None) => (call.key, None),
    }
}

fn outcome(answer: &impl StoreAnswer) -> Option<&'static str> {
    let loaded = answer.loaded().map(|loaded| match loaded {
        Loaded::Missing => "missing",
        Loaded::Ended { .. } => "ended",
        Loaded::Found(_) => "found",
    });
    let written = answer.written().map(|written| match written {
        Written::Applied => "applied",
        Written::Conflict(_) => "conflict",
        Written::Moved { .. } => "moved",
        Written::Gone => "gone",
        Written::Taken => "taken",
    });
    loaded.or(written)
}

/// A call that has begun. It ends when it is dropped: as cancelled, unless it was answered before.
struct Running<'c> {
    calls: &'c Calls,
    operation: StringValue,
    context: Context,
    started: Instant,
    error: Option<&'static str>,
}

impl Running<'_> {
    fn succeeded(mut self, outcome: Option<&'static str>) {
        self.error = None;
        if let Some(outcome) = outcome {
            self.context.span().set_attribute(KeyValue::new(OUTCOME, outcome));
        }
    }

    fn failed(mut self, error: &StoreError) {
        self.error = Some(error.kind().name());
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let seconds = self.started.elapsed().as_secs_f64();
        let mut attributes = Vec::with_capacity(3);
        attributes.push(KeyValue::new(DB_SYSTEM, self.calls.system.clone()));
        attributes.push(KeyValue::new(DB_OPERATION, self.operation.clone()));
        let span = self.context.span();
        if let Some(error) = self.error {
            let error = KeyValue::new(ERROR_TYPE, error);
            span.set_attribute(error.clone());
            // Without a description: `error.type` says what there is to say, and a driver's message may hold an address or a
            // key.
            span.set_status(Status::error(""));
            attributes.push(error);
        }
        span.end();
        self.calls.duration.record(seconds, &attributes);
    }
}

/// As the semantic conventions advise, in seconds.
const BOUNDARIES: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

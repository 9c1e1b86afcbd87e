//! A store around a store, whose calls have spans and are measured.

use std::fmt;
use std::sync::Arc;

use opentelemetry::global::BoxedTracer;
use opentelemetry::metrics::Meter;
use session_core::store::{SessionStore, StoreAnswer, StoreCall, StoreError, StoreErrorKind, StoreWrapper};

use crate::call::Calls;
use crate::metrics::{add_store_error, store_errors};

/// A store whose calls have spans, and whose durations are measured. Made by [`Telemetry::store`](crate::Telemetry::store).
///
/// It has the name, the limit and the capabilities of the store inside. A span or metric never contains a store key, an owner
/// or a payload.
pub struct InstrumentedStore<S: ?Sized = dyn SessionStore> {
    calls: Calls,
    inner: Arc<S>,
}

impl<S: SessionStore + ?Sized> InstrumentedStore<S> {
    pub(crate) fn new(inner: Arc<S>, tracer: Arc<BoxedTracer>, meter: &Meter, session_ids: bool) -> Self {
        let calls = Calls::new(inner.name(), tracer, meter, session_ids);
        // Zeros, so that the first failure is an increase.
        let errors = store_errors(meter);
        for kind in [StoreErrorKind::Unavailable, StoreErrorKind::Timeout, StoreErrorKind::Refused] {
            add_store_error(&errors, inner.name(), kind, 0);
        }
        Self { calls, inner }
    }

    /// Returns the store inside.
    pub fn inner(&self) -> &S {
        &self.inner
    }
}

impl<S: SessionStore + ?Sized> StoreWrapper for InstrumentedStore<S> {
    type Inner = S;

    fn inner(&self) -> &S {
        &self.inner
    }

    async fn around<T: StoreAnswer>(
        &self,
        call: StoreCall<'_>,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.calls.measure(call, work).await
    }
}

impl<S: SessionStore + ?Sized> fmt::Debug for InstrumentedStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InstrumentedStore").field(&&*self.inner).finish()
    }
}

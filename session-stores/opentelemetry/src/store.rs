//! A store around a store, whose calls have spans and are measured.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use opentelemetry::global::BoxedTracer;
use opentelemetry::metrics::Meter;
use session_core::Timestamp;
use session_core::store::{
    Census, Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreErrorKind, StoreKey, Sweep,
    Written,
};

use crate::call::{Calls, Subject};
use crate::metrics::{add_store_error, store_errors};

/// A store whose calls have spans, and whose durations are measured. Made by [`Telemetry::store`](crate::Telemetry::store).
///
/// It has the name, the limit and the capabilities of the store inside. A span or metric never contains a store key, an owner
/// or a payload.
pub struct InstrumentedStore<S: ?Sized = dyn SessionStore> {
    pub(crate) calls: Calls,
    pub(crate) inner: Arc<S>,
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

#[async_trait]
impl<S: SessionStore + ?Sized> SessionStore for InstrumentedStore<S> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn max_record(&self) -> usize {
        self.inner.max_record()
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        let subject = Subject::of("session.load", key);
        self.calls.measure(subject, found, self.inner.load(key)).await
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        let subject = Subject::of("session.create", key);
        self.calls.measure(subject, written, self.inner.create(key, record, now)).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let subject = Subject::of("session.replace", key);
        self.calls.measure(subject, written, self.inner.replace(key, expected, record, now)).await
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let subject = Subject::of("session.touch", key);
        self.calls.measure(subject, written, self.inner.touch(key, idle_deadline, now)).await
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<Written, StoreError> {
        let subject = Subject::of("session.destroy", key);
        self.calls.measure(subject, written, self.inner.destroy(key, tombstone_until)).await
    }

    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<Written, StoreError> {
        let subject = Subject::moving("session.rotate", old, new);
        let call = self.inner.rotate(old, expected, new, record, now, tombstone_until);
        self.calls.measure(subject, written, call).await
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        self.inner.owners().map(|_| self as &dyn OwnerIndex)
    }

    fn sweeper(&self) -> Option<&dyn Sweep> {
        self.inner.sweeper().map(|_| self as &dyn Sweep)
    }

    fn census(&self) -> Option<&dyn Census> {
        self.inner.census().map(|_| self as &dyn Census)
    }
}

fn found(loaded: &Loaded) -> Option<&'static str> {
    Some(match loaded {
        Loaded::Missing => "missing",
        Loaded::Ended { .. } => "ended",
        Loaded::Found(_) => "found",
    })
}

fn written(written: &Written) -> Option<&'static str> {
    Some(match written {
        Written::Applied => "applied",
        Written::Conflict(_) => "conflict",
        Written::Moved { .. } => "moved",
        Written::Gone => "gone",
        Written::Taken => "taken",
    })
}

impl<S: SessionStore + ?Sized> fmt::Debug for InstrumentedStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InstrumentedStore").field(&&*self.inner).finish()
    }
}

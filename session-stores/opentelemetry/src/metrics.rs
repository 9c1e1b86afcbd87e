//! The observer that counts events.

use std::fmt;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Meter};
use session_core::machine::cookie::RejectReason;
use session_core::store::StoreErrorKind;
use session_core::{Event, Observer};

use crate::names::{DB_SYSTEM, ERROR_TYPE, FRESH, REASON, system};

/// Counts the events of sessions. Made by [`Telemetry::metrics`](crate::Telemetry::metrics).
///
/// No metric has a session's id, its handle, a user or a value as an attribute.
#[derive(Clone)]
pub struct SessionMetrics {
    opened: Counter<u64>,
    created: Counter<u64>,
    committed: Counter<u64>,
    touched: Counter<u64>,
    rotated: Counter<u64>,
    ended: Counter<u64>,
    conflicts: Counter<u64>,
    dropped: Counter<u64>,
    failures: Counter<u64>,
    store_errors: Counter<u64>,
    corrupt: Counter<u64>,
    flash_dropped: Counter<u64>,
    cookies_rejected: Counter<u64>,
    cookies_surplus: Counter<u64>,
    cookies_old_key: Counter<u64>,
    cookies_old_configuration: Counter<u64>,
    imported: Counter<u64>,
    import_refused: Counter<u64>,
    devices_bound: Counter<u64>,
    devices_proved: Counter<u64>,
    devices_unproven: Counter<u64>,
    devices_unbound: Counter<u64>,
    devices_refused: Counter<u64>,
}

impl SessionMetrics {
    pub(crate) fn new(meter: &Meter) -> Self {
        let counter = |name, unit, description| {
            meter.u64_counter(name).with_unit(unit).with_description(description).build()
        };
        let metrics = Self {
            opened: counter("web_session.opened", "{session}", "Sessions opened by requests."),
            created: counter("web_session.created", "{session}", "New sessions written."),
            committed: counter("web_session.committed", "{session}", "Sessions whose changes were written."),
            touched: counter("web_session.touched", "{session}", "Sessions whose idle deadline was moved."),
            rotated: counter("web_session.rotated", "{session}", "Sessions that got a new id."),
            ended: counter(
                "web_session.ended",
                "{session}",
                "Sessions that were ended, or found expired by a request.",
            ),
            conflicts: counter(
                "web_session.conflicts",
                "{conflict}",
                "Writes that were repeated because another request wrote first.",
            ),
            dropped: counter(
                "web_session.dropped",
                "{request}",
                "Requests whose changes were dropped while their response was sent.",
            ),
            failures: counter(
                "web_session.failures",
                "{request}",
                "Requests that failed because their session could not be read or written, other than by a store error.",
            ),
            store_errors: store_errors(meter),
            corrupt: counter("web_session.record.corrupt", "{record}", "Records that could not be read."),
            flash_dropped: counter(
                "web_session.flash.dropped",
                "{session}",
                "Sessions written without a part of their flash, which would have made them too large.",
            ),
            cookies_rejected: counter(
                "web_session.cookie.rejected",
                "{cookie}",
                "Cookies that were rejected.",
            ),
            cookies_surplus: counter(
                "web_session.cookie.surplus",
                "{cookie}",
                "Cookies of the session's name beyond the first one of a request.",
            ),
            cookies_old_key: counter(
                "web_session.cookie.old_key",
                "{cookie}",
                "Cookies that were sealed with an old key.",
            ),
            cookies_old_configuration: counter(
                "web_session.cookie.old_configuration",
                "{cookie}",
                "Cookies of an earlier configuration that opened a session.",
            ),
            imported: counter(
                "web_session.imported",
                "{session}",
                "Sessions of another library carried over.",
            ),
            import_refused: counter(
                "web_session.import.refused",
                "{session}",
                "Sessions of another library that were not carried over.",
            ),
            devices_bound: counter("web_session.device.bound", "{session}", "Sessions bound to a device."),
            devices_proved: counter("web_session.device.proved", "{proof}", "Proofs of devices accepted."),
            devices_unproven: counter(
                "web_session.device.unproven",
                "{request}",
                "Requests that did not prove to come from the device of their session.",
            ),
            devices_unbound: counter(
                "web_session.device.unbound",
                "{session}",
                "Sessions whose binding was overwritten by an older response, and is offered again.",
            ),
            devices_refused: counter("web_session.device.refused", "{proof}", "Proofs of devices refused."),
        };
        metrics.begin();
        metrics
    }
}

impl Observer for SessionMetrics {
    fn observe(&self, event: &Event) {
        self.count(event, 1);
    }
}

impl SessionMetrics {
    /// Adds `times` occurrences of the event.
    fn count(&self, event: &Event, times: u64) {
        let reason = || event.reason().map(|reason| KeyValue::new(REASON, reason));
        let name = |attribute| [KeyValue::new(attribute, event.name())];
        match event {
            Event::Initiated { fresh } => self.opened.add(times, &[KeyValue::new(FRESH, *fresh)]),
            Event::Created(_) => self.created.add(times, &[]),
            Event::Committed(_) => self.committed.add(times, &[]),
            Event::Touched(_) => self.touched.add(times, &[]),
            Event::Migrated { .. } => self.rotated.add(times, &[]),
            Event::Destroyed(_) | Event::Expired => self.ended.add(times, &name(REASON)),
            Event::Conflict(conflicts) => self.conflicts.add(times * u64::from(*conflicts), &[]),
            Event::Gone | Event::Unseen => self.dropped.add(times, &name(REASON)),
            Event::Contended | Event::TooLarge { .. } | Event::Newer => {
                self.failures.add(times, &name(ERROR_TYPE));
            }
            Event::StoreError { store, kind } => add_store_error(&self.store_errors, store, *kind, times),
            Event::Corrupt => self.corrupt.add(times, &[]),
            Event::GaveWay(_) => self.flash_dropped.add(times, reason().as_slice()),
            Event::RejectedCookie(_) => self.cookies_rejected.add(times, reason().as_slice()),
            Event::DuplicateCookies(cookies) => self.surplus(*cookies, "duplicate", times),
            Event::IgnoredCookies(cookies) => self.surplus(*cookies, "ignored", times),
            Event::UnsealedWithOldKey => self.cookies_old_key.add(times, &[]),
            Event::OldCookie(_) => self.cookies_old_configuration.add(times, &[]),
            Event::Imported(_) => self.imported.add(times, &[]),
            Event::RefusedImport(_) => self.import_refused.add(times, reason().as_slice()),
            Event::Bound(_) => self.devices_bound.add(times, &[]),
            Event::Proved(_) => self.devices_proved.add(times, &[]),
            Event::Unproven(_) => self.devices_unproven.add(times, reason().as_slice()),
            Event::Unbound => self.devices_unbound.add(times, &[]),
            // By its name: the variant exists only with the feature `dbsc` of `session-core`.
            event if event.name() == "refused_proof" => self.devices_refused.add(times, reason().as_slice()),
            // An event of a newer version of `session-core`.
            _ => {}
        }
    }

    fn surplus(&self, cookies: usize, reason: &'static str, times: u64) {
        let cookies = u64::try_from(cookies).unwrap_or(u64::MAX);
        self.cookies_surplus.add(cookies.saturating_mul(times), &[KeyValue::new(REASON, reason)]);
    }

    /// Reports zeros. A counter that appears with its first event shows no increase then, so an alert on a rare event would
    /// miss the first one.
    fn begin(&self) {
        for counter in [
            &self.created,
            &self.committed,
            &self.touched,
            &self.rotated,
            &self.conflicts,
            &self.corrupt,
            &self.cookies_old_key,
            &self.cookies_old_configuration,
        ] {
            counter.add(0, &[]);
        }
        for event in [
            Event::Initiated { fresh: true },
            Event::Initiated { fresh: false },
            Event::Expired,
            Event::Gone,
            Event::Unseen,
            Event::Contended,
            Event::TooLarge { size: 0, limit: 0 },
            Event::Newer,
            Event::RejectedCookie(RejectReason::UnknownKey),
            Event::RejectedCookie(RejectReason::Seal),
            Event::IgnoredCookies(0),
        ] {
            self.count(&event, 0);
        }
    }
}

/// Returns the counter of failed operations of the store.
pub(crate) fn store_errors(meter: &Meter) -> Counter<u64> {
    let counter = meter.u64_counter("web_session.store.errors").with_unit("{error}");
    counter.with_description("Failed operations of the store.").build()
}

/// Adds failed operations of a store of this name.
pub(crate) fn add_store_error(counter: &Counter<u64>, store: &'static str, kind: StoreErrorKind, times: u64) {
    counter.add(times, &[KeyValue::new(DB_SYSTEM, system(store)), KeyValue::new(ERROR_TYPE, kind.name())]);
}

impl fmt::Debug for SessionMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionMetrics").finish_non_exhaustive()
    }
}

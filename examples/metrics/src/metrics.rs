//! An observer that counts events and exports the counters in the Prometheus format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use session_axum::{Event, Observer};

/// The content type of the Prometheus format.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4";

/// Counters of events, by name. Clones share the counters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    events: BTreeMap<&'static str, u64>,
    rejected: BTreeMap<String, u64>,
    store_errors: BTreeMap<&'static str, u64>,
    replays: u64,
}

impl Observer for Metrics {
    fn observe(&self, event: &Event) {
        let mut counts = self.lock();
        *counts.events.entry(event.name()).or_default() += 1;
        match event {
            Event::RejectedCookie(reason) => *counts.rejected.entry(label(reason)).or_default() += 1,
            Event::StoreError(store) => *counts.store_errors.entry(store).or_default() += 1,
            Event::Conflict(times) => counts.replays += u64::from(*times),
            _ => {}
        }
    }
}

impl Metrics {
    /// Returns the counters in the Prometheus text format.
    pub(crate) fn to_text(&self) -> String {
        let counts = self.lock();
        let mut text = String::new();
        family(&mut text, "session_events_total", "Session events.", "event", &counts.events);
        family(&mut text, "session_rejected_cookies_total", "Rejected cookies.", "reason", &counts.rejected);
        family(&mut text, "session_store_errors_total", "Store failures.", "store", &counts.store_errors);
        text.push_str("# HELP session_replays_total Writes replayed after a conflict.\n");
        _ = writeln!(text, "# TYPE session_replays_total counter\nsession_replays_total {}", counts.replays);
        text
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn family<K: AsRef<str>>(text: &mut String, name: &str, help: &str, label: &str, counts: &BTreeMap<K, u64>) {
    // Writing to a string does not fail.
    _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
    for (value, count) in counts {
        _ = writeln!(text, "{name}{{{label}=\"{}\"}} {count}", value.as_ref());
    }
}

/// Returns the name of a reason, such as `Malformed`, without its fields.
fn label(reason: &impl std::fmt::Debug) -> String {
    let text = format!("{reason:?}");
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default().to_owned()
}

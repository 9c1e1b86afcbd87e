//! The counters behind `/stats`: calls of the store, and events about races, since the start.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use session_core::{
    Event, Observer,
    store::{SessionStore, StoreError, async_trait},
};

use session_testkit::doubles::wrap::{Call, Hook, Hooked, Outcome, Verb};

/// The counters. Clones share them.
///
/// ```
/// use session_conformance::probe::Stats;
///
/// let stats = Stats::default();
/// let store = stats.counted(std::sync::Arc::new(session_store_memory::MemoryStore::new()));
/// assert!(stats.to_json().starts_with(r#"{"store": {"load": 0, "#));
/// # let _ = store;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Stats(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    verbs: [AtomicU64; 6],
    owner: AtomicU64,
    conflicts: AtomicU64,
    gone: AtomicU64,
    rejected_cookies: AtomicU64,
    connections: AtomicU64,
    unproven: AtomicU64,
    refused_proofs: AtomicU64,
}

/// A store whose calls are counted.
pub type Counted = Hooked<dyn SessionStore, Counter>;

/// The hook of a [`Counted`] store, and the observer that counts events.
#[derive(Clone, Debug)]
pub struct Counter(Stats);

impl Stats {
    /// Counts the calls of this store.
    #[must_use]
    pub fn counted(&self, store: Arc<dyn SessionStore>) -> Counted {
        Hooked::around(store, self.observer())
    }

    /// Counts conflicts, lost sessions, rejected cookies, unproven requests and refused proofs.
    #[must_use]
    pub fn observer(&self) -> Counter {
        Counter(self.clone())
    }

    /// Counts a connection.
    pub fn connected(&self) {
        self.0.connections.fetch_add(1, Relaxed);
    }

    /// Returns the body of `/stats`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let counts = &*self.0;
        let mut json = String::from("{\"store\": {");
        for (nth, (name, count)) in VERBS.iter().zip(&counts.verbs).enumerate() {
            let comma = if nth == 0 { "" } else { ", " };
            write!(json, "{comma}\"{name}\": {}", count.load(Relaxed)).expect("a string takes all");
        }
        let others = [
            ("owner", counts.owner.load(Relaxed)),
            ("conflicts", counts.conflicts.load(Relaxed)),
            ("gone", counts.gone.load(Relaxed)),
            ("rejected_cookies", counts.rejected_cookies.load(Relaxed)),
            ("unproven", counts.unproven.load(Relaxed)),
            ("refused_proofs", counts.refused_proofs.load(Relaxed)),
            ("connections", counts.connections.load(Relaxed)),
            ("rss_bytes", resident()),
        ];
        json.push('}');
        for (name, count) in others {
            write!(json, ", \"{name}\": {count}").expect("a string takes all");
        }
        json.push('}');
        json
    }
}

#[async_trait]
impl Hook for Counter {
    async fn before(&self, call: &Call) -> Result<(), StoreError> {
        self.looks_on(call);
        Ok(())
    }

    async fn after(&self, _: &Call, _: Outcome) -> Result<(), StoreError> {
        Ok(())
    }

    fn looks_on(&self, call: &Call) -> bool {
        let counts = &self.0.0;
        let count = match call.verb {
            Verb::Load => &counts.verbs[0],
            Verb::Create => &counts.verbs[1],
            Verb::Replace => &counts.verbs[2],
            Verb::Touch => &counts.verbs[3],
            Verb::Destroy => &counts.verbs[4],
            Verb::Rotate => &counts.verbs[5],
            Verb::Page | Verb::List | Verb::Count | Verb::DestroyAll => &counts.owner,
            _ => return true,
        };
        count.fetch_add(1, Relaxed);
        true
    }
}

impl Observer for Counter {
    fn observe(&self, event: &Event) {
        let counts = &self.0.0;
        match event {
            Event::Conflict(times) => counts.conflicts.fetch_add(u64::from(*times), Relaxed),
            Event::Gone => counts.gone.fetch_add(1, Relaxed),
            Event::RejectedCookie(_) => counts.rejected_cookies.fetch_add(1, Relaxed),
            Event::Unproven(_) => counts.unproven.fetch_add(1, Relaxed),
            Event::RefusedProof(_) => counts.refused_proofs.fetch_add(1, Relaxed),
            _ => return,
        };
    }
}

/// Returns the resident memory of this process in bytes, or 0 on systems without `/proc`.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes =
        line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|number| number.parse().ok());
    kilobytes.unwrap_or(0_u64) * 1024
}

const VERBS: [&str; 6] = ["load", "create", "replace", "touch", "destroy", "rotate"];

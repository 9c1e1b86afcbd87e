//! An engine in memory whose every primitive waits for its turn.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use session_core::{
    Timestamp,
    store::{StoreError, async_trait},
};
use session_store_kv::{CasEngine, Due, Swapped};

/// An engine whose primitives each wait for one turn.
#[derive(Clone, Debug, Default)]
pub(super) struct Stepped {
    pub(super) state: Arc<Mutex<State>>,
    /// What the call that owns this handle has heard so far.
    pub(super) log: Arc<Mutex<DefaultHasher>>,
}

#[derive(Clone, Debug, Default, Hash)]
pub(super) struct State {
    pub(super) entries: BTreeMap<String, (Vec<u8>, u64)>,
    /// How often each key was written: its next version.
    writes: BTreeMap<String, u64>,
}

impl State {
    fn write(&mut self, key: &str, bytes: &[u8]) -> u64 {
        let version = self.writes.entry(key.to_owned()).or_default();
        *version += 1;
        self.entries.insert(key.to_owned(), (bytes.to_vec(), *version));
        *version
    }
}

impl Stepped {
    /// Waits for a turn, takes it, and remembers what came of it.
    async fn turn<T: Hash>(&self, take: impl FnOnce(&mut State) -> T) -> T {
        let mut has_waited = false;
        std::future::poll_fn(|_| {
            if std::mem::replace(&mut has_waited, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let heard = take(&mut self.state.lock().unwrap());
        heard.hash(&mut *self.log.lock().unwrap());
        heard
    }
}

#[async_trait]
impl CasEngine for Stepped {
    type Version = u64;

    fn name(&self) -> &'static str {
        "stepped"
    }

    async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
        Ok(self.turn(|state| state.entries.get(key).cloned()).await)
    }

    async fn add(&self, key: &str, bytes: &[u8], _: Timestamp) -> Result<Option<u64>, StoreError> {
        Ok(self.turn(|state| (!state.entries.contains_key(key)).then(|| state.write(key, bytes))).await)
    }

    async fn swap(
        &self,
        key: &str,
        version: &u64,
        bytes: &[u8],
        _: Timestamp,
    ) -> Result<Swapped, StoreError> {
        let is_done = self.turn(|state| {
            let is_it = state.entries.get(key).is_some_and(|(_, there)| there == version);
            if is_it {
                state.write(key, bytes);
            }
            is_it
        });
        Ok(if is_done.await { Swapped::Done } else { Swapped::Changed })
    }

    async fn remove(&self, key: &str, version: &u64) -> Result<Swapped, StoreError> {
        let is_done = self.turn(|state| {
            let is_it = state.entries.get(key).is_some_and(|(_, there)| there == version);
            if is_it {
                state.entries.remove(key);
            }
            is_it
        });
        Ok(if is_done.await { Swapped::Done } else { Swapped::Changed })
    }

    fn due(&self) -> Option<&dyn Due> {
        Some(self)
    }
}

#[async_trait]
impl Due for Stepped {
    async fn due(&self, _: Timestamp, _: usize) -> Result<Vec<String>, StoreError> {
        Ok(self.turn(|state| state.entries.keys().cloned().collect()).await)
    }
}

//! This server's little store: a map under a lock, and what each of the five operations means to it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use session_core::machine::StoreOp;
use session_core::{
    Timestamp,
    store::{Loaded, Record, StoreKey, Written},
};

/// All sessions of this process. What it holds under a key is what a load of it answers.
#[derive(Default)]
pub(crate) struct Store(Mutex<HashMap<StoreKey, Loaded>>);

impl Store {
    /// What stands under the key. The core judges whether it is still alive.
    pub(crate) fn load(&self, key: &StoreKey) -> Loaded {
        self.lock().get(key).cloned().unwrap_or(Loaded::Missing)
    }

    /// Performs one operation, entirely or not at all. Only a create and a rotate bring a key into being: nothing here
    /// can revive a session that ended.
    pub(crate) fn perform(&self, operation: &StoreOp) -> Written {
        let mut all = self.lock();
        match operation {
            StoreOp::Create { key, record, now } => {
                // A larger server would do this now and then, and not here.
                all.retain(|_, entry| is_of_use(entry, *now));
                if all.contains_key(key) {
                    return Written::Taken;
                }
                all.insert(*key, Loaded::Found(record.clone()));
            }
            StoreOp::Replace { key, expected, record, now } => match live(&mut all, key, *now) {
                None => return Written::Gone,
                Some(current) if current.etag != *expected => return Written::Conflict(current.clone()),
                Some(current) => *current = record.clone(),
            },
            StoreOp::Touch { key, idle_deadline, now } => match live(&mut all, key, *now) {
                None => return Written::Gone,
                Some(current) => current.idle_deadline = current.idle_deadline.max(*idle_deadline),
            },
            StoreOp::Destroy { key, tombstone_until } => {
                if let Some(entry @ Loaded::Found(_)) = all.get_mut(key) {
                    *entry = Loaded::Ended { until: *tombstone_until };
                }
            }
            StoreOp::Rotate { old, expected, new, record, now, tombstone_until } => {
                if all.contains_key(new) {
                    return Written::Taken;
                }
                match live(&mut all, old, *now) {
                    None => return Written::Gone,
                    Some(current) if current.etag != *expected => return Written::Conflict(current.clone()),
                    Some(_) => {}
                }
                all.insert(*old, Loaded::Ended { until: *tombstone_until });
                all.insert(*new, Loaded::Found(record.clone()));
            }
        }
        Written::Applied
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StoreKey, Loaded>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn live<'a>(
    all: &'a mut HashMap<StoreKey, Loaded>,
    key: &StoreKey,
    now: Timestamp,
) -> Option<&'a mut Record> {
    match all.get_mut(key) {
        Some(Loaded::Found(record)) if record.is_live(now) => Some(record),
        Some(Loaded::Found(_) | Loaded::Ended { .. } | Loaded::Missing) | None => None,
    }
}

fn is_of_use(entry: &Loaded, now: Timestamp) -> bool {
    match entry {
        Loaded::Found(record) => record.is_live(now),
        Loaded::Ended { until } => now < *until,
        Loaded::Missing => false,
    }
}

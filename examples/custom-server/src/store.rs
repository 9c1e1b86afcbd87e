//! This server's little store: a map under a lock, and what a load and each of the operations mean to it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use session_core::Timestamp;
use session_core::machine::{BlockingStore, StoreOp};
use session_core::store::{DEFAULT_MAX_RECORD, Etag, Loaded, Record, StoreError, StoreKey, Written};

/// All sessions of this process. What it holds under a key is what a load of it answers.
#[derive(Debug, Default)]
pub(crate) struct Store(Mutex<HashMap<StoreKey, Loaded>>);

impl BlockingStore for Store {
    fn name(&self) -> &'static str {
        "example"
    }

    fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        // The core judges whether it is still alive.
        Ok(self.lock().get(key).cloned().unwrap_or(Loaded::Missing))
    }

    /// Only a create and a rotate bring a key into being: nothing here can revive a session that ended.
    fn perform(&self, operation: &StoreOp) -> Result<Written, StoreError> {
        let mut all = self.lock();
        match operation {
            StoreOp::Create { key, record, now } => {
                check_size(record)?;
                // A larger server would do this now and then, and not here.
                all.retain(|_, entry| is_of_use(entry, *now));
                match all.get(key) {
                    // Asked again after a lost answer.
                    Some(Loaded::Found(there)) if there.etag == record.etag => {}
                    Some(_) => return Ok(Written::Taken),
                    None => drop(all.insert(*key, Loaded::Found(record.clone()))),
                }
            }
            StoreOp::Replace { key, expected, record, now } => {
                check_size(record)?;
                match over(&mut all, key, *expected, record.etag, *now) {
                    Ok(current) => *current = record.clone(),
                    Err(written) => return Ok(written),
                }
            }
            StoreOp::Touch { key, idle_deadline, now } => match live(&mut all, key, *now) {
                Some(current) => current.idle_deadline = current.idle_deadline.max(*idle_deadline),
                None => return Ok(Written::Gone),
            },
            StoreOp::Destroy { key, tombstone_until } => {
                if let Some(entry @ Loaded::Found(_)) = all.get_mut(key) {
                    *entry = Loaded::Ended { until: *tombstone_until };
                }
            }
            StoreOp::Rotate { old, expected, new, record, now, tombstone_until } => {
                check_size(record)?;
                match (all.get(old), all.get(new)) {
                    // Asked again after a lost answer.
                    (Some(Loaded::Ended { .. }), Some(Loaded::Found(there))) if there.etag == record.etag => {
                        return Ok(Written::Applied);
                    }
                    (_, Some(_)) => return Ok(Written::Taken),
                    (_, None) => {}
                }
                if let Err(written) = over(&mut all, old, *expected, record.etag, *now) {
                    return Ok(written);
                }
                all.insert(*old, Loaded::Ended { until: *tombstone_until });
                all.insert(*new, Loaded::Found(record.clone()));
            }
            StoreOp::Revoke { .. } | StoreOp::Prolong { .. } => {
                return Err(StoreError::unavailable("example", "no session is carried in a cookie here"));
            }
        }
        Ok(Written::Applied)
    }
}

impl Store {
    fn lock(&self) -> MutexGuard<'_, HashMap<StoreKey, Loaded>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The live record under the key, if it is the one that the writer expects, or else the answer.
fn over<'a>(
    all: &'a mut HashMap<StoreKey, Loaded>,
    key: &StoreKey,
    expected: Etag,
    written: Etag,
    now: Timestamp,
) -> Result<&'a mut Record, Written> {
    match live(all, key, now) {
        None => Err(Written::Gone),
        // Asked again after a lost answer.
        Some(current) if current.etag == written => Err(Written::Applied),
        Some(current) if current.etag != expected => Err(Written::Conflict(current.clone())),
        Some(current) => Ok(current),
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

fn check_size(record: &Record) -> Result<(), StoreError> {
    StoreError::check_size("example", record, DEFAULT_MAX_RECORD)
}

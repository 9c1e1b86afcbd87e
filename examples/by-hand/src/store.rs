//! The whole store of this example: a map under a lock, and what a load and each of the operations mean to it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use session_core::Timestamp;
use session_core::machine::{BlockingStore, StoreOp};
use session_core::store::{DEFAULT_MAX_RECORD, Etag, Loaded, Record, StoreError, StoreKey, Written};

/// All sessions of this process.
#[derive(Debug, Default)]
pub(crate) struct Store(Mutex<Entries>);

type Entries = HashMap<StoreKey, Entry>;

#[derive(Debug)]
enum Entry {
    Record(Record),
    /// The session ended, or went on under another key.
    Tombstone {
        until: Timestamp,
        successor: Option<StoreKey>,
    },
}

impl BlockingStore for Store {
    fn name(&self) -> &'static str {
        "example"
    }

    fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        // The core judges whether it is still alive.
        Ok(match self.lock().get(key) {
            Some(Entry::Record(record)) => Loaded::Found(record.clone()),
            Some(Entry::Tombstone { until, .. }) => Loaded::Ended { until: *until },
            None => Loaded::Missing,
        })
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
                    Some(Entry::Record(there)) if there.etag == record.etag => {}
                    Some(_) => return Ok(Written::Taken),
                    None => drop(all.insert(*key, Entry::Record(record.clone()))),
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
            StoreOp::Destroy { key, tombstone_until } => match all.get_mut(key) {
                Some(entry @ Entry::Record(_)) => {
                    *entry = Entry::Tombstone { until: *tombstone_until, successor: None };
                }
                Some(Entry::Tombstone { .. }) => return Ok(moved(&all, key).unwrap_or(Written::Applied)),
                None => {}
            },
            StoreOp::Rotate { old, expected, new, record, now, tombstone_until } => {
                check_size(record)?;
                match (all.get(old), all.get(new)) {
                    // Asked again after a lost answer.
                    (Some(Entry::Tombstone { .. }), Some(Entry::Record(there)))
                        if there.etag == record.etag =>
                    {
                        return Ok(Written::Applied);
                    }
                    (Some(Entry::Record(_)), Some(_)) => return Ok(Written::Taken),
                    _ => {}
                }
                if let Err(written) = over(&mut all, old, *expected, record.etag, *now) {
                    return Ok(written);
                }
                all.insert(*old, Entry::Tombstone { until: *tombstone_until, successor: Some(*new) });
                all.insert(*new, Entry::Record(record.clone()));
            }
            StoreOp::Revoke { .. } | StoreOp::Prolong { .. } => {
                return Err(StoreError::unavailable("example", "no session is carried in a cookie here"));
            }
        }
        Ok(Written::Applied)
    }
}

impl Store {
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The live record under the key, if it is the one that the writer expects, or else the answer.
fn over<'a>(
    all: &'a mut Entries,
    key: &StoreKey,
    expected: Etag,
    written: Etag,
    now: Timestamp,
) -> Result<&'a mut Record, Written> {
    let moved = moved(all, key).filter(|moved| is_live(moved, now));
    match live(all, key, now) {
        None => Err(moved.unwrap_or(Written::Gone)),
        // Asked again after a lost answer.
        Some(current) if current.etag == written => Err(Written::Applied),
        Some(current) if current.etag != expected => Err(Written::Conflict(current.clone())),
        Some(current) => Ok(current),
    }
}

fn live<'a>(all: &'a mut Entries, key: &StoreKey, now: Timestamp) -> Option<&'a mut Record> {
    match all.get_mut(key) {
        Some(Entry::Record(record)) if record.is_live(now) => Some(record),
        Some(Entry::Record(_) | Entry::Tombstone { .. }) | None => None,
    }
}

/// Where the session under this key is now, if it was rotated, perhaps several times.
fn moved(all: &Entries, key: &StoreKey) -> Option<Written> {
    let mut key = *key;
    loop {
        let Entry::Tombstone { successor: Some(successor), .. } = all.get(&key)? else { return None };
        key = *successor;
        if let Entry::Record(record) = all.get(&key)? {
            return Some(Written::Moved { key, record: record.clone() });
        }
    }
}

fn is_live(moved: &Written, now: Timestamp) -> bool {
    matches!(moved, Written::Moved { record, .. } if record.is_live(now))
}

fn is_of_use(entry: &Entry, now: Timestamp) -> bool {
    match entry {
        Entry::Record(record) => record.is_live(now),
        Entry::Tombstone { until, .. } => now < *until,
    }
}

fn check_size(record: &Record) -> Result<(), StoreError> {
    StoreError::check_size("example", record, DEFAULT_MAX_RECORD)
}

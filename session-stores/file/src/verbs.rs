//! What each verb does to the files, once its locks are held: every transition of a session on disk lives here.
//!
//! One rename is one transition, so a kill falls before it or after it. Only `rotate` needs two:
//!
//! 1. the new record is put under `new`, with a line `from=old`;
//! 2. the record under `old` gives way to a tombstone with a line `to=new`. **This rename is the rotation.**
//!
//! A record with `from` counts only if the tombstone under that key leads back to it. So before step 2 the old session
//! lives and the new one is nothing at all (a create, a rotate or the sweeper takes its place); after it the old one is
//! dead and the new one lives: never both, never neither. The next write to the new record drops its `from`. A
//! tombstone with `to` is removed only after the sweeper, holding both locks, has seen to that.
//!
//! Whether a record counts cannot change while its own key is locked: both steps and the sweeper hold that lock.
//! The mark in the owner index is made before its record is written.

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, StoreKey, Written},
};

use crate::disk::{Disk, Flush};
use crate::fault::Fault;
use crate::format::{Entry, encode_record, encode_retired};
use crate::owners;

/// A session as it counts, whatever it is being rotated from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing.
    Nothing,
    /// A tombstone, perhaps leading on.
    Retired { until: Timestamp, to: Option<StoreKey> },
    /// A record, live or expired.
    Found(Record),
}

/// What counts under a key. Takes no lock.
pub(crate) fn standing(disk: &Disk, key: &StoreKey) -> Result<Standing, Fault> {
    let mut entry = disk.read(key)?;
    for _ in 0..ATTEMPTS {
        let (record, old) = match entry {
            None => return Ok(Standing::Nothing),
            Some(Entry::Retired { until, to }) => return Ok(Standing::Retired { until, to }),
            Some(Entry::Record { record, from: None }) => return Ok(Standing::Found(record)),
            Some(Entry::Record { record, from: Some(old) }) => (record, old),
        };
        if leads_to(disk, &old, key)? {
            return Ok(Standing::Found(record));
        }
        // Either step 2 had not come when we looked, or it came and the sweeper has tidied both files since.
        entry = disk.read(key)?;
        if matches!(&entry, Some(Entry::Record { from: Some(again), .. }) if *again == old) {
            return Ok(Standing::Nothing);
        }
    }
    Err(Fault::Late)
}

/// Whether a tombstone under `old` leads to `new`.
pub(crate) fn leads_to(disk: &Disk, old: &StoreKey, new: &StoreKey) -> Result<bool, Fault> {
    Ok(matches!(disk.read(old)?, Some(Entry::Retired { to: Some(to), .. }) if to == *new))
}

pub(crate) fn load(disk: &Disk, key: &StoreKey) -> Result<Loaded, Fault> {
    Ok(match standing(disk, key)? {
        Standing::Nothing => Loaded::Missing,
        Standing::Retired { until, .. } => Loaded::Ended { until },
        Standing::Found(record) => Loaded::Found(record),
    })
}

pub(crate) fn create(disk: &Disk, key: &StoreKey, record: &Record) -> Result<Written, Fault> {
    match standing(disk, key) {
        Ok(Standing::Nothing) => {
            put(disk, key, record, None)?;
            Ok(Written::Applied)
        }
        Ok(Standing::Found(there)) if there.etag == record.etag => settled(disk, key),
        // The key is taken by anything at all, readable or not.
        Ok(Standing::Found(_) | Standing::Retired { .. }) | Err(Fault::Corrupt | Fault::Newer) => {
            Ok(Written::Taken)
        }
        Err(fault) => Err(fault),
    }
}

/// Once it is applied, the caller [settles](Disk::settle) the name, with or without the lock.
pub(crate) fn replace(
    disk: &Disk,
    key: &StoreKey,
    expected: Etag,
    record: &Record,
    now: Timestamp,
) -> Result<Written, Fault> {
    let Some(there) = live(disk, key, now)? else { return Ok(Written::Gone) };
    if there.etag != expected {
        let mine = there.etag == record.etag;
        return Ok(if mine { Written::Applied } else { Written::Conflict(there) });
    }
    if there.owner == record.owner {
        disk.write(key, &encode_record(key, record, None), Flush::Bytes)?;
    } else {
        put(disk, key, record, None)?;
        owners::unmark(disk, there.owner.as_deref(), key);
    }
    Ok(Written::Applied)
}

pub(crate) fn touch(
    disk: &Disk,
    key: &StoreKey,
    idle_deadline: Timestamp,
    now: Timestamp,
) -> Result<Written, Fault> {
    let Some(mut there) = live(disk, key, now)? else { return Ok(Written::Gone) };
    if idle_deadline > there.idle_deadline {
        there.idle_deadline = idle_deadline;
        // Losing a touch costs idle time, so its name is not flushed; its bytes are, because some file systems keep a
        // rename and lose the bytes behind it, and those are an acknowledged session.
        disk.write(key, &encode_record(key, &there, None), Flush::Bytes)?;
    }
    Ok(Written::Applied)
}

pub(crate) fn destroy(disk: &Disk, key: &StoreKey, until: Timestamp) -> Result<(), Fault> {
    let owner = match standing(disk, key) {
        Ok(Standing::Nothing) => return Ok(()),
        Ok(Standing::Retired { .. }) => return disk.settle(key),
        Ok(Standing::Found(there)) => there.owner,
        Err(Fault::Corrupt) => None,
        Err(fault) => return Err(fault),
    };
    disk.write(key, &encode_retired(key, until, None), Flush::All)?;
    owners::unmark(disk, owner.as_deref(), key);
    Ok(())
}

pub(crate) fn rotate(
    disk: &Disk,
    old: &StoreKey,
    expected: Etag,
    new: &StoreKey,
    record: &Record,
    now: Timestamp,
    until: Timestamp,
) -> Result<Written, Fault> {
    let there = match standing(disk, old)? {
        Standing::Found(there) if there.is_live(now) => there,
        Standing::Retired { to: Some(to), .. } if to == *new => {
            return match standing(disk, new)? {
                Standing::Found(done) if done.etag == record.etag => {
                    disk.settle(new)?;
                    settled(disk, old)
                }
                _ => Ok(Written::Gone),
            };
        }
        _ => return Ok(Written::Gone),
    };
    if there.etag != expected {
        return Ok(Written::Conflict(there));
    }
    match standing(disk, new) {
        Ok(Standing::Nothing) => {}
        Ok(_) | Err(Fault::Corrupt | Fault::Newer) => return Ok(Written::Taken),
        Err(fault) => return Err(fault),
    }
    put(disk, new, record, Some(old))?;
    disk.write(old, &encode_retired(old, until, Some(new)), Flush::All)?;
    // The old key's mark stays until its tombstone is swept: who is listing this owner's sessions follows it here.
    Ok(Written::Applied)
}

/// The record under a key, if it may be written to.
fn live(disk: &Disk, key: &StoreKey, now: Timestamp) -> Result<Option<Record>, Fault> {
    Ok(match standing(disk, key)? {
        Standing::Found(record) if record.is_live(now) => Some(record),
        _ => None,
    })
}

fn put(disk: &Disk, key: &StoreKey, record: &Record, from: Option<&StoreKey>) -> Result<(), Fault> {
    owners::mark(disk, record.owner.as_deref(), key)?;
    disk.write(key, &encode_record(key, record, from), Flush::All)
}

/// The write is there already, from a call whose answer was lost: perhaps before its last flush.
fn settled(disk: &Disk, key: &StoreKey) -> Result<Written, Fault> {
    disk.settle(key)?;
    Ok(Written::Applied)
}

/// How often a record may be rewritten under a reader before it gives up.
const ATTEMPTS: usize = 16;

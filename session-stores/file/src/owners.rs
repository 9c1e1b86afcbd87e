//! The index by owner: an empty file per session in a directory per owner, named by a hash of the owner's name.
//!
//! The record is the truth and the mark is a hint: a mark is made before its record is written and removed after it is
//! gone, both under the record's lock, and whoever lists looks at the record itself. So a kill leaves at worst a mark
//! that leads to nothing, which the sweeper removes. A session that is rotated leaves its old mark in place, and whoever
//! reads it follows the tombstone: a session that changes its name while the directory is read is not missed.

use std::collections::HashSet;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use session_core::{
    Timestamp,
    store::{Record, StoreKey},
};
use sha2::{Digest, Sha256};

use crate::disk::{self, Disk, OWNERS, PRIVATE_FILE};
use crate::fault::Fault;
use crate::format::{Entry, hex};
use crate::verbs::{self, Standing};

/// Says that this session belongs to this owner, before it does.
pub(crate) fn mark(disk: &Disk, owner: Option<&str>, key: &StoreKey) -> Result<(), Fault> {
    let Some(owner) = owner else { return Ok(()) };
    let name = dir_name(owner);
    for _ in 0..ATTEMPTS {
        let owners = disk.root_dir(OWNERS)?;
        let fan = disk.made_dir(owners.as_fd(), &name[..2])?;
        let dir = disk.made_dir(fan.as_fd(), &name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::openat(&dir, key.to_string(), flags, Mode::from_raw_mode(PRIVATE_FILE)) {
            Ok(file) => {
                rustix::fs::fchmod(&file, Mode::from_raw_mode(PRIVATE_FILE))?;
                return disk.flush_dir(dir.as_fd());
            }
            // The sweeper removed the directory, which was empty, between the two calls.
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Err(Errno::NOENT.into())
}

/// Takes a mark back after its record is gone. One that stays is the sweeper's, so this cannot fail a verb.
pub(crate) fn unmark(disk: &Disk, owner: Option<&str>, key: &StoreKey) {
    if let Some(owner) = owner
        && let Ok(Some(dir)) = open(disk, &dir_name(owner))
    {
        let _ = disk::unlink(dir.as_fd(), &key.to_string());
    }
}

/// The keys marked as this owner's.
pub(crate) fn marked(disk: &Disk, owner: &str) -> Result<Vec<StoreKey>, Fault> {
    marks_in(disk, &dir_name(owner))
}

/// The live sessions of this owner. A record that cannot be read is nobody's.
pub(crate) fn list(disk: &Disk, owner: &str, now: Timestamp) -> Result<Vec<(StoreKey, Record)>, Fault> {
    let mut waiting = marked(disk, owner)?;
    let mut seen: HashSet<StoreKey> = waiting.iter().copied().collect();
    let mut listed = Vec::new();
    while let Some(key) = waiting.pop() {
        match verbs::standing(disk, &key) {
            Ok(Standing::Found(record)) if record.owner.as_deref() == Some(owner) && record.is_live(now) => {
                listed.push((key, record));
            }
            Ok(Standing::Retired { to: Some(to), .. }) if seen.insert(to) => waiting.push(to),
            Ok(_) | Err(Fault::Corrupt | Fault::Newer) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(listed)
}

/// What became of one member of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was alive.
    Live,
    /// There was nothing of this owner's to end.
    Nothing,
    /// It goes on under this key.
    Moved(StoreKey),
}

/// Ends a session if it is this owner's, under its lock.
pub(crate) fn end(
    disk: &Disk,
    owner: &str,
    key: &StoreKey,
    now: Timestamp,
    until: Timestamp,
) -> Result<Ended, Fault> {
    match verbs::standing(disk, key) {
        Ok(Standing::Found(record)) if record.owner.as_deref() == Some(owner) => {
            verbs::destroy(disk, key, until)?;
            Ok(if record.is_live(now) { Ended::Live } else { Ended::Nothing })
        }
        Ok(Standing::Retired { to: Some(to), .. }) => Ok(Ended::Moved(to)),
        // A record that cannot be read is no session to anybody. A newer one is an error: it could not be ended.
        Ok(_) | Err(Fault::Corrupt) => Ok(Ended::Nothing),
        Err(fault) => Err(fault),
    }
}

/// Marks of one of the 256 directories that may lead to nothing, as (directory, key).
pub(crate) fn doubtful(disk: &Disk, fan: u8) -> Result<Vec<(String, StoreKey)>, Fault> {
    let mut doubtful = Vec::new();
    let Some(owners) = disk.dir(OWNERS)? else { return Ok(doubtful) };
    let Some(fan) = disk::open_dir(owners.as_fd(), &format!("{fan:02x}"))? else { return Ok(doubtful) };
    for name in disk::names(fan.as_fd())? {
        let marks = marks_in(disk, &name)?;
        if marks.is_empty() {
            remove_empty(fan.as_fd(), &name);
        }
        for key in marks {
            if !holds(disk, &name, &key) {
                doubtful.push((name.clone(), key));
            }
        }
    }
    Ok(doubtful)
}

/// Removes a mark if it leads to nothing, under its key's lock.
pub(crate) fn remove_if_idle(disk: &Disk, name: &str, key: &StoreKey) -> Result<(), Fault> {
    if holds(disk, name, key) {
        return Ok(());
    }
    let Some(fan) = open_fan(disk, name)? else { return Ok(()) };
    if let Some(dir) = disk::open_dir(fan.as_fd(), name)? {
        disk::unlink(dir.as_fd(), &key.to_string())?;
        remove_empty(fan.as_fd(), name);
    }
    Ok(())
}

/// Whether a mark may still be needed. What cannot be read might be.
fn holds(disk: &Disk, name: &str, key: &StoreKey) -> bool {
    match disk.read(key) {
        Ok(Some(Entry::Record { record, .. })) => {
            record.owner.as_deref().is_some_and(|owner| dir_name(owner) == name)
        }
        Ok(Some(Entry::Retired { to, .. })) => to.is_some(),
        Ok(None) => false,
        Err(_) => true,
    }
}

fn marks_in(disk: &Disk, name: &str) -> Result<Vec<StoreKey>, Fault> {
    match open(disk, name)? {
        Some(dir) => Ok(disk::names(dir.as_fd())?.iter().filter_map(|name| name.parse().ok()).collect()),
        None => Ok(Vec::new()),
    }
}

fn open(disk: &Disk, name: &str) -> Result<Option<OwnedFd>, Fault> {
    match open_fan(disk, name)? {
        Some(fan) => disk::open_dir(fan.as_fd(), name),
        None => Ok(None),
    }
}

fn open_fan(disk: &Disk, name: &str) -> Result<Option<OwnedFd>, Fault> {
    match disk.dir(OWNERS)? {
        Some(owners) => disk::open_dir(owners.as_fd(), name.get(..2).unwrap_or(name)),
        None => Ok(None),
    }
}

fn remove_empty(fan: BorrowedFd<'_>, name: &str) {
    // Refused by the system if a mark has come meanwhile, which is what is wanted.
    let _ = rustix::fs::unlinkat(fan, name, AtFlags::REMOVEDIR);
}

/// No name of a user stands in a directory listing.
fn dir_name(owner: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(OWNER_LABEL);
    hash.update(owner);
    hex(&hash.finalize())
}

const OWNER_LABEL: &[u8] = b"session-store-file/owner/v1\0";
const ATTEMPTS: usize = 16;

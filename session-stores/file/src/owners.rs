//! The index by owner: an empty file per session in a directory per owner, named by a hash of the owner's name.
//!
//! The record is the truth and the mark is a hint, whose time of modification is the moment from which it may be
//! forgotten. A kill leaves at worst a mark that leads to nothing; the sweeper removes it after that moment.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Timespec, Timestamps};
use rustix::io::Errno;
use session_core::{Timestamp, store::StoreKey};

use crate::dirs;
use crate::disk::{Disk, OWNERS};
use crate::fault::Fault;

/// Marks a session as this owner's, at least until `expiry`, and returns the owner's directory, to be flushed.
pub(crate) fn insert(disk: &Disk, owner: &str, key: &StoreKey, expiry: Timestamp) -> Result<OwnedFd, Fault> {
    let owners = disk.root_dir(OWNERS)?;
    let fan = disk.made_dir(owners.as_fd(), fan_of(owner))?;
    let dir = disk.made_dir(fan.as_fd(), owner)?;
    let until = modified(dir.as_fd(), key)?.map_or(expiry, |there| there.max(expiry));
    let mark = dirs::open_in_place(dir.as_fd(), &key.to_string())?;
    let time = Timespec { tv_sec: until.as_millis().div_euclid(1_000).saturating_add(1), tv_nsec: 0 };
    rustix::fs::futimens(&mark, &Timestamps { last_access: time, last_modification: time })?;
    Ok(dir)
}

/// Removes a mark if it is there.
pub(crate) fn remove(disk: &Disk, owner: &str, key: &StoreKey) -> Result<(), Fault> {
    match open(disk, owner)? {
        Some(dir) => dirs::unlink(dir.as_fd(), &key.to_string()),
        None => Ok(()),
    }
}

/// The keys marked as this owner's.
pub(crate) fn members(disk: &Disk, owner: &str) -> Result<Vec<StoreKey>, Fault> {
    match open(disk, owner)? {
        Some(dir) => Ok(dirs::names(dir.as_fd())?.iter().filter_map(|name| name.parse().ok()).collect()),
        None => Ok(Vec::new()),
    }
}

/// What may be forgotten in one of the 256 directories.
#[derive(Debug, Default)]
pub(crate) struct Lapsed {
    /// Marks, by owner and key.
    pub(crate) marks: Vec<(String, StoreKey)>,
    /// Owners without a mark.
    pub(crate) owners: Vec<String>,
}

/// Finds what may be forgotten in one of the 256 directories.
pub(crate) fn lapsed(disk: &Disk, fan: u8, before: Timestamp) -> Result<Lapsed, Fault> {
    let mut lapsed = Lapsed::default();
    let Some(owners) = disk.dir(OWNERS)? else { return Ok(lapsed) };
    let Some(fan) = dirs::open_dir(owners.as_fd(), &format!("{fan:02x}"))? else { return Ok(lapsed) };
    for owner in dirs::names(fan.as_fd())? {
        let Some(dir) = dirs::open_dir(fan.as_fd(), &owner)? else { continue };
        let names = dirs::names(dir.as_fd())?;
        for key in names.iter().filter_map(|name| name.parse().ok()) {
            if modified(dir.as_fd(), &key)?.is_some_and(|until| until <= before) {
                lapsed.marks.push((owner.clone(), key));
            }
        }
        if names.is_empty() {
            lapsed.owners.push(owner);
        }
    }
    Ok(lapsed)
}

/// Removes a mark if it may be forgotten.
pub(crate) fn remove_lapsed(
    disk: &Disk,
    owner: &str,
    key: &StoreKey,
    before: Timestamp,
) -> Result<(), Fault> {
    match open(disk, owner)? {
        Some(dir) if modified(dir.as_fd(), key)?.is_some_and(|until| until <= before) => {
            dirs::unlink(dir.as_fd(), &key.to_string())?;
            remove_empty(disk, owner)
        }
        _ => Ok(()),
    }
}

/// Removes an owner's directory if nothing is in it.
pub(crate) fn remove_empty(disk: &Disk, owner: &str) -> Result<(), Fault> {
    if let Some(fan) = open_fan(disk, owner)? {
        // Refused by the system if a mark has come meanwhile, which is what is wanted.
        let _ = rustix::fs::unlinkat(&fan, owner, AtFlags::REMOVEDIR);
    }
    Ok(())
}

/// The lock of an owner's directory, by its first byte.
pub(crate) fn lock_of(owner: &str) -> u8 {
    u8::from_str_radix(fan_of(owner), 16).unwrap_or_default()
}

fn modified(dir: BorrowedFd<'_>, key: &StoreKey) -> Result<Option<Timestamp>, Fault> {
    match rustix::fs::statat(dir, key.to_string(), AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(Timestamp::from_millis(stat.st_mtime.saturating_mul(1_000)))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

fn open(disk: &Disk, owner: &str) -> Result<Option<OwnedFd>, Fault> {
    match open_fan(disk, owner)? {
        Some(fan) => dirs::open_dir(fan.as_fd(), owner),
        None => Ok(None),
    }
}

fn open_fan(disk: &Disk, owner: &str) -> Result<Option<OwnedFd>, Fault> {
    match disk.dir(OWNERS)? {
        Some(owners) => dirs::open_dir(owners.as_fd(), fan_of(owner)),
        None => Ok(None),
    }
}

fn fan_of(owner: &str) -> &str {
    owner.get(..2).unwrap_or(owner)
}

//! Who may write: one of 256 locks per key, first among the tasks of this process, then among processes.
//!
//! Within a process a fair async mutex, so that waiting costs no thread. Among processes `flock` on a file that is
//! never removed; it ends with its process, however that ends. Two locks are always taken in order of their number.
//! Readers take none.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use session_core::store::StoreKey;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::disk::{Disk, LOCKS, PRIVATE_FILE};
use crate::fault::Fault;

/// The locks of this process.
#[derive(Debug)]
pub(crate) struct Locks(Vec<Arc<Mutex<()>>>);

/// The right to write some keys, within this process.
#[derive(Debug)]
pub(crate) struct Turn {
    guards: Vec<(u8, OwnedMutexGuard<()>)>,
}

impl Locks {
    pub(crate) fn new() -> Self {
        Self((0..=u8::MAX).map(|_| Arc::default()).collect())
    }

    /// Waits for these keys' turn. No keys, no waiting.
    pub(crate) async fn turn(&self, keys: &[StoreKey]) -> Turn {
        let mut numbers: Vec<u8> = keys.iter().map(|key| key.as_bytes()[0]).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut guards = Vec::with_capacity(numbers.len());
        for number in numbers {
            let lock = Arc::clone(&self.0[usize::from(number)]);
            guards.push((number, lock.lock_owned().await));
        }
        Turn { guards }
    }
}

impl Turn {
    /// Takes the same locks among processes, until the answer is dropped.
    pub(crate) fn across_processes(&self, disk: &Disk, deadline: Instant) -> Result<Vec<OwnedFd>, Fault> {
        self.guards.iter().map(|(number, _)| wait_for(disk, &format!("{number:02x}"), deadline)).collect()
    }
}

/// Takes a lock among processes if it is free.
pub(crate) fn try_lock(disk: &Disk, name: &str) -> Result<Option<OwnedFd>, Fault> {
    let dir = disk.root_dir(LOCKS)?;
    loop {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&dir, name, flags, Mode::from_raw_mode(PRIVATE_FILE))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
        // A lock on a file that somebody has removed meanwhile excludes nobody: take the one that stands there now.
        match rustix::fs::statat(dir.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if stat.st_ino == rustix::fs::fstat(&file)?.st_ino => return Ok(Some(file)),
            Ok(_) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Asks again and again rather than blocking in `flock`, which could not be left at the deadline.
fn wait_for(disk: &Disk, name: &str, deadline: Instant) -> Result<OwnedFd, Fault> {
    let mut pause = FIRST_PAUSE;
    loop {
        if let Some(lock) = try_lock(disk, name)? {
            return Ok(lock);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Fault::Late);
        }
        thread::sleep(pause.min(left));
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The lock that lets one sweeper work at a time.
pub(crate) const SWEEPER: &str = "sweep";
const FIRST_PAUSE: Duration = Duration::from_micros(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(2);

//! 256 locks, chosen by the first byte of a key: first among the tasks of this process, then among processes.
//!
//! Within a process a lock is a fair async mutex, so that waiting costs no thread. Among processes it is `flock` on a file
//! that is never removed; it ends with its process. Nobody holds two of them. Reading a session takes none.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FlockOperation};
use rustix::io::Errno;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::dirs;
use crate::disk::{Disk, LOCKS};
use crate::fault::Fault;

/// The locks of this process.
#[derive(Debug)]
pub(crate) struct Locks(Vec<Arc<Mutex<()>>>);

/// One of the locks, held within this process.
#[derive(Debug)]
pub(crate) struct Turn {
    number: u8,
    _guard: OwnedMutexGuard<()>,
}

impl Locks {
    pub(crate) fn new() -> Self {
        Self((0..=u8::MAX).map(|_| Arc::default()).collect())
    }

    /// Acquires a lock within this process. Cancel safe.
    pub(crate) async fn turn(&self, number: u8) -> Turn {
        let guard = Arc::clone(&self.0[usize::from(number)]).lock_owned().await;
        Turn { number, _guard: guard }
    }
}

impl Turn {
    /// Acquires the same lock among processes; dropping the file releases it.
    pub(crate) fn across_processes(&self, disk: &Disk, deadline: Instant) -> Result<OwnedFd, Fault> {
        wait_for(disk, &format!("{:02x}", self.number), deadline)
    }
}

/// Takes a lock among processes if it is free.
pub(crate) fn try_lock(disk: &Disk, name: &str) -> Result<Option<OwnedFd>, Fault> {
    let dir = disk.root_dir(LOCKS)?;
    loop {
        let file = dirs::open_in_place(dir.as_fd(), name)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
        // A lock on a file that was removed meanwhile is void: lock the current file instead.
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

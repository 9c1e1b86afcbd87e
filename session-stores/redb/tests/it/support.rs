//! Shared by the tests: a store in a temporary directory.

use std::time::Duration;

use tempfile::TempDir;

/// In memory, where the system has such a place: everything is flushed, and no other program's disk is waited for.
pub(crate) fn memory_dir() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A crowd waits in line, and other tests keep the machine busy; what is proved here is not the deadline.
pub(crate) const PATIENT: Duration = Duration::from_secs(60);

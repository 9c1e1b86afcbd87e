//! How a store is opened: its deadline, its limit, how far a write goes, how many calls are at the disk at once.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use session_core::store::{DEFAULT_MAX_RECORD, StoreError};
use tokio::sync::Semaphore;

use super::{FileStore, Shared};
use crate::disk::{Disk, Durability};
use crate::locks::Locks;
use crate::sweep::Circle;

/// What a [`FileStore`] is opened with.
#[derive(Debug, Clone)]
pub struct FileStoreBuilder {
    path: PathBuf,
    timeout: Duration,
    max_record: usize,
    durability: Durability,
    concurrency: usize,
}

impl FileStoreBuilder {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            timeout: DEFAULT_TIMEOUT,
            max_record: DEFAULT_MAX_RECORD,
            durability: Durability::default(),
            concurrency: DEFAULT_CONCURRENCY,
        }
    }

    /// How long a call may take before it is a `Timeout`; 2 seconds unless set. A year is the most.
    ///
    /// ```
    /// # use session_store_file::FileStore;
    /// # use std::time::Duration;
    /// # let dir = tempfile::tempdir().unwrap();
    /// let store = FileStore::builder(dir.path()).timeout(Duration::from_millis(500)).open().unwrap();
    /// ```
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(LONGEST_TIMEOUT);
        self
    }

    /// The largest record kept, in bytes of payload and owner; 64 KiB unless set, 16 MiB at most. Larger ones that
    /// were stored under another setting can still be read.
    ///
    /// ```
    /// # use session_core::store::SessionStore;
    /// # use session_store_file::FileStore;
    /// # let dir = tempfile::tempdir().unwrap();
    /// let store = FileStore::builder(dir.path()).max_record(4_096).open().unwrap();
    /// assert_eq!(store.max_record(), 4_096);
    /// ```
    #[must_use]
    pub fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes.min(crate::LARGEST_RECORD);
        self
    }

    /// How far a write goes before it is answered; [`Durability::Full`] unless set.
    ///
    /// ```
    /// # use session_store_file::{Durability, FileStore};
    /// # let dir = tempfile::tempdir().unwrap();
    /// let store = FileStore::builder(dir.path()).durability(Durability::Rename).open().unwrap();
    /// ```
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How many reads, and how many writes, may be at the disk at once; 64 each unless set, at least one. Each takes a
    /// thread of the runtime's blocking pool, which has 512.
    ///
    /// ```
    /// # use session_store_file::FileStore;
    /// # let dir = tempfile::tempdir().unwrap();
    /// let store = FileStore::builder(dir.path()).concurrency(8).open().unwrap();
    /// ```
    #[must_use]
    pub fn concurrency(mut self, operations: usize) -> Self {
        self.concurrency = operations.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// Opens the directory, and makes it if it is not there.
    ///
    /// # Errors
    /// As [`FileStore::open`].
    ///
    /// ```
    /// # use session_store_file::FileStore;
    /// # let dir = tempfile::tempdir().unwrap();
    /// std::fs::write(dir.path().join("holiday.jpg"), "").unwrap();
    /// assert!(FileStore::builder(dir.path()).open().is_err());
    /// ```
    pub fn open(self) -> Result<FileStore, StoreError> {
        let shared = Shared {
            disk: Disk::open(&self.path, self.durability)?,
            locks: Locks::new(),
            readers: Arc::new(Semaphore::new(self.concurrency)),
            writers: Arc::new(Semaphore::new(self.concurrency)),
            timeout: self.timeout,
            max_record: self.max_record,
            circle: Mutex::new(Circle::begin(0)),
        };
        Ok(FileStore { shared: Arc::new(shared) })
    }
}

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const DEFAULT_CONCURRENCY: usize = 64;

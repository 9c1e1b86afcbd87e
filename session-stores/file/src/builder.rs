//! The builder: timeout, limit, durability, concurrency.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use session_core::store::{DEFAULT_MAX_RECORD, StoreError};
use session_store_kv::{Blocking, CasStore};

use crate::FileStore;
use crate::disk::{Disk, Durability};
use crate::engine::Files;
use crate::fault::NAME;
use crate::locks::Locks;
use crate::sweep::Circle;

/// Configures a [`FileStore`]. Created by [`FileStore::builder`].
#[derive(Debug, Clone)]
pub struct FileStoreBuilder {
    path: PathBuf,
    timeout: Duration,
    max_record: usize,
    durability: Durability,
    concurrency: usize,
}

impl FileStoreBuilder {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            timeout: DEFAULT_TIMEOUT,
            max_record: DEFAULT_MAX_RECORD,
            durability: Durability::default(),
            concurrency: DEFAULT_CONCURRENCY,
        }
    }

    /// Sets how long a call may take before it fails with `Timeout`. The default is 2 seconds, the most a year.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the largest record kept, in bytes of payload and owner. The default is 64 KiB, the most 16 MiB. Larger
    /// records that were stored under another setting can still be read.
    #[must_use]
    pub fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes.min(crate::LARGEST_RECORD);
        self
    }

    /// Sets how far a write goes before it is answered. The default is [`Durability::Full`].
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets how many reads, and how many writes, may be at the disk at once. The default is 64 each, the least one. Each
    /// takes a thread of the runtime's blocking pool, which has 512.
    #[must_use]
    pub fn concurrency(mut self, operations: usize) -> Self {
        self.concurrency = operations;
        self
    }

    /// Opens the directory, and creates it if it is not there.
    ///
    /// # Errors
    /// As [`FileStore::open`].
    pub fn open(self) -> Result<FileStore, StoreError> {
        let threads = || Blocking::new(NAME, self.concurrency, self.timeout);
        let files = Files {
            disk: Arc::new(Disk::open(&self.path, self.durability)?),
            locks: Arc::new(Locks::new()),
            turns: Arc::new(Locks::new()),
            readers: threads(),
            writers: threads(),
        };
        let inner = CasStore::new(files).timeout(self.timeout).max_record(self.max_record);
        Ok(FileStore { inner, circle: Arc::new(Mutex::new(Circle::begin(0))) })
    }
}

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
const DEFAULT_CONCURRENCY: usize = 64;

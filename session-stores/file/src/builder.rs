//! The builder: timeout, limit, durability, concurrency.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use session_core::store::StoreError;
use session_store_kv::{Blocking, CasStore, Limits, Turns};

use crate::FileStore;
use crate::disk::{Disk, Durability};
use crate::engine::Files;
use crate::fault::NAME;
use crate::locks::Locks;
use crate::sweep::Circle;

/// Configures a [`FileStore`]. Created by [`FileStore::builder`].
///
/// No record is larger than 16 MiB. Records that were stored under a higher limit can still be read.
#[derive(Debug, Clone)]
#[must_use]
pub struct FileStoreBuilder {
    path: PathBuf,
    limits: Limits,
    durability: Durability,
    concurrency: usize,
}

impl FileStoreBuilder {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            limits: Limits::default(),
            durability: Durability::default(),
            concurrency: DEFAULT_CONCURRENCY,
        }
    }

    /// Sets how far a write goes before it is answered. The default is [`Durability::Full`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets how many reads, and how many writes, may be at the disk at once. The default is 64 each, the least one. Each
    /// takes a thread of the runtime's blocking pool, which has 512.
    pub fn concurrency(mut self, operations: usize) -> Self {
        self.concurrency = operations;
        self
    }

    /// Opens the directory, and creates it if it is not there.
    ///
    /// # Errors
    /// As [`FileStore::open`].
    pub fn open(self) -> Result<FileStore, StoreError> {
        let max_record = self.limits.max_record.min(crate::LARGEST_RECORD);
        let limits = Limits { max_record, ..self.limits };
        let threads = || Blocking::new(NAME, self.concurrency, limits.timeout);
        let files = Files {
            disk: Arc::new(Disk::open(&self.path, self.durability)?),
            locks: Arc::new(Locks::new()),
            turns: Turns::default(),
            readers: threads(),
            writers: threads(),
        };
        let inner = CasStore::new(files).limits(limits);
        Ok(FileStore { inner, circle: Arc::new(Mutex::new(Circle::begin(0))) })
    }
}

session_store_kv::limit_setters!(FileStoreBuilder, limits);

const DEFAULT_CONCURRENCY: usize = 64;

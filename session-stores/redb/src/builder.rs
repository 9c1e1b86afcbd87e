//! How a store is opened: the file, the deadline, the threads, the cache, the limit of a record.

use std::error::Error;
use std::path::{Path, PathBuf};

use session_store_kv::{Limits, TxStore};

use crate::engine::Engine;
use crate::store::RedbStore;

/// Configures a [`RedbStore`]. Created by [`RedbStore::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct RedbStoreBuilder {
    path: PathBuf,
    concurrency: usize,
    cache: usize,
    limits: Limits,
}

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process, or another store in this one, has the file open. One process at a time uses a file.
    #[error("another process has the session database open")]
    InUse,
    /// Other users of the machine may read or write the file: `chmod 600` it.
    #[error("other users may open the session database: its mode must be 0600")]
    Exposed,
    /// The file cannot be created or read, is damaged, or is no database of redb.
    #[error("the session database cannot be opened")]
    File(#[source] Box<dyn Error + Send + Sync>),
}

impl RedbStoreBuilder {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), concurrency: 64, cache: 64 * 1024 * 1024, limits: Limits::default() }
    }

    /// Sets how many calls may be at the file at once, each on a blocking thread. The default is 64.
    ///
    /// Writers among them share a flush to the disk: fewer threads mean more flushes.
    pub fn concurrency(mut self, most: usize) -> Self {
        self.concurrency = most;
        self
    }

    /// Sets how much memory caches the file, in bytes. The default is 64 MiB.
    pub fn cache(mut self, bytes: usize) -> Self {
        self.cache = bytes;
        self
    }

    /// Opens the file, and creates it with mode 0600 if it is missing. Its directory must exist.
    ///
    /// Blocks: after a crash the whole file is read once. Call it while the application starts.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(self) -> Result<RedbStore, OpenError> {
        #[cfg(unix)]
        if let Ok(file) = std::fs::metadata(&self.path)
            && std::os::unix::fs::MetadataExt::mode(&file) & 0o077 != 0
        {
            return Err(OpenError::Exposed);
        }
        let store = TxStore::new(Engine::open(self.path, self.cache).map_err(failure)?);
        Ok(RedbStore { inner: store.threads(self.concurrency, self.concurrency).limits(self.limits) })
    }
}

session_store_kv::limit_setters!(RedbStoreBuilder, limits);

fn failure(error: redb::Error) -> OpenError {
    match error {
        redb::Error::DatabaseAlreadyOpen => OpenError::InUse,
        error => OpenError::File(error.into()),
    }
}

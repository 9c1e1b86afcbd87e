//! The store that applications hold.

use std::path::Path;

use session_store_kv::TxStore;

use crate::builder::{OpenError, RedbStoreBuilder};
use crate::engine::Engine;

/// Keeps sessions in one file.
///
/// A clone is another handle on the same store. It needs a Tokio runtime with timers; its calls run on blocking
/// threads of the runtime.
///
/// ```
/// use session_core::store::SessionStore as _;
/// use session_store_redb::{OpenError, RedbStore};
///
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("sessions.redb");
/// let store = RedbStore::open(&path)?;
/// assert_eq!(store.name(), "redb");
/// assert!(matches!(RedbStore::open(&path), Err(OpenError::InUse)));
/// # Ok::<(), OpenError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RedbStore {
    pub(crate) inner: TxStore<Engine>,
}

impl RedbStore {
    /// Opens a file with the defaults of [`RedbStoreBuilder`], and creates it with mode 0600 if it is missing.
    ///
    /// Blocks: after a crash the whole file is read once. Call it while the application starts.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::builder(path).open()
    }

    /// Begins with the defaults.
    pub fn builder(path: impl AsRef<Path>) -> RedbStoreBuilder {
        RedbStoreBuilder::new(path.as_ref())
    }
}

session_store_kv::delegate_session_store!(RedbStore, inner);

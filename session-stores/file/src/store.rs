//! The store's public type.

use std::path::Path;
use std::sync::{Arc, Mutex};

use session_core::{
    Timestamp,
    store::{Cursor, OwnerIndex, Page, Record, SessionHead, StoreError, StoreKey, async_trait},
};
use session_store_kv::CasStore;

use crate::builder::FileStoreBuilder;
use crate::engine::Files;
use crate::sweep::Circle;

/// Sessions in files under one directory.
///
/// A clone is another handle on the same store. Several stores, in one process or in many, may be open on one
/// directory of a local file system. It needs a Tokio runtime with timers.
///
/// ```
/// use session_core::{Timestamp, store::{Etag, Loaded, Record, SessionStore, StoreKey, Written}};
/// use session_store_file::FileStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_core::store::StoreError> {
/// # let dir = tempfile::tempdir().unwrap();
/// let store = FileStore::open(dir.path().join("sessions"))?;
///
/// let (key, now) = (StoreKey::from_bytes([7; 32]), Timestamp::from_millis(0));
/// let record = Record::new(Etag::new(1), now, Timestamp::from_millis(7_200_000), br#"{"v":1}"#.to_vec().into());
/// assert_eq!(store.create(&key, &record, now).await?, Written::Applied);
/// assert_eq!(store.load(&key).await?, Loaded::Found(record));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct FileStore {
    pub(crate) inner: CasStore<Files>,
    pub(crate) circle: Arc<Mutex<Circle>>,
}

impl FileStore {
    /// Opens a directory of sessions with the defaults, and creates it (mode 0700) if it is not there.
    ///
    /// It touches the disk, so call it while the application starts.
    ///
    /// # Errors
    /// `Refused` if the directory cannot be created or opened, belongs to another user, may be written by other users, or
    /// holds other things;
    /// `Newer` if a newer version of this library created it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::builder(path).open()
    }

    /// Starts with the defaults: 2 seconds, 64 KiB, [`Durability::Full`](crate::Durability::Full).
    pub fn builder(path: impl AsRef<Path>) -> FileStoreBuilder {
        FileStoreBuilder::new(path.as_ref())
    }

    pub(crate) fn files(&self) -> &Files {
        self.inner.engine()
    }
}

/// The mark in the index is made before the record and removed after it; every answer is checked against the records.
/// A kill leaves at worst a mark that leads to nothing and is never listed.
///
/// A page leaves out records that are damaged or of a newer version. `destroy_all` ends all that it can and then
/// reports a newer one as an error, since that session goes on.
#[async_trait]
impl OwnerIndex for FileStore {
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        self.inner.page(owner, from, most, now).await
    }

    async fn heads(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        self.inner.heads(owner, from, most, now).await
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        self.inner.destroy_all(owner, except, now, tombstone_until).await
    }
}

session_store_kv::delegate_session_store!(FileStore, inner, sweeper: |store| Some(store), census: |store| Some(store));

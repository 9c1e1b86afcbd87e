//! The store: each verb waits for its turn, does its work on a thread where blocking is allowed, and keeps its deadline.
//!
//! Work that has begun owns its locks and ends by itself, even if the caller has stopped waiting.

mod builder;
mod owners;
mod sweep;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use session_core::{
    Timestamp,
    store::{
        Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreKey, Sweep, Written, async_trait,
    },
};
use tokio::sync::Semaphore;

use crate::disk::Disk;
use crate::fault::{Fault, NAME};
use crate::locks::Locks;
use crate::sweep::Circle;
use crate::verbs;

pub use builder::FileStoreBuilder;

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
/// let record = Record {
///     etag: Etag::new(1),
///     created: now,
///     idle_deadline: Timestamp::from_millis(7_200_000),
///     absolute_deadline: None,
///     owner: None,
///     payload: br#"{"v":1}"#.to_vec().into(),
/// };
/// assert_eq!(store.create(&key, &record, now).await?, Written::Applied);
/// assert_eq!(store.load(&key).await?, Loaded::Found(record));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct FileStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    disk: Disk,
    locks: Locks,
    readers: Arc<Semaphore>,
    writers: Arc<Semaphore>,
    timeout: Duration,
    max_record: usize,
    circle: Mutex<Circle>,
}

impl FileStore {
    /// Opens a directory of sessions with the defaults, and makes it (mode 0700) if it is not there.
    ///
    /// It touches the disk, so call it while the application starts.
    ///
    /// # Errors
    /// `Refused` if the directory cannot be made or opened, may be written by other users, or holds other things;
    /// `Newer` if a newer version of this library made it.
    ///
    /// ```
    /// # use session_store_file::FileStore;
    /// # let dir = tempfile::tempdir().unwrap();
    /// let store = FileStore::open(dir.path().join("sessions")).unwrap();
    /// assert!(dir.path().join("sessions/FORMAT").exists());
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::builder(path).open()
    }

    /// Begins with the defaults: 2 seconds, 64 KiB, [`Durability::Full`](crate::Durability::Full).
    ///
    /// ```
    /// # use session_store_file::FileStore;
    /// # let dir = tempfile::tempdir().unwrap();
    /// let store = FileStore::builder(dir.path()).max_record(16 * 1024).open().unwrap();
    /// ```
    #[must_use]
    pub fn builder(path: impl AsRef<Path>) -> FileStoreBuilder {
        FileStoreBuilder::new(path.as_ref())
    }

    /// Does some work off the async threads, with these keys locked.
    async fn perform<T: Send + 'static>(
        &self,
        keys: &[StoreKey],
        work: impl FnOnce(&Disk) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.perform_and(keys, work, |_, _| Ok(())).await
    }

    /// The same, and something more once the locks are free, before the caller hears of it.
    async fn perform_and<T: Send + 'static>(
        &self,
        keys: &[StoreKey],
        work: impl FnOnce(&Disk) -> Result<T, Fault> + Send + 'static,
        then: impl FnOnce(&Disk, &T) -> Result<(), Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let deadline = Instant::now() + self.shared.timeout;
        let gate = if keys.is_empty() { &self.shared.readers } else { &self.shared.writers };
        let done = async {
            let turn = self.shared.locks.turn(keys).await;
            let permit = Arc::clone(gate).acquire_owned().await.expect("the semaphore is never closed");
            let shared = Arc::clone(&self.shared);
            let task = tokio::task::spawn_blocking(move || {
                // Everything moved in here is given back when the work is done, not when the caller stops waiting.
                let _permit = permit;
                if Instant::now() >= deadline {
                    return Err(Fault::Late);
                }
                let locked = turn.across_processes(&shared.disk, deadline)?;
                let done = work(&shared.disk);
                drop(locked);
                drop(turn);
                let done = done?;
                then(&shared.disk, &done)?;
                Ok(done)
            });
            task.await.map_err(|error| StoreError::unavailable(NAME, error))?.map_err(StoreError::from)
        };
        tokio::time::timeout(self.shared.timeout, done)
            .await
            .unwrap_or_else(|_| Err(StoreError::timeout(NAME)))
    }

    fn check(&self, record: &Record) -> Result<(), StoreError> {
        StoreError::check_size(NAME, record, self.shared.max_record)
    }
}

#[async_trait]
impl SessionStore for FileStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn max_record(&self) -> usize {
        self.shared.max_record
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        let key = *key;
        self.perform(&[], move |disk| verbs::load(disk, &key)).await
    }

    async fn create(&self, key: &StoreKey, record: &Record, _: Timestamp) -> Result<Written, StoreError> {
        self.check(record)?;
        let (key, record) = (*key, record.clone());
        self.perform(&[key], move |disk| verbs::create(disk, &key, &record)).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.check(record)?;
        let (key, record) = (*key, record.clone());
        // The next writer need not wait until the disk has this one's name: it builds on what it sees, and its own flush
        // comes after this one's. Nobody hears of either before its flush.
        self.perform_and(
            &[key],
            move |disk| verbs::replace(disk, &key, expected, &record, now),
            move |disk, written| if *written == Written::Applied { disk.settle(&key) } else { Ok(()) },
        )
        .await
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let key = *key;
        self.perform(&[key], move |disk| verbs::touch(disk, &key, idle_deadline, now)).await
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<(), StoreError> {
        let key = *key;
        self.perform(&[key], move |disk| verbs::destroy(disk, &key, tombstone_until)).await
    }

    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<Written, StoreError> {
        self.check(record)?;
        let (old, new, record) = (*old, *new, record.clone());
        self.perform(&[old, new], move |disk| {
            verbs::rotate(disk, &old, expected, &new, &record, now, tombstone_until)
        })
        .await
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        Some(self)
    }

    fn sweeper(&self) -> Option<&dyn Sweep> {
        Some(self)
    }
}

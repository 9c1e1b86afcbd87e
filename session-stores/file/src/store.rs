//! The store: each verb waits for its turn, does its work on a thread where blocking is allowed, and keeps its deadline.
//!
//! Work that has begun owns its locks and ends by itself, even if the caller has stopped waiting.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use session_core::{
    DEFAULT_MAX_RECORD, Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreKey, Sweep, Swept,
    Timestamp, Written, async_trait,
};
use tokio::sync::Semaphore;

use crate::disk::{Disk, Durability};
use crate::fault::{Fault, NAME};
use crate::locks::{self, Locks};
use crate::sweep::{self, Circle};
use crate::{owners, verbs};

/// Sessions in files under one directory.
///
/// A clone is another handle on the same store. Several stores, in one process or in many, may be open on one
/// directory of a local file system. It needs a Tokio runtime with timers.
///
/// ```
/// use session_core::{Etag, Loaded, Record, SessionStore, StoreKey, Timestamp, Written};
/// use session_store_file::FileStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_core::StoreError> {
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

/// What a [`FileStore`] is opened with.
#[derive(Debug, Clone)]
pub struct FileStoreBuilder {
    path: PathBuf,
    timeout: Duration,
    max_record: usize,
    durability: Durability,
    concurrency: usize,
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

    /// Begins with the defaults: 2 seconds, 64 KiB, [`Durability::Full`].
    ///
    /// ```
    /// # use session_store_file::FileStore;
    /// # let dir = tempfile::tempdir().unwrap();
    /// let store = FileStore::builder(dir.path()).max_record(16 * 1024).open().unwrap();
    /// ```
    #[must_use]
    pub fn builder(path: impl AsRef<Path>) -> FileStoreBuilder {
        FileStoreBuilder {
            path: path.as_ref().to_owned(),
            timeout: DEFAULT_TIMEOUT,
            max_record: DEFAULT_MAX_RECORD,
            durability: Durability::default(),
            concurrency: DEFAULT_CONCURRENCY,
        }
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

impl FileStoreBuilder {
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
    /// # use session_core::SessionStore;
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

/// The mark in the index is made before the record and removed after it; every answer is checked against the records.
/// A kill leaves at worst a mark that leads to nothing and is never listed.
///
/// `list` leaves out records that are damaged or of a newer version. `destroy_all` ends all that it can and then
/// reports a newer one as an error, since that session goes on.
#[async_trait]
impl OwnerIndex for FileStore {
    async fn list(&self, owner: &str, now: Timestamp) -> Result<Vec<(StoreKey, Record)>, StoreError> {
        let owner = owner.to_owned();
        self.perform(&[], move |disk| owners::list(disk, &owner, now)).await
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        let (store, owner, except) = (self.clone(), owner.to_owned(), except.copied());
        // A task of its own: "sign out everywhere" that has begun is not left half done by a client that disconnects.
        let task = tokio::spawn(async move { store.end_all(&owner, except, now, tombstone_until).await });
        match tokio::time::timeout(self.shared.timeout, task).await {
            Ok(ended) => ended.map_err(|error| StoreError::unavailable(NAME, error))?,
            Err(_) => Err(StoreError::timeout(NAME)),
        }
    }
}

impl FileStore {
    async fn end_all(
        &self,
        owner: &str,
        except: Option<StoreKey>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<usize, StoreError> {
        let name = owner.to_owned();
        let mut waiting = self.perform(&[], move |disk| owners::marked(disk, &name)).await?;
        let mut seen: std::collections::HashSet<StoreKey> = waiting.iter().copied().chain(except).collect();
        waiting.retain(|key| Some(*key) != except);
        let (mut ended, mut failure) = (0, None);
        while let Some(key) = waiting.pop() {
            let owner = owner.to_owned();
            match self.perform(&[key], move |disk| owners::end(disk, &owner, &key, now, until)).await {
                Ok(owners::Ended::Live) => ended += 1,
                Ok(owners::Ended::Moved(to)) if seen.insert(to) => waiting.push(to),
                Ok(_) => {}
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(ended), Err)
    }
}

/// One sweeper works at a time, among all processes: another one is told that nothing was removed and nothing waits.
/// A call goes on where the last one stopped, and stops when half of the store's timeout is over. It answers `more`
/// until it has been once through all directories, or for as long as its batches are full.
#[async_trait]
impl Sweep for FileStore {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        let only = self.perform(&[], |disk| locks::try_lock(disk, locks::SWEEPER)).await?;
        if only.is_none() || most == 0 {
            return Ok(Swept { removed: 0, more: false });
        }
        let stop = Instant::now() + self.shared.timeout / 2;
        let circle = |step: &dyn Fn(&mut Circle)| {
            let mut circle = self.shared.circle.lock().unwrap_or_else(PoisonError::into_inner);
            step(&mut circle);
            circle.fan()
        };
        let (mut removed, mut failure) = (0, None);
        while let Some(fan) = circle(&|_| {}) {
            let (gone, mut late) = self.sweep_fan(fan, before, most - removed, stop, &mut failure).await;
            removed += gone;
            if removed >= most {
                circle(&Circle::again);
                return Ok(Swept { removed, more: true });
            }
            // A directory is done, or so stuck that waiting on would keep all others.
            if !late || gone == 0 {
                circle(&Circle::advance);
            }
            late |= Instant::now() >= stop;
            if late && circle(&|_| {}).is_some() {
                return Ok(Swept { removed, more: true });
            }
        }
        circle(&Circle::again);
        match failure {
            Some(error) if removed == 0 => Err(error),
            _ => Ok(Swept { removed, more: false }),
        }
    }
}

impl FileStore {
    /// Sweeps one directory: how much was removed, and whether time ran out. One file that cannot be removed does not
    /// keep the others.
    async fn sweep_fan(
        &self,
        fan: u8,
        before: Timestamp,
        room: usize,
        stop: Instant,
        failure: &mut Option<StoreError>,
    ) -> (usize, bool) {
        let found = self.perform(&[], move |disk| {
            let mut found = sweep::suspects(disk, fan, before, room)?;
            found.extend(sweep::idle_marks(disk, fan)?);
            Ok(found)
        });
        let found = match found.await {
            Ok(found) => found,
            Err(error) => {
                *failure = Some(error);
                return (0, false);
            }
        };
        let mut removed = 0;
        for suspect in found {
            if Instant::now() >= stop {
                return (removed, true);
            }
            match self.perform(&suspect.keys(), move |disk| suspect.remove(disk, before)).await {
                Ok(gone) => removed += gone,
                Err(error) => *failure = Some(error),
            }
        }
        (removed, false)
    }
}

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const DEFAULT_CONCURRENCY: usize = 64;

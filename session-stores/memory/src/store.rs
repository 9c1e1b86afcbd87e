//! The store, its builder, and its implementations of the three store traits.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use session_core::{
    Timestamp,
    store::{
        Census, Cursor, DEFAULT_MAX_RECORD, Etag, Loaded, OwnerIndex, Page, Record, SessionHead,
        SessionStore, StoreError, StoreKey, Sweep, Swept, Written,
    },
};

use crate::entry::Entry;
use crate::inner::{Inner, Left};
use crate::machine::default_max_bytes;
use crate::stats::Stats;

/// Sessions in the memory of the process. A clone is a handle to the same sessions.
///
/// ```
/// use session_core::{Timestamp, machine::SessionId, store::{Etag, Loaded, Record, SessionStore, Written}};
/// use session_store_memory::MemoryStore;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), session_core::store::StoreError> {
/// let store = MemoryStore::new();
/// let now = Timestamp::from_millis(0);
/// let key = SessionId::from_bytes([7; 32]).store_key();
/// let record = Record::new(Etag::new(1), now, Timestamp::from_millis(7_200_000), b"{}".to_vec().into());
/// assert_eq!(store.create(&key, &record, now).await?, Written::Applied);
/// assert_eq!(store.load(&key).await?, Loaded::Found(record));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    inner: Arc<Inner>,
    max_record: usize,
}

impl MemoryStore {
    /// Creates a store for at most a million sessions, and at most 1 GiB or a quarter of the machine's memory, whichever
    /// is less.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder, to change the defaults of [`new`](Self::new).
    ///
    /// ```
    /// use session_store_memory::MemoryStore;
    ///
    /// let store = MemoryStore::builder().max_sessions(50_000).max_bytes(64 << 20).build();
    /// # let _ = store;
    /// ```
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder {
            max_sessions: DEFAULT_MAX_SESSIONS,
            max_bytes: default_max_bytes(),
            max_record: DEFAULT_MAX_RECORD,
            shards: None,
        }
    }

    /// Returns the statistics of the store. Cheap: reads a few counters without locking.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.counters.stats()
    }

    /// Returns the limit of [`max_bytes`](MemoryStoreBuilder::max_bytes).
    #[must_use]
    pub fn max_bytes(&self) -> usize {
        self.inner.max_bytes()
    }

    fn check(&self, record: &Record) -> Result<(), StoreError> {
        StoreError::check_size(NAME, record, self.max_record)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows the statistics, but no sessions.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// The settings of a [`MemoryStore`], created by [`MemoryStore::builder`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct MemoryStoreBuilder {
    max_sessions: usize,
    max_bytes: usize,
    max_record: usize,
    shards: Option<usize>,
}

impl MemoryStoreBuilder {
    /// Sets the maximum number of records and tombstones. The default is 1,000,000, the minimum 1. A further entry
    /// evicts another one.
    pub fn max_sessions(mut self, most: usize) -> Self {
        self.max_sessions = most.max(1);
        self
    }

    /// Sets the maximum memory use of records and tombstones, in bytes. The default is 1 GiB or a quarter of the
    /// memory of the machine or of the container, whichever is less; 1 GiB on systems other than Linux. `usize::MAX` is
    /// no limit. One session is always kept, whatever its size.
    pub fn max_bytes(mut self, most: usize) -> Self {
        self.max_bytes = most;
        self
    }

    /// Sets the maximum size of a record, in bytes of payload and owner. The default is 64 KiB.
    pub fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes.min(u32::MAX as usize);
        self
    }

    /// Sets the number of shards, each with its own lock. The default is 128, or fewer for a store of a few thousand
    /// sessions. The minimum is 1.
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = Some(shards.max(1));
        self
    }

    /// Builds the store.
    #[must_use]
    pub fn build(self) -> MemoryStore {
        let shards = self.shards.unwrap_or_else(|| (self.max_sessions / 64).clamp(1, DEFAULT_SHARDS));
        MemoryStore {
            inner: Arc::new(Inner::new(shards, self.max_sessions, self.max_bytes)),
            max_record: self.max_record,
        }
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn max_record(&self) -> usize {
        self.max_record
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        Ok(self.inner.load(key))
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        self.check(record)?;
        Ok(self.inner.create(key, record, now))
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.check(record)?;
        Ok(self.inner.replace(key, expected, record, now))
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        Ok(self.inner.touch(key, idle_deadline, now))
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<Written, StoreError> {
        Ok(self.inner.destroy(key, tombstone_until))
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
        Ok(self.inner.rotate(old, expected, new, record, now, tombstone_until))
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        Some(self)
    }

    fn sweeper(&self) -> Option<&dyn Sweep> {
        Some(self)
    }

    fn census(&self) -> Option<&dyn Census> {
        Some(self)
    }
}

/// A page is one shard or several, each as it was at one moment; a session never changes its shard.
#[async_trait]
impl Census for MemoryStore {
    async fn survey(
        &self,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let mut shard = from.and_then(|from| from.as_str().parse().ok()).unwrap_or(0);
        let mut heads = Vec::new();
        while shard < self.inner.shard_count() && heads.len() < most.max(1) {
            heads.extend(self.inner.heads_in(shard, now));
            shard += 1;
            step_aside().await;
        }
        let next = (shard < self.inner.shard_count()).then(|| Cursor::new(shard.to_string()));
        Ok(Page::new(heads, next))
    }
}

#[async_trait]
impl OwnerIndex for MemoryStore {
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        let read = |key, entry: &Entry| Some((key, entry.to_record()?));
        let (entries, last) = self.inner.page(owner, from.and_then(Cursor::key).as_ref(), most, now, read);
        Ok(Page::new(entries, last.as_ref().map(Cursor::after)))
    }

    async fn heads(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        // A record shares the stored payload, so nothing is copied.
        let read = |key, entry: &Entry| Some(SessionHead::of(key, &entry.to_record()?));
        let (entries, last) = self.inner.page(owner, from.and_then(Cursor::key).as_ref(), most, now, read);
        Ok(Page::new(entries, last.as_ref().map(Cursor::after)))
    }

    async fn count(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        let mut owned = self.inner.owned_by(owner);
        let mut live = 0;
        while !owned.is_done() {
            live += self.inner.count_next(&mut owned, owner, now);
            if owned.yields() {
                step_aside().await;
            }
        }
        Ok(live)
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut owned = self.inner.owned_by(owner);
        let mut ended = 0;
        while !owned.is_done() {
            ended += self.inner.end_next(&mut owned, owner, except, now, tombstone_until);
            if owned.yields() {
                step_aside().await;
            }
        }
        Ok(ended + self.inner.end_rest(owner, except, now, tombstone_until))
    }
}

/// A sweep checks every entry once, a few hundred per lock, and yields to other tasks in between.
#[async_trait]
impl Sweep for MemoryStore {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        let mut removed = 0;
        for shard in 0..self.inner.shard_count() {
            let mut left = Left::all();
            while !left.is_none() {
                if removed == most {
                    return Ok(Swept { removed, more: true });
                }
                removed += self.inner.sweep_shard(shard, &mut left, before, most - removed);
                step_aside().await;
            }
        }
        Ok(Swept { removed, more: removed == most })
    }
}

/// Yields to the executor once, independent of the runtime.
async fn step_aside() {
    let mut asked = false;
    poll_fn(|context| {
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

const NAME: &str = "memory";
const DEFAULT_MAX_SESSIONS: usize = 1_000_000;
const DEFAULT_SHARDS: usize = 128;

//! The store over an engine with transactions: each verb is one transaction on a blocking thread.

use std::sync::Arc;

use async_trait::async_trait;
use session_core::{
    Timestamp,
    store::{Census, Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreKey, Sweep, Written},
};

use super::{Ending, TxEngine, TxRead, TxWrite, tables};
use crate::blocking::Blocking;
use crate::codec::{Entry, Successor, Unreadable};
use crate::settings::Limits;

/// A session store over a [`TxEngine`], with an index by owner and a sweeper.
///
/// A clone is another handle on the same store. It needs a Tokio runtime with timers.
///
/// # Cancel safety
///
/// A call that is dropped, or ends at the deadline, has taken effect entirely or not at all. A transaction that has
/// begun goes on in the background.
#[derive(Debug)]
pub struct TxStore<E: TxEngine> {
    engine: Arc<E>,
    readers: Blocking,
    writers: Blocking,
    max_record: usize,
}

impl<E: TxEngine> TxStore<E> {
    /// Creates a store with a timeout of 2 seconds, a limit of 64 KiB for a record, and at most 64 reads and 64 writes
    /// at the engine at once.
    #[must_use]
    pub fn new(engine: E) -> Self {
        let Limits { timeout, max_record } = Limits::default();
        let threads = || Blocking::new(engine.name(), DEFAULT_THREADS, timeout);
        Self { readers: threads(), writers: threads(), max_record, engine: Arc::new(engine) }
    }

    /// Sets how long a verb may take, the wait for a thread included, and how large a record may be.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.readers = self.readers.with_timeout(limits.timeout);
        self.writers = self.writers.with_timeout(limits.timeout);
        self.max_record = limits.max_record;
        self
    }

    /// Sets how many reads and how many writes may be at the engine at once. Each takes a blocking thread of the
    /// runtime. An engine that has one writer at a time is best given few.
    #[must_use]
    pub fn threads(mut self, readers: usize, writers: usize) -> Self {
        let threads = |most| Blocking::new(self.engine.name(), most, self.readers.timeout());
        (self.readers, self.writers) = (threads(readers), threads(writers));
        self
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &E {
        &self.engine
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&dyn TxRead) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let engine = Arc::clone(&self.engine);
        self.readers.run(move |_| engine.read(work)).await
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn TxWrite) -> Result<Ending<T>, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let engine = Arc::clone(&self.engine);
        self.writers.run(move |_| engine.write(work)).await
    }

    fn check(&self, record: &Record) -> Result<(), StoreError> {
        StoreError::check_size(self.engine.name(), record, self.max_record)
    }
}

impl<E: TxEngine> Clone for TxStore<E> {
    fn clone(&self) -> Self {
        Self {
            engine: Arc::clone(&self.engine),
            readers: self.readers.clone(),
            writers: self.writers.clone(),
            max_record: self.max_record,
        }
    }
}

#[async_trait]
impl<E: TxEngine> SessionStore for TxStore<E> {
    fn name(&self) -> &'static str {
        self.engine.name()
    }

    fn max_record(&self) -> usize {
        self.max_record
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        let (name, key) = (self.name(), *key);
        self.read(move |tx| {
            let entry = readable(name, tables::get(tx, &key)?)?;
            Ok(entry.map_or(Loaded::Missing, Entry::into_loaded))
        })
        .await
    }

    async fn create(&self, key: &StoreKey, record: &Record, _now: Timestamp) -> Result<Written, StoreError> {
        self.check(record)?;
        let (key, record) = (*key, record.clone());
        self.write(move |tx| match tables::get(tx, &key)? {
            None => {
                tables::put(tx, &key, None, &Entry::Record(record.clone()))?;
                Ok(Ending::Commit(Written::Applied))
            }
            Some(Ok(Entry::Record(there))) if there.etag == record.etag => {
                Ok(Ending::Abandon(Written::Applied))
            }
            Some(_) => Ok(Ending::Abandon(Written::Taken)),
        })
        .await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.check(record)?;
        let (name, key, record) = (self.name(), *key, record.clone());
        self.write(move |tx| {
            let there = match live(name, tx, &key, now)? {
                Some(there) if there.etag == expected => there,
                Some(there) if there.etag == record.etag => return Ok(Ending::Abandon(Written::Applied)),
                Some(there) => return Ok(Ending::Abandon(Written::Conflict(there))),
                None => {
                    let moved = tables::follow(tx, &key, Some(now))?;
                    return Ok(Ending::Abandon(moved.unwrap_or(Written::Gone)));
                }
            };
            tables::put(tx, &key, Some(&Entry::Record(there)), &Entry::Record(record.clone()))?;
            Ok(Ending::Commit(Written::Applied))
        })
        .await
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let (name, key) = (self.name(), *key);
        self.write(move |tx| {
            let Some(there) = live(name, tx, &key, now)? else { return Ok(Ending::Abandon(Written::Gone)) };
            if there.idle_deadline >= idle_deadline {
                return Ok(Ending::Abandon(Written::Applied));
            }
            let mut moved = there.clone();
            moved.idle_deadline = idle_deadline;
            tables::put(tx, &key, Some(&Entry::Record(there)), &Entry::Record(moved))?;
            Ok(Ending::Commit(Written::Applied))
        })
        .await
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<Written, StoreError> {
        let (name, key) = (self.name(), *key);
        self.write(move |tx| {
            let there = match tables::get(tx, &key)? {
                None | Some(Ok(Entry::Tombstone { .. })) => {
                    let moved = tables::follow(tx, &key, None)?;
                    return Ok(Ending::Abandon(moved.unwrap_or(Written::Applied)));
                }
                Some(Ok(there)) => Some(there),
                // What is damaged can still be ended.
                Some(Err(Unreadable::Damaged)) => None,
                Some(Err(Unreadable::Newer)) => return Err(Unreadable::Newer.in_store(name)),
            };
            let tombstone = Entry::Tombstone { until: tombstone_until, successor: None };
            tables::put(tx, &key, there.as_ref(), &tombstone)?;
            Ok(Ending::Commit(Written::Applied))
        })
        .await
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
        let (name, old, new, record) = (self.name(), *old, *new, record.clone());
        self.write(move |tx| {
            let there = match readable(name, tables::get(tx, &old)?)? {
                Some(Entry::Record(there)) if there.is_live(now) => there,
                Some(Entry::Tombstone { .. }) => {
                    let moved = tables::get(tx, &new)?;
                    let is_done =
                        matches!(moved, Some(Ok(Entry::Record(there))) if there.etag == record.etag);
                    if is_done {
                        return Ok(Ending::Abandon(Written::Applied));
                    }
                    let moved = tables::follow(tx, &old, Some(now))?;
                    return Ok(Ending::Abandon(moved.unwrap_or(Written::Gone)));
                }
                _ => return Ok(Ending::Abandon(Written::Gone)),
            };
            if there.etag != expected {
                return Ok(Ending::Abandon(Written::Conflict(there)));
            }
            if tables::get(tx, &new)?.is_some() {
                return Ok(Ending::Abandon(Written::Taken));
            }
            let successor = Some(Successor { key: new, etag: record.etag });
            let tombstone = Entry::Tombstone { until: tombstone_until, successor };
            tables::put(tx, &new, None, &Entry::Record(record.clone()))?;
            tables::put(tx, &old, Some(&Entry::Record(there)), &tombstone)?;
            Ok(Ending::Commit(Written::Applied))
        })
        .await
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

/// The record under a key, if it may be written to.
fn live(
    name: &'static str,
    tx: &mut dyn TxWrite,
    key: &StoreKey,
    now: Timestamp,
) -> Result<Option<Record>, StoreError> {
    Ok(match readable(name, tables::get(tx, key)?)? {
        Some(Entry::Record(record)) if record.is_live(now) => Some(record),
        _ => None,
    })
}

fn readable(name: &'static str, found: Option<tables::Found>) -> Result<Option<Entry>, StoreError> {
    found.transpose().map_err(|unreadable| unreadable.in_store(name))
}

const DEFAULT_THREADS: usize = 64;

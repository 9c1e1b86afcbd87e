//! The store over an engine with compare-and-swap: reads, decides, writes on the condition that nothing has changed.

mod owners;
mod protocol;
mod rotate;
mod set;
mod sweep;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use session_core::{
    Timestamp,
    store::{
        Cursor, Etag, Loaded, OwnerIndex, Page, Record, SessionHead, SessionStore, StoreError, StoreKey,
        Sweep, Swept, Written,
    },
};

use crate::blocking::{self, LONGEST_TIMEOUT};
use crate::engine::{CasEngine, Owners};
use crate::settings::Limits;
use protocol::Protocol;

/// A session store over a [`CasEngine`].
///
/// A clone is another handle on the same store. It needs a Tokio runtime with timers.
///
/// # Cost
///
/// In primitives, without concurrent writes of the same session: `load` 1, `create` 1, `replace`, `touch` and `destroy`
/// 2, `rotate` 4. A `replace`, `rotate` or `destroy` that finds the session rotated reads one more entry for each
/// rotation since. With an index by owner, `create`, `destroy` and a change of owner add one, and `rotate` adds two; a
/// session that is used over several days is written into the index once a day.
///
/// # Cancel safety
///
/// A call that is dropped, or ends at the deadline, has taken effect entirely or not at all, whatever primitive it was
/// at. [`OwnerIndex::destroy_all`] goes on in the background.
#[derive(Debug)]
pub struct CasStore<E: CasEngine> {
    protocol: Arc<Protocol<E>>,
    limits: Limits,
}

impl<E: CasEngine> CasStore<E> {
    /// Creates a store with a timeout of 2 seconds and a limit of 64 KiB for a record.
    #[must_use]
    pub fn new(engine: E) -> Self {
        let protocol = Arc::new(Protocol { engine });
        Self { protocol, limits: Limits::default() }
    }

    /// Sets how long a verb may take, all its primitives together, and how large a record may be.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Limits { timeout: limits.timeout.min(LONGEST_TIMEOUT), ..limits };
        self
    }

    /// Sets how long a verb may take, all its primitives together.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        let limits = Limits { timeout, ..self.limits };
        self.limits(limits)
    }

    /// Sets the largest record kept, in bytes of payload and owner.
    #[must_use]
    pub fn max_record(self, bytes: usize) -> Self {
        let limits = Limits { max_record: bytes, ..self.limits };
        self.limits(limits)
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &E {
        &self.protocol.engine
    }

    /// Removes one entry if it was dead at `before`, and returns whether it was there to be removed. For a store that
    /// finds what is due in its own way and implements [`Sweep`] itself.
    pub async fn sweep_key(&self, key: &StoreKey, before: Timestamp) -> Result<bool, StoreError> {
        self.in_time(self.protocol.sweep_one(&key.to_string(), before)).await
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let name = self.protocol.engine.name();
        let Limits { timeout, .. } = self.limits;
        let work = blocking::until(Instant::now() + timeout, work);
        tokio::time::timeout(timeout, work).await.unwrap_or_else(|_| Err(StoreError::timeout(name)))
    }

    fn check(&self, record: &Record) -> Result<(), StoreError> {
        StoreError::check_size(self.protocol.engine.name(), record, self.limits.max_record)
    }
}

impl<E: CasEngine> Clone for CasStore<E> {
    fn clone(&self) -> Self {
        Self { protocol: Arc::clone(&self.protocol), ..*self }
    }
}

#[async_trait]
impl<E: CasEngine> SessionStore for CasStore<E> {
    fn name(&self) -> &'static str {
        self.protocol.engine.name()
    }

    fn max_record(&self) -> usize {
        self.limits.max_record
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        self.in_time(self.protocol.load(key)).await
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        self.check(record)?;
        self.in_time(self.protocol.create(key, record, now)).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.check(record)?;
        self.in_time(self.protocol.replace(key, expected, record, now)).await
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.in_time(self.protocol.touch(key, idle_deadline, now)).await
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<Written, StoreError> {
        self.in_time(self.protocol.destroy(key, tombstone_until)).await
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
        self.in_time(self.protocol.rotate((old, expected), (new, record), now, tombstone_until)).await
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        match self.protocol.engine.owners() {
            Owners::Nowhere => None,
            Owners::Set(_) | Owners::Primitives => Some(self),
        }
    }

    fn sweeper(&self) -> Option<&dyn Sweep> {
        self.protocol.engine.due().map(|_| self as &dyn Sweep)
    }
}

/// A session is written into the index before its record is stored and removed from it after the record is gone, and
/// every answer is checked against the records. A call that is cut short leaves at worst a member that leads to nothing.
#[async_trait]
impl<E: CasEngine> OwnerIndex for CasStore<E> {
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        self.in_time(self.protocol.page(owner, from.and_then(Cursor::key), most, now)).await
    }

    async fn heads(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        self.in_time(self.protocol.heads(owner, from.and_then(Cursor::key), most, now)).await
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        let (protocol, owner, except) = (Arc::clone(&self.protocol), owner.to_owned(), except.copied());
        let name = protocol.engine.name();
        // A task of its own, so that a client which disconnects does not leave some of its sessions signed in.
        let task =
            tokio::spawn(
                async move { protocol.destroy_all(&owner, except.as_ref(), now, tombstone_until).await },
            );
        self.in_time(async { task.await.map_err(|error| StoreError::unavailable(name, error))? }).await
    }
}

/// Removes what the engine reports as due, each entry on the condition that it has not changed since it was looked at.
#[async_trait]
impl<E: CasEngine> Sweep for CasStore<E> {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        self.protocol.sweep(before, most, self.limits.timeout).await
    }
}

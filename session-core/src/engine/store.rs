//! The door for stores: six verbs with their preconditions spelled out, two capabilities, one error.
//!
//! The contract is stated on the methods of [`SessionStore`]; `session-conformance` tests it for every store. Time is
//! an argument: a store reads its own clock only to bound how long a call may take.

use std::collections::HashSet;
use std::fmt;

use async_trait::async_trait;

pub(crate) use crate::value::answer::{DEFAULT_MAX_RECORD, Loaded, StoreError, Written};
use crate::value::head::{Cursor, Page, SessionHead};
use crate::value::id::{Etag, StoreKey};
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// A store of sessions.
///
/// Every verb takes effect entirely or not at all, is one round trip (but see below), and ends within the store's own deadline
/// (2 seconds unless configured) with [`StoreErrorKind::Timeout`](crate::store::StoreErrorKind::Timeout) if it must. Nothing but [`create`](Self::create) and
/// [`rotate`](Self::rotate) brings a key into being: there is no "save", because a save that inserts revives the dead.
///
/// *Live* below means: there, not a tombstone, and `record.is_live(now)`.
///
/// # A session that was rotated
///
/// The tombstone of a rotation keeps the new key, its *successor*. [`replace`](Self::replace),
/// [`rotate`](Self::rotate) and [`destroy`](Self::destroy) of a key with such a tombstone answer
/// [`Written::Moved`] with the record under the successor; if that is a tombstone of a rotation as well, they follow it
/// in turn. They answer as for any other tombstone once the session has ended, once a tombstone on the way was removed,
/// and, except for `destroy`, once the record has expired. A store only reports where the session went: it never writes
/// there, and [`load`](Self::load) and [`touch`](Self::touch) never follow. On this path alone, a store whose server
/// cannot follow by itself takes a second round trip, and one more for each further rotation.
///
/// ```
/// use session_core::{Timestamp, store::{async_trait, Etag, Loaded, Record, SessionStore, StoreError, StoreKey, Written}};
///
/// /// A store that is always empty: it keeps nothing and says so.
/// #[derive(Debug)]
/// struct Nowhere;
///
/// #[async_trait]
/// impl SessionStore for Nowhere {
///     fn name(&self) -> &'static str {
///         "nowhere"
///     }
///     async fn load(&self, _: &StoreKey) -> Result<Loaded, StoreError> {
///         Ok(Loaded::Missing)
///     }
///     async fn create(&self, _: &StoreKey, _: &Record, _: Timestamp) -> Result<Written, StoreError> {
///         Err(StoreError::unavailable("nowhere", std::io::Error::other("nothing can be kept here")))
///     }
///     async fn replace(&self, _: &StoreKey, _: Etag, _: &Record, _: Timestamp) -> Result<Written, StoreError> {
///         Ok(Written::Gone)
///     }
///     async fn touch(&self, _: &StoreKey, _: Timestamp, _: Timestamp) -> Result<Written, StoreError> {
///         Ok(Written::Gone)
///     }
///     async fn destroy(&self, _: &StoreKey, _: Timestamp) -> Result<Written, StoreError> {
///         Ok(Written::Applied)
///     }
///     async fn rotate(
///         &self, _: &StoreKey, _: Etag, _: &StoreKey, _: &Record, _: Timestamp, _: Timestamp,
///     ) -> Result<Written, StoreError> {
///         Ok(Written::Gone)
///     }
/// }
/// ```
#[async_trait]
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// The store's name in errors and events: `"redis"`.
    fn name(&self) -> &'static str;

    /// The largest [`Record::size`] this store keeps, in bytes. The six verbs answer a larger one with
    /// [`StoreError::check_size`] before any call.
    fn max_record(&self) -> usize {
        DEFAULT_MAX_RECORD
    }

    /// Reads the entry under the key: nothing, a tombstone or the record. The caller judges expiry: an expired record
    /// may be returned or be missing.
    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError>;

    /// Stores the record unless the key is taken, by anything at all: `Applied` or `Taken`. Asked again with the etag
    /// that is already there, it answers `Applied` (a retry after a lost answer).
    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError>;

    /// Stores the record over a live one whose etag is `expected`: `Applied`. Over a live one with another etag:
    /// `Conflict` with the record that is there now, or `Applied` if its etag is already `record.etag` (a retry). Over
    /// the tombstone of a rotation: `Moved` with the live record under the successor. Otherwise `Gone`: missing, expired
    /// and ended are one answer.
    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError>;

    /// Moves the idle deadline of a live record later: `Applied`, also when it is that late already. Otherwise `Gone`.
    /// It carries no data, never creates, never shortens and leaves the etag alone.
    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError>;

    /// Ends the session, whether or not it exists. A record is replaced by a tombstone without data until
    /// `tombstone_until`; if there was nothing, nothing is created; an existing tombstone is kept: `Applied` in each
    /// case, except that the tombstone of a rotation answers `Moved` with the record under the successor, live or
    /// expired.
    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<Written, StoreError>;

    /// In one atomic step: `replace`'s conditions against `old`; then the record stands under `new` and a tombstone
    /// until `tombstone_until` under `old`. `Taken` (and nothing changed) if something stands under `new`; asked again
    /// after a lost answer (`old` a tombstone, `new` holding `record.etag`) it answers `Applied`. The tombstone names
    /// `new` as its successor.
    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<Written, StoreError>;

    /// Returns the index of sessions by owner, if this store keeps one.
    fn owners(&self) -> Option<&dyn OwnerIndex> {
        None
    }

    /// Returns the sweeper, if this store does not expire records by itself.
    fn sweeper(&self) -> Option<&dyn Sweep> {
        None
    }

    /// Returns the census, if this store can go through all its sessions.
    fn census(&self) -> Option<&dyn Census> {
        None
    }
}

/// A capability of a store: find sessions by the user they belong to ([`Record::owner`]).
///
/// The index is written by the six verbs themselves, in the same atomic step where the store can; a store that cannot
/// says in its documentation what holds instead. A session created while [`destroy_all`](Self::destroy_all) runs is
/// either ended by it or listed afterwards, never missed.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use session_core::{Timestamp, store::{OwnerIndex, SessionStore}};
///
/// let store = session_store_memory::MemoryStore::new();
/// let index: &dyn OwnerIndex = store.owners().expect("this store keeps an index");
/// assert_eq!(index.count("ada", Timestamp::from_millis(0)).await?, 0);
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait OwnerIndex: Send + Sync {
    /// Returns a page of the live sessions of this owner with their records, in the store's own order: at most `most` of
    /// them (at least one), from the beginning or from the cursor of the page before.
    ///
    /// No call reads, or holds the server for, more than a page. Every session that lives from the first page to the
    /// last is on one of them, at least once; one that is created or rotated meanwhile may be missing.
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError>;

    /// Like [`page`](Self::page), without reading the sessions' data. A record whose data is damaged may be among them.
    async fn heads(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let page = self.page(owner, from, most, now).await?;
        Ok(page.map(|(key, record)| SessionHead::of(key, &record)))
    }

    /// Returns all live sessions of this owner with their records, page by page and each once. For tools and tests: a
    /// user may have many.
    async fn list(&self, owner: &str, now: Timestamp) -> Result<Vec<(StoreKey, Record)>, StoreError> {
        let (mut listed, mut seen, mut from) = (Vec::new(), HashSet::new(), None);
        loop {
            let page = self.page(owner, from.as_ref(), PAGE, now).await?;
            listed.extend(page.entries.into_iter().filter(|(key, _)| seen.insert(*key)));
            from = page.next;
            if from.is_none() {
                return Ok(listed);
            }
        }
    }

    /// Returns the number of live sessions of this owner.
    async fn count(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        let (mut seen, mut from) = (HashSet::new(), None);
        loop {
            let page = self.heads(owner, from.as_ref(), PAGE, now).await?;
            seen.extend(page.entries.into_iter().map(|head| head.key));
            from = page.next;
            if from.is_none() {
                return Ok(seen.len());
            }
        }
    }

    /// Destroys all sessions of this owner except the one under `except`, and returns the number of live sessions it
    /// ended. Each leaves a tombstone until `tombstone_until`, as with [`SessionStore::destroy`].
    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError>;
}

/// A capability of a store: go through all its sessions, whoever they belong to. For tools, not for requests.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use session_core::{adapter::{Clock as _, SystemClock}, store::{Census, SessionStore}};
///
/// let store = session_store_memory::MemoryStore::new();
/// let census: &dyn Census = store.census().expect("this store can be gone through");
/// let (mut sessions, mut from) = (0, None);
/// loop {
///     let page = census.survey(from.as_ref(), 250, SystemClock.now()).await?;
///     sessions += page.entries.len();
///     from = page.next;
///     if from.is_none() { break }
/// }
/// assert_eq!(sessions, 0);
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Census: Send + Sync {
    /// Returns a page of the heads of all live sessions, in the store's own order: about `most` of them, from the
    /// beginning or from the cursor of the page before.
    ///
    /// Every session that lives from the first page to the last is on one of them, at least once; one that is created or
    /// rotated meanwhile may be missing. A record that cannot be read is left out.
    async fn survey(
        &self,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError>;
}

/// A capability of a store without native expiry: removing expired entries in bounded batches.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use session_core::{adapter::{Clock as _, SystemClock}, store::{SessionStore, Sweep}};
///
/// let store = session_store_memory::MemoryStore::new();
/// let sweeper: &dyn Sweep = store.sweeper().expect("this store must be swept");
/// // In batches, until there is no more.
/// while sweeper.sweep(SystemClock.now(), 1_000).await?.more {}
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Sweep: Send + Sync {
    /// Removes up to `most` records and tombstones that had expired at `before`, each only if it is still expired when
    /// it is removed. It is never called inside a request.
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError>;
}

/// The result of one batch of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// The number of removed records and tombstones.
    pub removed: usize,
    /// Whether the batch was full, so that there may be more to remove.
    pub more: bool,
}

/// How many sessions of a user are read at once: few enough that no server is held for long.
pub(crate) const PAGE: usize = 250;

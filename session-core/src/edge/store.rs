//! The door for stores: six verbs with their preconditions spelled out, two capabilities, one error.
//!
//! The six sentences on [`SessionStore`] are law; `session-testkit` proves them for every store. Time is always the
//! caller's: a store reads no clock of its own except to bound how long a call may take.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::value::id::{Etag, StoreKey};
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// A place where sessions are kept.
///
/// Every verb takes effect entirely or not at all, is one round trip, and ends within the store's own deadline
/// (2 seconds unless configured) with [`StoreErrorKind::Timeout`] if it must. Nothing but [`create`](Self::create) and
/// [`rotate`](Self::rotate) brings a key into being: there is no "save", because a save that inserts revives the dead.
///
/// *Live* below means: there, not a tombstone, and `record.is_live(now)`.
///
/// ```
/// use session_core::{Etag, Loaded, Record, SessionStore, StoreError, StoreKey, Timestamp, Written, async_trait};
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
///     async fn destroy(&self, _: &StoreKey, _: Timestamp) -> Result<(), StoreError> {
///         Ok(())
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
    /// [`StoreError::too_large`] before any call.
    fn max_record(&self) -> usize {
        DEFAULT_MAX_RECORD
    }

    /// Reads what is under the key: nothing, a tombstone or the record. Expiry is judged by the caller: an expired
    /// record may be given back or be missing.
    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError>;

    /// Stores the record unless the key is taken, by anything at all: `Applied` or `Taken`. Asked again with the etag that is already
    /// there, it answers `Applied` (a retry after a lost answer).
    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError>;

    /// Stores the record over a live one whose etag is `expected`: `Applied`. Over a live one with another etag:
    /// `Conflict` with the record that is there now, or `Applied` if its etag is already `record.etag` (a retry).
    /// Otherwise `Gone`: missing, expired and tombstone are one answer.
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

    /// Makes the session gone, whether or not it was there. Where a record stood, a tombstone without data stays until
    /// `tombstone_until`; where nothing stood, nothing appears; an earlier tombstone stays as it is.
    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<(), StoreError>;

    /// In one atomic step: `replace`'s conditions against `old`; then the record stands under `new` and a tombstone
    /// until `tombstone_until` under `old`. `Taken` (and nothing changed) if something stands under `new`; asked again after a lost answer
    /// (`old` a tombstone, `new` holding `record.etag`) it answers `Applied`.
    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<Written, StoreError>;

    /// The index of sessions by owner, where this store keeps one.
    fn owners(&self) -> Option<&dyn OwnerIndex> {
        None
    }

    /// The sweeper, where this store does not expire records natively.
    fn sweeper(&self) -> Option<&dyn Sweep> {
        None
    }
}

/// A capability of a store: find sessions by the user they belong to ([`Record::owner`]).
///
/// The index is written by the six verbs themselves, in the same atomic step where the store can; a store that cannot
/// says in its documentation what holds instead. A session created while [`destroy_all`](Self::destroy_all) runs is
/// either ended by it or listed afterwards, never missed.
#[async_trait]
pub trait OwnerIndex: Send + Sync {
    /// The live sessions of this owner, in no particular order. Dead ones are never listed.
    async fn list(&self, owner: &str, now: Timestamp) -> Result<Vec<(StoreKey, Record)>, StoreError>;

    /// How many live sessions this owner has.
    async fn count(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        Ok(self.list(owner, now).await?.len())
    }

    /// Destroys every session of this owner but the one under `except`, and says how many live ones it ended. Each
    /// leaves a tombstone until `tombstone_until`, as [`SessionStore::destroy`] does.
    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError>;
}

/// A capability of a store without native expiry: remove what is dead, a bounded batch at a time.
#[async_trait]
pub trait Sweep: Send + Sync {
    /// Removes up to `most` records and tombstones that were dead at `before`, each only if it is still dead when it is
    /// removed. It never runs inside a request.
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError>;
}

/// What one batch of a sweep did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// Records and tombstones removed.
    pub removed: usize,
    /// Whether the batch was full, so that another one is worth its call.
    pub more: bool,
}

/// What a store found under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the answers there are")]
pub enum Loaded {
    /// Nothing is there.
    Missing,
    /// The session was destroyed or rotated away; a tombstone stands there until then.
    Retired {
        /// When the tombstone may be forgotten.
        until: Timestamp,
    },
    /// The record, live or expired.
    Found(Record),
}

/// What came of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the answers there are")]
pub enum Written {
    /// It is stored, durably as far as this store goes.
    Applied,
    /// Somebody else wrote first: this record stands there now, and nothing was changed.
    Conflict(Record),
    /// There is nothing alive to write to, and nothing was changed.
    Gone,
    /// The new key is in use, and nothing was changed.
    Taken,
}

/// A store could not do what it was asked. This is never "there is no session".
///
/// Its `Display` names the store and the kind, in one line and without any secret; the driver's own error is the
/// `source()`.
///
/// ```
/// use session_core::{StoreError, StoreErrorKind};
/// use std::error::Error as _;
///
/// let error = StoreError::unavailable("redis", std::io::Error::other("connection refused"));
/// assert_eq!(error.to_string(), "the redis session store cannot be reached");
/// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
/// assert_eq!(error.source().unwrap().to_string(), "connection refused");
/// ```
#[derive(Clone, Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    store: &'static str,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What kind of failure a [`StoreError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It cannot be reached, or broke the connection. The write may or may not have happened.
    Unavailable,
    /// It did not answer within the deadline. The write may or may not have happened.
    Timeout,
    /// It answered that it will not do this: permissions, a missing table, a full disk, a read-only replica.
    Refused,
    /// What is stored under the key cannot be read. The library counts it and treats the session as unknown.
    Corrupt,
    /// What is stored was written by a newer version of this library. It is left alone.
    Newer,
    /// The record is larger than the store keeps; nothing was called.
    TooLarge {
        /// The record's size in bytes.
        size: usize,
        /// The most this store keeps, in bytes.
        limit: usize,
    },
}

impl StoreError {
    /// Makes an error of any kind. `store` is the store's [`name`](SessionStore::name).
    ///
    /// ```
    /// # use session_core::{StoreError, StoreErrorKind};
    /// let error = StoreError::new(StoreErrorKind::Corrupt, "file");
    /// assert_eq!(error.to_string(), "a record in the file session store is corrupt");
    /// ```
    #[must_use]
    pub fn new(kind: StoreErrorKind, store: &'static str) -> Self {
        Self { kind, store, source: None }
    }

    /// Adds what went wrong underneath; it becomes the `source()`.
    ///
    /// ```
    /// # use session_core::{StoreError, StoreErrorKind};
    /// let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    /// let error = StoreError::new(StoreErrorKind::Refused, "file").because(full);
    /// assert!(std::error::Error::source(&error).is_some());
    /// ```
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// The store cannot be reached.
    ///
    /// ```
    /// # use session_core::{StoreError, StoreErrorKind};
    /// let error = StoreError::unavailable("redis", "connection refused");
    /// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    /// ```
    #[must_use]
    pub fn unavailable(store: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(StoreErrorKind::Unavailable, store).because(source)
    }

    /// The store did not answer in time.
    ///
    /// ```
    /// # use session_core::StoreError;
    /// assert_eq!(StoreError::timeout("sql").to_string(), "the sql session store did not answer in time");
    /// ```
    #[must_use]
    pub fn timeout(store: &'static str) -> Self {
        Self::new(StoreErrorKind::Timeout, store)
    }

    /// Refuses a record that is larger than `limit` bytes; the first line of every writing verb.
    ///
    /// # Errors
    /// [`StoreErrorKind::TooLarge`] with both numbers.
    ///
    /// ```
    /// # use session_core::{Etag, Record, StoreError, Timestamp};
    /// # let at = Timestamp::from_millis;
    /// # let record = Record { etag: Etag::new(1), created: at(0), idle_deadline: at(50), absolute_deadline: None,
    /// #     owner: None, payload: vec![0; 10].into() };
    /// let error = StoreError::check_size("memory", &record, 9).unwrap_err();
    /// assert_eq!(error.to_string(), "the session is 10 bytes long; the memory session store keeps at most 9");
    /// ```
    pub fn check_size(store: &'static str, record: &Record, limit: usize) -> Result<(), Self> {
        let size = record.size();
        if size > limit { Err(Self::new(StoreErrorKind::TooLarge { size, limit }, store)) } else { Ok(()) }
    }

    /// What kind of failure it is.
    ///
    /// ```
    /// # use session_core::{StoreError, StoreErrorKind};
    /// assert_eq!(StoreError::timeout("sql").kind(), StoreErrorKind::Timeout);
    /// ```
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// The name of the store that failed.
    ///
    /// ```
    /// # use session_core::StoreError;
    /// assert_eq!(StoreError::timeout("sql").store(), "sql");
    /// ```
    #[must_use]
    pub fn store(&self) -> &'static str {
        self.store
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = self.store;
        match self.kind {
            StoreErrorKind::Unavailable => write!(f, "the {store} session store cannot be reached"),
            StoreErrorKind::Timeout => write!(f, "the {store} session store did not answer in time"),
            StoreErrorKind::Refused => write!(f, "the {store} session store refused the operation"),
            StoreErrorKind::Corrupt => write!(f, "a record in the {store} session store is corrupt"),
            StoreErrorKind::Newer => {
                write!(f, "a record in the {store} session store has a newer format than this version reads")
            }
            StoreErrorKind::TooLarge { size, limit } => {
                write!(f, "the session is {size} bytes long; the {store} session store keeps at most {limit}")
            }
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// The largest record a store keeps unless it is configured otherwise: 64 KiB.
pub const DEFAULT_MAX_RECORD: usize = 64 * 1024;

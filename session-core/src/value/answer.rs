//! The results of store operations: what a load found, the outcome of a write, and errors.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::id::StoreKey;
use super::record::Record;
use super::time::Timestamp;

/// The result of a load.
///
/// ```
/// use session_core::{Timestamp, store::Loaded};
///
/// /// Whether a session lives here; an expired record is one that does not.
/// fn lives(loaded: &Loaded, now: Timestamp) -> bool {
///     match loaded {
///         Loaded::Found(record) => record.is_live(now),
///         Loaded::Missing | Loaded::Ended { .. } => false,
///     }
/// }
/// assert!(!lives(&Loaded::Missing, Timestamp::from_millis(0)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the answers there are")]
pub enum Loaded {
    /// There is nothing under the key.
    Missing,
    /// The session was destroyed or rotated; there is a tombstone under the key.
    Ended {
        /// When the tombstone may be removed.
        until: Timestamp,
    },
    /// The record, live or expired.
    Found(Record),
}

/// The outcome of a write.
///
/// ```
/// use session_core::store::Written;
///
/// /// Whether a writer may go on as if nothing else had happened.
/// fn went_well(written: &Written) -> bool {
///     match written {
///         Written::Applied => true,
///         Written::Conflict(_) | Written::Moved { .. } | Written::Gone | Written::Taken => false,
///     }
/// }
/// assert!(went_well(&Written::Applied) && !went_well(&Written::Gone));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the answers there are")]
pub enum Written {
    /// The write was applied, as durably as the store promises.
    Applied,
    /// Another writer was first: this is the current record. Nothing was changed.
    Conflict(Record),
    /// A rotation has moved the session to another key: this is the key and the record that is there now. Nothing was
    /// changed. The caller decides whether its write may follow.
    Moved {
        /// The store key under which the session is now.
        key: StoreKey,
        /// The current record.
        record: Record,
    },
    /// There is no live record under the key. Nothing was changed.
    Gone,
    /// The new key is in use. Nothing was changed.
    Taken,
}

/// Returned when a store operation fails. It never means "there is no session".
///
/// `Display` names the store and the kind of failure, without any secret; the driver's error is the `source()`.
///
/// ```
/// use session_core::store::{StoreError, StoreErrorKind};
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

/// The kind of a [`StoreError`].
///
/// ```
/// use session_core::store::{StoreError, StoreErrorKind};
///
/// /// Whether trying again may help.
/// fn may_pass(error: &StoreError) -> bool {
///     matches!(error.kind(), StoreErrorKind::Unavailable | StoreErrorKind::Timeout)
/// }
/// assert!(may_pass(&StoreError::timeout("sql")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store cannot be reached, or the connection was lost. A write may or may not have happened.
    Unavailable,
    /// The store did not answer within the deadline. A write may or may not have happened.
    Timeout,
    /// The store refused: permissions, a missing table, a full disk, a read-only replica.
    Refused,
    /// The record under the key cannot be decoded. The library reports it and treats the session as unknown.
    Corrupt,
    /// The record was written by a newer version of this library. It is not changed.
    Newer,
    /// The record is larger than the store's limit; the store was not called.
    TooLarge {
        /// The record's size in bytes.
        size: usize,
        /// The store's limit in bytes.
        limit: usize,
    },
}

impl StoreError {
    /// Makes an error of any kind. `store` is the store's name.
    #[must_use]
    pub fn new(kind: StoreErrorKind, store: &'static str) -> Self {
        Self { kind, store, source: None }
    }

    /// Sets the cause, which becomes the `source()`.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Makes an error for a store that cannot be reached.
    #[must_use]
    pub fn unavailable(store: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(StoreErrorKind::Unavailable, store).because(source)
    }

    /// Makes an error for a store that did not answer in time.
    #[must_use]
    pub fn timeout(store: &'static str) -> Self {
        Self::new(StoreErrorKind::Timeout, store)
    }

    /// Checks that a record is at most `limit` bytes long. Stores call it first in every operation that writes.
    ///
    /// # Errors
    /// [`StoreErrorKind::TooLarge`] with both numbers.
    ///
    /// ```
    /// # use session_core::{Timestamp, store::{Etag, Record, StoreError}};
    /// # let at = Timestamp::from_millis;
    /// # let record = Record::new(Etag::new(1), at(0), at(50), vec![0; 10].into());
    /// let error = StoreError::check_size("memory", &record, 9).unwrap_err();
    /// assert_eq!(error.to_string(), "the session is 10 bytes long; the memory session store keeps at most 9");
    /// ```
    pub fn check_size(store: &'static str, record: &Record, limit: usize) -> Result<(), Self> {
        let size = record.size();
        if size > limit { Err(Self::new(StoreErrorKind::TooLarge { size, limit }, store)) } else { Ok(()) }
    }

    /// Returns the kind of failure.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Returns the name of the store that failed.
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

/// The default limit of a record's size: 64 KiB.
pub const DEFAULT_MAX_RECORD: usize = 64 * 1024;

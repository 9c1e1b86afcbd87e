//! What an index tells of a session without reading its data, and how a long list is cut into pages.

use super::id::{Etag, StoreKey};
use super::record::Record;
use super::time::Timestamp;

/// The head of a stored session: everything that its store reads but the data and the owner.
///
/// ```
/// use session_core::{Timestamp, store::{Etag, Record, SessionHead, StoreKey}};
///
/// let (created, idle_deadline) = (Timestamp::from_millis(0), Timestamp::from_millis(7_200_000));
/// let record = Record::new(Etag::new(1), created, idle_deadline, b"{}".to_vec().into());
/// let head = SessionHead::of(StoreKey::from_bytes([7; 32]), &record);
/// assert_eq!(head.deadline(), idle_deadline);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionHead {
    /// The store key.
    pub key: StoreKey,
    /// The version of the record.
    pub etag: Etag,
    /// When the session was created.
    pub created: Timestamp,
    /// When it expires unless it is used.
    pub idle_deadline: Timestamp,
    /// When it expires however much it is used; `None` for never.
    pub absolute_deadline: Option<Timestamp>,
}

impl SessionHead {
    /// Returns the head of a record.
    #[must_use]
    pub fn of(key: StoreKey, record: &Record) -> Self {
        Self {
            key,
            etag: record.etag,
            created: record.created,
            idle_deadline: record.idle_deadline,
            absolute_deadline: record.absolute_deadline,
        }
    }

    /// Returns the earlier of the two deadlines.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.absolute_deadline.map_or(self.idle_deadline, |absolute| absolute.min(self.idle_deadline))
    }
}

/// A part of a list.
///
/// ```
/// use session_core::store::Page;
///
/// let last = Page::last(vec![1, 2, 3]);
/// assert!(last.next.is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The entries. A page may hold fewer than were asked for, and none, and still have a next one.
    pub entries: Vec<T>,
    /// Where the next page begins; `None` if this is the last one.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Makes a page.
    #[must_use]
    pub const fn new(entries: Vec<T>, next: Option<Cursor>) -> Self {
        Self { entries, next }
    }

    /// Makes a page after which nothing comes.
    #[must_use]
    pub const fn last(entries: Vec<T>) -> Self {
        Self::new(entries, None)
    }

    /// Converts each entry.
    #[must_use]
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { entries: self.entries.into_iter().map(convert).collect(), next: self.next }
    }
}

/// Where a page of a list begins; what it says is up to the store that made it.
///
/// ```
/// use session_core::store::Cursor;
///
/// assert_eq!(Cursor::new("42").as_str(), "42");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Makes a cursor.
    #[must_use]
    pub fn new(place: impl Into<String>) -> Self {
        Self(place.into())
    }

    /// Makes the cursor of a list in the order of store keys: the next page begins after this key.
    #[must_use]
    pub fn after(key: &StoreKey) -> Self {
        Self(key.to_string())
    }

    /// Returns the place.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the key of [`after`](Self::after); `None` for any other cursor.
    #[must_use]
    pub fn key(&self) -> Option<StoreKey> {
        self.0.parse().ok()
    }
}

//! A stored session: a small head that the library reads, and payload bytes that are opaque to stores.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

use super::id::Etag;
use super::time::Timestamp;

/// One stored session.
///
/// A store keeps every field and returns each unchanged; only a touch changes `idle_deadline`, to a later time. Whether
/// a record has expired is judged by the library with [`Record::is_live`], independent of the store's own time-to-live.
///
/// ```
/// use session_core::{Timestamp, store::{Etag, Record}};
///
/// let (created, idle_deadline) = (Timestamp::from_millis(0), Timestamp::from_millis(7_200_000));
/// let record = Record::new(Etag::new(1), created, idle_deadline, br#"{"v":1}"#.to_vec().into())
///     .with_owner(Some("user-1".into()));
/// assert!(record.is_live(Timestamp::from_millis(7_199_999)));
/// assert!(!record.is_live(Timestamp::from_millis(7_200_000)));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The version: a fresh random number for every record written.
    pub etag: Etag,
    /// When the session was created. Never changes, not even with a regenerate.
    pub created: Timestamp,
    /// When the session expires unless it is used. A touch moves it later.
    pub idle_deadline: Timestamp,
    /// When the session expires however much it is used; `None` for never.
    pub absolute_deadline: Option<Timestamp>,
    /// The user that the session is tagged with, by the application's own name; the key of the owner index.
    pub owner: Option<Arc<str>>,
    /// The session's data, encoded (and possibly encrypted) by the core.
    pub payload: Payload,
}

impl Record {
    /// Makes a record without an absolute deadline and without an owner.
    #[must_use]
    pub const fn new(etag: Etag, created: Timestamp, idle_deadline: Timestamp, payload: Payload) -> Self {
        Self { etag, created, idle_deadline, absolute_deadline: None, owner: None, payload }
    }

    /// Replaces the etag.
    #[must_use]
    pub const fn with_etag(mut self, etag: Etag) -> Self {
        self.etag = etag;
        self
    }

    /// Replaces the time of creation.
    #[must_use]
    pub const fn with_created(mut self, created: Timestamp) -> Self {
        self.created = created;
        self
    }

    /// Replaces the idle deadline.
    #[must_use]
    pub const fn with_idle_deadline(mut self, idle_deadline: Timestamp) -> Self {
        self.idle_deadline = idle_deadline;
        self
    }

    /// Replaces the absolute deadline.
    #[must_use]
    pub const fn with_absolute_deadline(mut self, absolute_deadline: Option<Timestamp>) -> Self {
        self.absolute_deadline = absolute_deadline;
        self
    }

    /// Replaces the owner.
    #[must_use]
    pub fn with_owner(mut self, owner: Option<Arc<str>>) -> Self {
        self.owner = owner;
        self
    }

    /// Replaces the payload.
    #[must_use]
    pub fn with_payload(mut self, payload: Payload) -> Self {
        self.payload = payload;
        self
    }

    /// Returns whether the session may still be used at this moment: both deadlines are in the future.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.deadline()
    }

    /// Returns the earlier of the two deadlines.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.absolute_deadline.map_or(self.idle_deadline, |absolute| absolute.min(self.idle_deadline))
    }

    /// Returns the number of bytes that count against a store's limit: payload and owner.
    #[must_use]
    pub fn size(&self) -> usize {
        self.payload.len() + self.owner.as_ref().map_or(0, |owner| owner.len())
    }
}

/// Shows the head, and only the length of the payload, since it holds a visitor's data.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("etag", &self.etag)
            .field("created", &self.created)
            .field("idle_deadline", &self.idle_deadline)
            .field("absolute_deadline", &self.absolute_deadline)
            .field("owned", &self.owner.is_some())
            .field("payload", &self.payload)
            .finish()
    }
}

/// Payload bytes, shared: cloning copies nothing, and a store may hand out a part of a larger buffer of its own.
///
/// ```
/// use session_core::store::Payload;
///
/// let whole: std::sync::Arc<[u8]> = (*b"head{}").into();
/// let payload = Payload::tail_of(whole, 4);
/// assert_eq!(&payload[..], b"{}");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Payload(Bytes);

impl Payload {
    /// Returns the bytes of `buffer` from `start` on; empty if `start` is beyond its end.
    #[must_use]
    pub fn tail_of(buffer: Arc<[u8]>, start: usize) -> Self {
        let start = start.min(buffer.len());
        Self(Bytes::from_owner(buffer).slice(start..))
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.0
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<&[u8]> for Payload {
    fn from(bytes: &[u8]) -> Self {
        Self(Bytes::copy_from_slice(bytes))
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.len())
    }
}

//! What a store holds under a key: a small head that the library judges, and payload bytes that are nobody's business.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

use super::id::Etag;
use super::time::Timestamp;

/// One stored session.
///
/// A store keeps every field and gives each back unchanged; it has no opinion about any of them, except that a touch
/// moves `idle_deadline` later. Whether a record has expired is judged by the library with [`Record::is_live`],
/// whatever the store's own time-to-live does.
///
/// ```
/// use session_core::{Timestamp, store::{Etag, Record}};
///
/// let record = Record {
///     etag: Etag::new(1),
///     created: Timestamp::from_millis(0),
///     idle_deadline: Timestamp::from_millis(7_200_000),
///     absolute_deadline: None,
///     owner: Some("user-1".into()),
///     payload: br#"{"v":1}"#.to_vec().into(),
/// };
/// assert!(record.is_live(Timestamp::from_millis(7_199_999)));
/// assert!(!record.is_live(Timestamp::from_millis(7_200_000)));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The version, fresh for every record written.
    pub etag: Etag,
    /// When the session began. Never changes, not even with a regenerate.
    pub created: Timestamp,
    /// When it lapses unless somebody uses it. A touch moves it later.
    pub idle_deadline: Timestamp,
    /// When it lapses however much it is used; `None` for never.
    pub absolute_deadline: Option<Timestamp>,
    /// Whose session it is, by the application's own name for its users; what the owner index is made of.
    pub owner: Option<Arc<str>>,
    /// The session's data, encoded (and perhaps sealed) by the core.
    pub payload: Payload,
}

impl Record {
    /// Whether the session may still be used at this moment: both deadlines lie ahead.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.deadline()
    }

    /// The earlier of the two deadlines: when the record is dead unless it is touched.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.absolute_deadline.map_or(self.idle_deadline, |absolute| absolute.min(self.idle_deadline))
    }

    /// Bytes that count against a store's limit: payload and owner.
    #[must_use]
    pub fn size(&self) -> usize {
        self.payload.len() + self.owner.as_ref().map_or(0, |owner| owner.len())
    }
}

/// Shows the head; of the payload only its length, since it is somebody's data.
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
    /// Returns the bytes of `buffer` from `start` on; none when `start` lies beyond its end.
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

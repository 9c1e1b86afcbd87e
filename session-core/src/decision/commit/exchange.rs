//! The types between a commit and its driver: store operations, randomness, the cookie instruction, the outcome.

use super::CommitError;
use crate::decision::decide::Decision;
use crate::value::flash::FlashBag;
use crate::value::id::{Etag, SessionId, StoreKey};
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// An operation for a store. The fields are the arguments of the [`SessionStore`](crate::store::SessionStore) method of
/// the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the verbs of `SessionStore` document them")]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the operations there are")]
pub enum StoreOp {
    Create {
        key: StoreKey,
        record: Record,
        now: Timestamp,
    },
    Replace {
        key: StoreKey,
        expected: Etag,
        record: Record,
        now: Timestamp,
    },
    Touch {
        key: StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    },
    Destroy {
        key: StoreKey,
        tombstone_until: Timestamp,
    },
    Rotate {
        old: StoreKey,
        expected: Etag,
        new: StoreKey,
        record: Record,
        now: Timestamp,
        tombstone_until: Timestamp,
    },
    /// Create this record in the list of revocations, not in the store.
    Revoke {
        key: StoreKey,
        record: Record,
        now: Timestamp,
    },
    /// Touch the record that stands in the list of revocations, not in the store.
    Prolong {
        key: StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    },
}

/// The random bytes of one attempt: an id, an etag, and a nonce for sealing a cookie.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// The new id; `None` if the session keeps its id.
    pub id: Option<SessionId>,
    /// The etag of the record that is written.
    pub etag: Etag,
    /// The nonce of the cookie that is sealed.
    pub nonce: [u8; 24],
}

impl Fresh {
    /// Splits 64 random bytes into id, etag and nonce.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 64]) -> Self {
        let (mut id, mut etag, mut nonce) = ([0; 32], [0; 8], [0; 24]);
        id.copy_from_slice(&bytes[..32]);
        etag.copy_from_slice(&bytes[32..40]);
        nonce.copy_from_slice(&bytes[40..]);
        Self { id: Some(SessionId::from_bytes(id)), etag: Etag::new(u64::from_le_bytes(etag)), nonce }
    }

    /// Splits 32 random bytes into etag and nonce, for a session that
    /// [keeps its id](crate::decision::state::SessionState::keeps_its_id).
    #[must_use]
    pub fn without_id(bytes: &[u8; 32]) -> Self {
        let (mut etag, mut nonce) = ([0; 8], [0; 24]);
        etag.copy_from_slice(&bytes[..8]);
        nonce.copy_from_slice(&bytes[8..]);
        Self { id: None, etag: Etag::new(u64::from_le_bytes(etag)), nonce }
    }
}

/// The instruction about the cookie in a response.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the orders there are")]
pub enum CookieOrder {
    /// No header.
    Keep,
    /// Seal this id and set it.
    SetId {
        /// The session's id.
        id: SessionId,
        /// The absolute deadline of the session, which is sealed in the cookie.
        absolute_deadline: Option<Timestamp>,
        /// When a persistent cookie expires; `None` for a cookie that ends with the browser session.
        expires: Option<Timestamp>,
        /// The nonce for sealing.
        nonce: [u8; 24],
    },
    /// Seal the whole record and set it.
    SetRecord {
        /// The session's id.
        id: SessionId,
        /// The session.
        record: Record,
        /// When a persistent cookie expires; `None` for a cookie that ends with the browser session.
        expires: Option<Timestamp>,
        /// The nonce for sealing.
        nonce: [u8; 24],
    },
    /// Seal the idle deadline alone, and set it as the touch cookie of a session that its cookie carries.
    SetTouch {
        /// The session's id.
        id: SessionId,
        /// The version of the record that came in its cookie: another one is not kept alive.
        etag: Etag,
        /// When the session now expires unless it is used.
        idle_deadline: Timestamp,
        /// When a persistent cookie expires; `None` for a cookie that ends with the browser session.
        expires: Option<Timestamp>,
        /// The nonce for sealing.
        nonce: [u8; 24],
    },
    /// Remove the cookie.
    Clear {
        /// The touch cookie, too: sessions are carried in their cookies.
        touch: bool,
    },
}

/// The outcome of a commit.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Success, or why the changes were not written.
    pub result: Result<(), CommitError>,
    /// The decision.
    pub decision: Decision,
    /// How many times another request wrote first.
    pub conflicts: u32,
    /// The flash that was left out because the session would have been too large with it, in this order.
    pub gave_way: Vec<FlashBag>,
}

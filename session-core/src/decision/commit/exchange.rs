//! What passes between a commit and whoever drives it: store operations, fresh randomness, the cookie's instruction, the outcome.

use super::CommitError;
use crate::decision::decide::Decision;
use crate::value::id::{Etag, SessionId, StoreKey};
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// One operation that a store must now perform. The fields are the arguments of the verb of the same name.
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
    /// In the list of revocations, not in the store: `create` this record there, and take [`Taken`] for `Applied`.
    ///
    /// [`Taken`]: crate::store::Written::Taken
    Revoke {
        key: StoreKey,
        record: Record,
        now: Timestamp,
    },
}

/// Fresh randomness for one attempt, drawn at once: an id, an etag, and a nonce for sealing a cookie.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// For a session that gets a new id; one that keeps its own needs none.
    pub id: Option<SessionId>,
    /// For the record that is written.
    pub etag: Etag,
    /// For the cookie that is sealed.
    pub nonce: [u8; 24],
}

impl Fresh {
    /// Cuts 64 random bytes into their three uses.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 64]) -> Self {
        let (mut id, mut etag, mut nonce) = ([0; 32], [0; 8], [0; 24]);
        id.copy_from_slice(&bytes[..32]);
        etag.copy_from_slice(&bytes[32..40]);
        nonce.copy_from_slice(&bytes[40..]);
        Self { id: Some(SessionId::from_bytes(id)), etag: Etag::new(u64::from_le_bytes(etag)), nonce }
    }

    /// Cuts 32 random bytes into the two uses that a session has for them which
    /// [keeps its id](crate::decision::state::SessionState::keeps_its_id).
    #[must_use]
    pub fn without_id(bytes: &[u8; 32]) -> Self {
        let (mut etag, mut nonce) = ([0; 8], [0; 24]);
        etag.copy_from_slice(&bytes[..8]);
        nonce.copy_from_slice(&bytes[8..]);
        Self { id: None, etag: Etag::new(u64::from_le_bytes(etag)), nonce }
    }
}

/// What the response says about the cookie.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the orders there are")]
pub enum CookieOrder {
    /// Nothing.
    Keep,
    /// Seal this id and set it.
    SetId {
        /// The session's id.
        id: SessionId,
        /// When the session ends whatever happens; sealed inside.
        absolute_deadline: Option<Timestamp>,
        /// When a persistent cookie expires; `None` for one that goes with the browser.
        expires: Option<Timestamp>,
        /// For sealing.
        nonce: [u8; 24],
    },
    /// Seal the whole record and set it.
    SetRecord {
        /// The session's id.
        id: SessionId,
        /// The session.
        record: Record,
        /// When a persistent cookie expires; `None` for one that goes with the browser.
        expires: Option<Timestamp>,
        /// For sealing.
        nonce: [u8; 24],
    },
    /// Remove it.
    Clear,
}

/// What came of a commit.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether everything was written.
    pub result: Result<(), CommitError>,
    /// What was decided.
    pub decision: Decision,
    /// How often somebody else wrote first.
    pub conflicts: u32,
}

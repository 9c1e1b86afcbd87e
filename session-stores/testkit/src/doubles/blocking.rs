//! A blocking store as a `SessionStore`, for the suites.

use session_core::Timestamp;
use session_core::machine::{BlockingStore, StoreOp};
use session_core::store::async_trait;
use session_core::store::{Etag, Loaded, Record, SessionStore, StoreError, StoreKey, Written};

/// A [`BlockingStore`] as a [`SessionStore`], so that the store suite can test it. It blocks the calling thread: for
/// tests only.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a promise: there is nothing else to it")]
pub struct Blocking<S>(pub S);

#[async_trait]
impl<S: BlockingStore + 'static> SessionStore for Blocking<S> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        self.0.load(key)
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        self.0.perform(&StoreOp::Create { key: *key, record: record.clone(), now })
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.0.perform(&StoreOp::Replace { key: *key, expected, record: record.clone(), now })
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.0.perform(&StoreOp::Touch { key: *key, idle_deadline, now })
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<Written, StoreError> {
        self.0.perform(&StoreOp::Destroy { key: *key, tombstone_until })
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
        let (old, new, record) = (*old, *new, record.clone());
        self.0.perform(&StoreOp::Rotate { old, expected, new, record, now, tombstone_until })
    }
}

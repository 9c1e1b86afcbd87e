//! A store that records its calls, for claims about cost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use session_core::store::{StoreError, StoreKey, async_trait};

use super::wrap::{Call, Hook, Hooked, Outcome, Verb};

/// Records every call with its key and outcome, and counts them. It changes nothing.
///
/// ```
/// use session_core::{machine::SessionId, store::SessionStore};
/// use session_testkit::{OpLog, Outcome, Verb};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), session_core::store::StoreError> {
/// let store = OpLog::new(session_store_memory::MemoryStore::new());
/// store.load(&SessionId::from_bytes([7; 32]).store_key()).await?;
/// assert_eq!(store.count_of(Verb::Load), 1);
/// assert_eq!(store.ops()[0].outcome, Some(Outcome::Missing));
/// # Ok(()) }
/// ```
pub type OpLog<S> = Hooked<S, Log>;

/// One call in an [`OpLog`].
///
/// ```
/// # use session_core::{Timestamp, machine::SessionId, store::SessionStore as _};
/// # use session_testkit::{OpLog, Outcome, Verb};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), session_core::store::StoreError> {
/// # let (key, now) = (SessionId::from_bytes([7; 32]).store_key(), Timestamp::from_millis(0));
/// let store = OpLog::new(session_store_memory::MemoryStore::new());
/// store.load(&key).await?;
/// let op = store.ops()[0];
/// assert_eq!((op.verb, op.key, op.outcome), (Verb::Load, Some(key), Some(Outcome::Missing)));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Op {
    /// The method.
    pub verb: Verb,
    /// The key in the arguments; of a rotation, the old one.
    pub key: Option<StoreKey>,
    /// The new key of a rotation.
    pub new_key: Option<StoreKey>,
    /// The outcome; `None` while the call is in progress, and if it was dropped.
    pub outcome: Option<Outcome>,
}

/// The hook of an [`OpLog`].
#[derive(Debug, Default)]
pub struct Log(Mutex<Vec<(u64, Op)>>);

impl<S> OpLog<S> {
    /// Wraps a store, with an empty log.
    pub fn new(store: S) -> Self {
        Self::with(store, Log::default())
    }
}

impl<S: ?Sized> OpLog<S> {
    /// Wraps a shared store, such as an `Arc<dyn SessionStore>`, with an empty log.
    pub fn over(store: Arc<S>) -> Self {
        Self::around(store, Log::default())
    }

    /// Returns all calls so far, in the order in which they began.
    #[must_use]
    pub fn ops(&self) -> Vec<Op> {
        self.hook.lock().iter().map(|(_, op)| *op).collect()
    }

    /// Returns the verbs of all calls so far, for tests of costs.
    #[must_use]
    pub fn verbs(&self) -> Vec<Verb> {
        self.hook.lock().iter().map(|(_, op)| op.verb).collect()
    }

    /// Returns the number of calls.
    #[must_use]
    pub fn count_all(&self) -> usize {
        self.hook.lock().len()
    }

    /// Returns the number of calls of one verb.
    #[must_use]
    pub fn count_of(&self, verb: Verb) -> usize {
        self.hook.lock().iter().filter(|(_, op)| op.verb == verb).count()
    }

    /// Returns all calls so far, and empties the log.
    pub fn take(&self) -> Vec<Op> {
        std::mem::take(&mut *self.hook.lock()).into_iter().map(|(_, op)| op).collect()
    }
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Op)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Hook for Log {
    async fn before(&self, call: &Call) -> Result<(), StoreError> {
        let op = Op { verb: call.verb, key: call.key, new_key: call.new_key, outcome: None };
        self.lock().push((call.number, op));
        Ok(())
    }

    async fn after(&self, call: &Call, outcome: Outcome) -> Result<(), StoreError> {
        let mut log = self.lock();
        // Missing if the log was taken meanwhile: the call then belongs to that part.
        if let Some((_, op)) = log.iter_mut().find(|(number, _)| *number == call.number) {
            op.outcome = Some(outcome);
        }
        Ok(())
    }
}

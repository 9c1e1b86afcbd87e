//! A store that writes down what it is asked: the proof of "a read is one round trip, a write two".

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
    /// What was called.
    pub verb: Verb,
    /// The key it was called with; the old one of a rotation.
    pub key: Option<StoreKey>,
    /// The new key of a rotation.
    pub new_key: Option<StoreKey>,
    /// How it ended; `None` while it is under way, and for good when it was dropped.
    pub outcome: Option<Outcome>,
}

/// The hook of an [`OpLog`].
///
/// ```
/// use session_testkit::OpLog;
/// use session_testkit::doubles::oplog::Log;
/// use session_testkit::doubles::wrap::Hooked;
///
/// // What stands behind the type's name.
/// fn same<S>(store: OpLog<S>) -> Hooked<S, Log> {
///     store
/// }
/// # let _ = same(OpLog::new(session_store_memory::MemoryStore::new()));
/// ```
#[derive(Debug, Default)]
pub struct Log(Mutex<Vec<(u64, Op)>>);

impl<S> OpLog<S> {
    /// Starts an empty log around the store.
    ///
    /// ```
    /// # use session_core::{Timestamp, machine::SessionId, store::SessionStore as _};
    /// # use session_testkit::{OpLog, Outcome, Verb};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), session_core::store::StoreError> {
    /// # let (key, now) = (SessionId::from_bytes([7; 32]).store_key(), Timestamp::from_millis(0));
    /// let store = OpLog::new(session_store_memory::MemoryStore::new());
    /// assert_eq!(store.count_all(), 0);
    /// # Ok(()) }
    /// ```
    pub fn new(store: S) -> Self {
        Self::with(store, Log::default())
    }
}

impl<S: ?Sized> OpLog<S> {
    /// Starts an empty log around a store that is shared already, perhaps a `dyn SessionStore`.
    ///
    /// ```
    /// use session_core::store::SessionStore;
    /// use session_testkit::OpLog;
    /// use std::sync::Arc;
    ///
    /// let chosen: Arc<dyn SessionStore> = Arc::new(session_store_memory::MemoryStore::new());
    /// assert_eq!(OpLog::over(chosen).name(), "memory");
    /// ```
    pub fn over(store: Arc<S>) -> Self {
        Self::around(store, Log::default())
    }

    /// All calls so far, in the order in which they began.
    ///
    /// ```
    /// # use session_core::{Timestamp, machine::SessionId, store::SessionStore as _};
    /// # use session_testkit::{OpLog, Outcome, Verb};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), session_core::store::StoreError> {
    /// # let (key, now) = (SessionId::from_bytes([7; 32]).store_key(), Timestamp::from_millis(0));
    /// let store = OpLog::new(session_store_memory::MemoryStore::new());
    /// store.destroy(&key, now).await?;
    /// assert_eq!(store.ops()[0].outcome, Some(Outcome::Done));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn ops(&self) -> Vec<Op> {
        self.hook.lock().iter().map(|(_, op)| *op).collect()
    }

    /// The verbs of all calls so far: what a test of costs compares.
    ///
    /// ```
    /// # use session_core::{Timestamp, machine::SessionId, store::SessionStore as _};
    /// # use session_testkit::{OpLog, Outcome, Verb};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), session_core::store::StoreError> {
    /// # let (key, now) = (SessionId::from_bytes([7; 32]).store_key(), Timestamp::from_millis(0));
    /// let store = OpLog::new(session_store_memory::MemoryStore::new());
    /// store.load(&key).await?;
    /// store.destroy(&key, now).await?;
    /// assert_eq!(store.verbs(), [Verb::Load, Verb::Destroy]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn verbs(&self) -> Vec<Verb> {
        self.hook.lock().iter().map(|(_, op)| op.verb).collect()
    }

    /// How many calls there were.
    ///
    /// ```
    /// # use session_core::{Timestamp, machine::SessionId, store::SessionStore as _};
    /// # use session_testkit::{OpLog, Outcome, Verb};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), session_core::store::StoreError> {
    /// # let (key, now) = (SessionId::from_bytes([7; 32]).store_key(), Timestamp::from_millis(0));
    /// let store = OpLog::new(session_store_memory::MemoryStore::new());
    /// store.load(&key).await?;
    /// store.destroy(&key, now).await?;
    /// assert_eq!(store.count_all(), 2);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn count_all(&self) -> usize {
        self.hook.lock().len()
    }

    /// How many calls of one verb there were.
    ///
    /// ```
    /// # use session_core::{Timestamp, machine::SessionId, store::SessionStore as _};
    /// # use session_testkit::{OpLog, Outcome, Verb};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), session_core::store::StoreError> {
    /// # let (key, now) = (SessionId::from_bytes([7; 32]).store_key(), Timestamp::from_millis(0));
    /// let store = OpLog::new(session_store_memory::MemoryStore::new());
    /// store.load(&key).await?;
    /// assert_eq!((store.count_of(Verb::Load), store.count_of(Verb::Destroy)), (1, 0));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn count_of(&self, verb: Verb) -> usize {
        self.hook.lock().iter().filter(|(_, op)| op.verb == verb).count()
    }

    /// Gives all calls so far and starts anew.
    ///
    /// ```
    /// # use session_core::{Timestamp, machine::SessionId, store::SessionStore as _};
    /// # use session_testkit::{OpLog, Outcome, Verb};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), session_core::store::StoreError> {
    /// # let (key, now) = (SessionId::from_bytes([7; 32]).store_key(), Timestamp::from_millis(0));
    /// let store = OpLog::new(session_store_memory::MemoryStore::new());
    /// store.load(&key).await?;
    /// assert_eq!(store.take().len(), 1);
    /// assert_eq!(store.count_all(), 0);
    /// # Ok(()) }
    /// ```
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
        // Gone when the log was taken in between: the call then belongs to the part that was taken.
        if let Some((_, op)) = log.iter_mut().find(|(number, _)| *number == call.number) {
            op.outcome = Some(outcome);
        }
        Ok(())
    }
}

//! A wrapper around a store with a hook before and after every call. The other doubles are hooks.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

pub use session_core::store::Verb;
use session_core::store::{
    Loaded, SessionStore, StoreAnswer, StoreCall, StoreError, StoreErrorKind, StoreKey, StoreWrapper,
    Written, async_trait,
};

/// One call that reached a wrapper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// The number of this call, counted per wrapper from 1.
    pub number: u64,
    /// The method.
    pub verb: Verb,
    /// The key in the arguments: of a rotation the old one, of a `destroy_all` the exception.
    pub key: Option<StoreKey>,
    /// The new key of a rotation.
    pub new_key: Option<StoreKey>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// A load found nothing.
    Missing,
    /// A load found a tombstone.
    Ended,
    /// A load found a record.
    Found,
    /// A write was applied.
    Applied,
    /// The record has another etag.
    Conflict,
    /// The session has moved to another key.
    Moved,
    /// There is no live record.
    Gone,
    /// The new key is in use.
    Taken,
    /// A capability's method succeeded.
    Done,
    /// The store failed.
    Failed(StoreErrorKind),
}

/// Runs before and after every call of a [`Hooked`] store. An error of either method is returned to the caller.
///
/// ```
/// use session_core::store::{async_trait, StoreError};
/// use session_testkit::{Call, Hook, Hooked, Outcome, Verb};
///
/// /// Sessions cannot be ended.
/// #[derive(Debug)]
/// struct Forever;
///
/// #[async_trait]
/// impl Hook for Forever {
///     async fn before(&self, call: &Call) -> Result<(), StoreError> {
///         if call.verb == Verb::Destroy { Err(StoreError::timeout("forever")) } else { Ok(()) }
///     }
///     async fn after(&self, _: &Call, _: Outcome) -> Result<(), StoreError> {
///         Ok(())
///     }
/// }
/// let store = Hooked::with(session_store_memory::MemoryStore::new(), Forever);
/// # let _ = store;
/// ```
#[async_trait]
pub trait Hook: fmt::Debug + Send + Sync + 'static {
    /// Runs before the call. On an error, the store is not called.
    async fn before(&self, call: &Call) -> Result<(), StoreError>;

    /// Runs after the call. An error replaces the result; the effect of the call remains.
    async fn after(&self, call: &Call, outcome: Outcome) -> Result<(), StoreError>;

    /// Records the call and returns `true`, if that is all the hook does: then neither of the other methods is called. It
    /// spares a server under measurement two boxed futures for each counted call.
    fn looks_on(&self, call: &Call) -> bool {
        let _ = call;
        false
    }
}

/// A store with a [`Hook`] around every call. Clones share both. It has the name, the limit and the capabilities of the
/// inner store.
///
/// ```
/// use session_core::store::{async_trait, StoreError};
/// use session_testkit::doubles::wrap::{Call, Hook, Hooked, Outcome};
///
/// #[derive(Debug)]
/// struct Print;
///
/// #[async_trait]
/// impl Hook for Print {
///     async fn before(&self, call: &Call) -> Result<(), StoreError> {
///         println!("{:?} …", call.verb);
///         Ok(())
///     }
///     async fn after(&self, _: &Call, outcome: Outcome) -> Result<(), StoreError> {
///         println!("… {outcome:?}");
///         Ok(())
///     }
/// }
/// let store = Hooked::with(session_store_memory::MemoryStore::new(), Print);
/// # let _ = store;
/// ```
#[derive(Debug)]
pub struct Hooked<S: ?Sized, H> {
    pub(crate) hook: Arc<H>,
    calls: Arc<AtomicU64>,
    store: Arc<S>,
}

impl<S, H> Hooked<S, H> {
    /// Wraps the store.
    pub fn with(store: S, hook: H) -> Self {
        Self::around(Arc::new(store), hook)
    }
}

impl<S: ?Sized, H> Hooked<S, H> {
    /// Wraps a shared store, such as an `Arc<dyn SessionStore>`.
    pub fn around(store: Arc<S>, hook: H) -> Self {
        Self { hook: Arc::new(hook), calls: Arc::default(), store }
    }

    /// Returns the inner store, for calls without the hook.
    pub fn inner(&self) -> &S {
        &self.store
    }
}

impl<S: ?Sized, H> Clone for Hooked<S, H> {
    fn clone(&self) -> Self {
        let (hook, calls, store) = (Arc::clone(&self.hook), Arc::clone(&self.calls), Arc::clone(&self.store));
        Self { hook, calls, store }
    }
}

impl<S: SessionStore + ?Sized, H: Hook> StoreWrapper for Hooked<S, H> {
    type Inner = S;

    fn inner(&self) -> &S {
        &self.store
    }

    async fn around<T: StoreAnswer>(
        &self,
        call: StoreCall<'_>,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let number = self.calls.fetch_add(1, SeqCst) + 1;
        let StoreCall { verb, key, new_key, .. } = call;
        let call = Call { number, verb, key: key.copied(), new_key: new_key.copied() };
        if self.hook.looks_on(&call) {
            return work.await;
        }
        self.hook.before(&call).await?;
        let result = work.await;
        let outcome = match &result {
            Ok(answer) => Outcome::of(answer),
            Err(error) => Outcome::Failed(error.kind()),
        };
        self.hook.after(&call, outcome).await?;
        result
    }
}

impl Outcome {
    fn of(answer: &impl StoreAnswer) -> Self {
        let (loaded, written) = (answer.loaded().map(Self::from), answer.written().map(Self::from));
        loaded.or(written).unwrap_or(Self::Done)
    }
}

impl From<&Loaded> for Outcome {
    fn from(loaded: &Loaded) -> Self {
        match loaded {
            Loaded::Missing => Self::Missing,
            Loaded::Ended { .. } => Self::Ended,
            Loaded::Found(_) => Self::Found,
        }
    }
}

impl From<&Written> for Outcome {
    fn from(written: &Written) -> Self {
        match written {
            Written::Applied => Self::Applied,
            Written::Conflict(_) => Self::Conflict,
            Written::Moved { .. } => Self::Moved,
            Written::Gone => Self::Gone,
            Written::Taken => Self::Taken,
        }
    }
}

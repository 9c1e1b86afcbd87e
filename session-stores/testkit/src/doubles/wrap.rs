//! A wrapper around a store with a hook before and after every call. The other doubles are hooks.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use session_core::{
    Timestamp,
    store::{
        Census, Cursor, Etag, Loaded, OwnerIndex, Page, Record, SessionHead, SessionStore, StoreError,
        StoreErrorKind, StoreKey, Sweep, Swept, Written, async_trait,
    },
};

/// The method of a call: one of the six verbs, or a method of a capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the method of the same name")]
pub enum Verb {
    Load,
    Create,
    Replace,
    Touch,
    Destroy,
    Rotate,
    /// A page of [`OwnerIndex::page`].
    List,
    Heads,
    Count,
    DestroyAll,
    Sweep,
}

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

impl<S: ?Sized, H: Hook> Hooked<S, H> {
    async fn call<T>(
        &self,
        verb: Verb,
        key: Option<&StoreKey>,
        new_key: Option<&StoreKey>,
        outcome: impl Fn(&T) -> Outcome,
        act: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let number = self.calls.fetch_add(1, SeqCst) + 1;
        let call = Call { number, verb, key: key.copied(), new_key: new_key.copied() };
        if self.hook.looks_on(&call) {
            return act.await;
        }
        self.hook.before(&call).await?;
        let result = act.await;
        let outcome = match &result {
            Ok(value) => outcome(value),
            Err(error) => Outcome::Failed(error.kind()),
        };
        self.hook.after(&call, outcome).await?;
        result
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

fn done<T>(_: &T) -> Outcome {
    Outcome::Done
}

#[async_trait]
impl<S: SessionStore + ?Sized, H: Hook> SessionStore for Hooked<S, H> {
    fn name(&self) -> &'static str {
        self.store.name()
    }

    fn max_record(&self) -> usize {
        self.store.max_record()
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        self.call(Verb::Load, Some(key), None, |loaded| loaded.into(), self.store.load(key)).await
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        let act = self.store.create(key, record, now);
        self.call(Verb::Create, Some(key), None, |written| written.into(), act).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let act = self.store.replace(key, expected, record, now);
        self.call(Verb::Replace, Some(key), None, |written| written.into(), act).await
    }

    async fn touch(&self, key: &StoreKey, idle: Timestamp, now: Timestamp) -> Result<Written, StoreError> {
        let act = self.store.touch(key, idle, now);
        self.call(Verb::Touch, Some(key), None, |written| written.into(), act).await
    }

    async fn destroy(&self, key: &StoreKey, until: Timestamp) -> Result<Written, StoreError> {
        let act = self.store.destroy(key, until);
        self.call(Verb::Destroy, Some(key), None, |written| written.into(), act).await
    }

    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Written, StoreError> {
        let act = self.store.rotate(old, expected, new, record, now, until);
        self.call(Verb::Rotate, Some(old), Some(new), |written| written.into(), act).await
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        self.store.owners().map(|_| self as &dyn OwnerIndex)
    }

    fn sweeper(&self) -> Option<&dyn Sweep> {
        self.store.sweeper().map(|_| self as &dyn Sweep)
    }

    /// Not hooked, since no request calls it.
    fn census(&self) -> Option<&dyn Census> {
        self.store.census()
    }
}

#[async_trait]
impl<S: SessionStore + ?Sized, H: Hook> OwnerIndex for Hooked<S, H> {
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        self.call(Verb::List, None, None, done, self.index().page(owner, from, most, now)).await
    }

    async fn heads(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        self.call(Verb::Heads, None, None, done, self.index().heads(owner, from, most, now)).await
    }

    async fn count(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        self.call(Verb::Count, None, None, done, self.index().count(owner, now)).await
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<usize, StoreError> {
        let act = self.index().destroy_all(owner, except, now, until);
        self.call(Verb::DestroyAll, except, None, done, act).await
    }
}

#[async_trait]
impl<S: SessionStore + ?Sized, H: Hook> Sweep for Hooked<S, H> {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        let sweeper = self.store.sweeper().expect("this is handed out only where the store inside has one");
        self.call(Verb::Sweep, None, None, done, sweeper.sweep(before, most)).await
    }
}

impl<S: SessionStore + ?Sized, H> Hooked<S, H> {
    fn index(&self) -> &dyn OwnerIndex {
        self.store.owners().expect("this is handed out only where the store inside has one")
    }
}

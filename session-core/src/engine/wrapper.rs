//! A store around a store: one function runs every call, and nothing else has to be forwarded.

use std::fmt;
use std::future::Future;

use async_trait::async_trait;

use super::store::{Census, OwnerIndex, SessionStore, Sweep, Swept};
use crate::value::answer::{Loaded, StoreError, StoreErrorKind, Written};
use crate::value::head::{Cursor, Page, SessionHead};
use crate::value::id::{Etag, StoreKey};
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// A store around another one that measures, logs, counts, limits or refuses its calls.
///
/// A type with this trait is a [`SessionStore`] with the name, the limit and the capabilities of the store inside. Every method
/// that takes a request to the store, also one that a later version of this library adds, goes through [`around`](Self::around).
///
/// A store that changes records, keys or answers, or is made of several stores, implements [`SessionStore`] itself, as
/// [`EncryptedStore`](crate::store::EncryptedStore) and [`MigratingStore`](crate::store::MigratingStore) do.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
/// use session_core::store::{SessionStore, StoreAnswer, StoreCall, StoreError, StoreWrapper};
///
/// /// Counts the calls that fail.
/// #[derive(Debug)]
/// struct Counted<S> {
///     inner: S,
///     failures: AtomicU64,
/// }
///
/// impl<S: SessionStore> StoreWrapper for Counted<S> {
///     type Inner = S;
///
///     fn inner(&self) -> &S {
///         &self.inner
///     }
///
///     async fn around<T: StoreAnswer>(
///         &self,
///         call: StoreCall<'_>,
///         work: impl Future<Output = Result<T, StoreError>> + Send,
///     ) -> Result<T, StoreError> {
///         let result = work.await;
///         if let Err(error) = &result {
///             self.failures.fetch_add(1, Relaxed);
///             eprintln!("{} failed: {error}", call.verb.name());
///         }
///         result
///     }
/// }
///
/// let store = Counted { inner: session_store_memory::MemoryStore::new(), failures: AtomicU64::new(0) };
/// assert!(store.name() == "memory" && store.owners().is_some() && store.sweeper().is_some());
/// ```
pub trait StoreWrapper: fmt::Debug + Send + Sync + 'static {
    /// The type of the store inside.
    type Inner: SessionStore + ?Sized;

    /// Returns the store inside.
    fn inner(&self) -> &Self::Inner;

    /// Runs one call. Nothing has reached the store inside before `work` is first polled; if `work` is dropped without being polled,
    /// nothing will.
    fn around<T: StoreAnswer>(
        &self,
        call: StoreCall<'_>,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;
}

/// One call of a store: the method, and the sessions that it names.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StoreCall<'c> {
    /// The method.
    pub verb: Verb,
    /// The key in the arguments: of a rotation the old one, of [`OwnerIndex::destroy_all`] the exception.
    pub key: Option<&'c StoreKey>,
    /// The new key of a rotation.
    pub new_key: Option<&'c StoreKey>,
}

/// A method of a store: one of the six verbs of [`SessionStore`], or a method of a capability.
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
    Page,
    Heads,
    List,
    Count,
    DestroyAll,
    Sweep,
    Survey,
}

impl Verb {
    /// The method's name: `"destroy_all"`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Touch => "touch",
            Self::Destroy => "destroy",
            Self::Rotate => "rotate",
            Self::Page => "page",
            Self::Heads => "heads",
            Self::List => "list",
            Self::Count => "count",
            Self::DestroyAll => "destroy_all",
            Self::Sweep => "sweep",
            Self::Survey => "survey",
        }
    }
}

/// The answer to a call of a store, as far as a [`StoreWrapper`] can tell without knowing the method.
pub trait StoreAnswer: sealed::Sealed + Send {
    /// Returns the answer of a load.
    fn loaded(&self) -> Option<&Loaded> {
        None
    }

    /// Returns the answer of a write.
    fn written(&self) -> Option<&Written> {
        None
    }
}

impl StoreAnswer for Loaded {
    fn loaded(&self) -> Option<&Loaded> {
        Some(self)
    }
}

impl StoreAnswer for Written {
    fn written(&self) -> Option<&Written> {
        Some(self)
    }
}

impl<T: Send> StoreAnswer for Page<T> {}
impl<T: Send> StoreAnswer for Vec<T> {}
impl StoreAnswer for usize {}
impl StoreAnswer for Swept {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Loaded {}
    impl Sealed for super::Written {}
    impl<T> Sealed for super::Page<T> {}
    impl<T> Sealed for Vec<T> {}
    impl Sealed for usize {}
    impl Sealed for super::Swept {}
}

impl<'c> StoreCall<'c> {
    fn new(verb: Verb, key: Option<&'c StoreKey>) -> Self {
        Self { verb, key, new_key: None }
    }
}

#[async_trait]
impl<W: StoreWrapper> SessionStore for W {
    fn name(&self) -> &'static str {
        self.inner().name()
    }

    fn max_record(&self) -> usize {
        self.inner().max_record()
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        self.around(StoreCall::new(Verb::Load, Some(key)), self.inner().load(key)).await
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        let call = StoreCall::new(Verb::Create, Some(key));
        self.around(call, self.inner().create(key, record, now)).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let call = StoreCall::new(Verb::Replace, Some(key));
        self.around(call, self.inner().replace(key, expected, record, now)).await
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let call = StoreCall::new(Verb::Touch, Some(key));
        self.around(call, self.inner().touch(key, idle_deadline, now)).await
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<Written, StoreError> {
        let call = StoreCall::new(Verb::Destroy, Some(key));
        self.around(call, self.inner().destroy(key, tombstone_until)).await
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
        let call = StoreCall { new_key: Some(new), ..StoreCall::new(Verb::Rotate, Some(old)) };
        self.around(call, self.inner().rotate(old, expected, new, record, now, tombstone_until)).await
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        self.inner().owners().map(|_| self as &dyn OwnerIndex)
    }

    fn sweeper(&self) -> Option<&dyn Sweep> {
        self.inner().sweeper().map(|_| self as &dyn Sweep)
    }

    fn census(&self) -> Option<&dyn Census> {
        self.inner().census().map(|_| self as &dyn Census)
    }
}

#[async_trait]
impl<W: StoreWrapper> OwnerIndex for W {
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        let index = there(self, self.inner().owners())?;
        self.around(StoreCall::new(Verb::Page, None), index.page(owner, from, most, now)).await
    }

    async fn heads(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let index = there(self, self.inner().owners())?;
        self.around(StoreCall::new(Verb::Heads, None), index.heads(owner, from, most, now)).await
    }

    async fn list(&self, owner: &str, now: Timestamp) -> Result<Vec<(StoreKey, Record)>, StoreError> {
        let index = there(self, self.inner().owners())?;
        self.around(StoreCall::new(Verb::List, None), index.list(owner, now)).await
    }

    async fn count(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        let index = there(self, self.inner().owners())?;
        self.around(StoreCall::new(Verb::Count, None), index.count(owner, now)).await
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        let index = there(self, self.inner().owners())?;
        let call = StoreCall::new(Verb::DestroyAll, except);
        self.around(call, index.destroy_all(owner, except, now, tombstone_until)).await
    }
}

#[async_trait]
impl<W: StoreWrapper> Sweep for W {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        let sweeper = there(self, self.inner().sweeper())?;
        self.around(StoreCall::new(Verb::Sweep, None), sweeper.sweep(before, most)).await
    }
}

#[async_trait]
impl<W: StoreWrapper> Census for W {
    async fn survey(
        &self,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let census = there(self, self.inner().census())?;
        self.around(StoreCall::new(Verb::Survey, None), census.survey(from, most, now)).await
    }
}

/// A capability is handed out only where the store inside has it: one that is missing is a mistake of the caller.
fn there<C>(wrapper: &impl StoreWrapper, capability: Option<C>) -> Result<C, StoreError> {
    capability.ok_or_else(|| StoreError::new(StoreErrorKind::Refused, wrapper.inner().name()))
}

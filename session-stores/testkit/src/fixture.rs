//! What a store's author hands to the suite: the store, what must stay alive beside it, and two optional doors.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use session_core::store::{SessionStore, StoreKey, async_trait};

/// One store, empty or not, for one case. Every case asks for a fresh one and works under random keys of its own, so
/// that cases may share a database.
///
/// ```
/// use session_testkit::Fixture;
///
/// async fn fixture() -> Fixture {
///     let directory = std::sync::Arc::new("a temporary directory that goes away when dropped");
///     Fixture::new(session_store_memory::MemoryStore::new()).with_guard(directory)
/// }
/// # let _ = fixture;
/// ```
pub struct Fixture {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) damage: Option<Box<dyn Damage>>,
    pub(crate) reopen: Option<Reopen>,
    pub(crate) rounds: usize,
    pub(crate) guards: Vec<Box<dyn Any + Send + Sync>>,
}

type Reopen = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Arc<dyn SessionStore>> + Send>> + Send + Sync>;

impl Fixture {
    /// Takes the store, by value or as an `Arc<dyn SessionStore>`.
    ///
    /// ```
    /// # use session_testkit::Fixture;
    /// let fixture = Fixture::new(session_store_memory::MemoryStore::new());
    /// # let _ = fixture;
    /// ```
    #[must_use]
    pub fn new<How>(store: impl IntoStore<How>) -> Self {
        Self { store: store.into_store(), damage: None, reopen: None, rounds: 40, guards: Vec::new() }
    }

    /// Keeps a value until the case has ended: a temporary directory, a server.
    ///
    /// ```
    /// # use session_testkit::Fixture;
    /// let fixture = Fixture::new(session_store_memory::MemoryStore::new()).with_guard("a directory");
    /// # let _ = fixture;
    /// ```
    #[must_use]
    pub fn with_guard(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guards.push(Box::new(guard));
        self
    }

    /// Lets the suite spoil what is stored, to see that the store notices. Without it those cases pass unproved.
    ///
    /// ```
    /// use session_core::store::{async_trait, StoreKey};
    /// use session_testkit::{Damage, DamageKind, Fixture};
    ///
    /// struct Scribble;
    ///
    /// #[async_trait]
    /// impl Damage for Scribble {
    ///     async fn damage(&self, _key: &StoreKey, _kind: DamageKind) {
    ///         // open the file or the row of this key and spoil it
    ///     }
    /// }
    /// let fixture = Fixture::new(session_store_memory::MemoryStore::new()).with_damage(Scribble);
    /// # let _ = fixture;
    /// ```
    #[must_use]
    pub fn with_damage(mut self, damage: impl Damage) -> Self {
        self.damage = Some(Box::new(damage));
        self
    }

    /// Says how to open the same data a second time, as another process would. Without it those cases pass unproved.
    ///
    /// ```
    /// use session_testkit::Fixture;
    ///
    /// let store = session_store_memory::MemoryStore::new();
    /// let again = store.clone();
    /// let fixture = Fixture::new(store).reopen(move || {
    ///     let again = again.clone();
    ///     async move { again }
    /// });
    /// # let _ = fixture;
    /// ```
    #[must_use]
    pub fn reopen<F, S, O, How>(mut self, open: F) -> Self
    where
        F: Fn() -> O + Send + Sync + 'static,
        O: Future<Output = S> + Send + 'static,
        S: IntoStore<How>,
    {
        self.reopen = Some(Box::new(move || {
            let opening = open();
            Box::pin(async move { opening.await.into_store() })
        }));
        self
    }

    /// How often the cases about races repeat theirs; 40 unless set. Raise it for a fast store.
    ///
    /// ```
    /// # use session_testkit::Fixture;
    /// let fixture = Fixture::new(session_store_memory::MemoryStore::new()).rounds(500);
    /// # let _ = fixture;
    /// ```
    #[must_use]
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds.max(1);
        self
    }
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture").field("store", &self.store.name()).finish_non_exhaustive()
    }
}

/// A store by value, or shared as `Arc<dyn SessionStore>`. The parameter only tells the two apart.
///
/// ```
/// use session_core::store::SessionStore;
/// use session_testkit::Fixture;
/// use std::sync::Arc;
///
/// let store = session_store_memory::MemoryStore::new();
/// let shared: Arc<dyn SessionStore> = Arc::new(store.clone());
/// // Either will do.
/// let fixtures = [Fixture::new(store), Fixture::new(shared)];
/// # drop(fixtures);
/// ```
pub trait IntoStore<How> {
    /// The store, shared.
    fn into_store(self) -> Arc<dyn SessionStore>;
}

/// See [`IntoStore`].
#[derive(Debug)]
pub enum ByValue {}

/// See [`IntoStore`].
#[derive(Debug)]
pub enum Shared {}

impl<S: SessionStore> IntoStore<ByValue> for S {
    fn into_store(self) -> Arc<dyn SessionStore> {
        Arc::new(self)
    }
}

impl IntoStore<Shared> for Arc<dyn SessionStore> {
    fn into_store(self) -> Arc<dyn SessionStore> {
        self
    }
}

/// Spoils what a store keeps, behind its back. The store's author implements it with the store's own tools.
///
/// ```
/// use session_core::store::{async_trait, StoreKey};
/// use session_testkit::{Damage, DamageKind};
///
/// /// For a store without a checksum of its own.
/// struct Scribble;
///
/// #[async_trait]
/// impl Damage for Scribble {
///     async fn damage(&self, _key: &StoreKey, _kind: DamageKind) {
///         // open the file or the row of this key and spoil it
///     }
///
///     fn kinds(&self) -> &[DamageKind] {
///         &[DamageKind::Truncate, DamageKind::Garbage, DamageKind::NewerFormat]
///     }
/// }
/// ```
#[async_trait]
pub trait Damage: Send + Sync + 'static {
    /// Spoils the record stored under this key. It is there: the suite has just written it.
    async fn damage(&self, key: &StoreKey, kind: DamageKind);

    /// The kinds that this store can suffer and must notice; all of them unless said otherwise. A store without a
    /// checksum of its own leaves [`FlipBit`](DamageKind::FlipBit) out, and says so in its documentation.
    fn kinds(&self) -> &[DamageKind] {
        &DamageKind::ALL
    }
}

/// A way to spoil a record.
///
/// ```
/// use session_testkit::DamageKind;
///
/// /// What an author of a store does to the bytes of a record.
/// fn spoil(bytes: &mut Vec<u8>, kind: DamageKind) {
///     match kind {
///         DamageKind::Truncate => bytes.truncate(bytes.len() / 2),
///         DamageKind::FlipBit => bytes[0] ^= 1,
///         DamageKind::Garbage => bytes.fill(0xAA),
///         _ => bytes[0] = u8::MAX, // the version
///     }
/// }
/// # spoil(&mut vec![1; 4], DamageKind::ALL[0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageKind {
    /// Cut off somewhere in its middle.
    Truncate,
    /// One bit of it turned over.
    FlipBit,
    /// Overwritten with bytes that were never a record.
    Garbage,
    /// Rewritten as a version of the format that this library does not know yet.
    NewerFormat,
}

impl DamageKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Truncate, Self::FlipBit, Self::Garbage, Self::NewerFormat];
}
